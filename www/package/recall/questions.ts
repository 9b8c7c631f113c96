import { EXCERPT, excerpt, LONG } from './excerpt.js';
import { checkCount, checkFields, checkNumbers, checkText, defined, signalOf } from '../wire/check.js';
import { decode, toDate } from '../wire/codec.js';
import * as shapes from '../wire/shapes.js';
import type { CallOptions, Connection } from '../link/connection.js';
import {
  askReranker,
  toReranking,
  type RecallEvidence,
  type RecallParts,
  type RecallWeights,
  type Reranked,
  type RerankOptions,
} from './rerank.js';
import type { EmbedderRunner } from './runner.js';
import { invalidArgument, isEmbedderMissing } from '../wire/errors.js';
import type { Arguments, Value } from '../link/protocol.js';
import type { Entry, Episode, SemanticMemory, Turn, Uncertainty } from '../wire/rows.js';
import type {
  Consolidated,
  KeptConsolidation,
  MemoryReference,
  MemoryTable,
  QuestionFilter,
  RecallHit as WireHit,
  RecallQuestion,
  RecallWeights as WireWeights,
  Seconds,
} from '../wasm/synth_memory.js';

/** Which rows a question searches. A filter leaves out the tables that do not have its column. */
export interface RecallFilter {
  /** Rows of these tables; all except `uncertainty` by default. */
  readonly tables?: readonly MemoryTable[] | undefined;
  /** Facts of one of these categories. */
  readonly categories?: readonly string[] | undefined;
  /** Facts of at least this importance, from 0 to 1. */
  readonly minImportance?: number | undefined;
  /** Entries of long-term knowledge whose key begins with this. */
  readonly prefix?: string | undefined;
  /** Rows from this time on. */
  readonly since?: Date | undefined;
  /** Rows before this time. */
  readonly until?: Date | undefined;
}

/** How to recall. */
export interface RecallOptions extends RecallFilter, RerankOptions, CallOptions {
  /** The number of hits, 1 to 1000; 10 by default. */
  readonly k?: number | undefined;
  /** The weight of each part of a score; a part that is not named keeps its default. */
  readonly weights?: Partial<RecallWeights> | undefined;
  /** After how many hours a row counts half as recent; 336 (two weeks) by default. */
  readonly halfLifeHours?: number | undefined;
  /**
   * The least cosine of a hit that shares no word with the question, from -1 to 1. By default there is none, and up to
   * `k` hits are found.
   */
  readonly minSimilarity?: number | undefined;
  /** How many turns before and after each turn that was found are added, up to 100; none by default. */
  readonly neighbors?: number | undefined;
  /** Whether hits have an `explanation` of their score. */
  readonly explain?: boolean | undefined;
}

/** What a score is made of: the parts that were added, and what they were computed from. */
export interface RecallExplanation {
  /** What each part added: weighted and, for words, meaning and the reranker, standardised. The score is their sum. */
  readonly parts: RecallParts;
  /** The values from which the parts were computed. */
  readonly evidence: RecallEvidence;
}

/** The fields of every hit, whatever its table. */
export interface RecallHitBase {
  /**
   * The row's text that was searched: of a turn both sides, of an episode its type and the strings of its content. Of a
   * text of more than 2,000 characters, it is the part that says most of the question, in whole sentences and at most
   * 1,000 characters, without data such as images in base64. `row` has the whole text.
   */
  readonly text: string;
  /** Whether `text` is such a part of a longer text. */
  readonly isExcerpt: boolean;
  /** The sum of the parts. Scores are only comparable within one result. */
  readonly score: number;
  /** The cosine; null if the row has no vector yet, or if there is no embedder. */
  readonly similarity: number | null;
  /** Other rows with the same text. */
  readonly duplicates: readonly MemoryReference[];
  /** What the score is made of, if `explain` is true. */
  readonly explanation?: RecallExplanation;
}

/**
 * A row that was found. Its `table` determines the type of `row`. It can be used wherever a `MemoryReference` is
 * accepted.
 */
export type RecallHit = RecallHitBase &
  (
    | {
        readonly table: 'turns';
        readonly id: number;
        readonly row: Turn;
        /** The turns around it, in their order. */
        readonly neighbors: readonly Turn[];
      }
    | { readonly table: 'episodes'; readonly id: number; readonly row: Episode }
    | { readonly table: 'semantic'; readonly id: number; readonly row: SemanticMemory }
    | { readonly table: 'longTerm'; readonly key: string; readonly row: Entry }
    | { readonly table: 'uncertainty'; readonly id: number; readonly row: Uncertainty }
  );

