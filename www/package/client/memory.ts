import { checkFields, checkKey, checkNumbers, checkText, copyBytes } from '../wire/check.js';
import type { CallOptions, Connection } from '../link/connection.js';
import { invalidArgument } from '../wire/errors.js';
import type { ContextOptions, MemoryContext } from '../recall/context.js';
import { Embeddings, type LoadedRecall } from './embeddings.js';
import { Gate } from './gate.js';
import { Backups, fromBackup, type Compacted } from './backups.js';
import { ChangeFeed, iterateChanges, onChange, type Change, type ChangeOptions } from './changes.js';
import { deleteFiles } from './delete.js';
import { Live } from './live.js';
import { Migrations } from './migrations.js';
import { open, persist, type Opened } from './open.js';
import type { ExportOptions, ImportOptions, OpenOptions, QueryOptions } from './options.js';
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
import { fromSchema, KnownStatus, readStorage, type MemoryStatus } from './status.js';
import { Episodes, LongTerm, SemanticMemories, Turns, UncertaintyLog } from './tables.js';
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
 * The memory of an agent: an open database.
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
  readonly #gate: Gate;
  readonly #status: KnownStatus;
  readonly #changed: () => Promise<unknown>;

  /** The conversation. */
  readonly turns: Turns;
  /** Events. */
  readonly episodes: Episodes;
  /** Long-term knowledge: JSON values by key. */
  readonly longTerm: LongTerm;
  /** Open questions: what the agent was unsure about, and how it was resolved. */
  readonly uncertainty: UncertaintyLog;
  /** Facts. */
  readonly semantic: SemanticMemories;
  /** The revision of the schema, and how to upgrade or downgrade it. */
  readonly migrations: Migrations;
  /** Backups of the memory. */
  readonly backups: Backups;
  /** The vectors of the stored texts. */
  readonly embeddings: Embeddings;
  readonly #recall: LoadedRecall;
  readonly #feed: ChangeFeed;
  readonly #openReader: OpenReader;

  private constructor({ connection, status, recall }: Opened) {
    const gate = new Gate(connection, recall);
    this.#connection = connection;
    this.#gate = gate;
    this.#status = new KnownStatus(status);
    this.turns = new Turns(gate);
    this.episodes = new Episodes(gate);
    this.longTerm = new LongTerm(gate);
    this.uncertainty = new UncertaintyLog(gate);
    this.semantic = new SemanticMemories(gate, gate);
    this.embeddings = new Embeddings(gate);
    this.#recall = recall;
    this.#feed = new ChangeFeed(connection);
    this.#openReader = readers(connection, recall, this.#feed.embedded);
    // The call itself succeeded, so an error while the status is read must not reject it.
    const changed = () => this.refreshStatus().catch(() => undefined);
    this.#changed = changed;
    this.migrations = new Migrations(gate, changed);
    this.backups = new Backups(gate, changed);
    connection.states.add((state) => {
      this.#status.change(state);
      if (state.moving === null) void changed();
    });
    connection.reopened.add(() => void changed());
  }

  /**
   * Opens a memory. Creates it if it does not exist, and migrates its schema to head.
   *
   * Rejects with `invalid_argument`, `invalid_url`, `opfs_unavailable`, `storage_denied`, `locked` (something else holds
   * its files), `quota_exceeded`, `corrupt_database`, `newer_schema` (the file is newer than the app),
   * `unknown_revision` (the file is at an unknown revision), `migration_failed` or `worker_unavailable`. The file is then
   * unchanged. It is never opened in memory instead.
   */
  static async open(options: OpenOptions = {}): Promise<Memory> {
    const memory = new Memory(await open(options));
    // Not awaited: the user may take their time. The status reports the answer when there is one.
    if (memory.status.storage === 'opfs' && options.persist !== false)
      void persist()
        .then(() => memory.#refreshStorage())
        .catch(() => undefined);
    return memory;
  }

  /**
   * Deletes a memory and its backups. Resolves to whether there was one at this URL. Use it to start again while
   * developing, or to remove data that a user no longer wants. Only a file that `export` made can bring it back.
   *
   * Rejects with `locked` if a tab has it open, including this one: close it first. Also rejects with `invalid_url`,
   * `opfs_unavailable` or `storage_denied`.
   *
   * @example
   * ```ts
   * await memory.close();
   * await Memory.delete('opfs:///memory.db');
   * ```
   */
  static async delete(url = 'opfs:///memory.db'): Promise<boolean> {
    const place = parseUrl(url);
    // `memory:` keeps nothing.
    if (place.storage === 'memory') return false;
    checkReachable(place);
    return deleteFiles(place.path);
  }

  /**
   * The state as it was last read: when the memory was opened, after an import or a migration, and by
   * `refreshStatus()`.
   */
  get status(): MemoryStatus {
    return this.#status.current;
  }

  /**
   * Calls a listener whenever `status` changes: when this tab becomes or ceases to be the leader, before and after any
   * tab migrates, imports or restores, and when the status is read again. Returns a function that removes the listener.
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

  /** Reads the state again. */
  async refreshStatus(options?: CallOptions): Promise<MemoryStatus> {
    const schema = await this.#connection.call('schemaStatus', [], options);
    const found = fromSchema(schema, this.#connection.revisions);
    // An engine that reopened the memory knows only the backups that it made itself.
    this.#status.change({ ...found, backup: found.backup ?? this.status.backup });
    await this.#refreshStorage();
    return this.status;
  }

  async #refreshStorage(): Promise<void> {
    if (this.status.storage === 'opfs') this.#status.change(await readStorage());
  }

  /**
   * Reads with SQL. It cannot write: a statement that would write rejects with `read_only_query`, whatever it looks
   * like.
   *
   * Tables and columns have their SQLite names: `turns`, `episodes`, `long_term`, `uncertainty_log`,
   * `semantic_memories`, and columns such as `user_input`. Resolves to the rows as objects by column name, at most
   * 100,000 of them. Give columns of the same name different names with `AS`. Integers beyond 2^53 are BigInts and
   * blobs are `Uint8Array`s; times are seconds and JSON is text, as the columns hold them.
   *
   * @param parameters - An array for `?`; an object for `:name`, by name without the colon.
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
    return (await runQuery<Row>(this.#gate, sql, parameters, options)).rows;
  }

  /**
   * Iterates over the rows that commits change from now on, in any tab: each row once, in order, after the commit.
   *
   * A consumer that falls behind by more than 1,000 changes, or whose memory another tab has opened again, perhaps with
   * a newer schema, receives `missed` and has to read again. An import, a restored backup or a call of
   * `memory.migrations` is reported as `replaced`. The iterator ends when the memory is closed or the signal fires.
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

  /**
   * Calls a listener with each of these changes. Returns a function that removes the listener. A slow listener misses
   * nothing.
   */
  onChange(listener: (change: Change) => void, options?: ChangeOptions): () => void {
    return onChange(this.#feed, listener, options);
  }

  /**
   * A live query. It reads while it has subscribers, and again whenever a commit of any tab changes a table that it
   * read. Read through the memory that the function receives, which notes the tables.
   *
   * @example
   * ```ts
   * const latest = memory.live((memory) => memory.turns.list({ limit: 20 }));
   * const stop = latest.subscribe(({ status, value, error }) => render(status, value?.rows, error));
   * ```
   */
  live<T>(read: (memory: MemoryReader) => Promise<T>): Live<T> {
    return new Live(this.#feed, this.#openReader, read, this.#gate);
  }

  /**
   * Searches everything stored for the rows that matter for a question, by words and by meaning. The best hits come
   * first.
   *
   * Any string is safe to ask. Rows that have no vector yet are found by their words. With `explain`, each hit has the
   * parts of its score: words (BM25) and meaning (cosine), in standard deviations above the mean of what was found;
   * recency, importance, valence and what resolved open questions teach; what the turns around a turn add
   * (`conversation`); what nearness to a better hit takes away (`diversity`); and, with `rerank`, the score of a reranker
   * of the page's own. The score is the sum of its parts.
   *
   * Rejects with `invalid_argument`; with `embedder_failed` or `embedder_unavailable` if the question cannot be
   * embedded (`weights: { meaning: 0 }` asks by words alone); and with `reranker_failed`.
   *
   * @example
   * ```ts
   * const hits = await memory.recall('what food must I avoid?', { k: 5, explain: true });
   * for (const hit of hits) console.log(hit.table, hit.text, hit.score, hit.explanation?.parts);
   * ```
   */
  async recall(question: string, options?: RecallOptions): Promise<RecallHit[]> {
    return (await this.#gate.load(options)).recall.recall(question, options);
  }

  /**
   * Packs a text for a prompt, of at most `tokenBudget` tokens: entries of long-term knowledge, what the question
   * recalls, and the last turns. The same memory gives the same text.
   *
   * Each row is one line between marks with its table, id or key, time and source. No stored text can close or forge a
   * mark, so an instruction in it remains recognisable as data. The hits are those of `recall`, with explanations.
   *
   * Rejects as `recall` does.
   *
   * @example
   * ```ts
   * const { text, hits } = await memory.context('what food must I avoid?', { tokenBudget: 1500, order: ['recalled'] });
   * ```
   */
  async context(query: string, options?: ContextOptions): Promise<MemoryContext> {
    return (await this.#gate.load(options)).context(query, options);
  }

  /**
   * Returns the facts nearest in meaning to a text or a vector, nearest first. With `includeEpisodes`, the last twenty
   * episodes are searched too.
   */
  async related(query: string | Float32Array, options?: RelatedOptions): Promise<RelatedRow[]> {
    return (await this.#gate.load(options)).recall.related(query, options);
  }

  /**
   * How well facts support a text, from 0 to 1. Returns 0.5 if there are no facts and 0.3 if none of the three nearest
   * has a cosine of at least 0.3. Otherwise returns the mean cosine of those that have one of at least 0.3, weighted by
   * importance; it is a tenth higher if the second nearest has a cosine above 0.6, and at most 1.
   */
  async groundingConfidence(text: string, options?: CallOptions): Promise<number> {
    return (await this.#gate.load(options)).recall.groundingConfidence(text, options);
  }

  /** Notes what is talked about now. The last twenty notes are kept while the memory is open. */
  async trackContext(text: string, options?: CallOptions): Promise<void> {
    return (await this.#gate.load(options)).recall.trackContext(text, options);
  }

  /**
   * Whether the last three contexts noted by `trackContext` are about something else than those before them: whether
   * the mean cosine between the two groups is below `threshold`, 0.7 by default, as in Synth Mind. If there are only
   * three, they are compared with each other; if there are fewer, no drift is reported. Cosines depend on the model:
   * with the bundled embedder, texts about one subject have a cosine near 0.4, and 0.25 is a useful threshold.
   */
  async coherenceDrift(threshold = 0.7, options?: CallOptions): Promise<CoherenceDrift> {
    checkNumbers({ threshold }, ['threshold']);
    return this.#gate.call('coherenceDrift', [threshold], options);
  }

  /**
   * Tidies up facts. It merges facts of one category whose texts are the same except for white space and Unicode normal
   * form, lets importance fade with age and disuse, and forgets facts less important than `floor`. It does all of this
   * or nothing. Each row is first kept as it was, so that `undoConsolidation` can restore it. It runs only when you
   * call it.
   *
   * Facts that are only near in meaning may say the opposite, so they are left alone. `similar` lists them in groups
   * with their texts: read them, and merge those that say the same with `semantic.merge`.
   */
  async consolidate(options?: ConsolidateOptions): Promise<Consolidated> {
    return (await this.#gate.load(options)).recall.consolidate(options);
  }

  /** The consolidations whose original rows are kept, newest first. */
  async consolidations(options?: CallOptions): Promise<Consolidation[]> {
    return (await this.#gate.load(options)).recall.consolidations(options);
  }

  /**
   * Undoes a consolidation, by default the last one. It restores the rows that were removed and the importance of those
   * that faded, except rows changed since. Resolves to how many rows it restored. If another consolidation came later,
   * undo that one first.
   */
  async undoConsolidation(id?: number, options?: CallOptions): Promise<number> {
    const which = id === undefined ? undefined : checkKey(id);
    await (await this.#recall.afterOthers())?.recall.consolidating();
    return this.#gate.call('undoConsolidation', [which], options);
  }

  /**
   * Deletes the rows kept by consolidations, which then cannot be undone. Resolves to how many consolidations there
   * were.
   */
  async discardConsolidations(options?: CallOptions): Promise<number> {
    return this.#gate.call('discardConsolidations', [], options);
  }

  /**
   * Writes with one SQL statement to the app's own tables, which its migrations created. A statement that would change
   * the schema, or write to a table of the memory directly or by a trigger, rejects with `invalid_sql`. As with every
   * call, an answered write is kept, is never made twice, and is seen by `changes` and live queries.
   *
   * `RETURNING` returns up to 1,000 rows of texts and numbers.
   *
   * Rejects with `invalid_sql`, `constraint_failed`, `query_timeout` (after 10 s, or `timeoutMs`) or `quota_exceeded`.
   * Nothing is then changed.
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
    const [result] = await runStatements<Row>(this.#gate, [{ sql, parameters }], options);
    return result!;
  }

  /**
   * Does the same as `execute` with up to 1,000 statements: all of them are carried out, or none. Resolves to the
   * result of each statement.
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
    return runStatements(this.#gate, statements, options);
  }

  /**
   * The rows in which another program stored a value that the column cannot hold, such as a blob in a text or text in a
   * time: up to 1,000, with the fields concerned. It reads every row.
   *
   * `get`, `list` and `recent` return such a row as far as it can be read and name the fields in `unreadable`; `recall`
   * and `context` leave it out. `update` corrects it, `delete` removes it.
   */
  unreadable(options?: CallOptions): Promise<UnreadableRow[]> {
    return this.#gate.call('unreadable', [], options);
  }

  /**
   * Removes all remains of deleted rows from the files, and shrinks the database to the size of its content. The memory
   * does both by itself: within seconds of the last call, at `close`, and when most of a file is free. Call this to be
   * sure now, or for a large file.
   *
   * Backups are left alone: the backups that it returns still hold rows that were deleted after they were made.
   * `backups.delete` removes one. Rows that `consolidate` and `semantic.merge` removed are kept for `undoConsolidation`
   * until `discardConsolidations`.
   *
   * Rejects with `read_only_memory`, `quota_exceeded`, or `out_of_memory`, because the new database is first built in
   * memory. The database is then unchanged.
   *
   * @example
   * await memory.turns.delete(id);
   * const { backups } = await memory.compact();
   * for (const { id } of backups) await memory.backups.delete(id);
   */
  async compact(options?: CallOptions): Promise<Compacted> {
    const { backups, ...sizes } = await this.#gate.call('compact', [], options);
    await this.#changed();
    return { ...sizes, backups: backups.map(fromBackup) };
  }

  /** The whole database as the bytes of an SQLite file, without any remains of deleted rows. */
  async export(options: ExportOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    checkFields(options, ['revision', 'signal']);
    const { revision, signal } = options;
    const target = revision === undefined ? undefined : checkText(revision, 'revision');
    return target === undefined
      ? this.#gate.call('export', [], { signal })
      : this.#gate.call('exportAt', [target], { signal });
  }

  /**
   * Replaces the whole database with an SQLite file that `export`, Synth Mind or another program made, and migrates it
   * to head. Resolves to the revisions that were applied and to what was left out. A backup of the replaced database is
   * kept.
   *
   * The file may be in UTF-16 or in auto-vacuum mode; it is converted. Tables of other programs are imported as they
   * are. Declarations that could act by themselves are left out: triggers, views and virtual tables that belong to no
   * revision, and additions to the memory's own tables, such as a CHECK. The memory's tables are made from the
   * revisions' SQL, and their rows are copied.
   *
   * Rejects with `not_a_database`, `corrupt_database`, `unversioned_database`, `newer_schema` (the file is newer than the
   * app), `unknown_revision`, `schema_mismatch`, `unexpected_value` (a row does not fit) or `quota_exceeded`. The memory
   * is then unchanged.
   *
   * @example
   * const { leftOut } = await memory.import(file);
   * for (const { type, name, sql } of leftOut) console.log(`Without the ${type} ${name}: ${sql}`);
   */
  async import(file: Blob | ArrayBuffer | Uint8Array, { foreign, ...options }: ImportOptions = {}): Promise<Imported> {
    if (foreign !== undefined && foreign !== 'leave-out' && foreign !== 'refuse')
      throw invalidArgument(`foreign must be "leave-out" or "refuse", not ${String(foreign)}.`);
    // Sent at once, so that the import keeps its place among the calls. The worker reads the Blob, which can be sent
    // again if needed.
    const given = file instanceof Blob ? file : new Blob([copyBytes(file)]);
    const imported = await this.#gate.call('import', [given, foreign === 'refuse'], options);
    await this.#changed();
    return imported;
  }

  /**
   * Waits for pending calls, closes the memory and releases it to other tabs. It can be called again. An embedder or a
   * model that does not answer is not awaited: the calls that need it reject with `closed`, and rows without a vector
   * receive it another time.
   */
  close(): Promise<void> {
    this.#gate.close();
    const asked = this.#recall.close();
    const closing = asked ? asked.then(() => this.#connection.close()) : this.#connection.close();
    return closing.finally(() => this.#feed.close());
  }
}

/** `await using memory = await Memory.open()` closes it, if the platform has `Symbol.asyncDispose`. */
export interface Memory extends AsyncDisposable {}
if (Symbol.asyncDispose) {
  Memory.prototype[Symbol.asyncDispose] = function (this: Memory) {
    return this.close();
  };
}
