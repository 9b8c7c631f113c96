import type { Memory, MemoryMapPoint, RecallHit } from '../package/index.js';
import { fill, make, svg } from './dom.js';
import { legend, symbol } from './map-symbols.js';
import { nearestTo, towards, type Direction, type Place } from './map-ways.js';
import { errorParagraph } from './notices.js';
import { fromPackage, identity, nameOf, type Reference } from './references.js';

/** How many rows are drawn at most: those that were embedded last. */
const MOST = 1000;
/**
 * The space between the outermost symbols and the frame, in pixels: enough for the symbol and the rank next to a hit.
 */
const MARGIN = 22;
/** How far from a symbol the pointer still selects it, in pixels. */
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
  /** The place on the map, from -1 to 1. */
  readonly at: Pick<MemoryMapPoint, 'x' | 'y'>;
  readonly element: SVGGElement;
  /** The rank of the hit, from 1; undefined if it is none. */
  rank: number | undefined;
}

/**
 * The rows as points on a plane: each table has a symbol and a colour, and each hit of the last question has a number.
 * The map is one stop of the Tab key; from there the arrow keys move from point to point, and Enter or a click goes to
 * the row.
 */
export class MemoryMap {
  readonly #goTo: (row: Reference) => void;
  readonly #plane = svg('svg', {
    class: 'map-plane',
    role: 'listbox',
    'aria-multiselectable': 'true',
    'aria-label':
      'Map of memories. Arrow keys move from point to point, Page Up and Page Down through the hits; Enter goes to the row.',
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
      // A finger cannot hover: the first touch shows the text, the next one leads to the row.
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

  /** Reads the map again; `embedded` is how many rows have a vector, undefined if that cannot be read. */
  async load(memory: Memory, embedded: number | undefined): Promise<void> {
    const loading = ++this.#loading;
    try {
      const points = embedded ? await memory.embeddings.map({ limit: MOST }) : [];
      if (loading !== this.#loading) return;
      this.#draw(points);
      const drawn = points.length < (embedded ?? 0) ? `Only the ${MOST} rows that were embedded last are drawn.` : '';
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

  /** Hits are drawn last, so that they are on top, the best one topmost. */
  #order(): void {
    const ranked = this.#points.filter(({ rank }) => rank !== undefined).sort((one, other) => other.rank! - one.rank!);
    const others = this.#points.filter(({ rank }) => rank === undefined);
    const focused = document.activeElement;
    this.#points = [...others, ...ranked];
    fill(this.#plane, ...this.#points.map(({ element }) => element));
    // An element that is inserted again loses the focus.
    const point = this.#points.find(({ element }) => element === focused);
    if (point) this.#focus(point);
    else this.#setTabStop(ranked.at(-1) ?? this.#points[0]);
  }

  /** Places the points in the frame at its current size; symbols keep their size. */
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

  /** Shows a point's text next to it, on the side with more room. */
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
    // If no hit is marked, the same keys move through all points.
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
