import { checkFields, checkNumbers, checkText } from '../wire/check.js';
import { Connection, type CallOptions } from '../link/connection.js';
import { causeOf, invalidArgument, MemoryError, toMemoryError, unreadable } from '../wire/errors.js';
import type { ContextOptions, MemoryContext } from '../recall/context.js';
import { Embeddings, loader, type LoadRecall } from './embeddings.js';
import { Backups } from './backups.js';
import { Migrations } from './migrations.js';
import {
  checkMigrations,
  checkOpenOptions,
  type ExportOptions,
  type OpenOptions,
  type QueryOptions,
} from './options.js';
import type {
  ConsolidateOptions,
  Consolidation,
  RecallHit,
  RecallOptions,
  RelatedOptions,
  RelatedRow,
} from '../recall/questions.js';
import { fromSchema, NO_STORAGE, readStorage, type MemoryStatus } from './status.js';
import { Episodes, LongTerm, SemanticMemories, Turns, UncertaintyLog } from './tables.js';
import { openWorker } from '../link/transport.js';
import { parseUrl } from './url.js';
import type { CoherenceDrift, Consolidated, SqlParameters, SqlValue } from '../wasm/synth_memory.js';

/**
 * The memory of an agent: one database, opened.
 *
 * @example
 * ```ts
 * const memory = await Memory.open();
 * await memory.longTerm.set('user.name', 'Ada');
 * await memory.turns.append({ userInput: 'Call me Ada', assistantResponse: 'Hello Ada' });
 * await memory.close();
 * ```
 */
export class Memory {
  readonly #connection: Connection;
  #status: MemoryStatus;
  readonly #listeners = new Set<(status: MemoryStatus) => void>();
  readonly #changed: () => Promise<unknown>;

  /** The conversation. */
  readonly turns: Turns;
  /** What happened. */
  readonly episodes: Episodes;
  /** What is known, by key. */
  readonly longTerm: LongTerm;
  /** What the agent was unsure of, and how it was settled. */
  readonly uncertainty: UncertaintyLog;
  /** Facts. */
  readonly semantic: SemanticMemories;
  /** Where the schema is, and how to move it. */
  readonly migrations: Migrations;
  /** The copies that are kept beside the memory. */
  readonly backups: Backups;
  /** The vectors of what is remembered. */
  readonly embeddings: Embeddings;
  readonly #recall: LoadRecall;

