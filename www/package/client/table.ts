import type { CallOptions } from '../link/connection.js';
import type { Caller } from './query.js';
import type { Arguments, Method, Value } from '../link/protocol.js';
import { checkCount, checkKey, defined } from '../wire/check.js';
import { decode, encode } from '../wire/codec.js';
import { invalidArgument } from '../wire/errors.js';
import type { GivenRow } from '../wire/json.js';
import type { Page, PageWithTotal, Paging } from '../wire/rows.js';
import type { Shapes } from '../wire/shapes.js';

type Verb = 'Add' | 'Get' | 'List' | 'Update' | 'Delete' | 'Count' | 'Clear';
type TableName = 'turns' | 'episodes' | 'longTerm' | 'uncertainty' | 'semantic';

/** The shapes of any table. The type parameters of a table's class are these shapes as the page sees them. */
type AnyShapes = Shapes<any, any, any, any, any>;

/**
 * The methods of every table.
 *
 * Each call that writes is atomic: all of it is kept, or none. Invalid input rejects with `invalid_argument`,
 * `invalid_json`, `invalid_text` or `text_too_long` (above 16 MiB of UTF-8) and changes nothing. Every call takes a
 * `signal` in its last argument.
 */
export abstract class Table<Key extends string | number, Row, New, Patch, Filter, Order> {
  readonly #connection: Caller;
  readonly #name: TableName;
  readonly #shapes: AnyShapes;

  /** @internal */
  constructor(connection: Caller, name: TableName, shapes: AnyShapes) {
    this.#connection = connection;
    this.#name = name;
    this.#shapes = shapes;
  }

  /** The row with this key; undefined if there is none. */
  protected async row(key: Key, options?: CallOptions): Promise<Row | undefined> {
    const row = await this.#call<object | null>('Get', [checkKey(key)], options);
    return row === null ? undefined : (decode(this.#shapes.row, row) as Row);
  }

  /**
   * A page of rows, filtered and ordered. Its cursor neither repeats nor skips rows when others are added or deleted. A
   * page has 50 rows by default, newest first; `longTerm` begins with the smallest key. With `total: true`, the page
   * also has the number of rows that the filter finds on all pages.
   *
   * @example
   * ```ts
   * let cursor: string | null = null;
   * do {
   *   const page: Page<Turn> = await memory.turns.list({ search: 'peanuts', limit: 100, cursor });
   *   render(page.rows);
   *   cursor = page.cursor;
   * } while (cursor);
   * ```
   */
  list(listing: Filter & Paging<Order> & { readonly total: true }, options?: CallOptions): Promise<PageWithTotal<Row>>;
  list(listing?: Filter & Paging<Order>, options?: CallOptions): Promise<Page<Row>>;
  async list(listing?: Filter & Paging<Order>, options?: CallOptions): Promise<Page<Row>> {
    const { orderBy, direction, limit, cursor, total, ...filter } = encode(
      this.#shapes.listing,
      listing ?? {},
      'listing',
    );
    checkCount(limit, 'limit');
    const paging = defined({ orderBy, direction, limit, cursor, total });
    const { rows, ...rest } = await this.#call<Page<object>>('List', [filter, paging], options);
    return { rows: rows.map((row) => decode(this.#shapes.row, row) as Row), ...rest };
  }

  /** Changes one row. Rejects with `not_found` if there is none with this key. */
  async update<Given>(key: Key, patch: Patch | GivenRow<Patch, Given>, options?: CallOptions): Promise<void> {
    await this.#call('Update', [checkKey(key), encode(this.#shapes.patch, patch as object, 'patch')], options);
  }

  /**
   * Deletes one or several rows, all or none; resolves to how many there were. SQLite may give a later row the same id.
   */
  async delete(keys: Key | readonly Key[], options?: CallOptions): Promise<number> {
    return this.#call('Delete', [(Array.isArray(keys) ? keys : [keys]).map(checkKey)], options);
  }

  /** Counts all rows, or those that the filter finds. */
  async count(filter?: Filter, options?: CallOptions): Promise<number> {
    return this.#call('Count', [encode(this.#shapes.filter, filter ?? {}, 'filter')], options);
  }

  /**
   * Deletes all rows, or those that the filter finds; resolves to how many there were. A field of the filter that is
   * `undefined` rejects with `invalid_argument`, because without it more would be deleted than was meant.
   */
  async clear(filter?: Filter, options?: CallOptions): Promise<number> {
    const given = encode(this.#shapes.filter, filter === undefined ? {} : (filter as object), 'filter');
    const [unset] = Object.entries(filter ?? {}).find(([, value]) => value === undefined) ?? [];
    if (unset !== undefined)
      throw invalidArgument(`filter.${unset} is undefined.`, 'Leave it out to delete rows whatever it is.');
    return this.#call('Clear', [given], options);
  }

  /** Adds rows, all or none; resolves to their ids, in order. */
  protected async addRows(rows: readonly New[], options?: CallOptions): Promise<number[]> {
    if (!Array.isArray(rows)) throw invalidArgument('An array of rows was expected.');
    const several = rows.length > 1;
    const encoded = rows.map((row: New, at) =>
      encode(this.#shapes.added, row as object, several ? `row ${at}` : 'the row', several ? `row ${at}: ` : ''),
    );
    return this.#call('Add', [encoded], options);
  }

  protected async addRow(row: New, options?: CallOptions): Promise<number> {
    const [id] = await this.addRows([row], options);
    return id!;
  }

  protected call<M extends Method>(method: M, given: Arguments<M>, options?: CallOptions): Promise<Awaited<Value<M>>> {
    return this.#connection.call(method, given, options);
  }

  // The only place that composes the name of a call. The arguments have been checked against their shapes.
  #call<Result>(verb: Verb, given: unknown[], options?: CallOptions): Promise<Result> {
    return this.#connection.call(`${this.#name}${verb}`, given as never, options) as Promise<Result>;
  }
}

/** A table whose rows have ids. */
export abstract class TableWithIds<Row, New, Patch, Filter, Order> extends Table<
  number,
  Row,
  New,
  Patch,
  Filter,
  Order
> {
  /** The row with this id; undefined if there is none. */
  get(id: number, options?: CallOptions): Promise<Row | undefined> {
    return this.row(id, options);
  }

  /** The rows added last, newest first; `count` from 1 to 1000, 50 by default. */
  async recent(count = 50, options?: CallOptions): Promise<Row[]> {
    const { rows } = await this.list({ limit: count } as Filter & Paging<Order>, options);
    return rows;
  }
}
