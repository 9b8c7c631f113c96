import { checkText, decode, encode, type Public, type Shapes } from './codec.js';
import * as codec from './codec.js';
import type { CallOptions, Connection } from './connection.js';
import { invalidArgument } from './errors.js';
import { encodeJson, type JsonValue } from './json.js';
import type { LoadRecall } from './embeddings.js';
import type { FoundMemory, SemanticSearchOptions } from './recall.js';
import type { Arguments, Method, Value } from './protocol.js';
import type * as wire from './wasm/synth_memory.js';

/** One page of a listing. */
export interface Page<Row> {
  /** The rows, in the order asked for. */
  rows: Row[];
  /** Give it to the same listing to read on; null when there is no more. */
  cursor: string | null;
}

/** How to list. */
export type Paging<Order> = wire.Paging<Order>;

/** A row of `turns`: what the user said and what the assistant answered. Any column may be null in a file from elsewhere. */
export interface Turn extends Public<wire.Turn> {}
/** A turn to be added. */
export interface NewTurn extends Public<wire.NewTurn> {}
/** What to change of a turn; what is not named stays as it is. */
export interface TurnPatch extends Public<wire.TurnPatch> {}
/** Which turns; all of them where nothing is said. */
export interface TurnFilter extends Public<wire.TurnFilter> {}

/** A row of `episodes`: something that happened. */
export interface Episode extends Public<wire.Episode> {}
/** An episode to be recorded. */
export interface NewEpisode extends Public<wire.NewEpisode> {}
/** What to change of an episode; what is not named stays as it is. */
export interface EpisodePatch extends Public<wire.EpisodePatch> {}
/** Which episodes; all of them where nothing is said. */
export interface EpisodeFilter extends Public<wire.EpisodeFilter> {}

/** A row of `long_term`: something known, under its key. */
export interface Entry extends Public<wire.Entry> {}
/** A key to be set, with its time. */
export interface NewEntry extends Public<wire.NewEntry> {}
/** What to change of an entry that exists. */
export interface EntryPatch extends Public<wire.EntryPatch> {}
/** Which entries; all of them where nothing is said. */
export interface EntryFilter extends Public<wire.EntryFilter> {}

/** A row of `uncertainty_log`: something the agent was unsure of, and how it was settled. */
export interface Uncertainty extends Public<wire.Uncertainty> {}
/** A doubt to be logged. */
export interface NewUncertainty extends Public<wire.NewUncertainty> {}
/** What to change of a doubt; what is not named stays as it is. */
export interface UncertaintyPatch extends Public<wire.UncertaintyPatch> {}
/** Which doubts; all of them where nothing is said. */
export interface UncertaintyFilter extends Public<wire.UncertaintyFilter> {}

/** A row of `semantic_memories`: a fact. */
export interface SemanticMemory extends Public<wire.SemanticMemory> {}
/** A fact to be remembered. */
export interface NewSemanticMemory extends Public<wire.NewSemanticMemory> {}
/** What to change of a fact; what is not named stays as it is. */
export interface SemanticMemoryPatch extends Public<wire.SemanticMemoryPatch> {}
/** Which facts; all of them where nothing is said. */
export interface SemanticMemoryFilter extends Public<wire.SemanticMemoryFilter> {}

type Verb = 'Add' | 'Get' | 'List' | 'Update' | 'Delete' | 'Count' | 'Clear';
type TableName = 'turns' | 'episodes' | 'longTerm' | 'uncertainty' | 'semantic';

/** Of whichever table: the types that a table's class is made with are the page's own side of these. */
type AnyShapes = Shapes<any, any, any, any, any>;

/**
 * What every table can do.
 *
 * Each call that writes is whole: all of it is kept, or none. Bad input rejects with `invalid_argument`,
 * `invalid_json`, `invalid_text` or `text_too_long` (above 16 MiB of UTF-8) and changes nothing. Every call takes a
 * `signal` in its last argument.
 */
export abstract class Table<Key extends string | number, Row, New, Patch, Filter, Order> {
  readonly #connection: Connection;
  readonly #name: TableName;
  readonly #shapes: AnyShapes;

  /** @internal */
  constructor(connection: Connection, name: TableName, shapes: AnyShapes) {
    this.#connection = connection;
    this.#name = name;
    this.#shapes = shapes;
  }

