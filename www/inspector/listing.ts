// The page's view of a table, which is the same for all five.
import type { JsonValue, Memory, Page, Paging, SortDirection } from '../package/index.js';
import type { Field } from './dialogs.js';

/** A control that narrows a listing. */
export type Filter =
  | {
      readonly kind: 'search' | 'text' | 'date';
      readonly name: string;
      readonly label: string;
      readonly more?: boolean;
    }
  | {
      readonly kind: 'number';
      readonly name: string;
      readonly label: string;
      readonly min: number;
      readonly max: number;
    }
  | { readonly kind: 'choice'; readonly name: string; readonly label: string; readonly choices: readonly Choice[] }
  /** A choice of the values in a column. */
  | { readonly kind: 'column'; readonly name: string; readonly label: string; readonly sql: string };

export type Choice = readonly [value: string, label: string];

/** A number of a row, shown as a bar from 0, or from the middle if it may be negative. */
export interface Measure {
  readonly name: string;
  readonly value: number;
  readonly min: -1 | 0;
}

/** A row as the page shows it. */
export interface RowView {
  readonly key: string | number;
  /** The name of the row, such as `turn 12`. */
  readonly title: string;
  readonly time: Date | null;
  /** The texts of the row, the most informative first. */
  readonly texts: readonly { readonly who?: string; readonly text: string | null }[];
  readonly tags?: readonly string[];
  readonly measure?: Measure | undefined;
  readonly json: readonly { readonly name: string; readonly value: JsonValue }[];
  readonly fields: readonly Field[];
  save(values: ReadonlyMap<string, string>): Promise<void>;
  remove(): Promise<void>;
}

/** What the user has entered in the filters of a listing. */
export class Asked {
  readonly #values: FormData;

  constructor(values: FormData) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === 'string' && value.trim() !== '' ? value : undefined;
  }

  texts(name: string): string[] | undefined {
    const value = this.#values.get(name);
    return typeof value === 'string' && value !== '' ? [value] : undefined;
  }

  number(name: string): number | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : Number(value);
  }

  flag(name: string): boolean | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : value === 'true';
  }

  /**
   * The start of a day in the reader's time zone; with `after` 1, of the next day, so that the day itself is included.
   */
  day(name: string, after = 0): Date | undefined {
    const [year, month, day] = (this.text(name) ?? '').split('-').map(Number);
    return year && month && day ? new Date(year, month - 1, day + after) : undefined;
  }
}

/** The methods of all five tables that the page uses. */
interface Source<Key, Row, Patch, Narrowed, Order> {
  list(listing: Narrowed & Paging<Order>): Promise<Page<Row>>;
  count(filter?: Narrowed): Promise<number>;
  update(key: Key, patch: Patch): Promise<void>;
  delete(key: Key): Promise<number>;
}

export interface Definition<Key extends string | number, Row, Patch, Narrowed, Order extends string> {
  readonly id: 'turns' | 'episodes' | 'longTerm' | 'uncertainty' | 'semantic';
  readonly title: string;
  readonly about: string;
  readonly row: string;
  /** The name of the filter that finds a row again by its text. */
  readonly finder: string;
  readonly filters: readonly Filter[];
  readonly orders: readonly (readonly [order: Order, label: string])[];
  readonly direction: SortDirection;
  source(memory: Memory): Source<Key, Row, Patch, Narrowed, Order>;
  get(memory: Memory, key: Key): Promise<Row | undefined>;
  /** The text by which the finder finds a row. */
  find(row: Row): string;
  narrow(asked: Asked): Narrowed;
  view(row: Row): Omit<RowView, 'save' | 'remove'> & { readonly key: Key };
  patch(values: ReadonlyMap<string, string>): Patch;
}

/** A table without its type parameters, so that one view can show any table. */
export interface Listing extends Pick<
  Definition<never, never, never, never, string>,
  'id' | 'title' | 'about' | 'row' | 'finder' | 'filters' | 'orders' | 'direction'
> {
  list(memory: Memory, asked: Asked, limit: number, cursor: string | null): Promise<Page<RowView>>;
  count(memory: Memory, asked?: Asked): Promise<number>;
  /** The text by which the finder finds the row with this key; undefined if there is no such row. */
  find(memory: Memory, key: string | number): Promise<string | undefined>;
}

export function listing<Key extends string | number, Row, Patch, Narrowed, Order extends string>(
  definition: Definition<Key, Row, Patch, Narrowed, Order>,
): Listing {
  const { source, narrow, view, patch, orders, get, find } = definition;
  return {
    ...definition,
    async list(memory, asked, limit, cursor) {
      const table = source(memory);
      const [orderBy] = orders.find(([order]) => order === asked.text('orderBy')) ?? orders[0]!;
      const direction: SortDirection = asked.text('direction') === 'asc' ? 'asc' : 'desc';
      const page = await table.list({ ...narrow(asked), orderBy, direction, limit, cursor });
      const rows = page.rows.map((row): RowView => {
        const shown = view(row);
        return {
          ...shown,
          save: (values) => table.update(shown.key, patch(values)),
          remove: async () => {
            await table.delete(shown.key);
          },
        };
      });
      return { rows, cursor: page.cursor };
    },
    count: (memory, asked) => source(memory).count(asked && narrow(asked)),
    async find(memory, key) {
      const row = await get(memory, key as Key);
      return row && find(row);
    },
  };
}

/** The object without its undefined fields: the package's types distinguish undefined from left out. */
export function given<T extends object>(fields: { [K in keyof T]?: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
