// Work that can wait: done while nobody asks, a few milliseconds at a time.

/** When work is done. */
export interface Pace {
  /** How long nobody has asked when it begins, in ms. */
  readonly quiet: number;
  /** How long it waits at the most where somebody always asks, in ms; then one slice is done at a time. */
  readonly latest: number;
}

/** What became of a slice: nothing is left, something is, or it could not be done now. */
export type Outcome = 'done' | 'more' | 'busy';

/** Does slices of work between calls, so that none of them waits behind more than one. */
export class Idle {
  readonly #slice: () => Outcome;
  readonly #later: (task: () => void, ms: number) => void;
  readonly #pace: Pace;
  /** When there was something to be done for the first time since it last was done; undefined where there is nothing. */
  #since: number | undefined;
  #lastCall = 0;
  #isWaiting = false;

  /** @param later - Does a task in so many ms; in 0, behind all messages that wait already. */
  constructor(slice: () => Outcome, later: (task: () => void, ms: number) => void, pace: Pace) {
    this.#slice = slice;
    this.#later = later;
    this.#pace = pace;
  }

  /** A call was carried out, which may have left something to be done. */
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
    // Where nobody has asked meanwhile, it goes on at once.
    else if (outcome === 'more') this.#wait(now - this.#lastCall > quiet ? 0 : quiet);
  }
}