/** How to search the facts. */
export interface SemanticSearchOptions extends Omit<RecallFilter, 'tables' | 'prefix'>, CallOptions {
  /** The number of facts, 1 to 1000; 10 by default. */
  readonly k?: number | undefined;
  /** Only facts of at least this cosine, from -1 to 1. */
  readonly minSimilarity?: number | undefined;
}

/** A fact that was found. It can be used wherever a `MemoryReference` is accepted. */
export interface FoundMemory extends SemanticMemory {
  readonly table: 'semantic';
  /** The cosine; null if it has no vector yet and was found by its words. */
  readonly similarity: number | null;
}

/** How to search for related rows. */
export interface RelatedOptions extends CallOptions {
  /** The number of rows, 1 to 1000; 3 by default. */
  readonly k?: number | undefined;
  /** Whether to search the last twenty episodes too; false by default. */
  readonly includeEpisodes?: boolean | undefined;
}

/** A row that is related. */
export type RelatedRow = { readonly similarity: number | null } & (
  | { readonly table: 'semantic'; readonly id: number; readonly row: SemanticMemory }
  | { readonly table: 'episodes'; readonly id: number; readonly row: Episode }
);

/** How long a slice of a consolidation may delay other calls, in ms. */
const SLICE = 4;

/** How to consolidate. */
export interface ConsolidateOptions extends CallOptions {
  /** The least cosine at which facts of one category are listed as `similar`; 0.95 by default. Above 1 none are. */
  readonly similarThreshold?: number | undefined;
  /**
   * The number of days in which an importance halves; 90 by default, Infinity for never. A fact that `recall` or
   * `context` returned n times fades n + 1 times as slowly.
   */
  readonly halfLifeDays?: number | undefined;
  /** Facts of less importance than this, from 0 to 1, are forgotten; none by default. */
  readonly floor?: number | undefined;
  /** Whether to report what would be done without doing it. */
  readonly dryRun?: boolean | undefined;
}

/** A consolidation whose original rows are kept, so that it can be undone. */
export interface Consolidation extends Omit<KeptConsolidation, 'timestamp' | 'undoneAt'> {
  /** When it was carried out. */
  readonly timestamp: Date;
  /** When it was undone; null if it was not. */
  readonly undoneAt: Date | null;
}

const SHAPES = {
  turns: shapes.turns.row,
  episodes: shapes.episodes.row,
  semantic: shapes.semantic.row,
  longTerm: shapes.longTerm.row,
  uncertainty: shapes.uncertainty.row,
} as const;

/** The questions that a memory answers in addition to its tables. Loaded when it is first needed. */
export class Recall {
  readonly #connection: Connection;
  readonly #embedder: EmbedderRunner;
  readonly #asking = new Set<Promise<unknown>>();
  #consolidating: Promise<unknown> | undefined;

  constructor(connection: Connection, embedder: EmbedderRunner) {
    this.#connection = connection;
    this.#embedder = embedder;
  }

