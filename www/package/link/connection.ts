import {
  aborted,
  closed,
  MemoryError,
  missing,
  toMemoryError,
  unheard,
  unknown,
  unsendable,
  type FailureMessage,
} from '../wire/errors.js';
import { checkSignal, signalOf } from '../wire/check.js';
import { randomId } from '../wire/id.js';
import { isKept, kindOf } from './calls.js';
import { abandoned, holders, weakly } from './kept.js';
import type { Answer, Arguments, Method, Moving, Request, ToClient, Value } from './protocol.js';
import { revisionsOf } from './revisions.js';
import { Tab, type Role, type TabHost } from './tab.js';
import type { OpenWorker } from './transport.js';
import type { Changes, EngineOptions, MigrationProgress, SchemaStatus } from '../wasm/synth_memory.js';

/** The options of every call. */
export interface CallOptions {
  /**
   * Aborts the call. A call that has not begun rejects with `aborted` and changes nothing; a call that is already being
   * carried out is answered as usual.
   */
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  readonly method: Method;
  readonly given: readonly unknown[];
  /** The buffers that move with the call. A call with any cannot be sent again. */
  readonly transfer: Transferable[];
  readonly signal: AbortSignal | undefined;
  readonly stopListening: () => void;
  readonly sentAt: number;
  /** How many leaders ended while the call waited. */
  ends: number;
  resolve(value: unknown): void;
  reject(error: MemoryError): void;
}

/** The state of a client among the tabs of its origin. */
export interface TabState {
  readonly role: Role;
  /** What is changing the schema or the whole database; null if nothing is. */
  readonly moving: Moving | null;
  /** Whether the leader is another tab with a version that this tab is too old for. */
  readonly outdated: boolean;
  /** How many rows are not indexed yet; reported while there are many. */
  readonly unindexed: number;
}

interface Opening {
  resolve(status: SchemaStatus): void;
  reject(error: MemoryError): void;
}

/** How long a leader may be silent before it is checked, in ms, and then again before the client gives up. */
const SILENCE = 30_000;
/** How many leaders may end during a call before the call is taken to be the reason. */
const MOST_ENDS = 10;
/** How long a client relies on the answers that the engine keeps, in ms: a little less than the engine keeps them. */
const KEPT = 23 * 3_600_000;

/**
 * The calls of one client: sent to the leader without waiting for each other, and answered in order.
 *
 * Calls of the same turn of the event loop leave in one message. When the leader goes, the calls without an answer are
 * sent to the next leader under the same numbers. Calls that must not be made twice are answered from the database.
 */
export class Connection {
  readonly #client = randomId();
  readonly #tell: ((progress: MigrationProgress) => void) | undefined;
  readonly #options: EngineOptions;
  readonly #tab: Tab;
  readonly #host = this.#listenToTab();
  /** Calls that were sent, by number, in order. */
  readonly #sent = new Map<number, Pending>();
  /** Calls that are not sent yet. */
  #outbox: Pending[] = [];
  #sequence = 0;
  #opening: Opening | undefined;
  #role: Role | undefined;
  #leader: string | undefined;
  #isFlushing = false;
  #lastHeard = 0;
  #isSuspicious = false;
  #moving: Moving | null = null;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #closing: Promise<void> | undefined;
  /** Called when the last call is answered. */
  #emptied: (() => void) | undefined;

  constructor(openWorker: OpenWorker, options: EngineOptions, tell?: (progress: MigrationProgress) => void) {
    this.#options = options;
    this.#tell = tell;
    this.#tab = new Tab(this.#client, options, openWorker, weakly(this.#host));
    if (options.path !== undefined) abandoned.register(this, this.#tab, this);
  }

  /**
   * Keeps the connection from being collected while it has listeners, although no one may hold it to make a call.
   * Returns the function that ends that.
   */
  hold(): () => void {
    const reason = {};
    holders.set(reason, this);
    return () => void holders.delete(reason);
  }

  readonly #listeners = new Set<(changes: Changes) => void>();
  /** Called when another engine has opened the memory again; what changed meanwhile may be unknown. */
  readonly reopened = new Set<() => void>();
  /** Called with the parts of this client's state among the tabs that may have changed. */
  readonly states = new Set<(state: Partial<TabState>) => void>();

  /** The path of the memory; undefined for `memory:`. */
  get path(): string | undefined {
    return this.#options.path;
  }

  /** The ids of the revisions that this client knows. */
  get revisions(): readonly string[] {
    return revisionsOf(this.#options);
  }

  /** Reports what each commit changes from now on, once, after the commit. Returns the function that ends that. */
  listen(listener: (changes: Changes) => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#tellWhetherListening();
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#tellWhetherListening();
    };
  }

  #tellWhetherListening(): void {
    this.#tab.post({ type: 'listen', client: this.#client, listens: this.#listeners.size > 0 }, []);
  }

  /** The role of this client among the tabs of its origin. */
  get role(): Role {
    return this.#role ?? 'follower';
  }

