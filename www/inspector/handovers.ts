import type { Memory } from '../package/index.js';
import type { Clients, ClientWatch } from './clients.js';

/** Another worker became the leader. */
export interface Handover {
  readonly time: Date;
  readonly leader: 'this tab' | 'this tab again' | 'another tab';
  /** How long a call waited that was made when this tab began to lead, in seconds; undefined for other tabs. */
  readonly waited: number | undefined;
}

/** Notices hand-overs by the worker that holds the leader's lock, and reports each. */
export class Handovers {
  readonly #memory: Memory;
  readonly #watch: ClientWatch;
  readonly #tell: (handover: Handover) => void;
  #leader: string | undefined;
  #role: Memory['status']['role'];
  /** The role when the leader was last seen. */
  #roleThen: Memory['status']['role'];
  #isTaking = false;
  #waited: number | undefined;

  constructor(memory: Memory, watch: ClientWatch, tell: (handover: Handover) => void) {
    this.#memory = memory;
    this.#watch = watch;
    this.#tell = tell;
    this.#role = this.#roleThen = memory.status.role;
    watch.onLook((clients) => this.#compare(clients));
    memory.onStatus(({ role }) => {
      if (role === this.#role) return;
      this.#role = role;
      void (role === 'leader' ? this.#takeOver() : watch.look());
    });
    // Every tab reports missed changes after a hand-over.
    memory.onChange(({ kind }) => kind === 'missed' && void watch.look());
  }

  /** This tab begins to lead: the file is not open yet, and a call made now waits for it. */
  async #takeOver(): Promise<void> {
    this.#isTaking = true;
    const began = performance.now();
    const isAnswered = await this.#memory.query('SELECT 1').then(
      () => true,
      () => false,
    );
    this.#waited = isAnswered ? (performance.now() - began) / 1000 : undefined;
    this.#isTaking = false;
    await this.#watch.look();
  }

  #compare({ leader }: Clients): void {
    if (this.#isTaking || leader === undefined || leader === this.#leader) return;
    const isFirst = this.#leader === undefined;
    const wasLeader = this.#roleThen === 'leader';
    this.#leader = leader;
    this.#roleThen = this.#role;
    const waited = this.#waited;
    this.#waited = undefined;
    if (isFirst) return;
    const own = wasLeader ? 'this tab again' : 'this tab';
    this.#tell({ time: new Date(), leader: this.#role === 'leader' ? own : 'another tab', waited });
  }
}
