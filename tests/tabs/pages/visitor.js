// In a tab: random calls of all kinds, on tables that are kept small.
import { Memory } from '/package/index.js';

const ROWS = 300;
/** The longest pause between two calls, in ms. */
const PAUSE = 20;

let memory;
let working;
let stopped = false;

const random = (below) => Math.floor(Math.random() * below);
const text = () => `${random(1e6)} green tea and peanuts `.repeat(1 + random(8));

const CALLS = [
  () => memory.turns.append({ userInput: text(), assistantResponse: text() }),
  () => memory.turns.appendMany(Array.from({ length: 10 }, () => ({ userInput: text() }))),
  () => memory.semantic.remember({ content: text(), importance: Math.random() }),
  () => memory.episodes.record({ eventType: 'visit', content: { text: text() } }),
  () => memory.longTerm.set(`key ${random(ROWS)}`, text()),
  () => memory.turns.list({ search: 'peanuts', limit: 20 }),
  () => memory.recall('green tea', { weights: { meaning: 0 }, k: 5 }),
  () => memory.query('SELECT count(*) FROM turns'),
  async () => Promise.all(Array.from({ length: 50 }, () => memory.turns.append({ userInput: text() }))),
  async () => {
    const [turn] = await memory.turns.recent(1);
    // Another tab may have deleted it meanwhile.
    if (turn) await memory.turns.update(turn.id, { assistantResponse: text() }).catch(unless('not_found'));
  },
  () => trim(memory.turns),
  () => trim(memory.semantic),
  () => trim(memory.episodes),
];

const unless = (code) => (error) => {
  if (error.code !== code) throw error;
};

async function trim(table) {
  const surplus = (await table.count()) - ROWS;
  if (surplus <= 0) return;
  const { rows } = await table.list({ orderBy: 'id', direction: 'asc', limit: Math.min(surplus, 1000) });
  await table.delete(rows.map(({ id }) => id));
}

export async function open(url) {
  memory = await Memory.open({ url });
}

export const role = () => memory.status.role;

export function start() {
  stopped = false;
  working = work();
}

export async function stop() {
  stopped = true;
  await working;
}

export const query = (sql, parameters) => memory.query(sql, parameters);

async function work() {
  while (!stopped) {
    try {
      await CALLS[random(CALLS.length)]();
    } catch (error) {
      stopped = true;
      window.report(JSON.stringify({ failure: `${error.code ?? error.name}: ${error.message}` }));
    }
    await new Promise((resolve) => setTimeout(resolve, random(PAUSE)));
  }
}

/** The bytes that the site has on the disk. */
export const usage = async () => (await navigator.storage.estimate()).usage;
