import { confirmation, form } from './dialogs.js';
import { arrange, fill, Kept, make } from './dom.js';
import { Filters } from './filters.js';
import { plural } from './format.js';
import type { Listing, RowView } from './listing.js';
import { announce, attempt, errorParagraph } from './notices.js';
import { rowElement } from './rows.js';
import type { Session } from './session.js';

const PAGE_SIZE = 20;
/** How many pages are searched for a row at most. */
const MOST_PAGES = 50;

/** One table: its filters, a page of its rows, and the buttons to the next and previous pages. */
export class TablePanel {
  readonly element: HTMLElement;
  readonly #session: Session;
  readonly #listing: Listing;
  readonly #filters: Filters;
  readonly #found = make('p', { class: 'found', role: 'status' });
  readonly #rows = make('ol', { class: 'rows', role: 'list' });
  /** A row that does not change keeps its element, and with it the focus and what is unfolded. */
  readonly #kept = new Kept<RowView>(
    ({ key }) => key,
    (row) =>
      rowElement(
        row,
        () => void this.#edit(row),
        () => void this.#remove(row),
      ),
  );
  readonly #back: HTMLButtonElement;
  readonly #next: HTMLButtonElement;
  /** The cursors of the pages up to the current one. */
  #cursors: (string | null)[] = [null];
  #following: string | null = null;
  #loading = 0;

  constructor(session: Session, listing: Listing) {
    this.#session = session;
    this.#listing = listing;
    this.#filters = new Filters(listing, () => {
      this.rewind();
      void attempt(() => this.load());
    });
    this.#back = make('button', { type: 'button', onclick: () => void this.#turn(-1) }, '← Back');
    this.#next = make('button', { type: 'button', onclick: () => void this.#turn(1) }, 'Next →');
    this.element = make(
      'div',
      {
        role: 'tabpanel',
        id: `panel-${listing.id}`,
        'aria-labelledby': `tab-${listing.id}`,
        class: 'panel',
        'data-table': listing.id,
      },
      make('p', { class: 'about' }, listing.about),
      this.#filters.element,
      this.#found,
      this.#rows,
      make('nav', { class: 'paging', 'aria-label': `Pages of ${listing.title}` }, this.#back, this.#next),
    );
  }

  /** Goes back to the first page; `load` then shows it. */
  rewind(): void {
    this.#cursors = [null];
    this.#rows.querySelector('.row-shown')?.classList.remove('row-shown');
  }

  /** Reads the current page. Its result is dropped if a later read has begun meanwhile. */
  async load(): Promise<void> {
    const loading = ++this.#loading;
    const { memory } = this.#session;
    try {
      await this.#filters.refresh(memory);
      // Read now, because the filters may change before the answer is there.
      const { asked, narrows } = this.#filters;
      const [page, found] = await Promise.all([
        this.#listing.list(memory, asked, PAGE_SIZE, this.#cursors.at(-1) ?? null),
        this.#listing.count(memory, asked),
      ]);
      if (loading !== this.#loading) return;
      // The only row of the last page is gone: the page before it is now the last one.
      if (page.rows.length === 0 && this.#cursors.length > 1) {
        this.#cursors.pop();
        return this.load();
      }
      this.#following = page.cursor;
      this.#render(page.rows, found, narrows);
    } catch (error) {
      if (loading !== this.#loading) return;
      fill(this.#found);
      fill(this.#rows, make('li', { class: 'row-none', role: 'alert' }, errorParagraph(error)));
      this.#setPaging(false, this.#cursors.length > 1);
    }
  }

  /** Finds a row by its text and puts the focus on it. */
  async show(key: string | number): Promise<void> {
    const text = await this.#listing.find(this.#session.memory, key);
    // A search accepts 100 words at most.
    this.#filters.find((text ?? '').trim().split(/\s+/).slice(0, 30).join(' '));
    this.rewind();
    await this.load();
    // Many rows may contain its words.
    for (let page = 1; text !== undefined && !this.#row(key) && this.#following !== null && page < MOST_PAGES; page++) {
      this.#cursors.push(this.#following);
      await this.load();
    }
    const row = this.#row(key);
    if (!row) {
      announce(`${this.#listing.title}: this ${this.#listing.row} no longer exists.`);
      return;
    }
    row.classList.add('row-shown');
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'center' });
  }

  #render(rows: readonly RowView[], found: number, narrows: boolean): void {
    const first = (this.#cursors.length - 1) * PAGE_SIZE + 1;
    const named = plural(found, this.#listing.row);
    const words = narrows ? `${named} found` : named;
    fill(this.#found, rows.length > 0 ? `${words}, ${first} to ${first + rows.length - 1} shown` : words);
    if (rows.length === 0) {
      const why = narrows ? 'No rows match these filters.' : 'No rows yet. Talk to the agent, or import a file.';
      fill(this.#rows, make('li', { class: 'row-none' }, why));
    } else {
      arrange(this.#rows, this.#kept.elements(rows));
    }
    this.#setPaging(this.#following !== null, this.#cursors.length > 1);
  }

  #setPaging(next: boolean, back: boolean): void {
    this.#next.disabled = !next;
    this.#back.disabled = !back;
    this.#next.parentElement!.hidden = !next && !back;
  }

  async #turn(by: 1 | -1): Promise<void> {
    if (by < 0) this.#cursors.pop();
    else this.#cursors.push(this.#following);
    await attempt(() => this.load());
    this.element.scrollIntoView({ block: 'start' });
    const [pressed, other] = by < 0 ? [this.#back, this.#next] : [this.#next, this.#back];
    if (pressed.disabled) other.focus({ preventScroll: true });
  }

  async #edit(row: RowView): Promise<void> {
    if (!(await form(`Edit ${row.title}`, row.fields, (values) => row.save(values)))) return;
    announce(`Saved ${row.title}.`);
    await this.#session.shown();
    this.#focusRow(row.key);
  }

  async #remove(row: RowView): Promise<void> {
    const text = row.texts.find(({ text }) => text)?.text ?? '';
    const question = {
      title: `Delete ${row.title}?`,
      text: [text.length > 160 ? `${text.slice(0, 160)}…` : text, 'It is deleted from the database at once.'].filter(
        Boolean,
      ),
      confirm: 'Delete',
      danger: true,
    };
    if (!(await confirmation(question))) return;
    await attempt(async () => {
      await row.remove();
      announce(`Deleted ${row.title}.`);
      await this.#session.shown();
      this.#rows.querySelector<HTMLElement>('.row')?.focus({ preventScroll: true });
    });
  }

  #focusRow(key: string | number): void {
    this.#row(key)?.querySelector('button')?.focus();
  }

  /** The row with this key, if it is on the current page. */
  #row(key: string | number): HTMLElement | undefined {
    return [...this.#rows.children].find(
      (child): child is HTMLElement => child instanceof HTMLElement && child.dataset['key'] === String(key),
    );
  }
}
