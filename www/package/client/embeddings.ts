import type { CallOptions, Connection } from '../link/connection.js';
import { checkCount, checkFields } from '../wire/check.js';
import { MemoryError } from '../wire/errors.js';
import { abortLater, givenUpBy, unlessClosed } from '../wire/waiting.js';
import type { EmbedderOption, EmbeddingPurpose, EmbeddingStatus } from '../recall/embedder.js';
import type { MemoryMapPoint } from '../wasm/synth_memory.js';
import type { OpenRecall } from '../recall/recall.js';

/** How many microtasks a caller may need from the loaded recall part to its first call; about 20 do. */
const STEPS = 100;

/** The recall part of the package. It is downloaded once, when it is first needed. */
export class LoadedRecall {
  readonly #open: () => Promise<OpenRecall>;
  readonly #closing = new AbortController();
  #loaded: Promise<OpenRecall> | undefined;

  constructor(connection: Connection, embedder: EmbedderOption = 'bundled', tell?: (status: EmbeddingStatus) => void) {
    this.#open = async () => {
      const { openRecall } = await import('../recall/recall.js').catch((cause: unknown) => {
        throw new MemoryError(
          'module_unavailable',
          'The recall part of the package could not be loaded.',
          'Retry when the page is online; if another version was deployed, reload the page.',
          cause,
        );
      });
      return openRecall(connection, embedder, tell);
    };
  }

  /** Loads it. Stops waiting when the signal fires or the memory is closed. */
  load(options?: CallOptions): Promise<OpenRecall> {
    this.#loaded ??= this.#open().catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    return unlessClosed(this.#closing.signal, givenUpBy(options?.signal, this.#loaded));
  }

  /** The loaded part, after earlier callers of `load` have made their calls; undefined if it was never loaded. */
  async afterOthers(): Promise<OpenRecall | undefined> {
    if (!this.#loaded) return undefined;
    const opened = await this.load().catch(() => undefined);
    // Their steps interleave with these. A task would do as well, but tests replace the timers.
    for (let step = 0; step < STEPS; step++) await Promise.resolve();
    return opened;
  }

  /** Waits for pending questions, but not for a page's own embedder, nor for a download that does not arrive. */
  close(): Promise<unknown> | undefined {
    if (!this.#loaded) return undefined;
    const asked = this.afterOthers().then((opened) => opened?.close());
    abortLater(this.#closing);
    return unlessClosed(this.#closing.signal, asked).catch(() => undefined);
  }
}

/** The vectors of the stored texts: `memory.embeddings`. */
export class Embeddings {
  readonly #recall: Pick<LoadedRecall, 'load'>;

  /** @internal */
  constructor(recall: Pick<LoadedRecall, 'load'>) {
    this.#recall = recall;
  }

  /** The model of the vectors, how many rows have a vector, and how many wait for one. */
  async status(options?: CallOptions): Promise<EmbeddingStatus> {
    return (await this.#recall.load(options)).runner.status(options);
  }

  /**
   * Embeds all texts that wait, and resolves when none is left that can be tried now. Texts that failed are reported by
   * `failed` and `lastError`, and are retried automatically at `retryAt`.
   */
  async ready(options?: CallOptions): Promise<EmbeddingStatus> {
    return (await this.#recall.load(options)).runner.settle(options);
  }

  /** Retries the failed texts at once. */
  async retry(options?: CallOptions): Promise<EmbeddingStatus> {
    return (await this.#recall.load(options)).runner.retry(options);
  }

  /** Embeds texts with the memory's embedder. `purpose` is `question` by default. */
  async embed(
    texts: readonly string[],
    options: CallOptions & { readonly purpose?: EmbeddingPurpose } = {},
  ): Promise<Float32Array[]> {
    checkFields(options, ['purpose', 'signal']);
    const { purpose = 'question' } = options;
    return (await this.#recall.load(options)).runner.embed(texts, purpose, options);
  }

  /**
   * The rows embedded last as points on a plane, by their first two principal components: 1 to 5000 rows, 500 by
   * default.
   */
  async map(options: CallOptions & { readonly limit?: number } = {}): Promise<MemoryMapPoint[]> {
    checkFields(options, ['limit', 'signal']);
    const { limit = 500 } = options;
    checkCount(limit, 'limit', 5000);
    const { runner } = await this.#recall.load(options);
    return runner.map(limit, options);
  }
}
