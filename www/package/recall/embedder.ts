import { checkText } from '../wire/check.js';
import { invalidArgument } from '../wire/errors.js';
import type { EmbeddingStatus as WireStatus } from '../wasm/synth_memory.js';

/** What a text is embedded for: some models want to be told. */
export type EmbeddingPurpose = 'memory' | 'question';

/** Makes vectors of texts: any model, here or elsewhere. */
export interface Embedder {
  /**
   * Which model it is. It is stored with the vectors; where the name or the number of dimensions is another than before,
   * every row is embedded anew.
   */
  readonly name: string;
  /** How many numbers its vectors have, 1 to 4096; found out with a first text where it is not given. */
  readonly dimensions?: number | undefined;
  /** How many texts it is given at once; 32 by default. */
  readonly batchSize?: number | undefined;
  /** A vector for each text, in their order: finite numbers, not all of them zero, of any length. */
  embed(
    texts: string[],
    options: { purpose: EmbeddingPurpose; signal?: AbortSignal | undefined },
  ): Promise<readonly (Float32Array | readonly number[])[]>;
}

/** The embedders that come with the package: files that are downloaded by whoever asks for them. */
export type BundledEmbedder = 'bundled' | 'multilingual';

/** What `embedder` may be. */
export type EmbedderOption = Embedder | BundledEmbedder | 'none';

/** What is known of the vectors. */
export interface EmbeddingStatus extends Omit<WireStatus, 'retryAt'> {
  /** When the first of the texts that failed is tried again. */
  readonly retryAt: Date | null;
}

const MAX_DIMENSIONS = 4096;

/** Whether it is one of the package's own, which the engine runs. */
export function isBundled(embedder: EmbedderOption): embedder is BundledEmbedder {
  return embedder === 'bundled' || embedder === 'multilingual';
}

/** Holds the `embedder` option against what it may be. */
export function checkEmbedder(embedder: EmbedderOption): EmbedderOption {
  if (isBundled(embedder) || embedder === 'none') return embedder;
  if (typeof embedder === 'string')
    throw invalidArgument(
      `Unknown embedder ${JSON.stringify(embedder)}.`,
      "Name 'bundled', 'multilingual' or 'none', or give an object with a name and a function embed.",
    );
  if (typeof embedder !== 'object' || embedder === null || typeof embedder.embed !== 'function')
    throw invalidArgument(
      "embedder must be 'bundled', 'multilingual', 'none', or an object with a name and a function embed.",
    );
  const { name, dimensions, batchSize } = embedder;
  if (checkText(name, 'embedder.name') === '') throw invalidArgument('embedder.name is empty.');
  const whole = (value: number | undefined, most: number, what: string) => {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= most))
      throw invalidArgument(`embedder.${what} must be a whole number from 1 to ${most}.`);
  };
  whole(dimensions, MAX_DIMENSIONS, 'dimensions');
  whole(batchSize, 10_000, 'batchSize');
  return embedder;
}
