import type { Memory, MemoryMapPoint, RecallHit } from '../package/index.js';
import { fill, make, svg } from './dom.js';
import { legend, symbol } from './map-symbols.js';
import { nearestTo, towards, type Direction, type Place } from './map-ways.js';
import { errorParagraph } from './notices.js';
import { fromPackage, identity, nameOf, type Reference } from './references.js';

/** How many rows are drawn: those that were embedded last. */
const MOST = 1000;
/** Between the outermost symbols and the frame, so that both fit, and the rank beside a hit. */
const MARGIN = 22;
/** How far from a symbol the pointer is still on it. */
const REACH = 20;
const DIRECTIONS: Readonly<Record<string, Direction>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface Point extends Place {
  readonly reference: Reference;
  readonly text: string;
  /** Where, from -1 to 1. */
  readonly at: Pick<MemoryMapPoint, 'x' | 'y'>;
  readonly element: SVGGElement;
  /** Which hit it is, from 1. */
  rank: number | undefined;
}

/**
 * What is remembered as points on a plane: a symbol and a colour for each table, a number for each hit of the question asked
 * last. One stop for the Tab key; from there the arrows lead from point to point, Enter and a click to the row.
 */
export class MemoryMap {
  readonly #goTo: (row: Reference) => void;
  readonly #plane = svg('svg', {
    class: 'map-plane',
    role: 'listbox',
    'aria-multiselectable': 'true',
    'aria-label':
      'Map of memories. Arrow keys go from one to the next, Page Up and Page Down through the hits, Enter to the row.',
  });
  readonly #tip = make('div', { class: 'map-tip', 'aria-hidden': 'true', hidden: true });
  readonly #frame = make('div', { class: 'map-frame' }, this.#plane, this.#tip);
  readonly #legend = make('ul', { class: 'legend', role: 'list', 'aria-label': 'Legend of the map' });
  readonly #note = make('p', { class: 'map-note', role: 'status' });
  #points: Point[] = [];
  #hits: readonly RecallHit[] = [];
  #shown: Point | undefined;
  #isTouch = false;
  #loading = 0;

  constructor(place: HTMLElement, goTo: (row: Reference) => void) {
    this.#goTo = goTo;
    fill(place, this.#frame, this.#note, this.#legend);
    new ResizeObserver(() => this.#place()).observe(this.#frame);

    this.#plane.addEventListener('pointerdown', ({ pointerType }) => (this.#isTouch = pointerType === 'touch'));
    this.#plane.addEventListener('pointermove', (event) => this.#show(this.#under(event)));
    this.#plane.addEventListener('pointerleave', ({ pointerType }) => pointerType !== 'touch' && this.#show(undefined));
    this.#plane.addEventListener('click', (event) => {
      const point = this.#under(event);
      // A finger cannot hover: its first touch shows the text, its next one leads to the row.
      const opens = point && (!this.#isTouch || point === this.#shown);
      if (opens) this.#goTo(point.reference);
      this.#show(opens ? undefined : point);
    });
    this.#plane.addEventListener('focusin', ({ target }) => {
      this.#show(this.#points.find(({ element }) => element === target));
    });
    this.#plane.addEventListener('focusout', () => this.#show(undefined));
    this.#plane.addEventListener('keydown', (event) => this.#press(event));
  }

  /** Reads the map anew; `embedded` is how many rows have a vector, undefined where that cannot be read. */
  async load(memory: Memory, embedded: number | undefined): Promise<void> {
    const loading = ++this.#loading;
    try {
      const points = embedded ? await memory.embeddings.map({ limit: MOST }) : [];
      if (loading !== this.#loading) return;
      this.#draw(points);
      const drawn = points.length < (embedded ?? 0) ? `The ${MOST} of them that were embedded last.` : '';
      fill(this.#note, points.length > 0 ? drawn : 'Nothing to draw yet: no row has a vector.');
    } catch (error) {
      if (loading !== this.#loading) return;
      this.#draw([]);
      fill(this.#note, errorParagraph(error));
    }
  }

  /** Marks the hits of a question, the best first, and nothing else. */
  mark(hits: readonly RecallHit[]): void {
    this.#hits = hits;
    const ranks = new Map(hits.map((hit, index) => [identity(fromPackage(hit)), index + 1]));
    const folded = new Map(
      hits.flatMap(({ duplicates }, index) =>
        duplicates.map((row) => [identity(fromPackage(row)), index + 1] as const),
      ),
    );
    for (const point of this.#points) {
      const { reference, text, element } = point;
      const id = identity(reference);
      point.rank = ranks.get(id);
      const as = folded.get(id);
      const standing = point.rank ? `, hit ${point.rank}` : as ? `, the same text as hit ${as}` : '';
      element.setAttribute('class', point.rank ? 'point point-hit' : as ? 'point point-folded' : 'point');
      element.setAttribute('aria-selected', String(point.rank !== undefined));
      element.setAttribute('aria-label', `${nameOf(reference)}${standing}: ${text.replace(/\s+/g, ' ')}`);
      fill(element, symbol(reference.table, point.rank ? 7.5 : 5), point.rank !== undefined && rankText(point.rank));
    }
    const any = this.#points.some(({ rank }) => rank !== undefined);
    this.#plane.classList.toggle('map-marked', any);
    this.#order();
  }

  #draw(points: readonly MemoryMapPoint[]): void {
    const focused = this.#points.find(({ element }) => element === document.activeElement);
    this.#show(undefined);
    this.#points = points.map(({ reference, text, x, y }) => {
      const row = fromPackage(reference);
      const element = svg('g', { role: 'option', tabindex: -1, 'data-table': row.table, 'data-key': row.key });
      return { reference: row, text: text.trim(), at: { x, y }, x: 0, y: 0, element, rank: undefined };
    });
    this.#frame.hidden = points.length === 0;
    fill(this.#legend, ...legend(points.map(({ reference }) => reference.table)));
    this.mark(this.#hits);
    this.#place();
    if (!focused) return;
    const id = identity(focused.reference);
    this.#focus(this.#points.find(({ reference }) => identity(reference) === id) ?? this.#points[0]);
  }

  /** Hits are drawn last, so that they are on top, the best above all. */
  #order(): void {
    const ranked = this.#points.filter(({ rank }) => rank !== undefined).sort((one, other) => other.rank! - one.rank!);
    const others = this.#points.filter(({ rank }) => rank === undefined);
    const focused = document.activeElement;
    this.#points = [...others, ...ranked];
    fill(this.#plane, ...this.#points.map(({ element }) => element));
    // To be put in anew takes the focus away.
    const point = this.#points.find(({ element }) => element === focused);
    if (point) this.#focus(point);
    else this.#setTabStop(ranked.at(-1) ?? this.#points[0]);
  }

  /** Puts the points where they belong in the frame as large as it is now; symbols are of one size in all. */
  #place(): void {
    const { clientWidth: width, clientHeight: height } = this.#frame;
    if (width === 0 || height === 0) return;
    this.#plane.setAttribute('viewBox', `0 0 ${width} ${height}`);
    const spread = (value: number, size: number) => MARGIN + ((value + 1) / 2) * (size - 2 * MARGIN);
    for (const point of this.#points) {
      point.x = spread(point.at.x, width);
      point.y = spread(-point.at.y, height);
      point.element.setAttribute('transform', `translate(${point.x.toFixed(1)} ${point.y.toFixed(1)})`);
    }
    if (this.#shown) this.#show(this.#shown);
  }

  #under({ clientX, clientY }: MouseEvent): Point | undefined {
    const { left, top } = this.#plane.getBoundingClientRect();
    return nearestTo(this.#points, { x: clientX - left, y: clientY - top }, REACH);
  }

  /** Shows a point's text beside it, on the side where there is room. */
  #show(point: Point | undefined): void {
    this.#shown?.element.classList.remove('point-shown');
    this.#shown = point;
    this.#tip.hidden = point === undefined;
    if (!point) return;
    const { reference, text, rank, x, y, element } = point;
    element.classList.add('point-shown');
    this.#tip.dataset['table'] = reference.table;
    const name = `${nameOf(reference)}${rank === undefined ? '' : ` · hit ${rank}`}`;
    fill(this.#tip, make('strong', {}, name), make('span', {}, text || 'no text'));
    const { clientWidth: width, clientHeight: height } = this.#frame;
    this.#tip.style.setProperty('--x', String(x / width));
    this.#tip.style.setProperty('--y', `${y > height / 2 ? height - y : y}px`);
    this.#tip.dataset['side'] = y > height / 2 ? 'above' : 'below';
  }

  #press(event: KeyboardEvent): void {
    const point = this.#points.find(({ element }) => element === event.target);
    if (!point || event.ctrlKey || event.altKey || event.metaKey) return;
    const next = this.#next(point, event.key);
    if (event.key === 'Escape') this.#show(undefined);
    else if (event.key === 'Enter' || event.key === ' ') this.#goTo(point.reference);
    else if (next) this.#focus(next);
    else if (!Object.hasOwn(DIRECTIONS, event.key)) return;
    event.preventDefault();
  }

  #next(point: Point, key: string): Point | undefined {
    const direction = DIRECTIONS[key];
    if (direction) return towards(this.#points, point, direction);
    const hits = this.#points.filter(({ rank }) => rank !== undefined).sort((one, other) => one.rank! - other.rank!);
    // Where nothing is marked, the same keys lead through all.
    const all = hits.length > 0 ? hits : this.#points;
    const at = all.indexOf(point);
    if (key === 'PageDown') return all[(at + 1) % all.length];
    if (key === 'PageUp') return all.at((at < 0 ? 0 : at) - 1);
    return key === 'Home' ? all[0] : key === 'End' ? all.at(-1) : undefined;
  }

  #focus(point: Point | undefined): void {
    this.#setTabStop(point);
    point?.element.focus({ preventScroll: true });
  }

  #setTabStop(point: Point | undefined): void {
    for (const { element } of this.#points) element.setAttribute('tabindex', element === point?.element ? '0' : '-1');
  }
}

const rankText = (rank: number): SVGElement => svg('text', { class: 'point-rank', x: 9, y: -5 }, String(rank));
