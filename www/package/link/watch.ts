// Watches over a worker that may hang: SQLite cannot be stopped inside a function of its own, only with its worker.

/** A call that keeps a worker busy. */
export interface BusyWith {
  readonly client: string;
  readonly sequence: number;
}

/** How much longer than it may a call takes before its worker is ended, in ms. */
const GRACE = 1500;
/** How long a worker that is asked has to answer, in ms. */
const PING = 10_000;

/** Ends a worker that is silent for longer than it was given. */
export class Watch {
  readonly #ping: () => void;
  readonly #hung: (call: BusyWith | undefined) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #call: BusyWith | undefined;
  #limit = 0;

  /** @param hung - Is told once, with the call that is at fault where that is known. */
  constructor(ping: () => void, hung: (call: BusyWith | undefined) => void) {
    this.#ping = ping;
    this.#hung = hung;
  }

  /** Whether the worker is at a call that may take long. */
  get isExpecting(): boolean {
    return this.#call !== undefined;
  }

  /** The worker begins a call that may take so long, in ms; or, with null, ended it. */
  expect(limit: number | null, { client, sequence }: BusyWith): void {
    this.#call = limit === null ? undefined : { client, sequence };
    this.#limit = limit ?? 0;
    this.#arm();
  }

  /** The worker said something. */
  heard(): void {
    if (this.#timer !== undefined) this.#arm();
  }

  /** Asks whether the worker still hears, unless it is known what it does. */
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
    // A machine that slept wakes this up before the worker could say anything: it gets its time once more.
    const call = this.#call;
    this.#timer = setTimeout(() => this.#hung(call), GRACE);
  }
}
