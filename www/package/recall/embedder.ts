import { checkText } from '../wire/check.js';
import { invalidArgument } from '../wire/errors.js';
import type { EmbeddingStatus as WireStatus } from '../wasm/synth_memory.js';

/** What a text is embedded for: some models distinguish texts and questions. */
export type EmbeddingPurpose = 'memory' | 'question';

/** Embeds texts with any model, in the page or elsewhere. */
export interface Embedder {
  /**
   * The name of the model, which is stored with the vectors. If the name or the number of dimensions changes, every row
   * is embedded again.
   */
  readonly name: string;
  /** The dimensions of its vectors, 1 to 4096. If omitted, they are determined by embedding a first text. */
  readonly dimensions?: number | undefined;
  /** How many texts it receives at once; 32 by default. */
  readonly batchSize?: number | undefined;
  /**
   * Returns a vector for each text, in order: finite numbers, not all of them zero. Vectors need not have unit length.
   */
  embed(
    texts: string[],
    options: { purpose: EmbeddingPurpose; signal?: AbortSignal | undefined },
  ): Promise<readonly (Float32Array | readonly number[])[]>;
}

/** The embedders that come with the package: files that are downloaded when they are first needed. */
export type BundledEmbedder = 'bundled' | 'multilingual';

/** The values of the option `embedder`. */
export type EmbedderOption = Embedder | BundledEmbedder | 'none';

/** The state of the vectors. */
export interface EmbeddingStatus extends Omit<WireStatus, 'retryAt'> {
  /** When the first failed text is retried; null if none is. */
  readonly retryAt: Date | null;
}

const MAX_DIMENSIONS = 4096;

/** Whether it is an embedder of the package, which the engine runs. */
export function isBundled(embedder: EmbedderOption): embedder is BundledEmbedder {
  return embedder === 'bundled' || embedder === 'multilingual';
}

/** Validates the option `embedder`. */
export function checkEmbedder(embedder: EmbedderOption): EmbedderOption {
  if (isBundled(embedder) || embedder === 'none') return embedder;
  if (typeof embedder === 'string')
    throw invalidArgument(
      `Unknown embedder ${JSON.stringify(embedder)}.`,
      "Use 'bundled', 'multilingual' or 'none', or an object with a name and a function embed.",
    );
  if (typeof embedder !== 'object' || embedder === null || typeof embedder.embed !== 'function')
    throw invalidArgument(
      "embedder must be 'bundled', 'multilingual', 'none', or an object with a name and a function embed.",
    );
  const { name, dimensions, batchSize } = embedder;
  if (checkText(name, 'embedder.name') === '') throw invalidArgument('embedder.name must not be empty.');
  const whole = (value: number | undefined, most: number, what: string) => {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= most))
      throw invalidArgument(`embedder.${what} must be a whole number from 1 to ${most}.`);
  };
  whole(dimensions, MAX_DIMENSIONS, 'dimensions');
  whole(batchSize, 10_000, 'batchSize');
  return embedder;
}
