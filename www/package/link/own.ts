// This page's own worker that leads, or is about to: from its start to its end, however it ends.
import { asFailure, causeOf, crashedOpening, timedOut, unavailable, type FailureMessage } from '../wire/errors.js';
import { randomId } from '../wire/id.js';
import { leaderLock } from './channel.js';
import { takeLock, type Release } from './locks.js';
import type { FromClient, FromWorker, ToClient } from './protocol.js';
import { openBroker, type OpenWorker, type OwnWorker } from './transport.js';
import { Watch, type BusyWith } from './watch.js';
import type { EngineOptions, FailureCause } from '../wasm/synth_memory.js';

/** Receives the events of this page's worker, until the worker is ended. */
export interface OwnListener {
  /** The worker sent a message to its page's client. */
  receive(message: ToClient): void;
  /** The worker still responds. */
  heard(): void;
  /** The worker is migrating the memory, and does not lead yet. */
  opening(): void;
  /** The worker could not lead. */
  refused(failure: FailureMessage): void;
  /** This call kept the worker too long; `ended` follows. */
  hung(call: BusyWith, failure: FailureMessage): void;
  /** The worker led, and has ended. */
  ended(cause: FailureCause): void;
}

export class OwnLeader {
  /** The name under which the worker leads. */
  readonly id = randomId();
  readonly #path: string | undefined;
  readonly #options: EngineOptions;
  readonly #listener: OwnListener;
  readonly #worker: OwnWorker;
  /** Lets the next tab queue for the leader's lock. */
  #letNext: Release | undefined;
  readonly #watch: Watch;
  /** Fires when the worker is ended. */
  readonly #until = new AbortController();
  /** Reports a failure that the worker had before it was asked to lead. */
  #early: (() => void) | undefined;
  #leads = false;
  #hasBroker = false;
  #yielded: ((failure: FailureMessage | undefined) => void) | undefined;

  /**
   * Starts the worker, which takes time. The engine is loaded when the worker is asked to lead.
   *
   * @throws The browser's error, if the page is not allowed to start the worker.
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

  /** Opens the memory and leads. To be called when no other tab leads. */
  lead(letNext: Release): void {
    this.#letNext = letNext;
    const failed = this.#early;
    if (failed) return queueMicrotask(failed);
    this.#worker.post({ type: 'lead', leader: this.id, options: this.#options }, []);
  }

  /** Whether the worker leads; false while it opens the memory. */
  get leads(): boolean {
    return this.#leads;
  }

  /** Whether the worker carries out a call that may take long. */
  get isBusy(): boolean {
    return this.#watch.isExpecting;
  }

  get #isOver(): boolean {
    return this.#until.signal.aborted;
  }

  post(message: FromClient, transfer: Transferable[]): void {
    this.#worker.post(message, transfer);
  }

  /** Checks whether the worker still responds, and ends it if it does not. */
  check(): void {
    this.#watch.check();
  }

  /** Lets other tabs get ports to the worker. */
  bringBroker(): void {
    if (!this.#leads || this.#hasBroker) return;
    this.#hasBroker = true;
    const port = openBroker();
    if (port) this.#worker.post({ type: 'broker', port }, [port]);
  }

  /** Lets the worker finish the calls it has and close the memory. Resolves to the failure, if that failed. */
  yield(): Promise<FailureMessage | undefined> {
    return new Promise((resolve) => {
      this.#yielded = resolve;
      this.#worker.post({ type: 'yield' }, []);
    });
  }

  /** Ends the worker at once. */
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
    // A worker that was not asked to lead reports its failure only if it is asked to later.
    if (!this.#letNext) return void (this.#early = () => this.#failed(failure, cause));
    this.end();
    if (leads) this.#listener.ended(cause);
    else this.#listener.refused(failure);
  }

  /** The worker exceeded its limit: ends it, and with it the call that kept it busy. */
  #hung(call: BusyWith | undefined): void {
    const failure = timedOut();
    if (call) this.#listener.hung(call, failure);
    this.#failed(failure, because('The worker was ended because it did not answer in time.'));
  }

  /**
   * A worker that is ended from outside, as by the browser's task manager, reports nothing, but its lock becomes free.
   */
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
