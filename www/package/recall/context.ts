import type { CallOptions, Connection } from '../link/connection.js';
import { checkFields, checkText } from '../wire/check.js';
import { decode } from '../wire/codec.js';
import * as shapes from '../wire/shapes.js';
import { invalidArgument } from '../wire/errors.js';
import type { Recall, RecallFilter, RecallHit, RecallOptions } from './questions.js';
import type { Entry, Turn } from '../wire/rows.js';
import type { MemoryReference } from '../wasm/synth_memory.js';

/** A part of a context: the last turns, what is known for certain, what the question recalls. */
export type ContextSection = 'turns' | 'facts' | 'recalled';

/** How to pack a context. */
export interface ContextOptions extends Omit<RecallFilter, 'tables'>, CallOptions {
  /** How many tokens the text may have; 1000 by default. */
  readonly tokenBudget?: number | undefined;
  /**
   * Which sections, in their order in the text, and how much of the budget each may take at first, from 0 to 1;
   * `{ facts: 0.25, recalled: 1, turns: 0.35 }` by default. What is recalled comes after the others, and room that is left is
   * filled with more of each.
   */
  readonly sections?: Partial<Readonly<Record<ContextSection, number>>> | undefined;
  /** How many of the last turns are looked at; 20 by default. */
  readonly recentTurns?: number | undefined;
  /** Entries of long-term knowledge whose key begins so are the facts; `user.` by default, `''` for all. */
  readonly factPrefix?: string | undefined;
  /** How many rows are recalled; 30 by default. */
  readonly k?: number | undefined;
  /** The least cosine of a recalled row that shares no word with the question; 0.2 by default. */
  readonly minSimilarity?: number | undefined;
  /** How many tokens a text has, for the model it is for; by default an estimate. */
  readonly countTokens?: ((text: string) => number) | undefined;
  /** How the recalled rows are ranked. */
  readonly recall?: Pick<RecallOptions, 'weights' | 'halfLifeHours' | 'duplicateThreshold'> | undefined;
}

/** A text for a prompt, and what it was made of. */
export interface MemoryContext {
  /** The text: a heading and lines for each section that has any; empty where nothing is remembered. */
  readonly text: string;
  /** How many tokens it has, by the counter. */
  readonly tokens: number;
  /** The rows it tells of, in the order of the text. */
  readonly used: readonly MemoryReference[];
  /** The rows that were considered and had no room, the best first. */
  readonly omitted: readonly MemoryReference[];
}

const HEADINGS: Record<ContextSection, string> = {
  facts: 'Known facts',
  recalled: 'Recalled',
  turns: 'Recent conversation',
};
const DEFAULT_SECTIONS = { facts: 0.25, recalled: 1, turns: 0.35 } as const;
const OPTIONS = [
  ...['signal', 'tokenBudget', 'sections', 'recentTurns', 'factPrefix', 'k', 'minSimilarity', 'countTokens', 'recall'],
  ...['categories', 'minImportance', 'prefix', 'since', 'until'],
];
/** The most entries of long-term knowledge that are looked at. */
const MOST_FACTS = 200;

interface Line {
  readonly reference: MemoryReference;
  readonly text: string;
}

/**
 * An estimate of how many tokens a text has: a word has one for each four letters that it begins, every other character is
 * one. It is meant to err on the side of more; for exact counts give the tokenizer of the model.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (const [word] of text.matchAll(/[\p{Script=Latin}\p{N}]+|[^\s]/gu)) {
    tokens += /^[\p{Script=Latin}\p{N}]/u.test(word) ? Math.ceil(word.length / 4) : 1;
  }
  return tokens + (text.match(/\n/g)?.length ?? 0);
}

/** Packs what is remembered of a question into a text of so many tokens at the most. The same memory gives the same text. */
export async function packContext(
  connection: Connection,
  recall: Recall,
  query: string,
  options: ContextOptions = {},
): Promise<MemoryContext> {
  checkText(query, 'query');
  checkFields(options, OPTIONS);
  const { signal } = options;
  const budget = options.tokenBudget ?? 1000;
  if (typeof budget !== 'number' || !(budget >= 0))
    throw invalidArgument('tokenBudget must be a number, not negative.');
  const count = checkedCount(options.countTokens ?? estimateTokens);
  const sections = checkSections(options.sections ?? DEFAULT_SECTIONS);

  const lines = new Map<ContextSection, Line[]>();
  if (sections.some(([name]) => name === 'turns')) {
    const paging = { limit: options.recentTurns ?? 20 };
    const { rows } = await connection.call('turnsList', [{}, paging], { signal });
    lines.set(
      'turns',
      rows
        .map((row) => decode(shapes.turns.row, row))
        .map(turnLine)
        .filter(({ text }) => text !== ''),
    );
  }
  if (sections.some(([name]) => name === 'facts')) {
    const filter = { prefix: options.factPrefix ?? 'user.' };
    const { rows } = await connection.call('longTermList', [filter, { limit: MOST_FACTS }], { signal });
    lines.set(
      'facts',
      rows.map((row) => factLine(decode(shapes.longTerm.row, row) as Entry)),
    );
  }
  if (sections.some(([name]) => name === 'recalled')) {
    const { categories, minImportance, prefix, since, until, k = 30, minSimilarity = 0.2 } = options;
    const asked = { ...options.recall, categories, minImportance, prefix, since, until, k, minSimilarity, signal };
    lines.set('recalled', (await recall.recall(query, asked)).map(hitLine));
  }
  return pack(sections, lines, budget, count);
}

