// Rerankers: functions of the page's own that read the question together with each text that was found.
import { checkCount } from '../wire/check.js';
import { invalidArgument, MemoryError } from '../wire/errors.js';
import { askPage, reasonOf, type Asking } from './asking.js';
import type {
  RecallEvidence as WireEvidence,
  RecallParts as WireParts,
  RecallWeights as WireWeights,
} from '../wasm/synth_memory.js';

/**
 * Scores texts for a question, for instance with a cross-encoder. Returns one finite number for each text, in order;
 * higher is better, on any scale. It runs in the page that asked, whether that is the leader or a follower. It should
 * stop when the signal fires; it is not awaited after that.
 */
export type Reranker = (
  question: string,
  texts: readonly string[],
  signal?: AbortSignal,
) => RerankerScores | Promise<RerankerScores>;

/** What a {@link Reranker} returns. */
export type RerankerScores = readonly number[] | Float32Array | Float64Array;

/** The weight of each part of a score; 0 leaves it out. */
export interface RecallWeights extends WireWeights {
  /**
   * The reranker's score, in standard deviations from the mean of its candidates; 4 by default. 1000 in effect keeps
   * the reranker's own order; 0 does not call it.
   */
  rerank: number;
}

/** The parts that were added to a score. */
export interface RecallParts extends WireParts {
  /** The reranker's part: negative for a hit that it scored below the mean of its candidates, 0 without a reranker. */
  rerank: number;
}

/** The values from which the parts of a score were computed. */
export interface RecallEvidence extends WireEvidence {
  /** The score that the reranker returned; null without a reranker. */
  rerank: number | null;
}

/** How hits are reranked. */
export interface RerankOptions {
  /**
   * A reranker, such as a cross-encoder, which reads the best hits again together with the question. Its scores are
   * standardised, weighted by `weights.rerank`, and added to the hits' own.
   *
   * If it throws, rejects, or does not return a finite number for each text, `recall` rejects with `reranker_failed`.
   * Nothing is changed, and the same question is still answered without `rerank`.
   */
  readonly rerank?: Reranker | undefined;
  /** How many of the best hits the reranker receives, 1 to 1000; 50 by default, and never fewer than `k`. */
  readonly rerankCandidates?: number | undefined;
}

/**
 * A reranker's time grows with the candidates, while each further one adds less. The figures are in
 * `docs/reranking.md`.
 */
const DEFAULT_CANDIDATES = 50;
/**
 * The best weight, or nearly, for simulated rerankers of different strength. The figures are in `docs/reranking.md`.
 */
const DEFAULT_WEIGHT = 4;
/** The same limit as for the other weights. */
const LARGEST_WEIGHT = 1e6;

/** A reranker, checked and with its defaults. */
export interface Reranking {
  readonly rerank: Reranker;
  readonly candidates: number;
  readonly weight: number;
}

/** The reranking for these options; undefined if its weight is 0 or there is no reranker. */
export function toReranking({ rerank, rerankCandidates }: RerankOptions, k = 10, weight = DEFAULT_WEIGHT) {
  checkCount(rerankCandidates, 'rerankCandidates');
  if (rerank !== undefined && typeof rerank !== 'function')
    throw invalidArgument('rerank must be a function of a question and texts.');
  if (!(Math.abs(weight) <= LARGEST_WEIGHT))
    throw invalidArgument(`weights.rerank must be a finite number, of ${LARGEST_WEIGHT} at most; it is ${weight}.`);
  if (!rerank || weight === 0) return undefined;
  return { rerank, weight, candidates: Math.max(k, rerankCandidates ?? DEFAULT_CANDIDATES) } satisfies Reranking;
}

/** The result of the reranker for one text. */
export interface Reranked {
  /** The score that it returned. */
  readonly score: number;
  /** The part of the hit's score that follows from it. */
  readonly part: number;
}

/** Calls a reranker; resolves to its result for each text. */
export async function askReranker(
  { rerank, weight }: Reranking,
  question: string,
  texts: readonly string[],
  asking: Omit<Asking, 'failed'>,
): Promise<Reranked[]> {
  if (texts.length === 0) return [];
  const given = await askPage<RerankerScores>((signal) => rerank(question, texts, signal), {
    ...asking,
    failed: (cause) => failed(`The reranker failed (${reasonOf(cause)}).`, cause),
  });
  const scores = checkScores(given, texts.length);
  return standardise(scores).map((deviations, at) => ({ score: scores[at]!, part: weight * deviations }));
}

function checkScores(given: RerankerScores, count: number): number[] {
  if (!(Array.isArray(given) || given instanceof Float32Array || given instanceof Float64Array))
    throw failed('The reranker did not return an array of numbers.');
  if (given.length !== count) throw failed(`The reranker returned ${given.length} scores for ${count} texts.`);
  return Array.from(given as ArrayLike<unknown>, (score, at) => {
    if (typeof score === 'number' && Number.isFinite(score)) return score;
    throw failed(`The reranker returned ${describe(score)} for text ${at}.`);
  });
}

const describe = (value: unknown) => (typeof value === 'number' ? String(value) : `a value of type ${typeof value}`);

/** How many standard deviations each score is above the mean; 0 for all if they are the same. */
function standardise(scores: readonly number[]): number[] {
  // Scaled first, because the square of a large score could overflow.
  const largest = scores.reduce((most, score) => Math.max(most, Math.abs(score)), 0) || 1;
  const scaled = scores.map((score) => score / largest);
  const mean = scaled.reduce((sum, score) => sum + score, 0) / scaled.length;
  const deviation = Math.sqrt(scaled.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scaled.length);
  return scaled.map((score) => (deviation > 1e-9 ? (score - mean) / deviation : 0));
}

function failed(what: string, cause?: unknown): MemoryError {
  const hint = 'Nothing was changed; ask again, or without rerank.';
  return new MemoryError('reranker_failed', what, hint, cause);
}
