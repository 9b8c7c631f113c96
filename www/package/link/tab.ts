// A client's part among the tabs of its origin: it leads, by a worker of its own, or reaches the worker of the tab that does.
import { asFailure, causeOf, outdated, timedOut, unavailable, type FailureMessage } from '../wire/errors.js';
import { Channel, clientLock, heirLock, leaderLock, PROTOCOL, type FromBroker, type TabMessage } from './channel.js';
import { takeLock, type Release } from './locks.js';
import type { FromClient, FromWorker, ToClient } from './protocol.js';
import { revisionsOf } from './revisions.js';
import { openBroker, type OpenWorker, type OwnWorker } from './transport.js';
import { Watch } from './watch.js';
import type { EngineOptions, FailureCause } from '../wasm/synth_memory.js';

/** Whether a client's own worker runs SQLite, or that of another tab. */
export type Role = 'leader' | 'follower';

/** What a client is told of its tab. */
export interface TabHost {
  /** Somebody leads, who is to be greeted. */
  reached(role: Role): void;
  /** The same leader is reached by a better way, and is to be greeted by it. Nothing is under way. */
  moved(): void;
  /** The leader said something. */
  receive(message: ToClient): void;
  /** The leader is alive. */
  heard(): void;
  /** Another tab is about to lead, and is bringing the memory to its schema. */
  opening(): void;
  /** Nobody leads for now. */
  lost(): void;
  /** This call ended the worker, or kept it too long. */
  ended(sequence: number, failure: FailureMessage): void;
  /** Nobody can lead, as far as this tab knows; or it is too old to follow. */
  refused(failure: FailureMessage): void;
  /** Whether no call waits for its answer. */
  readonly isQuiet: boolean;
}

interface Own {
  readonly leader: string;
  readonly worker: OwnWorker;
  readonly watch: Watch;
  /** Fires when it is let go of. */
  readonly until: AbortController;
  /** Lets the next tab wait for the lead. */
  readonly letNext: Release;
  /** Whether it leads already, and is not just opening. */
  leads: boolean;
  hasBroker: boolean;
  /** Is told that it yielded. */
  yielded: ((failure: FailureMessage | undefined) => void) | undefined;
}

/** How long to wait with the next attempt after a worker broke, in ms; twice as long each time. */
const AFTER_CRASH = 50;
const LONGEST_AFTER_CRASH = 5000;
/** How long a tab that is to stand back waits before it queues again, in ms. */
const STAND_BACK = 100;

export class Tab {
  readonly #client: string;
  readonly #options: EngineOptions;
  readonly #host: TabHost;
  readonly #openWorker: OpenWorker;
  #channel: Channel | undefined;
  #own: Own | undefined;
  /** The leader in another tab, once it is reached. */
  #other: { readonly leader: string; post(message: FromClient, transfer: Transferable[]): void } | undefined;
  /** A port to that leader that is not used yet, as calls are still under way by the other way. */
  #port: { readonly leader: string; readonly port: MessagePort } | undefined;
  /** Where a port to that leader was asked for. */
  #broker: MessagePort | undefined;
  /** Ends the waiting for the lead. */
  #candidacy: AbortController | undefined;
  #life: Promise<Release | undefined> | undefined;
  /** A leader that this tab is too old to speak to. */
  #newer: string | undefined;
  /** Whether what was said to that leader may not have come there, so that it is greeted again when it is heard. */
  #isDoubtful = false;
  #crashes = 0;
  #gone: FailureMessage | undefined;
  /** Whether a leader that is older than this tab was asked to yield: once, as two that differ would take turns for ever. */
  #hasAsked = false;
  readonly #page = typeof document === 'undefined' ? undefined : new AbortController();

