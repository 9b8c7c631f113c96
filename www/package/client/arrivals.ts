/** Takes the next value; undefined if there is none yet. If it throws, the iterator ends with that error. */
export type Take<T> = () => { readonly value: T } | undefined;

interface Reader<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/**
 * An async iterator over values that arrive from elsewhere. The source calls `serve` when there may be something to
 * take.
 */
export class Arrivals<T> implements AsyncIterableIterator<T> {
  readonly #readers: Reader<T>[] = [];
  #take: Take<T>;
  #stop: (() => void) | undefined;

  /** @param stop - Called once, when the consumer stops or no more values will come. */
  constructor(take: Take<T>, stop: () => void) {
    this.#take = take;
    this.#stop = stop;
  }

  /** Serves the waiting consumers, as far as there is something to take. */
  serve(): void {
    while (this.#readers.length > 0) {
      try {
        const taken = this.#take();
        if (!taken && this.#stop) return;
        this.#readers.shift()!.resolve(taken ? { value: taken.value } : { done: true, value: undefined });
      } catch (error) {
        this.#readers.shift()!.reject(error);
        void this.return();
      }
    }
  }

  /** Ends the source: no more values will come. Those that are there are still returned. */
  end(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.serve();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      this.serve();
    });
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#take = () => undefined;
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
