// Measures what an engine's optimisation levels affect: inserts, indexing, reading pages, migrating and recall.
import { DIMENSIONS, vectorsFor } from '/recall/data.js';
import * as engine from './engine.js';
import { facts, questions } from './facts.js';
import { answer } from './rpc.js';

const BASE = '001';
const K = 10;
const ASKED = 100;
const PAGES = 200;
const LIMIT = 100;
/** The number of calls before the measured ones, to warm up. */
const WARM_UP = 20;

function timed(act) {
  const begun = performance.now();
  act();
  return performance.now() - begun;
}

/** The mean time of some calls, in ms. A single call is too short for the clock of a page that is not isolated. */
function mean(count, act) {
  for (let n = 0; n < WARM_UP; n++) act(n % count);
  return timed(() => Array.from({ length: count }, (_, n) => act(n))) / count;
}

/** At 001 there are only the tables, so the time of an insert is SQLite's. */
async function insertBare(Engine, rows) {
  const memory = await engine.open(Engine, { path: '/bare.db', upgrade: false });
  engine.upgrade(memory, BASE);
  const given = facts(0, rows);
  const time = timed(() => engine.addFacts(memory, given));
  engine.close(memory);
  return time;
}

async function insertAndRecall(Engine, rows, vectors) {
  const memory = await engine.open(Engine, { path: '/levels.db' });
  const given = facts(0, rows);
  const asked = questions(rows, ASKED);
  const insert = timed(() => engine.addFacts(memory, given));
  const firstRecall = timed(() => engine.recallByWords(memory, asked[0], K));
  const words = mean(ASKED, (n) => engine.recallByWords(memory, asked[n], K));

  engine.addTurns(
    memory,
    given.slice(0, 2000).map(({ content }) => content),
  );
  const page = mean(PAGES, () => engine.page(memory, LIMIT));
  engine.close(memory);

  const made = vectorsFor(vectors);
  const near = await engine.open(Engine, { path: '/vectors.db' });
  engine.addFacts(near, facts(0, vectors));
  const kept = engine.embed(near, made.stored(0, vectors), DIMENSIONS);
  if (kept !== vectors) throw new Error(`${kept} of ${vectors} vectors were kept.`);
  const sought = made.asked(ASKED);
  const vector = (n) => sought.slice(n * DIMENSIONS, (n + 1) * DIMENSIONS);
  const meaning = mean(ASKED, (n) => engine.recallByMeaning(near, vector(n), K));
  engine.close(near);
  return { insert, firstRecall, words, page, meaning };
}

async function migrate(Engine, rows) {
  const memory = await engine.open(Engine, { upgrade: false });
  engine.upgrade(memory, BASE);
  engine.addEverywhere(
    memory,
    facts(0, rows).map(({ content }) => content),
  );
  const time = timed(() => engine.upgrade(memory, 'head'));
  engine.close(memory);
  return time;
}

answer({
  async measure({ folder, rows, vectors }) {
    const Engine = await engine.loadEngine(folder);
    // Warm-up: the browser recompiles code that runs often, and this time is not to be measured.
    await migrate(Engine, Math.ceil(rows / 10));
    return {
      insertBare: await insertBare(Engine, rows),
      ...(await insertAndRecall(Engine, rows, vectors)),
      migrate: await migrate(Engine, rows),
    };
  },
});
