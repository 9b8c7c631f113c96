import { TableWithIds, Table } from './table.js';
import type { LoadedRecall } from './embeddings.js';
import type { FoundMemory, SemanticSearchOptions } from '../recall/questions.js';
import type { CallOptions } from '../link/connection.js';
import type { Caller } from './query.js';
import { checkFields, checkKey, checkText } from '../wire/check.js';
import { invalidArgument } from '../wire/errors.js';
import {
  encodeJson,
  type GivenRow,
  type JsonFields,
  type JsonInput,
  type JsonType,
  type JsonValue,
} from '../wire/json.js';
import type { Consolidated } from '../wasm/synth_memory.js';
import type {
  Entry,
  EntryFilter,
  EntryPatch,
  Episode,
  EpisodeFilter,
  EpisodePatch,
  NewEntry,
  NewEpisode,
  NewSemanticMemory,
  NewTurn,
  NewUncertainty,
  SemanticMemory,
  SemanticMemoryFilter,
  SemanticMemoryPatch,
  Turn,
  TurnFilter,
  TurnPatch,
  Uncertainty,
  UncertaintyFilter,
  UncertaintyPatch,
} from '../wire/rows.js';
import * as shapes from '../wire/shapes.js';
import type * as wire from '../wasm/synth_memory.js';

/** The conversation: `memory.turns`. */
export class Turns extends TableWithIds<Turn, NewTurn, TurnPatch, TurnFilter, wire.TurnOrder> {
  /** @internal */
  constructor(connection: Caller) {
    super(connection, 'turns', shapes.turns);
  }

  /** Adds a turn; resolves to its id. */
  append<Given>(turn: NewTurn | GivenRow<NewTurn, Given>, options?: CallOptions): Promise<number> {
    return this.addRow(turn as NewTurn, options);
  }

  /** Adds turns, all or none; resolves to their ids, in order. */
  appendMany<Given>(turns: readonly (NewTurn | GivenRow<NewTurn, Given>)[], options?: CallOptions): Promise<number[]> {
    return this.addRows(turns as readonly NewTurn[], options);
  }
}

/** Events: `memory.episodes`. */
export class Episodes extends TableWithIds<Episode, NewEpisode, EpisodePatch, EpisodeFilter, wire.EpisodeOrder> {
  /** @internal */
  constructor(connection: Caller) {
    super(connection, 'episodes', shapes.episodes);
  }

  /** Records an episode; resolves to its id. */
  record<Given>(episode: NewEpisode | GivenRow<NewEpisode, Given>, options?: CallOptions): Promise<number> {
    return this.addRow(episode as NewEpisode, options);
  }

  /** Records episodes, all or none; resolves to their ids, in order. */
  recordMany<Given>(
    episodes: readonly (NewEpisode | GivenRow<NewEpisode, Given>)[],
    options?: CallOptions,
  ): Promise<number[]> {
    return this.addRows(episodes as readonly NewEpisode[], options);
  }
}

/** An object that is not iterable, which excludes pairs. */
interface NoIterable {
  readonly [Symbol.iterator]?: never;
}

/** Long-term knowledge, JSON values by key: `memory.longTerm`. */
export class LongTerm extends Table<string, Entry, NewEntry, EntryPatch, EntryFilter, wire.EntryOrder> {
  /** @internal */
  constructor(connection: Caller) {
    super(connection, 'longTerm', shapes.longTerm);
  }

  /**
   * Sets a key, whether it exists or not. A key is 1 to 1024 bytes of UTF-8. A value of an interface type is accepted
   * if JSON can hold it.
   */
  async set<Value extends JsonType<Value>>(key: string, value: Value, options?: CallOptions): Promise<void> {
    if (typeof (key as unknown) === 'object')
      throw invalidArgument('key must be a string.', 'setMany(entries) sets the fields of an object.');
    await this.addRow({ key, value: checked(value as JsonInput) }, options);
  }

  /** Sets keys, all or none. */
  async setMany<Value extends JsonType<Value>, Given>(
    entries: Iterable<readonly [key: string, value: Value]> | (Given & JsonFields<Given> & NoIterable),
    options?: CallOptions,
  ): Promise<void> {
    if (typeof entries !== 'object' || entries === null) throw invalidArgument('entries must be an object or pairs.');
    const pairs =
      Symbol.iterator in entries
        ? [...(entries as Iterable<readonly [string, JsonInput]>)]
        : Object.entries<JsonInput>(entries);
    if (!pairs.every(Array.isArray)) throw invalidArgument('entries must be pairs of a key and a value.');
    await this.addRows(
      pairs.map(([key, value]) => ({ key, value: checked(value) })),
      options,
    );
  }

  /** The value under a key; undefined if there is none. The type `Value` is not checked at run time. */
  async get<Value extends JsonType<Value> = JsonValue>(key: string, options?: CallOptions): Promise<Value | undefined> {
    return (await this.row(key, options))?.value as Value | undefined;
  }

