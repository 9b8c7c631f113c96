import type { CallOptions, Connection } from '../link/connection.js';
import { checkCount } from '../wire/check.js';
import { MemoryError } from '../wire/errors.js';
import type { EmbedderOption, EmbeddingPurpose, EmbeddingStatus } from '../recall/embedder.js';
import type { MemoryMapPoint } from '../wasm/synth_memory.js';
import type { OpenRecall } from '../recall/recall.js';

/** Loads recall, once: it is not downloaded before it is needed. */
export interface LoadRecall {
  (): Promise<OpenRecall>;
  /** What came of it, where it was asked for. */
  loaded?: Promise<OpenRecall> | undefined;
}

/** What loads recall for a memory, when it is first asked. */
export function loader(
  connection: Connection,
  embedder: EmbedderOption = 'bundled',
  tell?: (status: EmbeddingStatus) => void,
): LoadRecall {
  const load: LoadRecall = () =>
    (load.loaded ??= import('../recall/recall.js').then(
      ({ openRecall }) => openRecall(connection, embedder, tell),
      (cause: unknown) => {
        load.loaded = undefined;
        throw new MemoryError(
          'module_unavailable',
          'The part of the package that recalls could not be loaded.',
          'Try again when the page is online; where another version was deployed meanwhile, reload the page.',
          cause,
        );
      },
    ));
  return load;
}

/** The vectors of what is remembered: `memory.embeddings`. */
export class Embeddings {
  readonly #load: LoadRecall;

  /** @internal */
  constructor(load: LoadRecall) {
    this.#load = load;
  }

  /** Which model's vectors there are, how many rows have theirs, and how many wait for one. */
  async status(options?: CallOptions): Promise<EmbeddingStatus> {
    return (await this.#load()).runner.status(options);
  }

  /**
   * Embeds all that waits, and resolves when no text is left that could be tried now. Texts that failed are told of by
   * `failed` and `lastError`; they are tried again by themselves at `retryAt`.
   */
  async ready(options?: CallOptions): Promise<EmbeddingStatus> {
    return (await this.#load()).runner.settle(options);
  }

  /** Tries what failed again at once. */
  async retry(options?: CallOptions): Promise<EmbeddingStatus> {
    return (await this.#load()).runner.retry(options);
  }

  /** Vectors of texts by the memory's embedder; `purpose` is `question` by default. */
  async embed(
    texts: readonly string[],
    { purpose = 'question', ...options }: CallOptions & { readonly purpose?: EmbeddingPurpose } = {},
  ): Promise<Float32Array[]> {
    return (await this.#load()).runner.embed(texts, purpose, options);
  }

  /** The rows embedded last on a plane, by their first two principal components: 1 to 5000 of them, 500 by default. */
  async map({ limit = 500, ...options }: CallOptions & { readonly limit?: number } = {}): Promise<MemoryMapPoint[]> {
    checkCount(limit, 'limit', 5000);
    const { runner } = await this.#load();
    return runner.map(limit, options);
  }
}