  private constructor(connection: Connection, status: MemoryStatus, recall: LoadRecall) {
    this.#connection = connection;
    this.#status = status;
    this.turns = new Turns(connection);
    this.episodes = new Episodes(connection);
    this.longTerm = new LongTerm(connection);
    this.uncertainty = new UncertaintyLog(connection);
    this.semantic = new SemanticMemories(connection, recall);
    this.embeddings = new Embeddings(recall);
    this.#recall = recall;
    // A call that was carried out stays so, whatever becomes of the look at the status after it.
    const changed = () => this.refreshStatus().catch(() => undefined);
    this.#changed = changed;
    this.migrations = new Migrations(connection, changed);
    this.backups = new Backups(connection, changed);
    connection.roles.add((role) => this.#set({ role }));
    connection.movings.add((moving) => {
      this.#set({ moving });
      if (moving === null) void changed();
    });
    connection.reopened.add(() => void changed());
  }

  /**
   * Opens a memory, creates it where there is none, and brings its schema to head.
   *
   * Rejects with `invalid_url`, `opfs_unavailable`, `storage_denied`, `locked` (another tab has it), `quota_exceeded`,
   * `corrupt_database`, `newer_schema` (the file is newer than the app), `unknown_revision` (it is at a revision that
   * nobody knows), `migration_failed` or `worker_unavailable`. The file is then as it was. It is never opened in memory
   * instead.
   */
  static async open(options: OpenOptions = {}): Promise<Memory> {
    checkOpenOptions(options);
    const place = parseUrl(options.url ?? 'opfs:///memory.db');
    const durability = options.durability ?? 'strict';
    if (durability !== 'strict' && durability !== 'relaxed')
      throw invalidArgument("durability must be 'strict' or 'relaxed'.");
    if (isNode() && place.storage === 'opfs') {
      throw new MemoryError(
        'opfs_unavailable',
        'Node has no origin private file system.',
        "Open 'memory:' and bring a file's bytes in and out with import() and export().",
      );
    }
    const migrations = checkMigrations(options.migrations);
    const { onNewerSchema, backups = {} } = options;
    checkFields(backups, ['keep', 'required'], 'backups');
    const { keep, required } = backups;
    if (keep !== undefined && !(Number.isInteger(keep) && keep >= 1 && keep <= 20))
      throw invalidArgument('backups.keep must be a whole number from 1 to 20.');
    const engineOptions = {
      durability,
      ...(place.storage === 'opfs' && { path: place.path }),
      ...(migrations && { migrations }),
      ...(onNewerSchema !== undefined && { onNewerSchema }),
      ...(keep !== undefined && { keep }),
      ...(required !== undefined && { backupRequired: required }),
      ...(options.upgrade !== undefined && { upgrade: options.upgrade }),
    };
    const { embedder } = options;
    const open = isNode() ? (await import('../worker/node.js')).openInThread : openWorker;
    const connection = new Connection(open, engineOptions, options.onProgress);
    const recall = loader(connection, embedder, options.onEmbedding);
    // It says what is wrong with the embedder before anything is opened.
    const eager = embedder === undefined ? undefined : await recall();
    const [schema, storage] = await Promise.all([
      connection.open({ signal: options.signal }),
      place.storage === 'opfs' ? readStorage() : NO_STORAGE,
    ]);
    const memory = new Memory(
      connection,
      {
        storage: place.storage,
        durability,
        role: connection.role,
        moving: null,
        ...storage,
        ...fromSchema(schema),
        // What another tab's opening applied is that tab's to tell.
        migrated: connection.role === 'leader' ? schema.migrated : [],
      },
      recall,
    );
    eager?.runner.begin();
    // Not waited for: a browser may ask the user, who may take their time. The status tells when they have answered.
    if (place.storage === 'opfs' && options.persist !== false) {
      void Promise.resolve(navigator.storage?.persist?.())
        .then(() => memory.#refreshStorage())
        .catch(() => undefined);
    }
    return memory;
  }

  /** The state as it was last read: at the opening, after an import or a migration, and by `refreshStatus()`. */
  get status(): MemoryStatus {
    return this.#status;
  }

  /** Reads the state anew. */
  async refreshStatus(options?: CallOptions): Promise<MemoryStatus> {
    const schema = await this.#connection.call('schemaStatus', [], options);
    const found = fromSchema(schema);
    // An engine that opened the memory again knows of its own backups only.
    this.#set({ ...found, backup: found.backup ?? this.#status.backup });
    await this.#refreshStorage();
    return this.#status;
  }

  /**
   * Is told of the status whenever it changes: when this tab comes to lead or ceases to, before and after any tab migrates,
   * imports or restores, and when it is read anew. Gives what ends that.
   *
   * @example
   * ```ts
   * const stop = memory.onStatus(({ role, moving }) => show(moving ? `${moving} …` : role));
   * ```
   */
  onStatus(listener: (status: MemoryStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #refreshStorage(): Promise<void> {
    if (this.#status.storage === 'opfs') this.#set(await readStorage());
  }

  #set(changed: Partial<MemoryStatus>): void {
    this.#status = { ...this.#status, ...changed };
    for (const listener of [...this.#listeners]) {
      try {
        listener(this.#status);
      } catch (error) {
        // Whoever listens may fail; nobody else is disturbed by it.
        console.error(error);
      }
    }
  }

  /**
   * Reads with SQL. Whatever the statement, it cannot write: that rejects with `read_only_query`.
   *
   * Tables and columns are SQLite's: `turns`, `episodes`, `long_term`, `uncertainty_log`, `semantic_memories`, with
   * columns as `user_input`. Resolves to the rows as objects by column name, at most 100,000; give columns of one name
   * names of their own (`AS`). Integers beyond 2^53 are BigInts, blobs
   * `Uint8Array`s, times seconds and JSON text, as the columns hold them.
   *
   * @param parameters - For `?` an array; for `:name` an object, by name without the colon.
   *
   * @example
   * ```ts
   * const rows = await memory.query<{ category: string; n: number }>(
   *   'SELECT category, count(*) AS n FROM semantic_memories WHERE importance > ? GROUP BY category', [0.5]);
   * ```
   */
  async query<Row extends object = Record<string, SqlValue>>(
    sql: string,
    parameters: SqlParameters = [],
    { timeoutMs, signal }: QueryOptions = {},
  ): Promise<Row[]> {
    if (timeoutMs !== undefined && !(timeoutMs > 0)) throw invalidArgument('timeoutMs must be above 0.');
    const seconds = timeoutMs === undefined ? undefined : timeoutMs / 1000;
    const { columns, rows } = await this.#connection.call(
      'query',
      [checkText(sql, 'sql'), checkParameters(parameters), seconds],
      {
        signal,
      },
    );
    return rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]])) as Row);
  }

  /**
   * Finds what matters for a question among everything remembered, by words and by meaning, the best first.
   *
   * Any string is safe to ask. Rows that have no vector yet are found by their words. Each part of a score is told where
   * `explain` asks for it: words (BM25) and meaning (cosine) in standard deviations above what was found, summed, then
   * recency, importance, valence and what settled doubts taught.
   *
   * Rejects with `invalid_argument`, and with `embedder_failed` or `embedder_unavailable` where the question cannot be
   * embedded; `weights: { meaning: 0 }` asks without.
   *
   * @example
   * ```ts
   * const hits = await memory.recall('what food must I avoid?', { k: 5, explain: true });
   * for (const hit of hits) console.log(hit.table, hit.text, hit.score, hit.explanation?.parts);
   * ```
   */
  async recall(question: string, options?: RecallOptions): Promise<RecallHit[]> {
    return (await this.#recall()).recall.recall(question, options);
  }

  /**
   * Packs what is remembered of a question into a text for a prompt, of so many tokens at the most: facts, what is recalled,
   * and the last turns. The same memory gives the same text.
   *
   * @example
   * ```ts
   * const { text } = await memory.context('what food must I avoid?', { tokenBudget: 1500 });
   * ```
   */
  async context(query: string, options?: ContextOptions): Promise<MemoryContext> {
    return (await this.#recall()).context(query, options);
  }

  /** Semantic memories near a text in meaning and, where asked for, what of the last twenty episodes is; the nearest first. */
  async related(query: string | Float32Array, options?: RelatedOptions): Promise<RelatedRow[]> {
    return (await this.#recall()).recall.related(query, options);
  }

  /**
   * How well what is known supports a text, from 0 to 1: 0.5 where nothing is known at all; 0.3 where none of the three
   * nearest semantic memories has a cosine of 0.3; else their mean cosine, each weighing as much as its importance, and a
   * tenth more where the second has above 0.6; 1 at the most.
   */
  async groundingConfidence(text: string, options?: CallOptions): Promise<number> {
    return (await this.#recall()).recall.groundingConfidence(text, options);
  }

  /** Notes what is talked about now; the last twenty are kept while the memory is open. */
  async trackContext(text: string, options?: CallOptions): Promise<void> {
    return (await this.#recall()).recall.trackContext(text, options);
  }

  /**
   * Whether the last three tracked contexts are about something else than those before them: whether their mean cosine is
   * below the threshold, 0.7 by default, as in Synth Mind. With three contexts in all, theirs among each other; with fewer,
   * never. Cosines are a model's own: with the bundled embedder, talk about one thing is near 0.4, and 0.25 a threshold.
   */
  async coherenceDrift(threshold = 0.7, options?: CallOptions): Promise<CoherenceDrift> {
    checkNumbers({ threshold }, ['threshold']);
    return this.#connection.call('coherenceDrift', [threshold], options);
  }

  /**
   * Tidies up semantic memories: merges those of a category that say the same, lets importance fade with age and without
   * use, and forgets what is less important than `floor`. All or nothing; each row is put away first as it was, to be
   * brought back by `undoConsolidation`. Never runs unless it is called.
   */
  async consolidate(options?: ConsolidateOptions): Promise<Consolidated> {
    return (await this.#recall()).recall.consolidate(options);
  }

  /** The consolidations whose rows are put away, the newest first. */
  async consolidations(options?: CallOptions): Promise<Consolidation[]> {
    return (await this.#recall()).recall.consolidations(options);
  }

  /**
   * Takes a consolidation back, by default the last one: what it removed is there again, and what faded is as important as
   * before, unless it was changed since. Resolves to how many rows that were. One after which another came can be taken
   * back only after that one.
   */
  async undoConsolidation(id?: number, options?: CallOptions): Promise<number> {
    await (await this.#recall.loaded)?.recall.consolidating();
    return this.#connection.call('undoConsolidation', [id], options);
  }

  /** Lets go of what consolidations put away, for good; resolves to how many there were. */
  async discardConsolidations(options?: CallOptions): Promise<number> {
    return this.#connection.call('discardConsolidations', [], options);
  }

  /** The whole database as the bytes of an SQLite file. */
  async export({ revision, signal }: ExportOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const target = revision === undefined ? undefined : checkText(revision, 'revision');
    return target === undefined
      ? this.#connection.call('export', [], { signal })
      : this.#connection.call('exportAt', [target], { signal });
  }

  /**
   * Replaces the whole database by an SQLite file that `export` or Synth Mind made, and brings it to head; resolves to
   * the revisions that were applied. A backup of what was there is kept.
   *
   * Rejects with `not_a_database`, `corrupt_database`, `unversioned_database`, `unknown_revision` or `quota_exceeded`;
   * the memory is then as it was.
   */
  async import(file: Blob | ArrayBuffer | Uint8Array, options?: CallOptions): Promise<string[]> {
    // Sent at once, so that the import keeps its place among the calls; the worker reads it.
    const applied = await this.#connection.call('import', [toBlob(file)], options);
    await this.#changed();
    return applied;
  }

  /**
   * Waits for what was asked for, closes the memory and lets other tabs have it. May be called again. An embedder of the
   * page's own is not waited for: what needs its answer rejects with `closed`, and rows without a vector get it another time.
   */
  close(): Promise<void> {
    const asking = this.#recall.loaded?.then((recall) => recall.close());
    return asking ? asking.catch(() => undefined).then(() => this.#connection.close()) : this.#connection.close();
  }
}

/** Whether this is Node, or a server built on it, as opposed to a browser or a worker of one. */
function isNode(): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: string }; getBuiltinModule?: unknown } };
  return Boolean(process?.versions?.node && process.getBuiltinModule) && typeof window === 'undefined';
}

/** A file that is sent as often as it has to be, and read where it is needed. */
function toBlob(file: Blob | ArrayBuffer | Uint8Array): Blob {
  return file instanceof Blob ? file : new Blob([copyBytes(file)]);
}

/** Bytes as they are now, whatever their owner does with them afterwards. */
function copyBytes(file: ArrayBuffer | Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    if (file instanceof Uint8Array || file instanceof ArrayBuffer) return new Uint8Array(file).slice();
  } catch (cause) {
    throw toMemoryError(unreadable(causeOf(cause)));
  }
  throw invalidArgument('file must be a File, a Blob, an ArrayBuffer or a Uint8Array.');
}

/** The parameters as plain values: what a message could not carry would take its neighbors with it. */
function checkParameters(parameters: SqlParameters): SqlParameters {
  if (typeof parameters !== 'object' || parameters === null)
    throw invalidArgument('parameters must be an array or an object.');
  const entries = Object.entries(parameters).map(([name, value]: [string, SqlValue]) => {
    if (value instanceof Uint8Array) return [name, copyBytes(value)] as const;
    if (value === null || ['string', 'number', 'bigint'].includes(typeof value)) return [name, value] as const;
    throw invalidArgument(`The parameter ${name} must be null, a string, a number, a BigInt or a Uint8Array.`);
  });
  return Array.isArray(parameters) ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}

/** `await using memory = await Memory.open()` closes it, where the platform knows the symbol. */
export interface Memory extends AsyncDisposable {}
if (Symbol.asyncDispose) {
  Memory.prototype[Symbol.asyncDispose] = function (this: Memory) {
    return this.close();
  };
}