  /** The whole entry under a key, with the time at which it was set; undefined if there is none. */
  entry(key: string, options?: CallOptions): Promise<Entry | undefined> {
    return this.row(key, options);
  }
}

/** Throws for undefined. Elsewhere undefined leaves a field out; here it is more likely a mistake. */
function checked(value: JsonInput): JsonInput {
  if (value === undefined) encodeJson(value, 'value');
  return value;
}

/** How an open question was resolved. Hits of `recall` can be passed as they are. */
export interface ResolveOptions extends CallOptions {
  /** The memories that settled it. */
  readonly settledBy?: readonly wire.MemoryReference[] | undefined;
  /** The memories that misled. */
  readonly misledBy?: readonly wire.MemoryReference[] | undefined;
}

/** The references as they are sent: only the table and the id or key. */
function references(given: readonly wire.MemoryReference[] = [], name: string): wire.MemoryReference[] {
  if (!Array.isArray(given)) throw invalidArgument(`${name} must be an array.`);
  return given.map((reference) =>
    reference.table === 'longTerm'
      ? { table: reference.table, key: checkText(reference.key, `${name}.key`) }
      : { table: reference.table, id: checkKey(reference.id) },
  );
}

/** Open questions, and how they were resolved: `memory.uncertainty`. */
export class UncertaintyLog extends TableWithIds<
  Uncertainty,
  NewUncertainty,
  UncertaintyPatch,
  UncertaintyFilter,
  wire.UncertaintyOrder
> {
  /** @internal */
  constructor(connection: Caller) {
    super(connection, 'uncertainty', shapes.uncertainty);
  }

  /** Logs an open question; resolves to its id. */
  log<Given>(doubt: NewUncertainty | GivenRow<NewUncertainty, Given>, options?: CallOptions): Promise<number> {
    return this.addRow(doubt as NewUncertainty, options);
  }

  /** Logs open questions, all or none; resolves to their ids, in order. */
  logMany<Given>(
    doubts: readonly (NewUncertainty | GivenRow<NewUncertainty, Given>)[],
    options?: CallOptions,
  ): Promise<number[]> {
    return this.addRows(doubts as readonly NewUncertainty[], options);
  }

  /**
   * Marks a question as resolved, and stores how. `recall` ranks the memories in `settledBy` higher and those in
   * `misledBy` lower. If the question was resolved before, the call replaces all of that: a call without memories
   * removes what the first one taught. Rejects with `not_found` if there is no question with this id, or no such memory.
   */
  async resolve(id: number, pattern: string, options: ResolveOptions = {}): Promise<void> {
    checkFields(options, ['settledBy', 'misledBy', 'signal']);
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

  /** Statistics of the log. */
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
  readonly #recall: Pick<LoadedRecall, 'load'>;

  /** @internal */
  constructor(connection: Caller, recall: Pick<LoadedRecall, 'load'>) {
    super(connection, 'semantic', shapes.semantic);
    this.#recall = recall;
  }

  /**
   * The facts nearest in meaning to a text, or to a vector of the embedder, nearest first. If there are fewer than `k`,
   * facts that have no vector yet and share words with the text follow. Filters are applied before ranking, so `k`
   * facts are found if there are that many.
   *
   * @example
   * ```ts
   * const [fact] = await memory.semantic.search('food allergies', { k: 1, categories: ['health'] });
   * ```
   */
  async search(query: string | Float32Array, options?: SemanticSearchOptions): Promise<FoundMemory[]> {
    return (await this.#recall.load(options)).recall.search(query, options);
  }

  /**
   * Merges facts into another one, which stays as it is and takes over how often they were used and which open
   * questions they settled. The merged facts are kept, and `memory.undoConsolidation(id)` restores them.
   *
   * @example
   * ```ts
   * const { similar } = await memory.consolidate();
   * for (const [first, ...others] of similar)
   *   if (await saysTheSame(first, others)) await memory.semantic.merge(first.id, others.map(({ id }) => id));
   * ```
   * @throws `not_found` if there is no such fact; `invalid_argument` if a fact is named twice or `others` is empty.
   */
  async merge(keep: number, others: readonly number[], options?: CallOptions): Promise<Consolidated> {
    if (!Array.isArray(others)) throw invalidArgument('others must be an array of ids.');
    return this.call('semanticMerge', [checkKey(keep), others.map((id: number) => checkKey(id))], options);
  }

  /** Remembers a fact; resolves to its id. */
  remember<Given>(
    memory: NewSemanticMemory | GivenRow<NewSemanticMemory, Given>,
    options?: CallOptions,
  ): Promise<number> {
    return this.addRow(memory as NewSemanticMemory, options);
  }

  /** Remembers facts, all or none; resolves to their ids, in order. */
  rememberMany<Given>(
    memories: readonly (NewSemanticMemory | GivenRow<NewSemanticMemory, Given>)[],
    options?: CallOptions,
  ): Promise<number[]> {
    return this.addRows(memories as readonly NewSemanticMemory[], options);
  }
}
