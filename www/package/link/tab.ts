// A client's role among the tabs of its origin: it leads with its own worker, or connects to the leader in another tab.
import { asFailure, lost, outdated, unavailable, type FailureMessage } from '../wire/errors.js';
import { Channel, clientLock, heirLock, leaderLock, PROTOCOL, type TabMessage } from './channel.js';
import { takeLock, type Release } from './locks.js';
import { OtherLeader } from './other.js';
import { OwnLeader } from './own.js';
import type { FromClient, ToClient } from './protocol.js';
import { revisionsOf } from './revisions.js';
import type { OpenWorker } from './transport.js';
import type { EngineOptions, FailureCause } from '../wasm/synth_memory.js';

/** Whether SQLite runs in the client's own worker (`leader`) or in that of another tab (`follower`). */
export type Role = 'leader' | 'follower';

/** Receives the events of a client's tab. */
export interface TabHost {
  /** There is a leader: send `hello` to it. */
  reached(role: Role): void;
  /** The same leader has a faster connection: send `hello` through it. No call waits for its answer. */
  moved(): void;
  /** The leader sent a message. */
  receive(message: ToClient): void;
  /** The leader is alive. */
  heard(): void;
  /** Another tab is about to lead, and is migrating the memory. */
  opening(): void;
  /** There is no leader for now. */
  lost(): void;
  /** This call exceeded its time limit, and its worker was ended. */
  ended(sequence: number, failure: FailureMessage): void;
  /** No tab can lead, as far as this tab knows; or this tab is too old to follow. */
  refused(failure: FailureMessage): void;
  /** Whether no call waits for its answer. */
  readonly isQuiet: boolean;
}

/** How long to wait before the next attempt after a worker crashed, in ms; doubled each time. */
const AFTER_CRASH = 50;
const LONGEST_AFTER_CRASH = 5000;
/** How long a tab that stands back for a newer one waits before it queues again, in ms. */
const STAND_BACK = 100;

export class Tab {
  readonly #client: string;
  readonly #options: EngineOptions;
  readonly #host: TabHost;
  readonly #openWorker: OpenWorker;
  /** How many messages were sent to leaders. */
  #said = 0;
  #channel: Channel | undefined;
  /** This page's own worker, if it leads or is about to. */
  #own: OwnLeader | undefined;
  /** The leader in another tab, once it is known. */
  #other: OtherLeader | undefined;
  /** Aborts the wait to lead. */
  #candidacy: AbortController | undefined;
  #life: Promise<Release | undefined> | undefined;
  /** A leader that this tab is too old to talk to. */
  #newer: string | undefined;
  /** Whether messages to the leader may have been lost, so that `hello` is sent again when it responds. */
  #isDoubtful = false;
  #crashes = 0;
  #gone: FailureMessage | undefined;
  /** Whether an older leader was asked to yield: only once, or two tabs that differ would take turns forever. */
  #hasAsked = false;
  readonly #page = typeof document === 'undefined' ? undefined : new AbortController();