  async recall(question: string, options: RecallOptions = {}): Promise<RecallHit[]> {
    checkFields(options, RECALL);
    const { explain = false, signal } = options;
    const asked = { text: checkText(question, 'question'), ...recallOptions(options) };
    const { k = DEFAULT_HITS } = asked;
    const reranking = toReranking(options, k, options.weights?.rerank);
    const find = async (asked: RecallQuestion) =>
      (await this.#ask('recall', asked, undefined, [], signal)).map((hit) => inShort(hit, question));
    if (!reranking) return (await find(asked)).map((hit) => toHit(hit, explain));
    return this.answered(
      (async () => {
        const hits = await find({ ...asked, k: reranking.candidates });
        const texts = hits.map(({ text }) => text);
        const reranked = await askReranker(reranking, question, texts, { signal, closing: this.#embedder.closing });
        return hits
          .map((hit, at) => toHit(hit, explain, reranked[at]))
          .sort((one, other) => other.score - one.score)
          .slice(0, k);
      })(),
    );
  }

  async search(query: string | Float32Array, options: SemanticSearchOptions = {}): Promise<FoundMemory[]> {
    checkFields(options, SEARCH);
    checkNumbers(options, ['minSimilarity']);
    const { signal, minSimilarity } = options;
    const { text, vector } = toQuestion(query);
    const asked = { text, filter: toFilter(options), ...defined({ k: checkCount(options.k, 'k'), minSimilarity }) };
    const found = await this.#ask('semanticSearch', asked, vector, [], signal);
    return found.map(({ row, similarity }) => ({
      table: 'semantic',
      ...(decodeRow('semantic', row) as SemanticMemory),
      similarity,
    }));
  }

  async related(query: string | Float32Array, options: RelatedOptions = {}): Promise<RelatedRow[]> {
    checkFields(options, ['signal', 'k', 'includeEpisodes']);
    const { signal, includeEpisodes = false } = options;
    const { text, vector } = toQuestion(query);
    const asked = { text, k: checkCount(options.k, 'k') ?? 3 };
    const found = await this.#ask('related', asked, vector, [Boolean(includeEpisodes)], signal);
    return found.map(
      ({ reference, row, similarity }) =>
        ({ ...reference, row: decodeRow(reference.table, row), similarity }) as RelatedRow,
    );
  }

  async groundingConfidence(text: string, options: CallOptions = {}): Promise<number> {
    const signal = signalOf(options);
    return this.#ask('groundingConfidence', this.#needsVector(text), undefined, [], signal);
  }

  async trackContext(text: string, options: CallOptions = {}): Promise<void> {
    const signal = signalOf(options);
    await this.#ask('trackContext', this.#needsVector(text), undefined, [], signal);
  }

  async consolidate(options: ConsolidateOptions = {}): Promise<Consolidated> {
    checkFields(options, ['signal', 'similarThreshold', 'halfLifeDays', 'floor', 'dryRun']);
    checkNumbers(options, ['similarThreshold', 'halfLifeDays', 'floor']);
    const { signal, ...how } = options;
    const consolidated = (async () => {
      // Facts without a vector are similar to none.
      await this.#embedder.settle({ signal }).catch((error: unknown) => {
        if (signal?.aborted) throw error;
      });
      // In slices, so that other calls pass in between; the last call carries out everything that they found. If
      // another worker became the leader meanwhile, it has found nothing yet, and searches when it carries out.
      const slice = () => this.#connection.call('consolidatePrepare', [defined(how), SLICE], { signal });
      while (!(await slice()));
      return this.#connection.call('consolidate', [defined(how)], { signal });
    })();
    this.#consolidating = consolidated.catch(() => undefined);
    return this.answered(consolidated);
  }

  /** Waits for pending consolidations, which are sent only when texts have their vectors. */
  async consolidating(): Promise<void> {
    await this.#consolidating;
  }

  async consolidations(options?: CallOptions): Promise<Consolidation[]> {
    await this.consolidating();
    const kept = await this.#connection.call('consolidations', [], options);
    return kept.map((one) => ({
      ...one,
      timestamp: toDate(one.timestamp),
      undoneAt: one.undoneAt === null ? null : toDate(one.undoneAt),
    }));
  }

  /** Waits for pending questions. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#asking);
  }

  /** Makes the vector of a question, if there is an embedder; then sends the question. */
  #ask<M extends Question>(
    method: M,
    question: RecallQuestion,
    given: Float32Array | undefined,
    more: More<M>,
    signal: AbortSignal | undefined,
  ): Promise<Awaited<Value<M>>> {
    const answer = (async () => {
      for (let lost = false; ; lost = true) {
        const { vector, ...made } = await this.#embedder.vectorOf(question, given, signal);
        try {
          const asked = [{ ...question, ...made }, vector, ...more] as unknown as Arguments<M>;
          return await this.#connection.call(method, asked, { signal });
        } catch (error) {
          // The worker, or the memory's model, was replaced in the meantime.
          if (lost || !isEmbedderMissing(error)) throw error;
          this.#embedder.forget();
        }
      }
    })() as Promise<Awaited<Value<M>>>;
    return this.answered(answer);
  }

  /** Returns the same promise; `close` waits for it. */
  answered<T>(answer: Promise<T>): Promise<T> {
    this.#asking.add(answer);
    const done = () => this.#asking.delete(answer);
    answer.then(done, done);
    return answer;
  }

  /** A question that cannot be answered without a vector. */
  #needsVector(text: string): RecallQuestion {
    const question = { text: checkText(text, 'text') };
    this.#embedder.require();
    return question;
  }
}

