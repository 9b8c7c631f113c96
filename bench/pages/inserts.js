// What an insert costs: SQLite's part, with the triggers dropped, and all of it, next to the official module. Inside the
// workers, and from the page.
import { Memory } from '/package/index.js';
import { INSERT, remembered, TABLE, values } from './facts.js';
import { openOfficial } from './official.js';
import { connect } from './rpc.js';
import { withoutTriggers } from './without-triggers.js';

async function timed(act) {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

/** Each side inserts `rows` facts into a new file, given the number of the round; returns ms. */
async function inWorkers(rows) {
  const bare = connect('/bench/inserts-worker.js');
  await bare('load');
  const ours = (triggers) => (round) => bare('insert', { path: `/bare-${triggers}-${round}.db`, rows, triggers });
  const official = (wal) => {
    const call = openOfficial();
    return async (round) => {
      const file = `/bare-${round}.db`;
      await call('open', `bare-${wal}`, { wal, file });
      if (wal) await checkSettings(call);
      await call('exec', TABLE);
      const time = await call('insertOwn', INSERT, rows);
      await checkCount(await call('count', 'semantic_memories'), rows);
      await call('remove', file);
      return time;
    };
  };
  return { ours: ours(false), oursIndexed: ours(true), officialWal: official(true), official: official(false) };
}

async function fromPage(rows) {
  const atHead = await Memory.open({ url: 'memory:' });
  const { file, text } = await withoutTriggers((sql) => atHead.query(sql));
  await atHead.close();
  const given = remembered(0, rows);

  const ours = (triggers) => async (round) => {
    const migrations = triggers ? {} : { [file]: text };
    const memory = await Memory.open({ url: `opfs:///page-${triggers}-${round}.db`, embedder: 'none', migrations });
    const time = await timed(() => memory.semantic.rememberMany(given));
    await checkCount(await memory.semantic.count(), rows);
    await memory.close();
    return time;
  };
  const official = (wal) => {
    const call = openOfficial();
    return async (round) => {
      const file = `/page-${round}.db`;
      await call('open', `page-${wal}`, { wal, file });
      await call('exec', TABLE);
      const bound = () => given.map((fact) => values({ ...fact, metadata: JSON.stringify(fact.metadata) }));
      const time = await timed(() => call('insertMany', INSERT, bound()));
      await checkCount(await call('count', 'semantic_memories'), rows);
      await call('remove', file);
      return time;
    };
  };
  return { ours: ours(false), oursIndexed: ours(true), officialWal: official(true), official: official(false) };
}

async function checkSettings(call) {
  const { pageSize, journal, synchronous } = await call('settings');
  if (pageSize !== 4096 || journal !== 'wal' || synchronous !== 2)
    throw new Error(`The official module has ${pageSize}, ${journal}, ${synchronous}.`);
}

function checkCount(found, wanted) {
  if (found !== wanted) throw new Error(`${found} rows were inserted instead of ${wanted}.`);
}

async function inTurns(sides, rounds) {
  const names = Object.keys(sides);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const name of round % 2 ? names : names.toReversed()) {
      const time = await sides[name](round);
      // The first round warms up.
      if (round >= 0) times[name].push(time);
    }
  }
  return times;
}

window.run = async ({ rows, rounds }) => ({
  worker: await inTurns(await inWorkers(rows), rounds),
  page: await inTurns(await fromPage(rows), rounds),
});
