import { Arrivals } from './arrivals.js';
import { notify, type ChangeFeed } from './changes.js';
import type { Gate } from './gate.js';
import { SOURCES, type MemoryReader, type OpenReader, type Source } from './reader.js';
import { isSame } from './same.js';
import { causeOf, invalidArgument, MemoryError } from '../wire/errors.js';

/** The state of a live query. It is the same object until something in it changes. */
export type LiveSnapshot<T> =
  /** Nothing has been read yet. */
  | { readonly status: 'loading'; readonly value: undefined; readonly error: undefined }
  /** The value as it was last read. */
  | { readonly status: 'ready'; readonly value: T; readonly error: undefined }
  /** Reading failed. The next change reads again. The value is the last one, if there was one. */
  | { readonly status: 'error'; readonly value: T | undefined; readonly error: MemoryError };

type Subscriber<T> = (snapshot: LiveSnapshot<T>) => void;

const LOADING = { status: 'loading', value: undefined, error: undefined } as const;

/**
 * A live query: `memory.live(read)`.
 *
 * It reads while it has subscribers, and again whenever a commit of any tab changes a table that it read. One read runs
 * at a time; all changes during it cause one more. A result equal to the last one is not reported.
 */
export class Live<T> implements AsyncIterable<T> {
  readonly #feed: ChangeFeed;
  readonly #open: OpenReader;
  readonly #read: (memory: MemoryReader) => Promise<T>;
  readonly #gate: Gate;
  readonly #subscribers = new Set<{ readonly tell: Subscriber<T>; readonly end: () => void }>();
  #snapshot: LiveSnapshot<T> = LOADING;
  /** Stops listening to the feed; undefined if there are no subscribers. */
  #ignore: (() => void) | undefined;
  #isReading = false;
  #isClosed = false;
  /** What the last read depends on. */
  #reads: ReadonlySet<Source> = new Set();
  /** What changed since the last read began. */
  readonly #changed = new Set<Source>();
  /** Whether anything may have changed: nothing has been read yet, or the memory was replaced. */
  #isUnknown = true;

  /** @internal */
  constructor(feed: ChangeFeed, open: OpenReader, read: (memory: MemoryReader) => Promise<T>, gate: Gate) {
    if (typeof read !== 'function') throw invalidArgument('read must be a function of a memory.');
    this.#feed = feed;
    this.#open = open;
    this.#read = read;
    this.#gate = gate;
  }

  /** The current snapshot. */
  readonly getSnapshot = (): LiveSnapshot<T> => this.#snapshot;

  /**
   * Calls a listener at once, and whenever the snapshot changes. Returns a function that removes the listener. With
   * `getSnapshot` it is a store for React's `useSyncExternalStore`; by itself it is a Svelte store.
   */
  readonly subscribe = (listener: Subscriber<T>): (() => void) => {
    if (typeof listener !== 'function') throw invalidArgument('listener must be a function.');
    return this.#subscribe(listener, () => undefined);
  };

  #subscribe(tell: Subscriber<T>, end: () => void): () => void {
    const subscriber = { tell, end };
    if (!this.#isClosed) {
      this.#subscribers.add(subscriber);
      this.#start();
    }
    notify(tell, this.#snapshot);
    return () => {
      this.#subscribers.delete(subscriber);
      // React unsubscribes and subscribes again at once, which need not read again.
      queueMicrotask(() => this.#subscribers.size === 0 && this.#rest());
    };
  }

  /**
   * Iterates over the current value and each later one. A slow consumer receives the newest. Rejects if reading fails.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    let last: LiveSnapshot<T> = LOADING;
    const arrivals: Arrivals<T> = new Arrivals<T>(
      () => {
        const snapshot = this.#snapshot;
        if (snapshot === last || snapshot.status === 'loading') return undefined;
        if (snapshot.status === 'error') throw snapshot.error;
        last = snapshot;
        return snapshot;
      },
      () => unsubscribe(),
    );
    const unsubscribe = this.#subscribe(
      () => arrivals.serve(),
      () => arrivals.end(),
    );
    if (this.#isClosed) arrivals.end();
    return arrivals;
  }

  /** Ends the query: nothing is read again, and iterators end. The memory's `close()` does the same. */
  close(): void {
    this.#isClosed = true;
    this.#rest();
    const subscribers = [...this.#subscribers];
    this.#subscribers.clear();
    for (const { end } of subscribers) end();
  }

  #start(): void {
    if (this.#ignore) return;
    try {
      this.#ignore = this.#feed.listen({
        report: ({ tables, own, missed, replaced }) =>
          this.#report(own.length > 0 || missed ? [...tables, 'own'] : tables, replaced),
        embedded: () => this.#report(['vectors'], false),
        end: () => this.close(),
      });
    } catch (error) {
      this.#set({ status: 'error', value: this.#snapshot.value, error: error as MemoryError });
      return;
    }
    // Changes before this subscription are unknown.
    this.#report([], true);
  }

  #rest(): void {
    this.#ignore?.();
    this.#ignore = undefined;
    // The next subscriber reads again, and does not begin with an error that may be over.
    if (this.#snapshot.status === 'error') this.#snapshot = LOADING;
  }

  #report(changed: readonly Source[], isUnknown: boolean): void {
    for (const source of changed) this.#changed.add(source);
    this.#isUnknown ||= isUnknown;
    if (!this.#isReading && this.#isOutdated()) void this.#readAgain();
  }

  #isOutdated(): boolean {
    return this.#isUnknown || [...this.#changed].some((source) => this.#reads.has(source));
  }

  /** Reads until nothing that was read has changed during the read. */
  async #readAgain(): Promise<void> {
    this.#isReading = true;
    do {
      this.#changed.clear();
      this.#isUnknown = false;
      const reads = new Set<Source>();
      const next = await this.#readOnce(reads);
      this.#reads = reads;
      if (!this.#isClosed) this.#set(next);
    } while (this.#ignore && this.#isOutdated());
    this.#isReading = false;
  }

  async #readOnce(reads: Set<Source>): Promise<LiveSnapshot<T>> {
    const { value: last, status } = this.#snapshot;
    try {
      const reader = this.#open((sources) => sources.forEach((source) => reads.add(source)));
      const value = await this.#gate.read(() => this.#read(reader));
      return { status: 'ready', value, error: undefined };
    } catch (thrown) {
      const error = thrown instanceof MemoryError ? thrown : readFailed(thrown);
      // The memory is being closed. The last value stays.
      if (error.code === 'closed' && status === 'ready') return this.#snapshot;
      for (const source of SOURCES) reads.add(source);
      return { status: 'error', value: last, error };
    }
  }

  #set(next: LiveSnapshot<T>): void {
    if (saySame(this.#snapshot, next)) return;
    this.#snapshot = next;
    for (const { tell } of [...this.#subscribers]) notify(tell, next);
  }
}

function saySame(one: LiveSnapshot<unknown>, other: LiveSnapshot<unknown>): boolean {
  return (
    one.status === other.status &&
    one.error?.code === other.error?.code &&
    one.error?.message === other.error?.message &&
    isSame(one.value, other.value)
  );
}

function readFailed(cause: unknown): MemoryError {
  const what = `The function of a live query failed (${causeOf(cause).message}).`;
  return new MemoryError('read_failed', what, 'Look at the cause.', cause);
}