  /** Whether calls that change rows are not answered yet. */
  get isWriting(): boolean {
    return [...this.#sent.values(), ...this.#outbox].some((pending) => kindOf(pending) !== 'read');
  }

  /** Opens the memory; resolves to the status of its schema. */
  open({ signal }: CallOptions = {}): Promise<SchemaStatus> {
    return new Promise((resolve, reject) => {
      checkSignal(signal);
      const giveUp = () => {
        this.#tab.end();
        this.#opening?.reject(aborted(signal));
      };
      if (signal?.aborted) return reject(aborted(signal));
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#begin()
        .finally(() => signal?.removeEventListener('abort', giveUp))
        .then(resolve, (error: MemoryError) => {
          // The caller does not receive this memory, so it must never lead.
          this.#tab.end();
          reject(error);
        });
    });
  }

  /** Makes a call. */
  call<M extends Method>(
    method: M,
    given: Arguments<M>,
    options: CallOptions = {},
    transfer: Transferable[] = [],
  ): Promise<Awaited<Value<M>>> {
    return new Promise((resolve, reject: (error: MemoryError) => void) => {
      if (this.#closing) throw closed();
      // An error that it throws rejects the promise.
      const signal = signalOf(options);
      if (signal?.aborted) return reject(aborted(signal));
      const onAbort = () => this.#abort(pending);
      const pending: Pending = {
        method,
        given,
        transfer,
        signal,
        stopListening: () => signal?.removeEventListener('abort', onAbort),
        sentAt: Date.now(),
        ends: 0,
        resolve: resolve as (value: unknown) => void,
        reject,
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#outbox.push(pending);
      holders.set(this, this);
      if (this.#role === undefined) this.#tab.start();
      this.#flushSoon();
      this.#watchOver();
    });
  }

  /** Waits for the calls that were made, then leaves. Later calls reject with `closed`. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (!this.#isQuiet) await new Promise<void>((resolve) => (this.#emptied = resolve));
    clearTimeout(this.#watch);
    abandoned.unregister(this);
    for (const [reason, held] of holders) if (held === this) holders.delete(reason);
    this.#role = undefined;
    const failure = await this.#tab.leave();
    if (failure) throw toMemoryError(failure);
  }

  get #isQuiet(): boolean {
    return this.#sent.size === 0 && this.#outbox.length === 0;
  }

  #begin(): Promise<SchemaStatus> {
    const opened = new Promise<SchemaStatus>((resolve, reject) => (this.#opening = { resolve, reject }));
    const release = this.hold();
    this.#tab.start();
    this.#watchOver();
    return opened.finally(() => {
      this.#opening = undefined;
      release();
    });
  }

  /** Receives what the tab reports. */
  #listenToTab(): TabHost {
    const isQuiet = () => this.#isQuiet;
    return {
      get isQuiet() {
        return isQuiet();
      },
      reached: (role) => this.#greet(role),
      moved: () => this.#hello(),
      receive: (message) => this.#receive(message),
      heard: () => this.#heard(),
      opening: () => {
        this.#heard();
        this.#move('upgrade');
      },
      lost: () => this.#lost(),
      ended: (sequence, failure) => this.#settle({ sequence, failure }),
      refused: (failure) => this.#refused(failure),
    };
  }

  #heard(): void {
    this.#lastHeard = performance.now();
    this.#isSuspicious = false;
  }

  /** There is a leader: sends it the calls without an answer, and all calls from now on. */
  #greet(role: Role): void {
    this.#role = role;
    this.#hello();
    this.#sendAgain();
    this.#flush();
    this.#report({ role, outdated: false });
  }

  #report(state: Partial<TabState>): void {
    for (const report of this.states) report(state);
  }

