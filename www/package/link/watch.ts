// Watches over a worker that may hang: inside one of its functions, SQLite can only be stopped by ending its worker.

/** A call that keeps a worker busy. */
export interface BusyWith {
  readonly client: string;
  readonly sequence: number;
}

/** How long after its limit a call's worker is ended, in ms. */
const GRACE = 1500;
/** How long a worker has to answer a ping, in ms. */
const PING = 10_000;

/** Reports a worker that is silent for longer than its limit. */
export class Watch {
  readonly #ping: () => void;
  readonly #hung: (call: BusyWith | undefined) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #call: BusyWith | undefined;
  #limit = 0;

  /** @param hung - Called once, with the call that hangs the worker, if it is known. */
  constructor(ping: () => void, hung: (call: BusyWith | undefined) => void) {
    this.#ping = ping;
    this.#hung = hung;
  }

  /** Whether the worker carries out a call that may take long. */
  get isExpecting(): boolean {
    return this.#call !== undefined;
  }

  /** The worker begins a call during which it may be silent for `limit` ms; null if the call has ended. */
  expect(limit: number | null, { client, sequence }: BusyWith): void {
    this.#call = limit === null ? undefined : { client, sequence };
    this.#limit = limit ?? 0;
    this.#arm();
  }

  /** The worker sent a message. */
  heard(): void {
    if (this.#timer !== undefined) this.#arm();
  }

  /** Pings the worker, unless it is already being timed. */
  check(): void {
    if (this.#timer !== undefined) return;
    this.#ping();
    this.#timer = setTimeout(() => this.#late(), PING);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    this.end();
    if (this.#call) this.#timer = setTimeout(() => this.#late(), this.#limit + GRACE);
  }

  #late(): void {
    // After the machine slept, this timer may fire before the worker could send anything: it gets more time.
    const call = this.#call;
    this.#timer = setTimeout(() => this.#hung(call), GRACE);
  }
}