  constructor(client: string, options: EngineOptions, openWorker: OpenWorker, host: TabHost) {
    this.#client = client;
    this.#options = options;
    this.#openWorker = openWorker;
    this.#host = host;
    if (this.#page && options.path !== undefined) this.#followPage(this.#page.signal);
  }

  /** Finds the leader, or leads. */
  start(): void {
    if (this.#newer !== undefined) return this.#host.refused(outdated());
    if (this.#candidacy || this.#own) return;
    const { path } = this.#options;
    // A `memory:` was lost with its worker: to start a new, empty one would lose its rows silently.
    if (this.#gone) return this.#host.refused(this.#gone);
    if (path === undefined) return this.#lead(() => Promise.resolve());
    // Before anything else, start the worker and request the locks.
    this.#queueUp(path, true);
    try {
      this.#channel ??= new Channel(path, (message) => this.#hear(message));
    } catch (cause) {
      this.#rest();
      this.#host.refused(unavailable(cause));
    }
  }

  /** Queues to lead. */
  #queueUp(path: string, isFirst: boolean): void {
    this.#candidacy = new AbortController();
    this.#stand(path, this.#candidacy.signal, isFirst).catch((thrown: unknown) => {
      this.#candidacy = undefined;
      this.#host.refused(asFailure(thrown) ?? unavailable(thrown));
    });
  }

  /** Sends a message to the leader, if there is one. What `transfer` lists is moved if possible. */
  post(message: FromClient, transfer: Transferable[]): void {
    const ordered = { ...message, order: this.#said++ };
    if (this.#own) this.#own.post(ordered, transfer);
    else this.#other?.post(ordered, transfer);
  }

  /** All of the client's calls are answered: changes over to a faster connection, if there is one. */
  quiet(): void {
    if (this.#other?.takePort()) this.#host.moved();
  }

  /** The leader was silent for long: checks it. */
  suspect(): void {
    if (this.#own?.isBusy) return this.#host.heard();
    if (this.#own) return this.#own.check();
    this.#isDoubtful = true;
    if (this.#other) this.#channel?.post({ type: 'suspect', leader: this.#other.id });
    this.#channel?.post({ type: 'seek', client: this.#client });
  }

  /** Leaves and lets others lead. Resolves when they can. */
  async leave(): Promise<FailureMessage | undefined> {
    this.#page?.abort();
    this.post({ type: 'bye', client: this.#client }, []);
    const failure = await this.#own?.yield();
    this.end();
    return failure;
  }

  /** Ends at once. */
  end(): void {
    this.#page?.abort();
    this.#rest();
  }

  /** Releases everything it holds. */
  #rest(): void {
    this.#candidacy?.abort();
    this.#candidacy = undefined;
    this.#dismissWorker();
    this.#leaveOther();
    this.#channel?.close();
    this.#channel = undefined;
    void this.#life?.then((release) => release?.());
    this.#life = undefined;
  }

  #dismissWorker(): void {
    this.#own?.end();
    this.#own = undefined;
  }

  /** Waits until it is this tab's turn to lead, and follows meanwhile. */
  async #stand(path: string, signal: AbortSignal, isFirst: boolean): Promise<void> {
    let letNext: Release | undefined;
    let spare: OwnLeader | undefined;
    try {
      if (isFirst) {
        // A worker takes time to start, and most often it is needed.
        spare = this.#prepare();
        // Only the heir takes the leader's lock, so if both are free, no tab leads and none is about to.
        const [heir, free] = await Promise.all([
          takeLock(heirLock(path), { ifAvailable: true }),
          takeLock(leaderLock(path), { ifAvailable: true }),
        ]);
        void free?.();
        letNext = heir;
        signal.throwIfAborted();
        if (heir && free) return this.#lead(heir, spare);
        spare?.end();
      }
      this.#channel?.post({ type: 'seek', client: this.#client });
      letNext ??= await takeLock(heirLock(path), { signal });
      const free = await takeLock(leaderLock(path), { signal });
      void free?.();
      signal.throwIfAborted();
      this.#lead(letNext!);
    } catch (thrown) {
      void letNext?.();
      spare?.end();
      if (!signal.aborted) throw thrown;
    }
  }

  /** Starts a worker; returns undefined if the page is not allowed to, which matters only if this tab has to lead. */
  #prepare(): OwnLeader | undefined {
    try {
      return this.#startWorker();
    } catch {
      return undefined;
    }
  }

  #startWorker(): OwnLeader {
    return new OwnLeader(this.#openWorker, this.#options, {
      receive: (message) => {
        if (message.type === 'answer') this.#crashes = 0;
        this.#host.receive(message);
      },
      heard: () => this.#host.heard(),
      // The worker answers no one while it opens the memory, so the page tells the other tabs that it takes time.
      opening: () => this.#channel?.post({ type: 'opening' }),
      refused: (failure) => {
        this.#own = undefined;
        this.#host.refused(failure);
      },
      hung: ({ client, sequence }, failure) => {
        if (client === this.#client) this.#host.ended(sequence, failure);
        else this.#channel?.post({ type: 'ended', client, sequence, failure });
      },
      ended: (cause) => this.#ended(cause),
    });
  }

  #lead(letNext: Release, started?: OwnLeader): void {
    this.#candidacy = undefined;
    this.#newer = undefined;
    this.#loseOther();
    try {
      this.#own = started ?? this.#startWorker();
      this.#own.lead(letNext);
    } catch (cause) {
      // The page may not be allowed to start the worker, for example if its script is of another origin.
      this.#dismissWorker();
      void letNext();
      this.#host.refused(unavailable(cause));
      return;
    }
    this.#host.reached('leader');
  }

  /**
   * The worker has ended. Another tab leads, or this one with another worker; calls without an answer are sent again.
   */
  #ended(cause: FailureCause): void {
    this.#own = undefined;
    if (this.#options.path === undefined) {
      this.#gone = lost(cause);
      return this.#host.refused(this.#gone);
    }
    this.#host.lost();
    const wait = this.#crashes === 0 ? 0 : Math.min(AFTER_CRASH * 2 ** this.#crashes, LONGEST_AFTER_CRASH);
    this.#crashes++;
    setTimeout(() => this.#channel && this.start(), wait);
  }

  /** Receives a message from another tab or its worker. */
  #hear(message: TabMessage): void {
    switch (message.type) {
      case 'seek':
        this.#own?.bringBroker();
        return;
      case 'here':
        if (!this.#own) void this.#meet(message);
        return;
      case 'gone':
        if (message.leader === this.#newer) this.#newer = undefined;
        if (message.leader === this.#other?.id) this.#loseOther();
        return;
      case 'opening':
        this.#host.opening();
        return;
      case 'yield':
        if (message.to !== this.#client) this.#standBack();
        return;
      case 'suspect':
        if (message.leader !== this.#own?.id) return;
        if (this.#own.isBusy) this.#channel?.post({ type: 'patience', leader: message.leader });
        else this.#own.check();
        return;
      case 'patience':
        if (message.leader === this.#other?.id) this.#host.heard();
        return;
      case 'ended':
        if (message.client === this.#client) this.#host.ended(message.sequence, message.failure);
        return;
      case 'from':
        if (message.client === this.#client && message.leader === this.#other?.id) this.#other.hear(message.message);
        return;
      default:
    }
  }

  /** Handles the announcement of a leader. */
  async #meet({ leader, protocol, revisions }: TabMessage & { readonly type: 'here' }): Promise<void> {
    this.#host.heard();
    const isDoubtful = this.#isDoubtful;
    this.#isDoubtful = false;
    if (leader === this.#other?.id) {
      if (!isDoubtful) return;
      this.#other.release();
      return this.#host.reached('follower');
    }
    this.#newer = protocol > PROTOCOL ? leader : undefined;
    if (this.#newer !== undefined) {
      this.#loseOther();
      return this.#host.refused(outdated());
    }
    const isOlder = protocol < PROTOCOL || revisionsOf(this.#options).some((id) => !revisions.includes(id));
    if (isOlder && !this.#hasAsked) {
      this.#hasAsked = true;
      this.#channel?.post({ type: 'yield', to: this.#client });
      return;
    }
    // Taken before `hello` is sent, because a leader forgets a client whose lock is free.
    this.#life ??= takeLock(clientLock(this.#client));
    await this.#life;
    const channel = this.#channel;
    const { path } = this.#options;
    if (!channel || path === undefined || this.#own || leader === this.#other?.id) return;
    this.#loseOther();
    const other = new OtherLeader(leader, path, this.#client, channel, {
      receive: (message) => this.#other === other && this.#host.receive(message),
      ready: () => this.#host.isQuiet && this.quiet(),
    });
    this.#other = other;
    this.#host.reached('follower');
  }

  #loseOther(): void {
    if (!this.#other) return;
    this.#leaveOther();
    this.#host.lost();
  }

  #leaveOther(): void {
    this.#other?.end();
    this.#other = undefined;
  }

  /** A newer tab wants to lead: this one yields, or queues behind it. */
  #standBack(): void {
    const isLeading = this.#own?.leads === true;
    if (!isLeading && !this.#candidacy) return;
    this.#candidacy?.abort();
    this.#candidacy = undefined;
    const again = () => {
      const { path } = this.#options;
      if (!this.#channel || this.#candidacy || this.#own || path === undefined) return;
      this.#queueUp(path, false);
    };
    if (!isLeading) return void setTimeout(again, STAND_BACK);
    void this.#own?.yield().then(() => {
      this.#dismissWorker();
      this.#host.lost();
      setTimeout(again, STAND_BACK);
    });
  }

  /** A page that is frozen or put into the back/forward cache lets others lead, and comes back as a follower. */
  #followPage(signal: AbortSignal): void {
    const sleep = () => {
      if (!this.#channel) return;
      // A worker freezes with its page, and would keep the files open, so it is ended, whatever it does. Calls without
      // an answer are sent again.
      this.post({ type: 'forget', client: this.#client }, []);
      this.#rest();
      this.#host.lost();
    };
    const wake = () => {
      if (!this.#channel) this.start();
    };
    // A page that does not come back no longer needs answers.
    const part = () => this.post({ type: 'bye', client: this.#client }, []);
    addEventListener('pagehide', ({ persisted }) => (persisted ? sleep() : part()), { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && wake(), { signal });
    document.addEventListener('freeze', sleep, { signal });
    document.addEventListener('resume', wake, { signal });
  }
}