/** A counter that is held against what it should give. */
function checkedCount(count: (text: string) => number): (text: string) => number {
  if (typeof count !== 'function') throw invalidArgument('countTokens must be a function of a text.');
  return (text) => {
    const tokens = count(text);
    if (typeof tokens === 'number' && tokens >= 0) return tokens;
    throw invalidArgument(`countTokens gave ${String(tokens)}; it must give a number, not negative.`);
  };
}

/**
 * Fills each section up to its share, facts and turns first, for what they tell need not be recalled too; then what was
 * left, as far as there is room. A line that does not fit is left, and a shorter one behind it may still fit.
 */
function pack(
  sections: readonly (readonly [ContextSection, number])[],
  lines: ReadonlyMap<ContextSection, Line[]>,
  budget: number,
  count: (text: string) => number,
): MemoryContext {
  const chosen = new Set<Line>();
  const told = new Set<string>();
  const ofSection = (name: ContextSection) => {
    const own = (lines.get(name) ?? []).filter((line) => chosen.has(line));
    // The newest turn was chosen first and is told last.
    return name === 'turns' ? own.reverse() : own;
  };
  const write = () =>
    sections
      .map(([name]) => [name, ofSection(name)] as const)
      .filter(([, own]) => own.length > 0)
      .map(([name, own]) => `## ${HEADINGS[name]}\n${own.map((line) => line.text).join('\n')}`)
      .join('\n\n');
  const fill = (name: ContextSection, limit: number) => {
    for (const line of lines.get(name) ?? []) {
      const id = JSON.stringify(line.reference);
      if (told.has(id)) continue;
      chosen.add(line);
      if (count(write()) <= limit) told.add(id);
      else chosen.delete(line);
    }
  };
  const order = [...sections].sort(([a], [b]) => Number(a === 'recalled') - Number(b === 'recalled'));
  for (const [name, share] of order) fill(name, Math.min(budget, count(write()) + share * budget));
  for (const [name, share] of order) if (share > 0) fill(name, budget);

  const text = write();
  const omitted = new Map<string, MemoryReference>();
  for (const [name] of sections) {
    for (const { reference } of lines.get(name) ?? []) {
      const id = JSON.stringify(reference);
      if (!told.has(id)) omitted.set(id, reference);
    }
  }
  const used = sections.flatMap(([name]) => ofSection(name).map(({ reference }) => reference));
  return { text, tokens: count(text), used, omitted: [...omitted.values()] };
}

function checkSections(sections: Partial<Readonly<Record<ContextSection, number>>>): [ContextSection, number][] {
  if (typeof sections !== 'object' || sections === null) throw invalidArgument('sections must be an object.');
  return Object.entries(sections).map(([name, share]) => {
    if (!Object.hasOwn(HEADINGS, name))
      throw invalidArgument(
        `sections has no field ${JSON.stringify(name)}.`,
        `Its fields are ${Object.keys(HEADINGS).join(', ')}.`,
      );
    if (!(typeof share === 'number' && share >= 0 && share <= 1))
      throw invalidArgument(`sections.${name} must be a number from 0 to 1.`);
    return [name as ContextSection, share];
  });
}

const day = (time: Date | null | undefined) =>
  time && !Number.isNaN(time.getTime()) ? `[${time.toISOString().slice(0, 10)}] ` : '';
const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

function turnLine(turn: Turn): Line {
  const sides = [
    ...(turn.userInput ? [`User: ${oneLine(turn.userInput)}`] : []),
    ...(turn.assistantResponse ? [`Assistant: ${oneLine(turn.assistantResponse)}`] : []),
  ];
  return { reference: { table: 'turns', id: turn.id }, text: sides.join('\n') };
}

function factLine({ key, value }: Entry): Line {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { reference: { table: 'longTerm', key }, text: `- ${oneLine(key)}: ${oneLine(text)}` };
}

function hitLine(hit: RecallHit): Line {
  const reference: MemoryReference =
    hit.table === 'longTerm' ? { table: hit.table, key: hit.key } : { table: hit.table, id: hit.id };
  const time = hit.table === 'longTerm' ? hit.row.updatedAt : hit.row.timestamp;
  return { reference, text: `- ${day(time)}${oneLine(hit.text)}` };
}
