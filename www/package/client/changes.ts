import { Arrivals } from './arrivals.js';
import type { CallOptions, Connection } from '../link/connection.js';
import { checkFields, checkSignal } from '../wire/check.js';
import { closed, invalidArgument } from '../wire/errors.js';
import type { ChangedRows, ChangeKind, Changes, MemoryReference, MemoryTable } from '../wasm/synth_memory.js';

/** A row that a commit changed. It can be used wherever a `MemoryReference` is accepted. */
export type RowChange = MemoryReference & {
  /** Whether it was inserted, updated or deleted. */
  readonly kind: ChangeKind;
};

/** Rows changed that are not reported one by one: there were too many, or another tab took the lead. Read again. */
export interface MissedChanges {
  readonly kind: 'missed';
  /** The tables that may have changed. */
  readonly tables: readonly MemoryTable[];
}

/**
 * `import`, `backups.restore` or a call of `memory.migrations` replaced the memory: any row may be different. If another
 * tab takes the lead and migrates while it opens the memory, that is reported as `missed`.
 */
export interface Replacement {
  readonly kind: 'replaced';
}

/**
 * A commit changed the app's own tables, by `execute`, `transaction` or a trigger. Reported only if `tables` is not
 * given.
 */
export interface OwnTablesChange {
  readonly kind: 'own';
  /** Their names. */
  readonly tables: readonly string[];
}

/** A change that a commit made. Its `kind` distinguishes the four types. */
export type Change = RowChange | OwnTablesChange | MissedChanges | Replacement;

/** Which changes to report, and until when. */
export interface ChangeOptions extends CallOptions {
  /** Only changes of these tables; all by default. A replacement is always reported. */
  readonly tables?: readonly MemoryTable[] | undefined;
  /** When it fires, the iterator ends or the listener is removed. */
  readonly signal?: AbortSignal | undefined;
}

/** Every table. */
export const TABLES = Object.keys({
  turns: true,
  episodes: true,
  semantic: true,
  longTerm: true,
  uncertainty: true,
} satisfies Record<MemoryTable, true>) as readonly MemoryTable[];

/** The tables whose changes are reported if `tables` is not given. */
const ALL: ReadonlySet<MemoryTable> = new Set(TABLES);

/** Reported if the changes are unknown. */
const ALL_MISSED: Changes = { tables: [...TABLES], rows: [], own: [], missed: true, replaced: false };

/**
 * How many entries wait at most for an iterator's consumer. The rows of one `appendMany` are one entry; in `longTerm`,
 * each row is one.
 */
const MOST_WAITING = 1000;

/** A listener for commits. */
interface Listener {
  /** A commit changed something. */
  report(changes: Changes): void;
  /** Rows may have received vectors of a page's own embedder. */
  embedded?(): void;
  /** The memory was closed. */
  end(): void;
}

