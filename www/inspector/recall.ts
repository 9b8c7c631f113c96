import { MemoryError, type ErrorCode, type Memory } from '../package/index.js';
import { contentWords, isAboutUser, stem } from './language.js';
import type { Reference } from './references.js';

/** A row that an answer of the agent used or stored. */
export interface Source extends Reference {
  readonly text: string;
}

/** A row that is relevant to a question. */
export interface Recalled {
  readonly source: Source;
  readonly timestamp: Date | null;
  /** How much of the question it covers, from 0 to 1. */
  readonly coverage: number;
  readonly score: number;
}

/** Words that a row may contain in place of the word in the question. */
const RELATED: Readonly<Record<string, readonly string[]>> = {
  like: ['love', 'enjoy', 'prefer', 'adore', 'favourite', 'favorite'],
  favourite: ['favorite', 'prefer', 'love', 'like'],
  favorite: ['favourite', 'prefer', 'love', 'like'],
  avoid: ['allergic', 'allergy', 'intolerant', 'dislike', 'hate', 'vegan', 'vegetarian'],
  dislike: ['hate', 'avoid'],
  hate: ['dislike'],
  allergic: ['allergy', 'intolerant'],
  eat: ['food', 'vegan', 'vegetarian', 'allergic'],
  live: ['home', 'address'],
  work: ['job', 'employer'],
  job: ['work', 'employer'],
  pet: ['dog', 'cat'],
};
const RELATED_WEIGHT = 0.8;
const OTHERS_WEIGHT = 0.6;
const CANDIDATES = 50;
/** The cosine from which a fact may be relevant to a question; the bundled model scores unrelated texts lower. */
const NEAR = 0.3;
const EMBEDDER_FAILS: ReadonlySet<string> = new Set<ErrorCode>(['embedder_unavailable', 'embedder_failed']);

export interface Asked {
  readonly words: readonly string[];
  readonly aboutUser: boolean;
  readonly userName: string | undefined;
}

/**
 * The facts that are relevant to a question, the best first: by how many of its words they contain, then by importance.
 */
export async function recallFacts(memory: Memory, { words, aboutUser, userName }: Asked): Promise<Recalled[]> {
  const self = aboutUser ? ['user', ...(userName ? [userName] : [])] : [];
  const search = (words.length > 0 ? searchWords(words) : self).join(' ');
  if (search === '') return [];
  const { rows } = await memory.semantic.list({ search, matching: 'any', orderBy: 'importance', limit: CANDIDATES });
  const found = rows.map(({ id, content, importance, timestamp }): Recalled => {
    const text = content ?? '';
    const covered = coverage(words, text);
    return {
      source: { table: 'semantic', key: id, text },
      timestamp,
      coverage: covered,
      score: covered * words.length + (importance ?? 0.5) / 2,
    };
  });
  const ofUser = found.filter(({ source }) => isAboutUser(source.text, userName));
  if (!aboutUser) return ranked(found);
  // Facts about others answer a question about the user less well.
  const ofOthers = found.map((one) => ({ ...one, coverage: one.coverage * OTHERS_WEIGHT }));
  return ranked(ofUser.length > 0 ? ofUser : ofOthers);
}

/** The facts that are relevant to a question without sharing a word: `likes green tea` for `which drink do I enjoy`. */
export async function recallByMeaning(
  memory: Memory,
  question: string,
  { aboutUser, userName }: Omit<Asked, 'words'>,
): Promise<Recalled[]> {
  const hits = await memory.recall(question, { tables: ['semantic'] }).catch((error: unknown) => {
    // Without the embedder there is no search by meaning.
    if (error instanceof MemoryError && EMBEDDER_FAILS.has(error.code)) return [];
    throw error;
  });
  const found = hits.flatMap((hit): Recalled[] => {
    const near = hit.similarity ?? 0;
    if (hit.table !== 'semantic' || near < NEAR || (aboutUser && !isAboutUser(hit.text, userName))) return [];
    const { row, id, text } = hit;
    const source: Source = { table: 'semantic', key: id, text };
    return [{ source, timestamp: row.timestamp, coverage: near, score: near }];
  });
  return ranked(found);
}

/** The turns that are relevant to a question, without those that were themselves questions. */
export async function recallTurns(memory: Memory, words: readonly string[]): Promise<Recalled[]> {
  if (words.length === 0) return [];
  const { rows } = await memory.turns.list({
    search: searchWords(words).join(' '),
    matching: 'any',
    limit: CANDIDATES,
  });
  const found = rows.flatMap(({ id, userInput, timestamp }): Recalled[] => {
    if (!userInput || /\?\s*$/.test(userInput)) return [];
    const covered = coverage(words, userInput);
    return [
      {
        source: { table: 'turns', key: id, text: userInput },
        timestamp,
        coverage: covered,
        score: covered * words.length,
      },
    ];
  });
  return ranked(found.filter(({ coverage }) => coverage >= 0.5));
}

/** Whether two texts share a content word, as a question and its answer do. */
export function shareWord(one: string, other: string): boolean {
  return coverage(contentWords(one), other) > 0;
}

const searchWords = (words: readonly string[]): string[] =>
  words.flatMap((word) => [word, ...related(word)]).slice(0, 100);

const related = (word: string): readonly string[] => {
  const key = Object.keys(RELATED).find((name) => stem(name) === stem(word));
  return key ? (RELATED[key] ?? []) : [];
};

function coverage(words: readonly string[], text: string): number {
  if (words.length === 0) return 1;
  const present = new Set((text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).map(stem));
  const weights = words.map((word) => {
    if (word.split(/['’-]/).every((part) => present.has(stem(part)))) return 1;
    return related(word).some((other) => present.has(stem(other))) ? RELATED_WEIGHT : 0;
  });
  return weights.reduce<number>((sum, weight) => sum + weight, 0) / words.length;
}

function ranked(found: readonly Recalled[]): Recalled[] {
  const sorted = found
    .filter(({ coverage }) => coverage > 0)
    .sort((one, other) => other.score - one.score || Number(other.source.key) - Number(one.source.key));
  const best = sorted[0]?.coverage ?? 0;
  return sorted.filter(({ coverage }) => coverage >= best * 0.7);
}
