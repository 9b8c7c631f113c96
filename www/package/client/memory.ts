import { checkFields, checkKey, checkNumbers, checkText, copyBytes } from '../wire/check.js';
import { Connection, type CallOptions } from '../link/connection.js';
import { invalidArgument } from '../wire/errors.js';
import type { ContextOptions, MemoryContext } from '../recall/context.js';
import { Embeddings, LoadedRecall } from './embeddings.js';
import { Backups, fromBackup, type Compacted } from './backups.js';
import { ChangeFeed, iterateChanges, onChange, type Change, type ChangeOptions } from './changes.js';
import { deleteFiles } from './delete.js';
import { Live } from './live.js';
import { Migrations } from './migrations.js';
import {
  checkMigrations,
  checkOpenOptions,
  type ExportOptions,
  type ImportOptions,
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
import { runQuery, runStatements, type ExecuteResult, type SqlStatement } from './query.js';
import { readers, type MemoryReader, type OpenReader } from './reader.js';
import { fromSchema, KnownStatus, NO_STORAGE, readStorage, type MemoryStatus } from './status.js';
import { Episodes, LongTerm, SemanticMemories, Turns, UncertaintyLog } from './tables.js';
import { isNode } from '../link/platform.js';
import { openWorker } from '../link/transport.js';
import { checkReachable, parseUrl } from './url.js';
import type {
  CoherenceDrift,
  Consolidated,
  Imported,
  SqlParameters,
  SqlValue,
  UnreadableRow,
} from '../wasm/synth_memory.js';

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
  readonly #status: KnownStatus;
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
  readonly #recall: LoadedRecall;
  readonly #feed: ChangeFeed;
  readonly #openReader: OpenReader;

  private constructor(connection: Connection, status: MemoryStatus, recall: LoadedRecall) {
    this.#connection = connection;
    this.#status = new KnownStatus(status);
    this.turns = new Turns(connection);
    this.episodes = new Episodes(connection);
    this.longTerm = new LongTerm(connection);
    this.uncertainty = new UncertaintyLog(connection);
    this.semantic = new SemanticMemories(connection, recall);
    this.embeddings = new Embeddings(recall);
    this.#recall = recall;
    this.#feed = new ChangeFeed(connection);
    this.#openReader = readers(connection, recall, this.#feed.embedded);
    // A call that was carried out stays so, whatever becomes of the look at the status after it.
    const changed = () => this.refreshStatus().catch(() => undefined);
    this.#changed = changed;
    this.migrations = new Migrations(connection, changed);
    this.backups = new Backups(connection, changed);
    connection.states.add((state) => {
      this.#status.change(state);
      if (state.moving === null) void changed();
    });
    connection.reopened.add(() => void changed());
  }

  /**
   * Opens a memory, creates it where there is none, and brings its schema to head.
   *
   * Rejects with `invalid_url`, `opfs_unavailable`, `storage_denied`, `locked` (something else holds its files), `quota_exceeded`,
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
    checkReachable(place);
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
    const recall = new LoadedRecall(connection, embedder, options.onEmbedding);
    // It says what is wrong with the embedder before anything is opened.
    const eager = embedder === undefined ? undefined : await recall.load(options);
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
        outdated: false,
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
      void Promise.resolve()
        .then(() => navigator.storage?.persist?.())
        .then(() => memory.#refreshStorage())
        .catch(() => undefined);
    }
    return memory;
  }

  /**
   * Deletes a memory with its backups; resolves to whether there was one at this URL. To begin anew while developing, or to remove
   * what a user no longer wants. There is no way back but a file that `export` made.
   *
   * Rejects with `locked` where a tab has it open, this one included: close it first. Rejects with `invalid_url`,
   * `opfs_unavailable` or `storage_denied` too.
   *
   * @example
   * ```ts
   * await memory.close();
   * await Memory.delete('opfs:///memory.db');
   * ```
   */
  static async delete(url = 'opfs:///memory.db'): Promise<boolean> {
    const place = parseUrl(url);
    // It keeps nothing.
    if (place.storage === 'memory') return false;
    checkReachable(place);
    return deleteFiles(place.path);
  }

  /** The state as it was last read: at the opening, after an import or a migration, and by `refreshStatus()`. */
  get status(): MemoryStatus {
    return this.#status.current;
  }

  /**
   * Calls a listener whenever `status` is another one: when this tab comes to lead or ceases to, before and after any tab
   * migrates, imports or restores, and when it is read anew. Returns what ends that.
   *
   * @example
   * ```ts
   * const stop = memory.onStatus(({ role, moving }) => show(moving ? `${moving} …` : role));
   * ```
   */
  onStatus(listener: (status: MemoryStatus) => void): () => void {
    const stop = this.#status.listen(listener);
    const release = this.#connection.hold();
    return () => {
      stop();
      release();
    };
  }

  /** Reads the state anew. */
  async refreshStatus(options?: CallOptions): Promise<MemoryStatus> {
    const schema = await this.#connection.call('schemaStatus', [], options);
    const found = fromSchema(schema);
    // An engine that opened the memory again knows of its own backups only.
    this.#status.change({ ...found, backup: found.backup ?? this.status.backup });
    await this.#refreshStorage();
    return this.status;
  }

  async #refreshStorage(): Promise<void> {
    if (this.status.storage === 'opfs') this.#status.change(await readStorage());
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
    options: QueryOptions = {},
  ): Promise<Row[]> {
    return (await runQuery<Row>(this.#connection, sql, parameters, options)).rows;
  }

  /**
   * Iterates over what commits change from now on, in whichever tab: each row once, in order, after the commit.
   *
   * A consumer that falls behind by more than 1,000 changes gets `missed` in their place, and has to read again; an import,
   * a restored backup and a migration are `replaced`. It is done when the memory is closed or the signal fires.
   *
   * @example
   * ```ts
   * for await (const change of memory.changes({ tables: ['turns'] })) {
   *   if (change.kind === 'replaced' || change.kind === 'missed') await showAll();
   *   else if (change.table === 'turns') await show(change.kind, change.id);
   * }
   * ```
   */
  changes(options?: ChangeOptions): AsyncIterableIterator<Change> {
    return iterateChanges(this.#feed, options);
  }

  /** Calls a listener with each of these changes; returns what ends that. It misses none for being slow. */
  onChange(listener: (change: Change) => void, options?: ChangeOptions): () => void {
    return onChange(this.#feed, listener, options);
  }

  /**
   * A query that stays true: it is read while it has subscribers, and again whenever a table that it read changed, in
   * whichever tab. Read through the memory that the function receives, which notes what is read.
   *
   * @example
   * ```ts
   * const latest = memory.live((memory) => memory.turns.list({ limit: 20 }));
   * const stop = latest.subscribe(({ status, value, error }) => render(status, value?.rows, error));
   * ```
   */
  live<T>(read: (memory: MemoryReader) => Promise<T>): Live<T> {
    return new Live(this.#feed, this.#openReader, read);
  }

  /**
   * Finds what matters for a question among everything remembered, by words and by meaning, the best first.
   *
   * Any string is safe to ask. Rows that have no vector yet are found by their words. Each part of a score is told where
   * `explain` asks for it: words (BM25) and meaning (cosine) in standard deviations above what was found, summed, then
   * recency, importance, valence and what settled doubts taught; and, with `rerank`, a reranker of the page's own.
   *
   * Rejects with `invalid_argument`, with `embedder_failed` or `embedder_unavailable` where the question cannot be
   * embedded (`weights: { meaning: 0 }` asks without), and with `reranker_failed`.
   *
   * @example
   * ```ts
   * const hits = await memory.recall('what food must I avoid?', { k: 5, explain: true });
   * for (const hit of hits) console.log(hit.table, hit.text, hit.score, hit.explanation?.parts);
   * ```
   */
  async recall(question: string, options?: RecallOptions): Promise<RecallHit[]> {
    return (await this.#recall.load(options)).recall.recall(question, options);
  }

  /**
   * Packs what the question recalls into a text for a prompt, of so many tokens at the most, with what is known for certain
   * and the last turns. The same memory gives the same text.
   *
   * Each row is one line between marks with its table, id or key, time, and where it is from. Nothing that is stored can close
   * or forge a mark, so that an instruction in it stays recognisable as data. The hits are `recall`'s own, with explanations.
   *
   * Rejects as `recall` does.
   *
   * @example
   * ```ts
   * const { text, hits } = await memory.context('what food must I avoid?', { tokenBudget: 1500, order: ['recalled'] });
   * ```
   */
  async context(query: string, options?: ContextOptions): Promise<MemoryContext> {
    return (await this.#recall.load(options)).context(query, options);
  }

  /** Semantic memories near a text in meaning and, where asked for, what of the last twenty episodes is; the nearest first. */
  async related(query: string | Float32Array, options?: RelatedOptions): Promise<RelatedRow[]> {
    return (await this.#recall.load(options)).recall.related(query, options);
  }

  /**
   * How well what is known supports a text, from 0 to 1: 0.5 where nothing is known at all; 0.3 where none of the three
   * nearest semantic memories has a cosine of 0.3; else their mean cosine, each weighing as much as its importance, and a
   * tenth more where the second has above 0.6; 1 at the most.
   */
  async groundingConfidence(text: string, options?: CallOptions): Promise<number> {
    return (await this.#recall.load(options)).recall.groundingConfidence(text, options);
  }

  /** Notes what is talked about now; the last twenty are kept while the memory is open. */
  async trackContext(text: string, options?: CallOptions): Promise<void> {
    return (await this.#recall.load(options)).recall.trackContext(text, options);
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
   * Tidies up semantic memories: merges those of a category whose texts are the same (but for white space and Unicode's
   * forms), lets importance fade with age and without use, and forgets what is less important than `floor`. All or nothing;
   * each row is put away first as it was, to be brought back by `undoConsolidation`. Never runs unless it is called.
   *
   * Memories that are only near in meaning may say the opposite, so they are left alone. `similar` lists them in groups, with
   * their texts: read them, and merge those that say the same with `semantic.merge`.
   */
  async consolidate(options?: ConsolidateOptions): Promise<Consolidated> {
    return (await this.#recall.load(options)).recall.consolidate(options);
  }

  /** The consolidations whose rows are put away, the newest first. */
  async consolidations(options?: CallOptions): Promise<Consolidation[]> {
    return (await this.#recall.load(options)).recall.consolidations(options);
  }

  /**
   * Takes a consolidation back, by default the last one: what it removed is there again, and what faded is as important as
   * before, unless it was changed since. Resolves to how many rows that were. One after which another came can be taken
   * back only after that one.
   */
  async undoConsolidation(id?: number, options?: CallOptions): Promise<number> {
    const which = id === undefined ? undefined : checkKey(id);
    await (await this.#recall.afterOthers())?.recall.consolidating();
    return this.#connection.call('undoConsolidation', [which], options);
  }

  /** Lets go of what consolidations put away, for good; resolves to how many there were. */
  async discardConsolidations(options?: CallOptions): Promise<number> {
    return this.#connection.call('discardConsolidations', [], options);
  }

  /**
   * Writes with one SQL statement to the app's own tables, those that its migrations made. It cannot write to a table of the
   * memory's, neither itself nor by a trigger, nor change the schema: that rejects with `invalid_sql`. As with every call, a write
   * that was answered is kept, it is never made twice, and `changes` and live queries see it.
   *
   * `RETURNING` returns up to 1,000 rows of texts and numbers.
   *
   * Rejects with `invalid_sql`, `constraint_failed`, `query_timeout` (after 10 s, or `timeoutMs`) or `quota_exceeded`; nothing is
   * kept then.
   *
   * @example
   * ```ts
   * const { changes } = await memory.execute('UPDATE reminders SET done = 1 WHERE id = ?', [id]);
   * ```
   */
  async execute<Row extends object = Record<string, string | number | null>>(
    sql: string,
    parameters: SqlParameters = [],
    options?: QueryOptions,
  ): Promise<ExecuteResult<Row>> {
    const [result] = await runStatements<Row>(this.#connection, [{ sql, parameters }], options);
    return result!;
  }

  /**
   * The same for up to 1,000 statements: all of them are carried out, or none. Resolves to what each did.
   *
   * @example
   * ```ts
   * await memory.transaction([
   *   { sql: 'INSERT INTO lists (name) VALUES (?)', parameters: ['Shopping'] },
   *   { sql: 'UPDATE reminders SET list = last_insert_rowid() WHERE list IS NULL' },
   * ]);
   * ```
   */
  transaction(statements: readonly SqlStatement[], options?: QueryOptions): Promise<ExecuteResult[]> {
    return runStatements(this.#connection, statements, options);
  }

  /**
   * The rows that another program wrote with what their columns do not hold, such as a blob for a text or text for a time: up to
   * 1,000, with the fields concerned. It reads every row.
   *
   * `get`, `list` and `recent` return such a row as far as it can be read, with its `unreadable` fields; `recall` and `context`
   * leave it out. `update` corrects it, `delete` removes it.
   */
  unreadable(options?: CallOptions): Promise<UnreadableRow[]> {
    return this.#connection.call('unreadable', [], options);
  }

  /**
   * Removes everything of what was deleted from the files, and makes the database as small as what it holds. The memory does
   * both by itself: within seconds of the last call and at `close`, and where most of a file is free. Use this to be sure now,
   * or for a large file.
   *
   * Backups are left alone: those that are returned still hold what was deleted since they were made. `backups.delete` removes
   * one. Rows that `consolidate` and `semantic.merge` removed are kept for `undoConsolidation` until `discardConsolidations`.
   *
   * Rejects with `read_only_memory`, `quota_exceeded`, or `out_of_memory`: the new database is built in memory first. It is
   * then as it was.
   *
   * @example
   * await memory.turns.delete(id);
   * const { backups } = await memory.compact();
   * for (const { id } of backups) await memory.backups.delete(id);
   */
  async compact(options?: CallOptions): Promise<Compacted> {
    const { backups, ...sizes } = await this.#connection.call('compact', [], options);
    await this.#changed();
    return { ...sizes, backups: backups.map(fromBackup) };
  }

  /** The whole database as the bytes of an SQLite file, without anything of what was deleted. */
  async export(options: ExportOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    checkFields(options, ['revision', 'signal']);
    const { revision, signal } = options;
    const target = revision === undefined ? undefined : checkText(revision, 'revision');
    return target === undefined
      ? this.#connection.call('export', [], { signal })
      : this.#connection.call('exportAt', [target], { signal });
  }

  /**
   * Replaces the whole database by an SQLite file that `export`, Synth Mind or another program made, and brings it to head.
   * Resolves to the revisions that were applied and to what was left out. A backup of what was there is kept.
   *
   * The file may be in UTF-16 or in auto-vacuum mode; it is converted. Tables of other programs come in as they are. What acts by
   * itself does not: triggers, views and virtual tables that are of no revision, and what the tables of the memory were declared
   * with in addition, such as a CHECK. Those tables are made again from the revisions' SQL, and their rows are copied.
   *
   * Rejects with `not_a_database`, `corrupt_database`, `unversioned_database`, `unknown_revision`, `schema_mismatch`,
   * `unexpected_value` for a row that does not fit, or `quota_exceeded`; the memory is then as it was.
   *
   * @example
   * const { leftOut } = await memory.import(file);
   * for (const { type, name, sql } of leftOut) console.log(`Without the ${type} ${name}: ${sql}`);
   */
  async import(file: Blob | ArrayBuffer | Uint8Array, { foreign, ...options }: ImportOptions = {}): Promise<Imported> {
    if (foreign !== undefined && foreign !== 'leave-out' && foreign !== 'refuse')
      throw invalidArgument(`foreign must be "leave-out" or "refuse", not ${String(foreign)}.`);
    // Sent at once, so that the import keeps its place among the calls; read by the worker, and sent again where it must be.
    const given = file instanceof Blob ? file : new Blob([copyBytes(file)]);
    const imported = await this.#connection.call('import', [given, foreign === 'refuse'], options);
    await this.#changed();
    return imported;
  }

  /**
   * Waits for what was asked for, closes the memory and lets other tabs have it. May be called again. An embedder or a model that
   * does not come is not waited for: what needs it rejects with `closed`, and rows without a vector get it another time.
   */
  close(): Promise<void> {
    const asked = this.#recall.close();
    const closing = asked ? asked.then(() => this.#connection.close()) : this.#connection.close();
    return closing.finally(() => this.#feed.close());
  }
}

/** `await using memory = await Memory.open()` closes it, where the platform knows the symbol. */
export interface Memory extends AsyncDisposable {}
if (Symbol.asyncDispose) {
  Memory.prototype[Symbol.asyncDispose] = function (this: Memory) {
    return this.close();
  };
}
