import type { CallOptions, Connection } from '../link/connection.js';
import { checkCount, checkFields } from '../wire/check.js';
import { MemoryError } from '../wire/errors.js';
import { abortLater, givenUpBy, unlessClosed } from '../wire/waiting.js';
import type { EmbedderOption, EmbeddingPurpose, EmbeddingStatus } from '../recall/embedder.js';
import type { MemoryMapPoint } from '../wasm/synth_memory.js';
import type { OpenRecall } from '../recall/recall.js';

/** Recall, which is loaded once: it is not downloaded before it is needed. */
export class LoadedRecall {
  readonly #open: () => Promise<OpenRecall>;
  readonly #closing = new AbortController();
  #loaded: Promise<OpenRecall> | undefined;

  constructor(connection: Connection, embedder: EmbedderOption = 'bundled', tell?: (status: EmbeddingStatus) => void) {
    this.#open = async () => {
      const { openRecall } = await import('../recall/recall.js').catch((cause: unknown) => {
        throw new MemoryError(
          'module_unavailable',
          'The part of the package that recalls could not be loaded.',
          'Try again when the page is online; where another version was deployed meanwhile, reload the page.',
          cause,
        );
      });
      return openRecall(connection, embedder, tell);
    };
  }

  /** Loads it. That is not waited for once the signal fires, or the memory is closed. */
  load(options?: CallOptions): Promise<OpenRecall> {
    this.#loaded ??= this.#open().catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    return unlessClosed(this.#closing.signal, givenUpBy(options?.signal, this.#loaded));
  }

  /** It, once those who asked for it before have made their calls; undefined if nobody has asked for it. */
  async afterOthers(): Promise<OpenRecall | undefined> {
    if (!this.#loaded) return undefined;
    const opened = await this.load().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve));
    return opened;
  }

  /** Waits for the questions that were asked, if any were, but neither for a page's own embedder nor for what does not come. */
  close(): Promise<unknown> | undefined {
    if (!this.#loaded) return undefined;
    const asked = this.afterOthers().then((opened) => opened?.close());
    abortLater(this.#closing);
    return unlessClosed(this.#closing.signal, asked).catch(() => undefined);
  }
}

/** The vectors of what is remembered: `memory.embeddings`. */
export class Embeddings {
  readonly #recall: LoadedRecall;

  /** @internal */
  constructor(recall: LoadedRecall) {
    this.#recall = recall;
  }

  /** Which model's vectors there are, how many rows have theirs, and how many wait for one. */
  async status(options?: CallOptions): Promise<EmbeddingStatus> {
    return (await this.#recall.load(options)).runner.status(options);
  }

  /**
   * Embeds all that waits, and resolves when no text is left that could be tried now. Texts that failed are told of by
   * `failed` and `lastError`; they are tried again by themselves at `retryAt`.
   */
  async ready(options?: CallOptions): Promise<EmbeddingStatus> {
    return (await this.#recall.load(options)).runner.settle(options);
  }

  /** Tries what failed again at once. */
  async retry(options?: CallOptions): Promise<EmbeddingStatus> {
    return (await this.#recall.load(options)).runner.retry(options);
  }

  /** Vectors of texts by the memory's embedder; `purpose` is `question` by default. */
  async embed(
    texts: readonly string[],
    options: CallOptions & { readonly purpose?: EmbeddingPurpose } = {},
  ): Promise<Float32Array[]> {
    checkFields(options, ['purpose', 'signal']);
    const { purpose = 'question' } = options;
    return (await this.#recall.load(options)).runner.embed(texts, purpose, options);
  }

  /** The rows embedded last on a plane, by their first two principal components: 1 to 5000 of them, 500 by default. */
  async map(options: CallOptions & { readonly limit?: number } = {}): Promise<MemoryMapPoint[]> {
    checkFields(options, ['limit', 'signal']);
    const { limit = 500 } = options;
    checkCount(limit, 'limit', 5000);
    const { runner } = await this.#recall.load(options);
    return runner.map(limit, options);
  }
}