/** Reports the changes of every tab's commits to all listeners. */
export class ChangeFeed {
  readonly #listeners = new Set<Listener>();
  readonly #connection: Connection;
  /** Ends the listening to the connection; undefined if there are no listeners. */
  #stop: (() => void) | undefined;
  #isClosed = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.reopened.add(() => this.#report(ALL_MISSED));
  }

  #report(changes: Changes): void {
    for (const listener of [...this.#listeners]) listener.report(changes);
  }

  /** Reports that rows may have received vectors. */
  readonly embedded = (): void => {
    for (const listener of [...this.#listeners]) listener.embedded?.();
  };

  /** Adds a listener; returns a function that removes it. */
  listen(listener: Listener): () => void {
    if (this.#isClosed) throw closed();
    this.#listeners.add(listener);
    this.#stop ??= this.#connection.listen((changes) => this.#report(changes));
    const release = this.#connection.hold();
    return () => {
      this.#listeners.delete(listener);
      release();
      if (this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }

  /** Ends and removes all listeners. */
  close(): void {
    this.#isClosed = true;
    for (const listener of [...this.#listeners]) listener.end();
    this.#listeners.clear();
  }
}

/**
 * Calls a function of the caller. An error that it throws is reported as an uncaught error and affects no other
 * listener.
 */
export function notify<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Calls a listener with each change until it is removed. */
export function onChange(
  feed: ChangeFeed,
  listener: (change: Change) => void,
  options: ChangeOptions = {},
): () => void {
  if (typeof listener !== 'function') throw invalidArgument('listener must be a function.');
  const tables = checkOptions(options);
  let isListening = true;
  const remove = feed.listen({
    report(changes) {
      for (const change of expand(changes, tables)) {
        if (!isListening) return;
        notify(listener, change);
      }
    },
    end: () => undefined,
  });
  const stop = () => {
    isListening = false;
    remove();
    forget();
  };
  const forget = onceAborted(options.signal, stop);
  return stop;
}

/** Iterates over changes from now on. */
export function iterateChanges(feed: ChangeFeed, options: ChangeOptions = {}): AsyncIterableIterator<Change> {
  const backlog = new Backlog(checkOptions(options));
  const remove = feed.listen({
    report(changes) {
      backlog.add(changes);
      arrivals.serve();
    },
    end: () => arrivals.end(),
  });
  const arrivals = new Arrivals<Change>(
    () => backlog.take(),
    () => {
      remove();
      forget();
    },
  );
  const forget = onceAborted(options.signal, () => void arrivals.return());
  return arrivals;
}

interface Waiting {
  readonly changes: Changes;
  readonly size: number;
  readonly each: Iterator<Change, undefined>;
}

/** What waits for a consumer: the oldest commit, expanded as far as it was read, and the commits after it. */
class Backlog {
  readonly #tables: ReadonlySet<MemoryTable>;
  #waiting: Waiting[] = [];
  #size = 0;

  constructor(tables: ReadonlySet<MemoryTable>) {
    this.#tables = tables;
  }

  add(changes: Changes): void {
    const size = this.#sizeOf(changes);
    if (size === 0) return;
    if (this.#waiting.length > 0 && this.#size + size > MOST_WAITING) this.#replaceBy(changes);
    else this.#push(changes, size);
  }

  /** Replaces all that waits with a report that it was missed. */
  #replaceBy(last: Changes): void {
    const all = [...this.#waiting.map(({ changes }) => changes), last];
    const tables = TABLES.filter((table) => all.some((changes) => changes.tables.includes(table)));
    this.#waiting = [];
    this.#size = 0;
    const own = [...new Set(all.flatMap(({ own }) => own))];
    this.#push({ tables, rows: [], own, missed: true, replaced: all.some(({ replaced }) => replaced) }, 1);
  }

  #push(changes: Changes, size: number): void {
    this.#waiting.push({ changes, size, each: expand(changes, this.#tables) });
    this.#size += size;
  }

  #sizeOf({ tables, rows, own, replaced }: Changes): number {
    const hasOwn = own.length > 0 && this.#tables === ALL;
    if (!replaced && !hasOwn && !tables.some((table) => this.#tables.has(table))) return 0;
    const asked = rows.filter(({ table }) => this.#tables.has(table));
    return asked.reduce((size, { keys }) => size + (keys?.length ?? 1), 1);
  }

  take(): { readonly value: Change } | undefined {
    for (;;) {
      const oldest = this.#waiting[0];
      if (!oldest) return undefined;
      const { done, value } = oldest.each.next();
      if (!done) return { value };
      this.#waiting.shift();
      this.#size -= oldest.size;
    }
  }
}

/** Expands a commit to its changes, one at a time: a large run is never held as that many objects. */
function* expand(changes: Changes, tables: ReadonlySet<MemoryTable>): Generator<Change, undefined> {
  if (changes.replaced) {
    yield { kind: 'replaced' };
    return;
  }
  for (const run of changes.rows) if (tables.has(run.table)) yield* rowsOf(run);
  if (changes.own.length > 0 && tables === ALL) yield { kind: 'own', tables: changes.own };
  if (!changes.missed) return;
  const missed = changes.tables.filter((table) => tables.has(table));
  if (missed.length > 0) yield { kind: 'missed', tables: missed };
}

function* rowsOf({ table, kind, first, last, keys }: ChangedRows): Generator<RowChange> {
  if (table === 'longTerm') {
    for (const key of keys ?? []) yield { table, key, kind };
    return;
  }
  for (let id = first; id <= last; id++) yield { table, id, kind };
}

function checkOptions(options: ChangeOptions): ReadonlySet<MemoryTable> {
  checkFields(options, ['tables', 'signal']);
  checkSignal(options.signal);
  const { tables } = options;
  if (tables === undefined) return ALL;
  if (!Array.isArray(tables)) throw invalidArgument('tables must be an array of tables.');
  const unknown = tables.find((table: unknown) => !TABLES.includes(table as MemoryTable));
  if (unknown !== undefined)
    throw invalidArgument(`There is no table ${JSON.stringify(unknown)}.`, `The tables are ${TABLES.join(', ')}.`);
  return new Set(tables);
}

/** Calls `stop` when the signal fires; returns a function that removes the abort listener. */
function onceAborted(signal: AbortSignal | undefined, stop: () => void): () => void {
  if (signal?.aborted) queueMicrotask(stop);
  else signal?.addEventListener('abort', stop, { once: true });
  return () => signal?.removeEventListener('abort', stop);
}