  constructor(client: string, options: EngineOptions, openWorker: OpenWorker, host: TabHost) {
    this.#client = client;
    this.#options = options;
    this.#openWorker = openWorker;
    this.#host = host;
    if (this.#page && options.path !== undefined) this.#followPage(this.#page.signal);
  }

  /** Finds whoever leads, or leads. */
  start(): void {
    if (this.#newer !== undefined) return this.#host.refused(outdated());
    if (this.#candidacy || this.#own) return;
    const { path } = this.#options;
    // What was only in memory is gone with the worker: to begin anew with nothing would be to lose it silently.
    if (this.#gone) return this.#host.refused(this.#gone);
    if (path === undefined) return this.#lead(() => Promise.resolve());
    this.#channel ??= new Channel(path, (message) => this.#hear(message));
    this.#stand(path, (this.#candidacy = new AbortController()).signal, true).catch((thrown: unknown) => {
      this.#candidacy = undefined;
      this.#host.refused(asFailure(thrown) ?? unavailable(thrown));
    });
  }

  /** Says something to the leader; nothing where there is none. What is named in `transfer` is moved where it can be. */
  post(message: FromClient, transfer: Transferable[]): void {
    if (this.#own) this.#own.worker.post(message, transfer);
    else this.#other?.post(message, transfer);
  }

  /** The client's calls are all answered: the time to take a better way. */
  quiet(): void {
    const ready = this.#port;
    if (!ready || !this.#other) return;
    this.#port = undefined;
    if (ready.leader !== this.#other.leader) return ready.port.close();
    const { leader, port } = ready;
    this.#other = { leader, post: (message, transfer) => port.postMessage(message, transfer) };
    this.#host.moved();
  }

  /** The leader was not heard for long. */
  suspect(): void {
    if (this.#own?.watch.isExpecting) return this.#host.heard();
    if (this.#own) return this.#own.watch.check();
    this.#isDoubtful = true;
    if (this.#other) this.#channel?.post({ type: 'suspect', leader: this.#other.leader });
    this.#channel?.post({ type: 'seek', client: this.#client });
  }

  /** Leaves: lets others lead. Resolves when they can. */
  async leave(): Promise<FailureMessage | undefined> {
    this.#page?.abort();
    this.post({ type: 'bye', client: this.#client }, []);
    const failure = await this.#yield();
    this.end();
    return failure;
  }

  /** Ends at once. */
  end(): void {
    this.#page?.abort();
    this.#rest();
  }

  /** Closes the worker's memory, if it leads. */
  #yield(): Promise<FailureMessage | undefined> {
    const own = this.#own;
    if (!own) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      own.yielded = resolve;
      own.worker.post({ type: 'yield' }, []);
    });
  }

  /** Holds nothing any more. */
  #rest(): void {
    this.#candidacy?.abort();
    this.#candidacy = undefined;
    this.#dismissWorker();
    this.#other = undefined;
    this.#port?.port.close();
    this.#port = undefined;
    this.#broker?.close();
    this.#broker = undefined;
    this.#channel?.close();
    this.#channel = undefined;
    void this.#life?.then((release) => release?.());
    this.#life = undefined;
  }

  #dismissWorker(): void {
    const own = this.#own;
    if (!own) return;
    this.#own = undefined;
    own.until.abort();
    own.watch.end();
    own.worker.end();
    void own.letNext();
    own.yielded?.(undefined);
  }

  /** Waits until it is this tab's turn to lead, and follows meanwhile. */
  async #stand(path: string, signal: AbortSignal, isFirst: boolean): Promise<void> {
    let letNext: Release | undefined;
    try {
      if (isFirst) {
        // Only the heir takes the leader's lock, so where both are free, nobody leads and nobody is about to.
        const [heir, free] = await Promise.all([
          takeLock(heirLock(path), { ifAvailable: true }),
          takeLock(leaderLock(path), { ifAvailable: true }),
        ]);
        void free?.();
        letNext = heir;
        signal.throwIfAborted();
        if (heir && free) return this.#lead(heir);
      }
      this.#channel?.post({ type: 'seek', client: this.#client });
      letNext ??= await takeLock(heirLock(path), { signal });
      const free = await takeLock(leaderLock(path), { signal });
      void free?.();
      signal.throwIfAborted();
      this.#lead(letNext!);
    } catch (thrown) {
      void letNext?.();
      if (!signal.aborted) throw thrown;
    }
  }

  #lead(letNext: Release): void {
    this.#candidacy = undefined;
    this.#newer = undefined;
    const leader = crypto.randomUUID();
    if (this.#other) this.#host.lost();
    this.#other = undefined;
    let worker: OwnWorker;
    const ifCurrent = (act: (own: Own) => void) => {
      if (this.#own?.worker === worker) act(this.#own);
    };
    try {
      worker = this.#openWorker({
        receive: (message) => ifCurrent((own) => this.#receive(message, own)),
        fail: (cause) => ifCurrent((own) => this.#failed(own, asFailure(cause) ?? unavailable(cause), causeOf(cause))),
      });
    } catch (cause) {
      // A page may be forbidden the worker: one of another origin, say.
      void letNext();
      this.#host.refused(unavailable(cause));
      return;
    }
    const watch = new Watch(
      () => worker.post({ type: 'ping' }, []),
      (call) => ifCurrent((own) => this.#hung(own, call)),
    );
    this.#own = {
      leader,
      worker,
      watch,
      until: new AbortController(),
      letNext,
      leads: false,
      hasBroker: false,
      yielded: undefined,
    };
    worker.post({ type: 'lead', leader, options: this.#options }, []);
    this.#host.reached('leader');
  }

  /** The page's own worker says something. */
  #receive(message: FromWorker, own: Own): void {
    own.watch.heard();
    switch (message.type) {
      case 'leads':
        own.leads = true;
        void own.letNext();
        void this.#noticeEnd(own);
        return;
      case 'refused':
        this.#dismissWorker();
        this.#host.refused(message.failure);
        return;
      case 'yielded':
        own.yielded?.(message.failure);
        own.yielded = undefined;
        return;
      case 'crashed': {
        const cause = { name: message.name, message: message.message, sql: null };
        this.#failed(own, crashed(cause), cause);
        return;
      }
      case 'busy':
        own.watch.expect(message.limit, message);
        return;
      case 'pong':
        this.#host.heard();
        return;
      case 'progress':
        // Nobody is greeted while the memory is being opened, so the page tells the others that it will take its time.
        if (!own.leads) this.#channel?.post({ type: 'opening', leader: own.leader });
        break;
      case 'answer':
        this.#crashes = 0;
        break;
      default:
    }
    this.#host.receive(message);
  }

  /** A worker that is ended from outside, as by the browser's task manager, tells nobody: but its lock is free then. */
  async #noticeEnd(own: Own): Promise<void> {
    const { path } = this.#options;
    if (path === undefined) return;
    try {
      const release = await takeLock(leaderLock(path), { signal: own.until.signal });
      void release?.();
    } catch {
      return;
    }
    if (own !== this.#own || own.yielded) return;
    const cause = { name: 'Error', message: 'The worker was ended from outside.', sql: null };
    this.#failed(own, crashed(cause), cause);
  }

  /** The worker broke. Another tab goes on, or this one with another worker; what was not answered is sent again. */
  #failed(own: Own, failure: FailureMessage, cause: FailureCause): void {
    const wasLeading = own.leads;
    this.#dismissWorker();
    if (!wasLeading) return this.#host.refused(failure);
    if (this.#options.path === undefined) {
      this.#gone = gone(cause);
      return this.#host.refused(this.#gone);
    }
    this.#host.lost();
    const wait = this.#crashes === 0 ? 0 : Math.min(AFTER_CRASH * 2 ** this.#crashes, LONGEST_AFTER_CRASH);
    this.#crashes++;
    setTimeout(() => this.#channel && this.start(), wait);
  }

  /** The worker is past what it was given: it is ended, and with it the call that kept it. */
  #hung(own: Own, call: { readonly client: string; readonly sequence: number } | undefined): void {
    const failure = timedOut();
    if (call?.client === this.#client) this.#host.ended(call.sequence, failure);
    else if (call) this.#channel?.post({ type: 'ended', ...call, failure });
    this.#failed(own, failure, {
      name: 'Error',
      message: 'The worker was ended, as it did not answer in time.',
      sql: null,
    });
  }

  /** Another tab, or another tab's worker, says something. */
  #hear(message: TabMessage): void {
    switch (message.type) {
      case 'seek':
        if (this.#own?.leads && !this.#own.hasBroker) this.#bringBroker(this.#own);
        return;
      case 'here':
        if (!this.#own) void this.#meet(message);
        return;
      case 'gone':
        if (message.leader === this.#newer) this.#newer = undefined;
        if (message.leader !== this.#other?.leader) return;
        this.#other = undefined;
        this.#host.lost();
        return;
      case 'opening':
        this.#host.opening();
        return;
      case 'yield':
        if (message.to !== this.#client) this.#standBack();
        return;
      case 'suspect':
        if (message.leader !== this.#own?.leader) return;
        if (this.#own.watch.isExpecting) this.#channel?.post({ type: 'patience', leader: message.leader });
        else this.#own.watch.check();
        return;
      case 'patience':
        if (message.leader === this.#other?.leader) this.#host.heard();
        return;
      case 'ended':
        if (message.client === this.#client) this.#host.ended(message.sequence, message.failure);
        return;
      case 'from':
        if (message.client === this.#client && message.leader === this.#other?.leader)
          this.#host.receive(message.message);
        return;
      default:
    }
  }

  /** Meets a leader. */
  async #meet({ leader, protocol, revisions }: TabMessage & { readonly type: 'here' }): Promise<void> {
    this.#host.heard();
    const isDoubtful = this.#isDoubtful;
    this.#isDoubtful = false;
    if (leader === this.#other?.leader) {
      if (isDoubtful) this.#host.reached('follower');
      return;
    }
    this.#newer = protocol > PROTOCOL ? leader : undefined;
    if (this.#newer !== undefined) {
      if (this.#other) this.#host.lost();
      this.#other = undefined;
      return this.#host.refused(outdated());
    }
    const isOlder = protocol < PROTOCOL || revisionsOf(this.#options).some((id) => !revisions.includes(id));
    if (isOlder && !this.#hasAsked) {
      this.#hasAsked = true;
      this.#channel?.post({ type: 'yield', to: this.#client });
      return;
    }
    // Held before the greeting, for a leader forgets a client whose lock is free.
    this.#life ??= takeLock(clientLock(this.#client));
    await this.#life;
    const channel = this.#channel;
    if (!channel || this.#own || leader === this.#other?.leader) return;
    const isNext = this.#other !== undefined;
    this.#other = { leader, post: (message) => channel.post({ type: 'to', leader, message }) };
    this.#askBroker(leader);
    if (isNext) this.#host.lost();
    this.#host.reached('follower');
  }

  #askBroker(leader: string): void {
    this.#broker?.close();
    const broker = (this.#broker = openBroker());
    if (!broker) return;
    broker.onmessage = ({ data, ports: [port] }: MessageEvent<FromBroker>) => {
      broker.close();
      this.#broker = undefined;
      if (data.type !== 'leader' || !port) return;
      if (data.leader !== this.#other?.leader) return port.close();
      port.onmessage = ({ data: message }: MessageEvent<ToClient>) => {
        if (this.#other?.leader === leader) this.#host.receive(message);
      };
      this.#port = { leader, port };
      if (this.#host.isQuiet) this.quiet();
    };
    broker.postMessage({ type: 'reach', path: this.#options.path, leader, client: this.#client });
  }

  /** Somebody seeks this tab's worker: it gets its port to the broker, once. */
  #bringBroker(own: Own): void {
    own.hasBroker = true;
    const port = openBroker();
    if (port) own.worker.post({ type: 'broker', port }, [port]);
  }

  /** A newer tab wants to lead: this one yields, or waits behind it. */
  #standBack(): void {
    const isLeading = this.#own?.leads === true;
    if (!isLeading && !this.#candidacy) return;
    this.#candidacy?.abort();
    this.#candidacy = undefined;
    const again = () => {
      const { path } = this.#options;
      if (!this.#channel || this.#candidacy || this.#own || path === undefined) return;
      this.#stand(path, (this.#candidacy = new AbortController()).signal, false).catch((thrown: unknown) =>
        this.#host.refused(asFailure(thrown) ?? unavailable(thrown)),
      );
    };
    if (!isLeading) return void setTimeout(again, STAND_BACK);
    void this.#yield().then(() => {
      this.#dismissWorker();
      this.#host.lost();
      setTimeout(again, STAND_BACK);
    });
  }

  /** A page that is put away lets others lead, and comes back as a follower. */
  #followPage(signal: AbortSignal): void {
    const sleep = () => {
      if (!this.#channel) return;
      // A worker sleeps with its page, and would keep the files: it is ended, whatever it is at. What it has not answered is
      // sent again.
      this.post({ type: 'forget', client: this.#client }, []);
      this.#rest();
      this.#host.lost();
    };
    const wake = () => {
      if (!this.#channel) this.start();
    };
    addEventListener('pagehide', ({ persisted }) => persisted && sleep(), { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && wake(), { signal });
    document.addEventListener('freeze', sleep, { signal });
    document.addEventListener('resume', wake, { signal });
  }
}

function crashed(cause: FailureCause): FailureMessage {
  return {
    code: 'worker_crashed',
    message: 'The engine broke while it opened the memory.',
    hint: 'The file is at its last committed state; try again, and report the cause.',
    cause,
  };
}

function gone(cause: FailureCause): FailureMessage {
  return {
    code: 'worker_crashed',
    message: 'The memory was kept by the worker alone, and is gone with it.',
    hint: 'Open a new one and import what you exported; a memory in OPFS would have kept its rows.',
    cause,
  };
}
