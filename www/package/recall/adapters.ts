// Adapters for common models and endpoints, exported as `synth-memory/embedders`.
import type { Embedder, EmbeddingPurpose } from './embedder.js';
import type { Reranker } from './rerank.js';

export type { Embedder, EmbeddingPurpose } from './embedder.js';
export type { Reranker, RerankerScores } from './rerank.js';

/**
 * The prefixes that a model expects before its texts, such as `{ question: 'query: ', memory: 'passage: ' }` for E5.
 */
export type EmbeddingPrefixes = Partial<Readonly<Record<EmbeddingPurpose, string>>>;

/** A name that includes everything that affects the vectors. */
const named = (name: string, prefixes: EmbeddingPrefixes) =>
  prefixes.memory || prefixes.question ? `${name} ${JSON.stringify([prefixes.memory, prefixes.question])}` : name;

/** The function that `pipeline('feature-extraction', …)` of `@huggingface/transformers` returns. */
export type FeatureExtractor = (
  texts: string[],
  options: { pooling: 'mean' | 'cls'; normalize: boolean },
) => Promise<{ readonly dims: readonly number[]; readonly data: ArrayLike<number> | ArrayLike<bigint> }>;

/** How to embed with `@huggingface/transformers`. */
export interface TransformersOptions {
  /** The model's name, such as `Xenova/all-MiniLM-L6-v2`; it is stored with the vectors. */
  readonly name: string;
  /** How the vectors of the tokens are pooled into one; `mean` by default. */
  readonly pooling?: 'mean' | 'cls' | undefined;
  /** The prefixes that the model expects before its texts. */
  readonly prefixes?: EmbeddingPrefixes | undefined;
  /** How many texts to embed at once; 32 by default. */
  readonly batchSize?: number | undefined;
}

/**
 * An embedder that runs a model of `@huggingface/transformers`.
 *
 * @example
 * ```ts
 * import { pipeline } from '@huggingface/transformers';
 *
 * const extractor = await pipeline('feature-extraction', 'Xenova/all-MiniLM-L6-v2');
 * const embedder = transformersEmbedder(extractor, { name: 'Xenova/all-MiniLM-L6-v2' });
 * const memory = await Memory.open({ embedder });
 * ```
 */
export function transformersEmbedder(extractor: FeatureExtractor, options: TransformersOptions): Embedder {
  const { name, pooling = 'mean', prefixes = {}, batchSize } = options;
  return {
    name: named(pooling === 'mean' ? name : `${name} ${pooling}`, prefixes),
    batchSize,
    async embed(texts, { purpose }) {
      const given = texts.map((text) => (prefixes[purpose] ?? '') + text);
      const { dims, data } = await extractor(given, { pooling, normalize: true });
      const dimensions = dims.at(-1) ?? 0;
      if (dims.length !== 2 || dims[0] !== texts.length)
        throw new Error(`The model returned [${dims.join(', ')}] numbers for ${texts.length} texts: choose a pooling.`);
      const numbers = Float32Array.from(data as ArrayLike<number>);
      return texts.map((_, at) => numbers.slice(at * dimensions, (at + 1) * dimensions));
    },
  };
}

/** A tokenizer of `@huggingface/transformers`, such as `AutoTokenizer.from_pretrained(…)` resolves to. */
export type PairTokenizer = (
  texts: string[],
  options: { text_pair: string[]; padding: boolean; truncation: boolean },
) => unknown;

/**
 * A model of `@huggingface/transformers`, such as `AutoModelForSequenceClassification.from_pretrained(…)` resolves to.
 */
export type PairClassifier = (inputs: never) => Promise<{
  readonly logits: { readonly dims: readonly number[]; readonly data: ArrayLike<unknown> };
}>;

/** How to rerank with `@huggingface/transformers`. */
export interface TransformersRerankerOptions {
  /** The cross-encoder's tokenizer. */
  readonly tokenizer: PairTokenizer;
  /** The cross-encoder. */
  readonly model: PairClassifier;
  /** The index of the label for a text that answers, if the model has several labels. Not needed with one label. */
  readonly label?: number | undefined;
  /** How many texts to score at once; 16 by default. */
  readonly batchSize?: number | undefined;
}