  #hello(): void {
    const { durability = 'strict' } = this.#options;
    const hello = {
      type: 'hello',
      client: this.#client,
      durability,
      listens: this.#listeners.size > 0,
      acknowledged: this.#acknowledged,
      sent: this.#sequence,
    } as const;
    this.#tab.post(hello, []);
  }

  /** All calls before this number are answered. */
  get #acknowledged(): number {
    const [first] = this.#sent.keys();
    return first ?? this.#sequence;
  }

  #sendAgain(): void {
    for (const [sequence, pending] of [...this.#sent]) {
      const isMoved = pending.transfer.length > 0;
      const isTooLate = isKept(kindOf(pending)) && Date.now() - pending.sentAt > KEPT;
      if (isMoved || isTooLate || pending.ends > MOST_ENDS) {
        this.#giveUp(sequence, isMoved ? missing() : unknown());
      }
    }
    this.#post(this.#sent);
    for (const [sequence, { signal }] of this.#sent)
      if (signal?.aborted) this.#tab.post({ type: 'cancel', client: this.#client, sequence }, []);
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#role === undefined || this.#outbox.length === 0) return;
    const sent = new Map<number, Pending>();
    for (const pending of this.#outbox) sent.set(this.#sequence++, pending);
    this.#outbox = [];
    for (const [sequence, pending] of sent) this.#sent.set(sequence, pending);
    this.#post(sent);
  }

  /** Rejects a call here. A harmless call is sent under its number, because numbers must not have gaps. */
  #giveUp(sequence: number, failure: FailureMessage): void {
    this.#settle({ sequence, failure });
    this.#post(new Map([[sequence, { method: 'schemaStatus', given: [], transfer: [] }]]));
  }

  #post(some: ReadonlyMap<number, Pick<Pending, 'method' | 'given' | 'transfer'>>): void {
    if (some.size === 0) return;
    const requests: Request[] = [];
    const transfer: Transferable[] = [];
    for (const [sequence, { method, given, transfer: moved }] of some) {
      requests.push({ sequence, method, arguments: given } as unknown as Request);
      transfer.push(...moved);
    }
    const message = { type: 'call', client: this.#client, acknowledged: this.#acknowledged, requests } as const;
    try {
      this.#tab.post(message, transfer);
    } catch (cause) {
      // One of them has an argument that cannot be sent. Each is sent separately, that one replaced by a harmless call.
      if (some.size > 1) {
        for (const [sequence, pending] of some) this.#post(new Map([[sequence, pending]]));
        return;
      }
      this.#giveUp(requests[0]!.sequence, unsendable(cause));
    }
  }

  #abort(pending: Pending): void {
    const at = this.#outbox.indexOf(pending);
    if (at >= 0) {
      this.#outbox.splice(at, 1);
      this.#answered(pending, { sequence: -1, cancelled: true });
      return;
    }
    for (const [sequence, sent] of this.#sent)
      if (sent === pending) this.#tab.post({ type: 'cancel', client: this.#client, sequence }, []);
  }

  #receive(message: ToClient): void {
    this.#heard();
    switch (message.type) {
      case 'welcome': {
        const isOther = this.#leader !== undefined && this.#leader !== message.leader;
        this.#leader = message.leader;
        this.#opening?.resolve(message.status);
        this.#move(null);
        if (isOther) for (const report of this.reopened) report();
        return;
      }
      case 'answer':
        if (message.changes) for (const report of [...this.#listeners]) report(message.changes);
        for (const answer of message.answers) this.#settle(answer);
        if (this.#isQuiet) this.#tab.quiet();
        return;
      case 'again':
        this.#hello();
        this.#sendAgain();
        return;
      case 'moving':
        this.#move(message.what);
        return;
      case 'progress':
        this.#tell?.(message.progress);
        return;
      case 'unindexed':
        this.#report({ unindexed: message.rows });
        return;
    }
  }

  #move(what: Moving | null): void {
    if (what === this.#moving) return;
    this.#moving = what;
    this.#report({ moving: what });
  }

  #settle(answer: Answer): void {
    const pending = this.#sent.get(answer.sequence);
    if (!pending) return;
    this.#sent.delete(answer.sequence);
    this.#answered(pending, answer);
  }

  #answered(pending: Pending, answer: Answer): void {
    pending.stopListening();
    if ('cancelled' in answer) pending.reject(aborted(pending.signal));
    else if ('failure' in answer) pending.reject(toMemoryError(answer.failure));
    else pending.resolve(answer.value);
    if (!this.#isQuiet) return;
    holders.delete(this);
    this.#emptied?.();
  }

  /** There is no leader for now: the calls without an answer wait for the next one. */
  #lost(): void {
    this.#role = undefined;
    for (const pending of this.#sent.values()) pending.ends++;
  }

  /** No tab can lead: rejects all waiting calls with the reason. The next call tries again. */
  #refused(failure: FailureMessage): void {
    this.#role = undefined;
    if (failure.code === 'client_outdated') this.#report({ outdated: true });
    this.#opening?.reject(toMemoryError(failure));
    const waiting = [...this.#sent.keys()];
    for (const sequence of waiting) this.#settle({ sequence, failure });
    for (const pending of this.#outbox.splice(0)) this.#answered(pending, { sequence: -1, failure });
  }

  /** Ensures that no call waits forever for a leader that does not answer. */
  #watchOver(): void {
    if (this.#watch !== undefined || this.#options.path === undefined) return;
    this.#lastHeard = performance.now();
    this.#lookIn(SILENCE);
  }

  #lookIn(ms: number): void {
    const weak = new WeakRef(this);
    this.#watch = setTimeout(() => {
      const self = weak.deref();
      if (self) self.#look();
    }, ms);
  }

  #look(): void {
    this.#watch = undefined;
    if (this.#isQuiet && !this.#opening) return;
    const silent = performance.now() - this.#lastHeard;
    if (silent >= SILENCE) {
      if (this.#isSuspicious) return this.#refused(unheard());
      this.#isSuspicious = true;
      this.#tab.suspect();
    }
    this.#lookIn(silent >= SILENCE ? SILENCE : SILENCE - silent);
  }
}
