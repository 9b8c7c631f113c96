/** What there is to hand out; undefined where there is nothing yet. What it throws ends the iterator. */
export type Take<T> = () => { readonly value: T } | undefined;

interface Reader<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/** An async iterator over what arrives from elsewhere. Its source says when there may be something to take. */
export class Arrivals<T> implements AsyncIterableIterator<T> {
  readonly #readers: Reader<T>[] = [];
  #take: Take<T>;
  #stop: (() => void) | undefined;

  /** @param stop - Is called once, when nothing more is wanted or nothing more will come. */
  constructor(take: Take<T>, stop: () => void) {
    this.#take = take;
    this.#stop = stop;
  }

  /** There may be something to take. */
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

  /** Nothing more will come. What is there is still handed out. */
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
