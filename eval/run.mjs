// `npm run eval`: measures how well recall finds the rows that answer a question.
//
// Thirty conversations with their questions are in conversations/: twenty of about 130 turns, facts, episodes and
// entries, and ten that consist only of several hundred turns over months, so that the answer is in what was said.
// Every other one is for tuning the defaults; the others are held out for the figures. `--weights '{"recency":0.1}'`,
// `--half tuning` and `--embedder multilingual` try other weights, the other half or another embedder.
import { readdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { random } from '../bench/recall/data.js';
import { build } from '../scripts/build.mjs';
import { at } from '../scripts/process.mjs';
import { setUp } from '../scripts/setup.mjs';

const FOLDER = at('eval', 'conversations');
const DEPTH = 10;

/** The weights that each question is asked with: words only, meaning only, both without the rest, and the defaults. */
const NOTHING_ELSE = { recency: 0, importance: 0, valence: 0, lessons: 0 };
export const WAYS = {
  words: { ...NOTHING_ELSE, meaning: 0 },
  meaning: { ...NOTHING_ELSE, words: 0 },
  fused: NOTHING_ELSE,
  'as by default': {},
};

/** The conversations, each with the half that it belongs to. */
export function conversations() {
  const names = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort();
  return names.map((name, number) => ({
    ...JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8')),
    half: number % 2 === 0 ? 'tuning' : 'held back',
  }));
}

/** A memory that holds a conversation, and a function that returns the conversation's id of a hit. */
export async function remember(Memory, { rows }, embedder = 'bundled') {
  const memory = await Memory.open({ url: 'memory:', embedder });
  const names = new Map();
  for (const { id, table, at: time, ...row } of rows) {
    const timestamp = new Date(time);
    const add = {
      turns: () => memory.turns.append({ ...row, timestamp }),
      episodes: () => memory.episodes.record({ ...row, timestamp }),
      semantic: () => memory.semantic.remember({ ...row, timestamp }),
      longTerm: async () => {
        await memory.longTerm.set(row.key, row.value);
        await memory.longTerm.update(row.key, { updatedAt: timestamp });
        return row.key;
      },
    };
    names.set(`${table}:${await add[table]()}`, id);
  }
  await memory.embeddings.ready();
  return { memory, name: (hit) => names.get(`${hit.table}:${hit.table === 'longTerm' ? hit.key : hit.id}`) };
}

/** Recall at 5 and at 10, and the normalised discounted cumulative gain at 10, of one answer. */
function judge(found, answers) {
  const recall = (depth) =>
    found.slice(0, depth).filter((id) => answers.includes(id)).length / Math.min(answers.length, depth);
  const gain = (ids) => ids.reduce((sum, id, place) => sum + (answers.includes(id) ? 1 / Math.log2(place + 2) : 0), 0);
  return { recall5: recall(5), recall10: recall(10), ndcg10: gain(found.slice(0, 10)) / gain(answers.slice(0, 10)) };
}

/** The scores of each question, asked with these weights. */
export async function ask({ memory, name }, questions, weights, options = {}) {
  const results = [];
  for (const { question, answers, kind } of questions) {
    const hits = await memory.recall(question, { k: DEPTH, weights, ...options });
    // A row with the same text as a hit is returned with it.
    const found = hits.flatMap((hit) => [name(hit), ...hit.duplicates.map((one) => name(one))]);
    results.push({ kind, ...judge(found, answers) });
  }
  return results;
}

const mean = (results, figure) =>
  results.reduce((sum, result) => sum + result[figure], 0) / Math.max(results.length, 1);

/** Half the width of the 95 % interval of the mean, by bootstrap: means of as many questions drawn from these. */
function spread(results, figure) {
  const DRAWS = 1000;
  const next = random(1);
  const means = Array.from({ length: DRAWS }, () => {
    let sum = 0;
    for (let at = 0; at < results.length; at++) sum += results[Math.floor(next() * results.length)][figure];
    return sum / Math.max(results.length, 1);
  }).sort((a, b) => a - b);
  return (means[Math.floor(DRAWS * 0.975)] - means[Math.floor(DRAWS * 0.025)]) / 2;
}

const withSpread = (results, figure) => `${mean(results, figure).toFixed(3)} ±${spread(results, figure).toFixed(3)}`;
const line = (cells) => `| ${cells.join(' | ')} |`;

async function main() {
  const { values } = parseArgs({
    options: {
      half: { type: 'string', default: 'held back' },
      weights: { type: 'string' },
      embedder: { type: 'string' },
    },
  });
  await setUp();
  await build();
  const { Memory } = await import(pathToFileURL(at('dist', 'index.js')).href);
  const asked = conversations().filter(({ half }) => values.half === 'both' || half === values.half);
  const ways = { ...WAYS, ...(values.weights && { 'as given': JSON.parse(values.weights) }) };
  const results = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  for (const conversation of asked) {
    const remembered = await remember(Memory, conversation, values.embedder);
    for (const [way, weights] of Object.entries(ways)) {
      const own = await ask(remembered, conversation.questions, weights);
      const shape = conversation.rows.every(({ table }) => table === 'turns') ? 'turns only' : 'all tables';
      results[way].push(...own.map((result) => ({ ...result, language: conversation.language, shape })));
    }
    await remembered.memory.close();
  }
  const count = Object.values(results)[0].length;
  console.log(`${asked.length} conversations (${values.half}), ${count} questions\n`);
  console.log(line(['', 'recall@5', 'recall@10', 'nDCG@10']));
  console.log(line(['---', '---', '---', '---']));
  for (const [way, own] of Object.entries(results))
    console.log(line([way, ...['recall5', 'recall10', 'ndcg10'].map((figure) => withSpread(own, figure))]));
  for (const by of ['kind', 'language', 'shape']) {
    console.log(`\n${line([`recall@10 by ${by}`, 'questions', ...Object.keys(ways)])}`);
    console.log(line(['---', '---', ...Object.keys(ways).map(() => '---')]));
    for (const value of [...new Set(Object.values(results)[0].map((result) => result[by]))].sort()) {
      const of = (way) => results[way].filter((result) => result[by] === value);
      const figures = Object.keys(ways).map((way) => withSpread(of(way), 'recall10'));
      console.log(line([value, of(Object.keys(ways)[0]).length, ...figures]));
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
