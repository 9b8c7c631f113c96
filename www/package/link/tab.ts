// A client's part among the tabs of its origin: it leads, by a worker of its own, or reaches the worker of the tab that does.
import { asFailure, lost, outdated, unavailable, type FailureMessage } from '../wire/errors.js';
import { Channel, clientLock, heirLock, leaderLock, PROTOCOL, type TabMessage } from './channel.js';
import { takeLock, type Release } from './locks.js';
import { OtherLeader } from './other.js';
import { OwnLeader } from './own.js';
import type { FromClient, ToClient } from './protocol.js';
import { revisionsOf } from './revisions.js';
import type { OpenWorker } from './transport.js';
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
  /** How much was said to leaders. */
  #said = 0;
  #channel: Channel | undefined;
  /** This page's own worker, where it leads or is about to. */
  #own: OwnLeader | undefined;
  /** The leader in another tab, once it is reached. */
  #other: OtherLeader | undefined;
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
    // The worker starts, and the locks are asked for, before anything else.
    this.#queueUp(path, true);
    try {
      this.#channel ??= new Channel(path, (message) => this.#hear(message));
    } catch (cause) {
      this.#rest();
      this.#host.refused(unavailable(cause));
    }
  }

  /** Gets in line for the lead. */
  #queueUp(path: string, isFirst: boolean): void {
    this.#candidacy = new AbortController();
    this.#stand(path, this.#candidacy.signal, isFirst).catch((thrown: unknown) => {
      this.#candidacy = undefined;
      this.#host.refused(asFailure(thrown) ?? unavailable(thrown));
    });
  }

  /** Says something to the leader; nothing where there is none. What is named in `transfer` is moved where it can be. */
  post(message: FromClient, transfer: Transferable[]): void {
    const ordered = { ...message, order: this.#said++ };
    if (this.#own) this.#own.post(ordered, transfer);
    else this.#other?.post(ordered, transfer);
  }

  /** The client's calls are all answered: the time to take a better way. */
  quiet(): void {
    if (this.#other?.takePort()) this.#host.moved();
  }

  /** The leader was not heard for long. */
  suspect(): void {
    if (this.#own?.isBusy) return this.#host.heard();
    if (this.#own) return this.#own.check();
    this.#isDoubtful = true;
    if (this.#other) this.#channel?.post({ type: 'suspect', leader: this.#other.id });
    this.#channel?.post({ type: 'seek', client: this.#client });
  }

  /** Leaves: lets others lead. Resolves when they can. */
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

  /** Holds nothing any more. */
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
        // A worker takes its time to start, and most often it is needed.
        spare = this.#prepare();
        // Only the heir takes the leader's lock, so where both are free, nobody leads and nobody is about to.
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

  /** Starts a worker; undefined where the page may not, which matters where it has to lead. */
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
      // Nobody is greeted while the memory is being opened, so the page tells the others that it will take its time.
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
      // A page may be forbidden the worker: one of another origin, say.
      this.#dismissWorker();
      void letNext();
      this.#host.refused(unavailable(cause));
      return;
    }
    this.#host.reached('leader');
  }

  /** The worker is no more. Another tab goes on, or this one with another worker; what was not answered is sent again. */
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

  /** Another tab, or another tab's worker, says something. */
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

  /** Meets a leader. */
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
    // Held before the greeting, for a leader forgets a client whose lock is free.
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

  /** A newer tab wants to lead: this one yields, or waits behind it. */
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
    // A page that does not come back needs no answers any more.
    const part = () => this.post({ type: 'bye', client: this.#client }, []);
    addEventListener('pagehide', ({ persisted }) => (persisted ? sleep() : part()), { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && wake(), { signal });
    document.addEventListener('freeze', sleep, { signal });
    document.addEventListener('resume', wake, { signal });
  }
}
