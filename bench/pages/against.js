// Measures two builds of the package in one page, alternately. It uses only names that both have.
import { questions, remembered } from './facts.js';

const SIDES = ['ours', 'before'];
const { Memory: ours } = await import('/package/index.js');
const { Memory: before } = await import('/before/index.js');
const builds = { ours, before };

const words = (n) => `Turn number ${n}: what did I tell you about the green tea and the peanuts?`;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function timed(act) {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

/** The time in ms of each of `count` calls, one after the other. */
async function each(count, act) {
  const times = [];
  for (let n = 0; n < count; n++) times.push(await timed(() => act(n)));
  return times;
}

/** Runs `act(side, round)` for both sides alternately, and collects its results by name. */
async function inTurns(rounds, act) {
  const found = { ours: {}, before: {} };
  for (let round = -1; round < rounds; round++) {
    for (const side of round % 2 ? SIDES : SIDES.toReversed()) {
      const figures = await act(side, round);
      // The first round warms up.
      if (round < 0) continue;
      for (const [name, figure] of Object.entries(figures)) (found[side][name] ??= []).push(figure);
    }
  }
  return found;
}

/** Calls on the table `turns`, each awaited: means in ms of writes and reads, p50 of pages. */
window.calls = async ({ rounds, writes, reads, pages, limit }) => {
  const memories = {};
  for (const side of SIDES) memories[side] = await builds[side].open({ url: `opfs:///calls-${side}.db` });
  return inTurns(rounds, async (side) => {
    const { turns } = memories[side];
    const write = await timed(() =>
      each(writes, (n) => turns.append({ userInput: words(n), assistantResponse: 'Tea' })),
    );
    const read = await timed(() => each(reads, (n) => turns.get(1 + ((n * 7919) % writes))));
    const page = await each(pages, () => turns.list({ limit }));
    return { write: write / writes, read: read / reads, page: median(page) };
  });
};

/** Inserts facts into new files, in one call and in several, and recalls them by two words. */
window.inserts = ({ rows, rounds, bulk, asked }) => {
  const facts = remembered(0, rows);
  const texts = questions(rows, asked + 1);
  return inTurns(rounds, async (side, round) => {
    const open = (name) =>
      builds[side].open({ url: `opfs:///${name}-${side}-${round}.db`, embedder: 'none', durability: 'strict' });
    const bulks = await open('bulks');
    const inBulks = await timed(async () => {
      for (let from = 0; from < rows; from += bulk) await bulks.semantic.rememberMany(facts.slice(from, from + bulk));
    });
    await bulks.close();
    const memory = await open('once');
    const atOnce = await timed(() => memory.semantic.rememberMany(facts));
    const first = await timed(() => memory.recall(texts[asked], { k: 10 }));
    const recall = await each(asked, (n) => memory.recall(texts[n], { k: 10 }));
    await memory.close();
    return { inBulks, atOnce, first, atOnceAndFirst: atOnce + first, recall: median(recall) };
  });
};
