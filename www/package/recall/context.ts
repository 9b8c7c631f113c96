import type { CallOptions, Connection } from '../link/connection.js';
import { checkFields, checkText } from '../wire/check.js';
import { decode } from '../wire/codec.js';
import * as shapes from '../wire/shapes.js';
import { invalidArgument } from '../wire/errors.js';
import { entryItem, hitItem, turnItem, type Item } from './marks.js';
import { nameOf, pack, type Section } from './packing.js';
import { timesBy, type TimeOptions } from './times.js';
import type { Recall, RecallExplanation, RecallFilter, RecallHit, RecallOptions } from './questions.js';
import type { Entry, Turn } from '../wire/rows.js';
import type * as wire from '../wasm/synth_memory.js';

/**
 * A section of a context: the last turns, entries of long-term knowledge (`facts`), or the rows that the question
 * recalls.
 */
export type ContextSection = 'turns' | 'facts' | 'recalled';

/** How to pack a context. */
export interface ContextOptions extends Omit<RecallFilter, 'tables'>, CallOptions, TimeOptions {
  /** The most tokens that the text may have, including its marks; 1000 by default. */
  readonly tokenBudget?: number | undefined;
  /**
   * Which sections the text has, and the share of the budget that each may use at first, from 0 to 1;
   * `{ facts: 0.25, recalled: 1, turns: 0.35 }` by default. The recalled rows are packed after the others, and each row
   * is packed once. The remaining budget goes to the sections in the order of the text.
   */
  readonly sections?: Partial<Readonly<Record<ContextSection, number>>> | undefined;
  /**
   * Which sections come first in the text, and first receive the remaining budget; those not named follow. By default,
   * the order in which `sections` names them.
   */
  readonly order?: readonly ContextSection[] | undefined;
  /** How many of the last turns are considered, up to 1000; 20 by default. */
  readonly recentTurns?: number | undefined;
  /**
   * The prefix of the keys of the `facts`, which are at most 200 entries of long-term knowledge; `user.` by default,
   * `''` for all.
   */
  readonly factPrefix?: string | undefined;
  /** How many rows are recalled, 1 to 1000; 30 by default. */
  readonly k?: number | undefined;
  /** The least cosine of a recalled row that shares no word with the question; 0.2 by default. */
  readonly minSimilarity?: number | undefined;
  /**
   * Counts the tokens of a text for your model; by default they are estimated. It is called once for each row, and at
   * the end for the whole text. To count characters, use `(text) => text.length`.
   */
  readonly countTokens?: ((text: string) => number) | undefined;
  /** How the recalled rows are ranked. */
  readonly recall?: Pick<RecallOptions, 'weights' | 'halfLifeHours' | 'rerank' | 'rerankCandidates'> | undefined;
}

/** A hit with the explanation of its score. */
export type ExplainedHit = RecallHit & { readonly explanation: RecallExplanation };

/** A text for a prompt, and what it was made of. */
export interface MemoryContext {
  /**
   * The text: sections of rows, each row on a line of its own, between marks with its table, id or key, time and
   * source. Empty if nothing is found or nothing fits the budget.
   */
  readonly text: string;
  /** The tokens of the text, as counted by `countTokens`. */
  readonly tokens: number;
  /** The recalled rows that are in the text, in any section, with their scores; in the order of `recall`. */
  readonly hits: readonly ExplainedHit[];
  /** All rows in the text, in its order. */
  readonly used: readonly wire.MemoryReference[];
  /** The rows that were considered but did not fit, the best first. */
  readonly omitted: readonly wire.MemoryReference[];
}

/**
 * The marks of the sections. The turns' section does not have the name of their table, because that marks each turn.
 */
const MARKS: Readonly<Record<ContextSection, string>> = { facts: 'facts', recalled: 'recalled', turns: 'conversation' };
const DEFAULT_SECTIONS = { facts: 0.25, recalled: 1, turns: 0.35 } as const;
const OPTIONS = [
  ...['signal', 'tokenBudget', 'sections', 'order', 'recentTurns', 'factPrefix', 'k', 'minSimilarity', 'countTokens'],
  ...['recall', 'categories', 'minImportance', 'prefix', 'since', 'until', 'timeZone', 'formatTime'],
];
const RECALL_OPTIONS = ['weights', 'halfLifeHours', 'rerank', 'rerankCandidates'];
/** The most entries of long-term knowledge that are considered. */
const MOST_FACTS = 200;

/**
 * Estimates the tokens of a text: one for each four letters of a word, rounded up, and one for every other character
 * that is not a space; a line break counts. It is meant to err on the high side; for exact counts, pass the tokenizer
 * of the model.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  let letters = 0;
  // Character by character: a regular expression takes four times as long, and every packed row is counted.
  for (let at = 0; at < text.length; at++) {
    const code = text.codePointAt(at)!;
    const units = code > 0xffff ? 2 : 1;
    at += units - 1;
    if (isOfWord(code)) {
      letters += units;
      continue;
    }
    tokens += Math.ceil(letters / 4);
    letters = 0;
    if (code === NEWLINE || !isSpace(code)) tokens += 1;
  }
  return tokens + Math.ceil(letters / 4);
}

const NEWLINE = 10;
const isOfWord = (code: number) =>
  code < 128
    ? (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57)
    : /[\p{Script=Latin}\p{N}]/u.test(String.fromCodePoint(code));
const isSpace = (code: number) =>
  code < 128 ? code === 32 || (code >= 9 && code <= 13) : /\s/.test(String.fromCodePoint(code));

/**
 * Whether a row can be read completely. A row that another program wrote with unreadable values is left out of a
 * prompt.
 */
