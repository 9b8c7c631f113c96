import { Arrivals } from './arrivals.js';
import type { CallOptions, Connection } from '../link/connection.js';
import { checkFields, checkSignal } from '../wire/check.js';
import { closed, invalidArgument } from '../wire/errors.js';
import type { ChangedRows, ChangeKind, Changes, MemoryReference, MemoryTable } from '../wasm/synth_memory.js';

/** A row that a commit changed. It can be used wherever a `MemoryReference` is accepted. */
export type RowChange = MemoryReference & {
  /** What happened to it. */
  readonly kind: ChangeKind;
};

/** Rows changed that are not reported one by one: there were too many, or another tab took over. Read again. */
export interface MissedChanges {
  readonly kind: 'missed';
  /** The tables that may have changed. */
  readonly tables: readonly MemoryTable[];
}

/** An import, a restored backup or a migration replaced the memory: any row may be different. */
export interface Replacement {
  readonly kind: 'replaced';
}

/** A commit changed tables of the app's own, by `execute`, `transaction` or a trigger. Reported if `tables` names none. */
export interface OwnTablesChange {
  readonly kind: 'own';
  /** Their names. */
  readonly tables: readonly string[];
}

/** What a commit changed. Its `kind` says which of the four it is. */
export type Change = RowChange | OwnTablesChange | MissedChanges | Replacement;

/** Which changes to report, and until when. */
export interface ChangeOptions extends CallOptions {
  /** Changes of these tables; of all by default. A replacement is always reported. */
  readonly tables?: readonly MemoryTable[] | undefined;
  /** Ends it: the iterator is done, the listener is not called again. */
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

/** What is reported where nobody asks for some tables only. */
const ALL: ReadonlySet<MemoryTable> = new Set(TABLES);

/** What the engine reports where nobody can know what changed. */
const ALL_MISSED: Changes = { tables: [...TABLES], rows: [], own: [], missed: true, replaced: false };

/** How many entries wait for an iterator's consumer. The rows of one `appendMany` are one; of `longTerm`, each is. */
const MOST_WAITING = 1000;

/** Who is told of commits. */
interface Listener {
  /** A commit changed something. */
  report(changes: Changes): void;
  /** Rows may have got vectors of a page's own embedder. */
  embedded?(): void;
  /** The memory was closed. */
  end(): void;
}

/** Reports what commits changed to everyone who listens, in every tab. */
export class ChangeFeed {
  readonly #listeners = new Set<Listener>();
  readonly #connection: Connection;
  /** Stops what commits tell, where anybody listens. */
  #stop: (() => void) | undefined;
  #isClosed = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.reopened.add(() => this.#report(ALL_MISSED));
  }

  #report(changes: Changes): void {
    for (const listener of [...this.#listeners]) listener.report(changes);
  }

  /** Reports that rows may have got vectors. */
  readonly embedded = (): void => {
    for (const listener of [...this.#listeners]) listener.embedded?.();
  };

  /** Adds a listener; returns what removes it. */
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

  /** No more commits will be reported. */
  close(): void {
    this.#isClosed = true;
    for (const listener of [...this.#listeners]) listener.end();
    this.#listeners.clear();
  }
}

/** Calls a function of the caller's. What it throws is reported as any uncaught error is, and disturbs nobody else. */
export function notify<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Calls a listener with each change, until it is removed. */
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

/** Iterates over changes, from now on. */
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

/** What waits for a consumer: its oldest commit, taken apart as far as it was asked for, and those behind it. */
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

  /** Forgets what waits, and says that it was missed. */
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

/** A commit's changes one by one. A large run is never held as so many objects. */
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
    throw invalidArgument(`There is no table ${JSON.stringify(unknown)}.`, `There are ${TABLES.join(', ')}.`);
  return new Set(tables);
}

/** Stops when the signal fires; returns what forgets the signal. */
function onceAborted(signal: AbortSignal | undefined, stop: () => void): () => void {
  if (signal?.aborted) queueMicrotask(stop);
  else signal?.addEventListener('abort', stop, { once: true });
  return () => signal?.removeEventListener('abort', stop);
}
