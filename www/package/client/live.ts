import { Arrivals } from './arrivals.js';
import { notify, type ChangeFeed } from './changes.js';
import { SOURCES, type MemoryReader, type OpenReader, type Source } from './reader.js';
import { isSame } from './same.js';
import { invalidArgument, MemoryError } from '../wire/errors.js';

/** Where a live query is. The same object for as long as nothing changes. */
export type LiveSnapshot<T> =
  /** Nothing was read yet. */
  | { readonly status: 'loading'; readonly value: undefined; readonly error: undefined }
  /** The value as it was last read. */
  | { readonly status: 'ready'; readonly value: T; readonly error: undefined }
  /** Reading failed, and is tried again at the next change. The value is the last one, if there was any. */
  | { readonly status: 'error'; readonly value: T | undefined; readonly error: MemoryError };

type Subscriber<T> = (snapshot: LiveSnapshot<T>) => void;

const LOADING = { status: 'loading', value: undefined, error: undefined } as const;

/**
 * A query that stays true: `memory.live(read)`.
 *
 * It reads while it has subscribers, and again whenever a commit, in whichever tab, changed a table that it read. One read
 * is under way at a time; whatever changes meanwhile makes one more. A result equal to the last one is not reported.
 */
export class Live<T> implements AsyncIterable<T> {
  readonly #feed: ChangeFeed;
  readonly #open: OpenReader;
  readonly #read: (memory: MemoryReader) => Promise<T>;
  readonly #subscribers = new Set<{ readonly tell: Subscriber<T>; readonly end: () => void }>();
  #snapshot: LiveSnapshot<T> = LOADING;
  /** Stops listening to the feed; undefined where nobody subscribes. */
  #ignore: (() => void) | undefined;
  #isReading = false;
  #isClosed = false;
  /** What the last read depends on. */
  #reads: ReadonlySet<Source> = new Set();
  /** What changed since the last read began. */
  readonly #changed = new Set<Source>();
  /** Whether anything may have: nothing was read yet, or the memory was replaced. */
  #isUnknown = true;

  /** @internal */
  constructor(feed: ChangeFeed, open: OpenReader, read: (memory: MemoryReader) => Promise<T>) {
    if (typeof read !== 'function') throw invalidArgument('read must be a function of a memory.');
    this.#feed = feed;
    this.#open = open;
    this.#read = read;
  }

  /** Where it is now. */
  readonly getSnapshot = (): LiveSnapshot<T> => this.#snapshot;

  /**
   * Calls a listener at once, and whenever the snapshot is another one; returns what ends that. With `getSnapshot` it is a
   * store as React's `useSyncExternalStore` takes it; by itself it is one of Svelte's.
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
      // React takes a subscription back and makes it again at once, which need not read again.
      queueMicrotask(() => this.#subscribers.size === 0 && this.#rest());
    };
  }

  /** The value now and each later one. A slow consumer gets the newest. Rejects if reading fails. */
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

  /** Ends it: nothing is read again, iterators are done. The memory's `close()` does the same. */
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
    // What changed while nobody listened is not known.
    this.#report([], true);
  }

  #rest(): void {
    this.#ignore?.();
    this.#ignore = undefined;
    // Who comes next tries again, and does not begin with an error that may be over.
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

  /** Reads, until what was read is not changed meanwhile. */
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
      const value = await this.#read(reader);
      return { status: 'ready', value, error: undefined };
    } catch (thrown) {
      const error = thrown instanceof MemoryError ? thrown : readFailed(thrown);
      // The memory is being closed. What was read last stays.
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
  return new MemoryError('read_failed', 'The function of a live query failed.', 'Look at the cause.', cause);
}