const isReadable = ({ unreadable }: { readonly unreadable?: readonly string[] }): boolean => !unreadable;

/** The last turns that can be read completely, newest first. */
async function lastTurns(
  connection: Connection,
  wanted: number,
  signal: AbortSignal | undefined,
): Promise<wire.Turn[]> {
  const found: wire.Turn[] = [];
  let cursor: string | null = null;
  do {
    const page: wire.Page<wire.Turn> = await connection.call('turnsList', [{}, { limit: wanted, cursor }], { signal });
    found.push(...page.rows.filter(isReadable));
    cursor = page.cursor;
  } while (cursor !== null && found.length < wanted);
  return found.slice(0, wanted);
}

/**
 * Packs what the question recalls into a text of at most `tokenBudget` tokens. The same memory gives the same text.
 *
 * The ranking is that of `recall`: the same hits, in the same order and with the same scores, as for this question with
 * these options.
 */
export async function packContext(
  connection: Connection,
  recall: Recall,
  query: string,
  options: ContextOptions = {},
): Promise<MemoryContext> {
  checkText(query, 'query');
  checkFields(options, OPTIONS);
  const { signal, tokenBudget = 1000, countTokens = estimateTokens } = options;
  if (typeof tokenBudget !== 'number' || !(tokenBudget >= 0))
    throw invalidArgument('tokenBudget must be a non-negative number.');
  const count = checkedCount(countTokens);
  const write = timesBy(options);
  const sections = checkSections(options.sections ?? DEFAULT_SECTIONS, options.order);
  if (options.recall !== undefined) checkFields(options.recall, RECALL_OPTIONS, 'recall');

  let hits: readonly ExplainedHit[] = [];
  const items: Record<ContextSection, () => Promise<Item[]>> = {
    async turns() {
      const turns = await lastTurns(connection, options.recentTurns ?? 20, signal);
      return turns.map((row) => turnItem(decode(shapes.turns.row, row) as Turn, write));
    },
    async facts() {
      const filter = { prefix: options.factPrefix ?? 'user.' };
      const { rows } = await connection.call('longTermList', [filter, { limit: MOST_FACTS }], { signal });
      return rows.filter(isReadable).map((row) => entryItem(decode(shapes.longTerm.row, row) as Entry, write));
    },
    async recalled() {
      const { categories, minImportance, prefix, since, until, k = 30, minSimilarity = 0.2 } = options;
      const filter = { categories, minImportance, prefix, since, until };
      const asked = { ...options.recall, ...filter, k, minSimilarity, signal, explain: true };
      hits = (await recall.recall(query, asked)) as ExplainedHit[];
      return hits.map((hit) => hitItem(hit, write));
    },
  };
  const filled = await Promise.all(
    sections.map(async ([name, share]): Promise<Section> => ({
      mark: MARKS[name],
      items: await items[name](),
      share,
      // A row that another section has is not repeated here.
      isLast: name === 'recalled',
      // The newest turn is chosen first and comes last in the text.
      isReversed: name === 'turns',
    })),
  );
  const packed = pack(filled, tokenBudget, count, query);
  const used = new Set(packed.used.map(nameOf));
  return { ...packed, hits: hits.filter((hit) => used.has(nameOf(hit))) };
}

/** A counter whose results are checked. */
function checkedCount(count: (text: string) => number): (text: string) => number {
  if (typeof count !== 'function') throw invalidArgument('countTokens must be a function of a text.');
  return (text) => {
    const tokens = count(text);
    if (typeof tokens === 'number' && tokens >= 0) return tokens;
    throw invalidArgument(`countTokens returned ${String(tokens)}; it must return a non-negative number.`);
  };
}

/** The sections and their shares, in the order of the text. */
function checkSections(
  sections: Partial<Readonly<Record<ContextSection, number>>>,
  order: readonly ContextSection[] = [],
): [ContextSection, number][] {
  if (typeof sections !== 'object' || sections === null) throw invalidArgument('sections must be an object.');
  const shares = Object.entries(sections).map(([name, share]): [ContextSection, number] => {
    if (!Object.hasOwn(MARKS, name))
      throw invalidArgument(
        `sections has no field ${JSON.stringify(name)}.`,
        `Its fields are ${Object.keys(MARKS).join(', ')}.`,
      );
    if (!(typeof share === 'number' && share >= 0 && share <= 1))
      throw invalidArgument(`sections.${name} must be a number from 0 to 1.`);
    return [name as ContextSection, share];
  });
  if (!Array.isArray(order)) throw invalidArgument('order must be an array of sections.');
  for (const [at, name] of (order as unknown[]).entries()) {
    if (!shares.some(([other]) => other === name))
      throw invalidArgument(
        `order[${at}] is ${String(name)}, which is not among the sections.`,
        `They are ${shares.map(([other]) => other).join(', ')}.`,
      );
    if (order.indexOf(name as ContextSection) !== at) throw invalidArgument(`order names ${String(name)} twice.`);
  }
  const placeOf = (name: ContextSection) => (order.includes(name) ? order.indexOf(name) : order.length);
  return shares.sort(([one], [other]) => placeOf(one) - placeOf(other));
}
