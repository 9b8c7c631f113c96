// A reranker: a function of the page's own that reads the question together with each text that was found.
import { checkCount } from '../wire/check.js';
import { invalidArgument, MemoryError } from '../wire/errors.js';
import { askPage, reasonOf, type Asking } from './asking.js';
import type {
  RecallEvidence as WireEvidence,
  RecallParts as WireParts,
  RecallWeights as WireWeights,
} from '../wasm/synth_memory.js';

/**
 * Scores texts for a question, for instance with a cross-encoder: one finite number for each text, in their order, the higher
 * the better, on any scale. It runs in the page, in whichever tab asked. It should stop when the signal fires; it is not
 * waited for after that.
 */
export type Reranker = (
  question: string,
  texts: readonly string[],
  signal?: AbortSignal,
) => RerankerScores | Promise<RerankerScores>;

/** What a {@link Reranker} returns. */
export type RerankerScores = readonly number[] | Float32Array | Float64Array;

/** How much each part of a score weighs; 0 leaves it out. */
export interface RecallWeights extends WireWeights {
  /**
   * The reranker's score, in standard deviations from the mean of its candidates; 4 by default. At 1000 the order is in effect
   * the reranker's own; at 0 it is not called.
   */
  rerank: number;
}

/** What each part added to a score. */
export interface RecallParts extends WireParts {
  /** By the reranker; negative for a hit that it scored below the mean of its candidates, 0 without a reranker. */
  rerank: number;
}

/** What the parts of a score were made of. */
export interface RecallEvidence extends WireEvidence {
  /** What the reranker returned; null without one. */
  rerank: number | null;
}

/** How hits are reranked. */
export interface RerankOptions {
  /**
   * Reads the best hits again, together with the question: a reranker such as a cross-encoder. Its scores are standardised,
   * weighed by `weights.rerank`, and added to the hits' own.
   *
   * If it throws, rejects, or does not return a finite number for each text, `recall` rejects with `reranker_failed`. Nothing
   * is changed, and the same question without `rerank` is still answered.
   */
  readonly rerank?: Reranker | undefined;
  /** How many of the best hits the reranker receives, 1 to 1000; 50 by default, and never fewer than `k`. */
  readonly rerankCandidates?: number | undefined;
}

/** A reranker's time grows with them, what they bring up does ever less; the figures are in `docs/reranking.md`. */
const DEFAULT_CANDIDATES = 50;
/** Best, or near it, for simulated rerankers of different strength; the figures are in `docs/reranking.md`. */
const DEFAULT_WEIGHT = 4;
/** The same limit as for the other weights. */
const LARGEST_WEIGHT = 1e6;

/** A reranker, checked and with its defaults. */
export interface Reranking {
  readonly rerank: Reranker;
  readonly candidates: number;
  readonly weight: number;
}

/** The reranking that the options ask for; none if its weight is 0. */
export function toReranking({ rerank, rerankCandidates }: RerankOptions, k = 10, weight = DEFAULT_WEIGHT) {
  checkCount(rerankCandidates, 'rerankCandidates');
  if (rerank !== undefined && typeof rerank !== 'function')
    throw invalidArgument('rerank must be a function of a question and texts.');
  if (!(Math.abs(weight) <= LARGEST_WEIGHT))
    throw invalidArgument(`weights.rerank must be a finite number, of ${LARGEST_WEIGHT} at most; it is ${weight}.`);
  if (!rerank || weight === 0) return undefined;
  return { rerank, weight, candidates: Math.max(k, rerankCandidates ?? DEFAULT_CANDIDATES) } satisfies Reranking;
}

/** What the reranker said of one text. */
export interface Reranked {
  /** Its score, as it returned it. */
  readonly score: number;
  /** What that adds. */
  readonly part: number;
}

/** Asks a reranker; resolves to what it says of each text. */
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
  // Scores may be of any size, and the square of a large one would be none.
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