  /** The row with this key; undefined where there is none. */
  protected async row(key: Key, options?: CallOptions): Promise<Row | undefined> {
    const row = await this.#call<object | null>('Get', [checkKey(key)], options);
    return row === null ? undefined : (decode(this.#shapes.row, row) as Row);
  }

  /**
   * A page of rows: filtered, ordered, and by a cursor that neither repeats nor skips when rows come and go. 50 rows
   * where no limit is given, newest first; `longTerm` begins with the smallest key.
   *
   * @example
   * ```ts
   * let cursor: string | null = null;
   * do {
   *   const page = await memory.turns.list({ search: 'peanuts', limit: 100, cursor });
   *   render(page.rows);
   *   cursor = page.cursor;
   * } while (cursor);
   * ```
   */
  async list(listing?: Filter & Paging<Order>, options?: CallOptions): Promise<Page<Row>> {
    const asked = encode(this.#shapes.listing, listing ?? {}, 'listing');
    const page = await this.#call<Page<object>>('List', [asked], options);
    return { rows: page.rows.map((row) => decode(this.#shapes.row, row) as Row), cursor: page.cursor };
  }

  /** Changes one row. Rejects with `not_found` where there is none with this key. */
  async update(key: Key, patch: Patch, options?: CallOptions): Promise<void> {
    await this.#call('Update', [checkKey(key), encode(this.#shapes.patch, patch as object, 'patch')], options);
  }

  /** Deletes a row, or several of them, all or none; resolves to how many there were. SQLite may give a later row the same id. */
  async delete(keys: Key | readonly Key[], options?: CallOptions): Promise<number> {
    return this.#call('Delete', [(Array.isArray(keys) ? keys : [keys]).map(checkKey)], options);
  }

  /** How many rows there are, or how many the filter finds. */
  async count(filter?: Filter, options?: CallOptions): Promise<number> {
    return this.#call('Count', [encode(this.#shapes.filter, filter ?? {}, 'filter')], options);
  }

  /** Deletes every row, or every one that the filter finds; resolves to how many there were. */
  async clear(filter?: Filter, options?: CallOptions): Promise<number> {
    return this.#call('Clear', [encode(this.#shapes.filter, filter ?? {}, 'filter')], options);
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

  // The one place where a call's name is put together; the arguments have been held against their shapes.
  #call<Result>(verb: Verb, given: unknown[], options?: CallOptions): Promise<Result> {
    return this.#connection.call(`${this.#name}${verb}`, given as never, options) as Promise<Result>;
  }
}

function checkKey<Key extends string | number>(key: Key): Key {
  if (typeof key === 'string') return checkText(key, 'key') as Key;
  if (Number.isSafeInteger(key)) return key;
  throw invalidArgument(`The key ${String(key)} is neither a string nor a whole number.`);
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
  /** The row with this id; undefined where there is none. */
  get(id: number, options?: CallOptions): Promise<Row | undefined> {
    return this.row(id, options);
  }

  /** The rows that were added last, newest first; `count` from 1 to 1000. */
  async recent(count = 50, options?: CallOptions): Promise<Row[]> {
    const { rows } = await this.list({ limit: count } as Filter & Paging<Order>, options);
    return rows;
  }
}

/** The conversation: `memory.turns`. */
export class Turns extends TableWithIds<Turn, NewTurn, TurnPatch, TurnFilter, wire.TurnOrder> {
  /** @internal */
  constructor(connection: Connection) {
    super(connection, 'turns', codec.turns);
  }

  /** Adds a turn; resolves to its id. */
  append(turn: NewTurn, options?: CallOptions): Promise<number> {
    return this.addRow(turn, options);
  }

  /** Adds turns, all or none; resolves to their ids, in order. */
  appendMany(turns: readonly NewTurn[], options?: CallOptions): Promise<number[]> {
    return this.addRows(turns, options);
  }
}

/** What happened: `memory.episodes`. */
export class Episodes extends TableWithIds<Episode, NewEpisode, EpisodePatch, EpisodeFilter, wire.EpisodeOrder> {
  /** @internal */
  constructor(connection: Connection) {
    super(connection, 'episodes', codec.episodes);
  }

  /** Records an episode; resolves to its id. */
  record(episode: NewEpisode, options?: CallOptions): Promise<number> {
    return this.addRow(episode, options);
  }

  /** Records episodes, all or none; resolves to their ids, in order. */
  recordMany(episodes: readonly NewEpisode[], options?: CallOptions): Promise<number[]> {
    return this.addRows(episodes, options);
  }
}

/** What is known, by key: `memory.longTerm`. */
export class LongTerm extends Table<string, Entry, NewEntry, EntryPatch, EntryFilter, wire.EntryOrder> {
  /** @internal */
  constructor(connection: Connection) {
    super(connection, 'longTerm', codec.longTerm);
  }

  /** Sets a key, whether it exists or not. Keys are 1 to 1024 bytes of UTF-8. */
  async set(key: string, value: JsonValue, options?: CallOptions): Promise<void> {
    await this.addRow({ key, value: checked(value) }, options);
  }

  /** Sets keys, all or none. */
  async setMany(
    entries: Iterable<readonly [key: string, value: JsonValue]> | Readonly<Record<string, JsonValue>>,
    options?: CallOptions,
  ): Promise<void> {
    if (typeof entries !== 'object' || entries === null) throw invalidArgument('entries must be an object or pairs.');
    const pairs =
      Symbol.iterator in entries ? [...(entries as Iterable<readonly [string, JsonValue]>)] : Object.entries(entries);
    if (!pairs.every(Array.isArray)) throw invalidArgument('entries must be pairs of a key and a value.');
    await this.addRows(
      pairs.map(([key, value]) => ({ key, value: checked(value) })),
      options,
    );
  }

  /** The value under a key; undefined where there is none. That it is a `Value` is for the caller to know. */
  async get<Value extends JsonValue = JsonValue>(key: string, options?: CallOptions): Promise<Value | undefined> {
    return (await this.row(key, options))?.value as Value | undefined;
  }

  /** The whole entry under a key, with the time it was set; undefined where there is none. */
  entry(key: string, options?: CallOptions): Promise<Entry | undefined> {
    return this.row(key, options);
  }
}

/** A value that must be there: elsewhere undefined leaves a field out, here it would be taken for one that was forgotten. */
function checked(value: JsonValue): JsonValue {
  if (value === undefined) encodeJson(value, 'value');
  return value;
}

/** How a doubt was settled. Hits of `recall` can be given as they are. */
export interface ResolveOptions extends CallOptions {
  /** The memories that settled it. */
  readonly settledBy?: readonly wire.MemoryReference[] | undefined;
  /** The memories that misled. */
  readonly misledBy?: readonly wire.MemoryReference[] | undefined;
}

/** References as they cross: just what names the rows. */
function references(given: readonly wire.MemoryReference[] = [], name: string): wire.MemoryReference[] {
  if (!Array.isArray(given)) throw invalidArgument(`${name} must be an array.`);
  return given.map(({ table, id, key }: { table: 'turns'; id: number; key?: string }) => ({ table, id, key }));
}

/** What the agent was unsure of: `memory.uncertainty`. */
export class UncertaintyLog extends TableWithIds<
  Uncertainty,
  NewUncertainty,
  UncertaintyPatch,
  UncertaintyFilter,
  wire.UncertaintyOrder
> {
  /** @internal */
  constructor(connection: Connection) {
    super(connection, 'uncertainty', codec.uncertainty);
  }

  /** Logs a doubt; resolves to its id. */
  log(doubt: NewUncertainty, options?: CallOptions): Promise<number> {
    return this.addRow(doubt, options);
  }

  /** Logs doubts, all or none; resolves to their ids, in order. */
  logMany(doubts: readonly NewUncertainty[], options?: CallOptions): Promise<number[]> {
    return this.addRows(doubts, options);
  }

  /**
   * Marks a doubt as settled, and how; a second time says anew how. Told which memories settled it and which misled, recall
   * ranks them by it. Rejects with `not_found` where there is none with this id, or no such memory.
   */
  async resolve(id: number, pattern: string, options: ResolveOptions = {}): Promise<void> {
    const { settledBy, misledBy, signal } = options;
    checkKey(id);
    checkText(pattern, 'pattern');
    if (settledBy ?? misledBy) {
      const settled = references(settledBy, 'settledBy');
      await this.call('uncertaintyLearn', [id, pattern, settled, references(misledBy, 'misledBy')], { signal });
    } else {
      await this.call('uncertaintyResolve', [id, pattern], { signal });
    }
  }

  /** The log in figures. */
  statistics(options?: CallOptions): Promise<wire.UncertaintyStatistics> {
    return this.call('uncertaintyStatistics', [], options);
  }
}

/** Facts: `memory.semantic`. */
export class SemanticMemories extends TableWithIds<
  SemanticMemory,
  NewSemanticMemory,
  SemanticMemoryPatch,
  SemanticMemoryFilter,
  wire.SemanticMemoryOrder
> {
  readonly #recall: LoadRecall;

  /** @internal */
  constructor(connection: Connection, recall: LoadRecall) {
    super(connection, 'semantic', codec.semantic);
    this.#recall = recall;
  }

  /**
   * The facts nearest in meaning to a text, or to a vector of the embedder's, the nearest first; then, where those are too
   * few, facts that have no vector yet and share words with it. Filters come before the cut: `k` facts are found if there
   * are so many.
   *
   * @example
   * ```ts
   * const [fact] = await memory.semantic.search('food allergies', { k: 1, categories: ['health'] });
   * ```
   */
  async search(query: string | Float32Array, options?: SemanticSearchOptions): Promise<FoundMemory[]> {
    return (await this.#recall()).recall.search(query, options);
  }

  /** Remembers a fact; resolves to its id. */
  remember(memory: NewSemanticMemory, options?: CallOptions): Promise<number> {
    return this.addRow(memory, options);
  }

  /** Remembers facts, all or none; resolves to their ids, in order. */
  rememberMany(memories: readonly NewSemanticMemory[], options?: CallOptions): Promise<number[]> {
    return this.addRows(memories, options);
  }
}