/**
 * A reranker that runs a cross-encoder of `@huggingface/transformers`: a model that reads the question and a text
 * together, such as `Xenova/ms-marco-MiniLM-L-6-v2`. Its scores are the logits. Texts longer than the model's window
 * are truncated.
 *
 * @example
 * ```ts
 * import { AutoModelForSequenceClassification, AutoTokenizer } from '@huggingface/transformers';
 *
 * const name = 'Xenova/ms-marco-MiniLM-L-6-v2';
 * const tokenizer = await AutoTokenizer.from_pretrained(name);
 * const model = await AutoModelForSequenceClassification.from_pretrained(name);
 * const rerank = transformersReranker({ tokenizer, model });
 * const hits = await memory.recall('what food must I avoid?', { rerank });
 * ```
 */
export function transformersReranker(options: TransformersRerankerOptions): Reranker {
  const { tokenizer, model, label, batchSize = 16 } = options;
  if (!(Number.isInteger(batchSize) && batchSize >= 1))
    throw new RangeError('batchSize must be a whole number of at least 1.');
  return async (question, texts, signal) => {
    const scores: number[] = [];
    for (let from = 0; from < texts.length; from += batchSize) {
      signal?.throwIfAborted();
      const batch = texts.slice(from, from + batchSize);
      const questions = batch.map(() => question);
      const inputs = tokenizer(questions, { text_pair: batch, padding: true, truncation: true });
      const { dims, data } = (await model(inputs as never)).logits;
      const labels = dims.at(-1) ?? 0;
      if (dims.length !== 2 || dims[0] !== batch.length)
        throw new Error(`The model returned [${dims.join(', ')}] numbers for ${batch.length} texts.`);
      if (label === undefined ? labels !== 1 : !(Number.isInteger(label) && label >= 0 && label < labels))
        throw new Error(
          `The model has ${labels} labels: set label to the index of the one that says that a text answers.`,
        );
      for (let at = 0; at < batch.length; at++) scores.push(Number(data[at * labels + (label ?? 0)]));
    }
    return scores;
  };
}

/** How to embed with an endpoint that is compatible with OpenAI's. */
export interface OpenAiOptions {
  /** The model, such as `text-embedding-3-small`. */
  readonly model: string;
  /**
   * The base URL of the API; `https://api.openai.com/v1` by default. A page should use a server of its own, which keeps
   * the key.
   */
  readonly baseUrl?: string | undefined;
  /** The API key, if the endpoint requires one. */
  readonly apiKey?: string | undefined;
  /** How many dimensions to request, if the model can return fewer than it has. */
  readonly dimensions?: number | undefined;
  /** Headers to send in addition to the required ones. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The prefixes that the model expects before its texts. */
  readonly prefixes?: EmbeddingPrefixes | undefined;
  /** How many texts to embed at once; 64 by default. */
  readonly batchSize?: number | undefined;
  /** The function that sends the request; `fetch` by default. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/**
 * An embedder that calls any endpoint with OpenAI's `POST /embeddings`: OpenAI, Ollama, LM Studio, vLLM, llama.cpp or a
 * server of your own.
 *
 * @example
 * ```ts
 * const embedder = openAiEmbedder({ model: 'nomic-embed-text', baseUrl: 'http://localhost:11434/v1' });
 * const memory = await Memory.open({ embedder });
 * ```
 */
export function openAiEmbedder(options: OpenAiOptions): Embedder {
  const { model, baseUrl = 'https://api.openai.com/v1', apiKey, dimensions, headers, prefixes = {} } = options;
  const url = `${baseUrl.replace(/\/+$/, '')}/embeddings`;
  return {
    name: named(dimensions === undefined ? model : `${model}@${dimensions}`, prefixes),
    dimensions,
    batchSize: options.batchSize ?? 64,
    async embed(texts, { purpose, signal }) {
      const response = await (options.fetch ?? fetch)(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
          ...headers,
        },
        body: JSON.stringify({
          model,
          input: texts.map((text) => (prefixes[purpose] ?? '') + text),
          encoding_format: 'float',
          ...(dimensions !== undefined && { dimensions }),
        }),
        signal: signal ?? null,
      });
      if (!response.ok) throw new Error(`${url} answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
      const { data } = (await response.json()) as { data?: { index?: number; embedding?: number[] }[] };
      const vectors: Float32Array[] = [];
      for (const [at, { index = at, embedding }] of (data ?? []).entries()) {
        if (embedding) vectors[index] = Float32Array.from(embedding);
      }
      if (texts.some((_, at) => !vectors[at]))
        throw new Error(`${url} did not return a vector for each of ${texts.length} texts.`);
      return vectors;
    },
  };
}
