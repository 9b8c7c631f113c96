// A worker of this page's own that leads, or is about to: from its start to its end, whichever way that comes.
import { asFailure, causeOf, crashedOpening, timedOut, unavailable, type FailureMessage } from '../wire/errors.js';
import { randomId } from '../wire/id.js';
import { leaderLock } from './channel.js';
import { takeLock, type Release } from './locks.js';
import type { FromClient, FromWorker, ToClient } from './protocol.js';
import { openBroker, type OpenWorker, type OwnWorker } from './transport.js';
import { Watch, type BusyWith } from './watch.js';
import type { EngineOptions, FailureCause } from '../wasm/synth_memory.js';

/** What is told of a worker that leads. Nothing is, once it was let go of. */
export interface OwnListener {
  /** It said something to its page's client. */
  receive(message: ToClient): void;
  /** It can still hear. */
  heard(): void;
  /** It is bringing the memory to its schema, and does not lead yet. */
  opening(): void;
  /** It could not lead. */
  refused(failure: FailureMessage): void;
  /** This call kept it too long; it is about to be `ended`. */
  hung(call: BusyWith, failure: FailureMessage): void;
  /** It led, and is no more. */
  ended(cause: FailureCause): void;
}

export class OwnLeader {
  /** The name under which it leads. */
  readonly id = randomId();
  readonly #path: string | undefined;
  readonly #options: EngineOptions;
  readonly #listener: OwnListener;
  readonly #worker: OwnWorker;
  /** Lets the next tab wait for the lead. */
  #letNext: Release | undefined;
  readonly #watch: Watch;
  /** Fires when it is let go of. */
  readonly #until = new AbortController();
  /** Tells that the worker failed before it was to lead. */
  #early: (() => void) | undefined;
  #leads = false;
  #hasBroker = false;
  #yielded: ((failure: FailureMessage | undefined) => void) | undefined;

  /**
   * Starts the worker, which takes its time; the engine is loaded when it is to lead.
   *
   * @throws What the page is forbidden.
   */
  constructor(open: OpenWorker, options: EngineOptions, listener: OwnListener) {
    this.#path = options.path;
    this.#options = options;
    this.#listener = listener;
    this.#watch = new Watch(
      () => this.#worker.post({ type: 'ping' }, []),
      (call) => this.#hung(call),
    );
    this.#worker = open({
      receive: (message) => this.#isOver || this.#receive(message),
      fail: (cause) => this.#isOver || this.#failed(asFailure(cause) ?? unavailable(cause), causeOf(cause)),
    });
  }

  /** Opens the memory and leads, as no other tab does. */
  lead(letNext: Release): void {
    this.#letNext = letNext;
    const failed = this.#early;
    if (failed) return queueMicrotask(failed);
    this.#worker.post({ type: 'lead', leader: this.id, options: this.#options }, []);
  }

  /** Whether it leads, and is not just opening. */
  get leads(): boolean {
    return this.#leads;
  }

  /** Whether it is at a call that may take long. */
  get isBusy(): boolean {
    return this.#watch.isExpecting;
  }

  get #isOver(): boolean {
    return this.#until.signal.aborted;
  }

  post(message: FromClient, transfer: Transferable[]): void {
    this.#worker.post(message, transfer);
  }

  /** Asks whether it can still hear; where it cannot, it is ended. */
  check(): void {
    this.#watch.check();
  }

  /** Lets other tabs have ports to it. */
  bringBroker(): void {
    if (!this.#leads || this.#hasBroker) return;
    this.#hasBroker = true;
    const port = openBroker();
    if (port) this.#worker.post({ type: 'broker', port }, [port]);
  }

  /** Lets it end what is under way and close the memory. Resolves to what went wrong with that. */
  yield(): Promise<FailureMessage | undefined> {
    return new Promise((resolve) => {
      this.#yielded = resolve;
      this.#worker.post({ type: 'yield' }, []);
    });
  }

  /** Ends it at once. */
  end(): void {
    if (this.#isOver) return;
    this.#until.abort();
    this.#watch.end();
    this.#worker.end();
    void this.#letNext?.();
    this.#yielded?.(undefined);
  }

  #receive(message: FromWorker): void {
    this.#watch.heard();
    switch (message.type) {
      case 'leads':
        this.#leads = true;
        void this.#letNext?.();
        void this.#noticeEnd();
        return;
      case 'refused':
        this.end();
        this.#listener.refused(message.failure);
        return;
      case 'yielded':
        this.#yielded?.(message.failure);
        return;
      case 'crashed': {
        const cause = { name: message.name, message: message.message, sql: null };
        this.#failed(crashedOpening(cause), cause);
        return;
      }
      case 'busy':
        this.#watch.expect(message.limit, message);
        return;
      case 'pong':
        this.#listener.heard();
        return;
      case 'progress':
        if (!this.#leads) this.#listener.opening();
        break;
      default:
    }
    this.#listener.receive(message);
  }

  #failed(failure: FailureMessage, cause: FailureCause): void {
    const { leads } = this;
    // Whoever need not lead does not need to know.
    if (!this.#letNext) return void (this.#early = () => this.#failed(failure, cause));
    this.end();
    if (leads) this.#listener.ended(cause);
    else this.#listener.refused(failure);
  }

  /** It is past what it was given: it is ended, and with it the call that kept it. */
  #hung(call: BusyWith | undefined): void {
    const failure = timedOut();
    if (call) this.#listener.hung(call, failure);
    this.#failed(failure, because('The worker was ended, as it did not answer in time.'));
  }

  /** A worker that is ended from outside, as by the browser's task manager, tells nobody: but its lock is free then. */
  async #noticeEnd(): Promise<void> {
    if (this.#path === undefined) return;
    try {
      const release = await takeLock(leaderLock(this.#path), { signal: this.#until.signal });
      void release?.();
    } catch {
      return;
    }
    if (this.#isOver || this.#yielded) return;
    const cause = because('The worker was ended from outside.');
    this.#failed(crashedOpening(cause), cause);
  }
}

function because(message: string): FailureCause {
  return { name: 'Error', message, sql: null };
}