/** The calls that ask a question. */
type Question = 'recall' | 'semanticSearch' | 'related' | 'groundingConfidence' | 'trackContext';
/** Their arguments after the question and its vector. */
type More<M extends Question> = Arguments<M> extends [unknown, unknown, ...infer Rest] ? Rest : [];

function toQuestion(query: string | Float32Array): { text: string; vector?: Float32Array } {
  if (typeof query === 'string') return { text: checkText(query, 'query') };
  if (query instanceof Float32Array) return { text: '', vector: query };
  throw invalidArgument('query must be a string or a Float32Array.');
}

const FILTER = ['tables', 'categories', 'minImportance', 'prefix', 'since', 'until'] as const;
const SEARCH = ['signal', 'k', 'minSimilarity', 'categories', 'minImportance', 'since', 'until'];
const RECALL = [
  'signal',
  'k',
  'weights',
  'halfLifeHours',
  'neighbors',
  'explain',
  'minSimilarity',
  'rerank',
  'rerankCandidates',
  ...FILTER,
];
/** The default number of hits, as in the engine. */
const DEFAULT_HITS = 10;
const WEIGHTS = [
  'words',
  'meaning',
  'recency',
  'importance',
  'valence',
  'lessons',
  'conversation',
  'diversity',
] as const;

function toFilter(options: RecallFilter): QuestionFilter {
  checkNumbers(options, ['minImportance']);
  const chosen: Record<string, unknown> = {};
  for (const name of FILTER) {
    const value = options[name];
    if (value === undefined) continue;
    if (name === 'tables' || name === 'categories') {
      if (!Array.isArray(value)) throw invalidArgument(`${name} must be an array of strings.`);
      chosen[name] = value.map((item: unknown, at) => checkText(item, `${name}[${at}]`));
    } else if (name === 'since' || name === 'until') {
      if (!(value instanceof Date) || Number.isNaN(value.getTime()))
        throw invalidArgument(`${name} must be a valid Date.`);
      chosen[name] = (value.getTime() / 1000) as Seconds;
    } else {
      chosen[name] = name === 'prefix' ? checkText(value, name) : value;
    }
  }
  return chosen;
}

function recallOptions(options: RecallOptions): Omit<RecallQuestion, 'text'> {
  checkNumbers(options, ['halfLifeHours', 'neighbors', 'minSimilarity']);
  const { weights, halfLifeHours, neighbors, minSimilarity } = options;
  if (weights !== undefined) {
    checkFields(weights, [...WEIGHTS, 'rerank'], 'weights');
    checkNumbers(weights, [...WEIGHTS, 'rerank']);
  }
  // The reranker's score is weighted in the page.
  const { rerank, ...engines } = weights ?? {};
  return {
    filter: toFilter(options),
    ...defined({
      k: checkCount(options.k, 'k'),
      weights: weights && (defined(engines) as WireWeights),
      halfLifeHours,
      neighbors: neighbors === 0 ? undefined : checkCount(neighbors, 'neighbors', 100),
      minSimilarity,
    }),
  };
}

function decodeRow(table: MemoryTable, row: object): object {
  return decode(SHAPES[table] as never, row as never);
}

/** A hit with its text or, if that is long, the part of it that says most of the question. */
type ShortHit = WireHit & Pick<RecallHitBase, 'isExcerpt'>;

function inShort(hit: WireHit, question: string): ShortHit {
  const isExcerpt = hit.text.length > LONG;
  return { ...hit, isExcerpt, text: isExcerpt ? excerpt(hit.text, question, EXCERPT) : hit.text };
}

function toHit(
  { reference, text, isExcerpt, score, parts, evidence, row, duplicates, neighbors }: ShortHit,
  explain: boolean,
  reranked?: Reranked,
): RecallHit {
  const explanation: RecallExplanation = {
    parts: { ...parts, rerank: reranked?.part ?? 0 },
    evidence: { ...evidence, rerank: reranked?.score ?? null },
  };
  return {
    ...reference,
    text,
    isExcerpt,
    score: score + explanation.parts.rerank,
    similarity: evidence.similarity,
    row: decodeRow(reference.table, row),
    duplicates,
    ...(reference.table === 'turns' && { neighbors: neighbors.map((turn) => decodeRow('turns', turn)) }),
    ...(explain && { explanation }),
  } as RecallHit;
}
