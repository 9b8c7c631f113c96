import type { Memory } from '../package/index.js';
import { fill, make, settled } from './dom.js';
import { Asked, type Choice, type Filter, type Listing } from './listing.js';

const ANY: Choice = ['', 'any'];

/** The controls above a listing. A change takes effect without a button. */
export class Filters {
  readonly element: HTMLFormElement;
  readonly #listing: Listing;
  readonly #more = make('span', { class: 'more-count' });
  readonly #clear = make('button', { type: 'button', class: 'quiet', hidden: true }, 'Clear filters');

  constructor(listing: Listing, changed: () => void) {
    this.#listing = listing;
    const isDetail = ({ kind }: Filter) => kind === 'number' || kind === 'date';
    const order: Filter = { kind: 'choice', name: 'orderBy', label: 'Order by', choices: listing.orders };
    const direction: Filter = {
      kind: 'choice',
      name: 'direction',
      label: 'Direction',
      choices: [
        ['desc', 'descending'],
        ['asc', 'ascending'],
      ],
    };
    this.element = make(
      'form',
      {
        class: 'filters',
        role: 'search',
        'aria-label': `Filter ${listing.title}`,
        onsubmit: (event) => event.preventDefault(),
      },
      make(
        'div',
        { class: 'filter-row' },
        ...[...listing.filters.filter((filter) => !isDetail(filter)), order, direction].map(control),
      ),
      make(
        'details',
        { class: 'more' },
        make(
          'summary',
          {},
          listing.filters.some(({ kind }) => kind === 'number') ? 'By weight and date' : 'By date',
          this.#more,
        ),
        make('div', { class: 'filter-row' }, ...listing.filters.filter(isDetail).map(control)),
      ),
      this.#clear,
    );
    this.#setDirection();
    const soon = settled(changed, 180);
    this.element.addEventListener('input', () => (this.#tellOfUse(), soon()));
    this.#clear.addEventListener('click', () => {
      this.find('');
      changed();
    });
  }

  get asked(): Asked {
    return new Asked(new FormData(this.element));
  }

  /** Whether any filter narrows the listing. */
  get narrows(): boolean {
    return this.#listing.filters.some(({ name }) => name !== 'matching' && this.asked.text(name) !== undefined);
  }

  /** Filters by this text and by nothing else; shows everything if the text is empty. */
  find(text: string): void {
    this.element.reset();
    this.#setDirection();
    const field = this.#field(this.#listing.finder);
    if (field) field.value = text;
    this.#tellOfUse();
  }

  /** Offers the values that the columns hold now, and keeps the user's choice. */
  async refresh(memory: Memory): Promise<void> {
    for (const filter of this.#listing.filters) {
      if (filter.kind !== 'column') continue;
      const rows = await memory.query<{ value: string | null }>(filter.sql);
      const select = this.#field(filter.name);
      if (!(select instanceof HTMLSelectElement)) continue;
      const chosen = select.value;
      const values = new Set(rows.flatMap(({ value }) => (value ? [value] : [])));
      if (chosen) values.add(chosen);
      const choices = [ANY, ...[...values].map((value): Choice => [value, value])];
      // The user may have the list open right now.
      const isSame =
        choices.length === select.length && choices.every(([value], at) => select.item(at)?.value === value);
      if (isSame) continue;
      fill(select, ...choices.map(option));
      select.value = chosen;
    }
  }

  #setDirection(): void {
    const select = this.#field('direction');
    if (select) select.value = this.#listing.direction;
  }

  #field(name: string): HTMLInputElement | HTMLSelectElement | undefined {
    const field = this.element.elements.namedItem(name);
    return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field : undefined;
  }

  #tellOfUse(): void {
    const used = this.#listing.filters.filter(
      ({ kind, name }) => (kind === 'number' || kind === 'date') && this.asked.text(name),
    );
    if (!this.narrows && document.activeElement === this.#clear) this.#field(this.#listing.finder)?.focus();
    this.#clear.hidden = !this.narrows;
    fill(this.#more, used.length > 0 && ` (${used.length} set)`);
  }
}

function control(filter: Filter): HTMLElement {
  return make('label', { class: `field field-${filter.kind}` }, make('span', {}, filter.label), input(filter));
}

function input(filter: Filter): HTMLElement {
  const { name, kind } = filter;
  if (kind === 'choice') return make('select', { name }, ...filter.choices.map(option));
  if (kind === 'column') return make('select', { name }, option(ANY));
  if (kind === 'number') return make('input', { type: 'number', name, min: filter.min, max: filter.max, step: 0.1 });
  return make('input', { type: kind === 'date' ? 'date' : 'search', name, autocomplete: 'off' });
}

const option = ([value, label]: Choice): HTMLElement => make('option', { value }, label);
