// Work that can wait: done while no calls arrive, a few milliseconds at a time.

/** When work is done. */
export interface Pace {
  /** How long there must have been no call before work begins, in ms. */
  readonly quiet: number;
  /** How long work waits at most if calls keep arriving, in ms; then one slice is done at a time. */
  readonly latest: number;
}

/** The result of a slice: nothing is left to do, more is left, or it could not be done now. */
export type Outcome = 'done' | 'more' | 'busy';

/** Does slices of work between calls, so that no call waits behind more than one slice. */
export class Idle {
  readonly #slice: () => Outcome;
  readonly #later: (task: () => void, ms: number) => void;
  readonly #pace: Pace;
  /** The first time that there was something to do since the last slice; undefined if there is nothing to do. */
  #since: number | undefined;
  #lastCall = 0;
  #isWaiting = false;

  /** @param later - Runs a task after so many ms; with 0, after all messages that already wait. */
  constructor(slice: () => Outcome, later: (task: () => void, ms: number) => void, pace: Pace) {
    this.#slice = slice;
    this.#later = later;
    this.#pace = pace;
  }

  /** A call was carried out, which may have left something to do. */
  stir(): void {
    this.#lastCall = performance.now();
    this.#since ??= this.#lastCall;
    this.#wait(this.#pace.quiet);
  }

  #wait(ms: number): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#later(() => {
      this.#isWaiting = false;
      this.#look();
    }, ms);
  }

  #look(): void {
    if (this.#since === undefined) return;
    const { quiet, latest } = this.#pace;
    const now = performance.now();
    const left = Math.min(this.#lastCall + quiet, this.#since + latest) - now;
    if (left > 0) return this.#wait(left);
    const outcome = this.#slice();
    this.#since = outcome === 'done' ? undefined : now;
    if (outcome === 'busy') this.#wait(quiet);
    // If no call has arrived meanwhile, it continues at once.
    else if (outcome === 'more') this.#wait(now - this.#lastCall > quiet ? 0 : quiet);
  }
}
