// The time of inserts next to the official module, in workers and from the page: until they are answered, and until
// their words are indexed.
import { Memory } from '/package/index.js';
import { INSERT, remembered, TABLE, values } from './facts.js';
import { openOfficial } from './official.js';
import { connect } from './rpc.js';

async function timed(act) {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

/** The sides. Each inserts `rows` facts into a new file, named by the round, and returns the time in ms. */
async function inWorkers(rows) {
  const bare = connect('/bench/inserts-worker.js');
  await bare('load');
  const ours = (isIndexed) => (round) => bare('insert', { path: `/bare-${isIndexed}-${round}.db`, rows, isIndexed });
  const official = (insert) => {
    const call = openOfficial();
    return async (round) => {
      const file = `/bare-${round}.db`;
      await call('open', `bare-${insert}`, { wal: true, file });
      await checkSettings(call);
      await call('exec', TABLE);
      const time = await call(insert, INSERT, rows);
      await checkCount(await call('count', 'semantic_memories'), rows);
      await call('remove', file);
      return time;
    };
  };
  return {
    ours: ours(false),
    oursIndexed: ours(true),
    official: official('insertOwn'),
    officialIndexed: official('insertIndexed'),
  };
}

async function fromPage(rows) {
  const given = remembered(0, rows);

  const ours = (isIndexed) => async (round) => {
    const memory = await Memory.open({ url: `opfs:///page-${isIndexed}-${round}.db`, embedder: 'none' });
    const time = await timed(async () => {
      await memory.semantic.rememberMany(given);
      // A question is answered once all rows are indexed.
      if (isIndexed) await memory.semantic.list({ search: 'nothing of this', limit: 1 });
    });
    await checkCount(await memory.semantic.count(), rows);
    await memory.close();
    return time;
  };
  const official = (isIndexed) => {
    const call = openOfficial();
    return async (round) => {
      const file = `/page-${round}.db`;
      await call('open', `page-${isIndexed}`, { wal: true, file });
      await call('exec', TABLE);
      const bound = () => given.map((fact) => values({ ...fact, metadata: JSON.stringify(fact.metadata) }));
      const time = await timed(async () => {
        await call('insertMany', INSERT, bound());
        if (isIndexed) await call('index');
      });
      await checkCount(await call('count', 'semantic_memories'), rows);
      await call('remove', file);
      return time;
    };
  };
  return { ours: ours(false), oursIndexed: ours(true), official: official(false), officialIndexed: official(true) };
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
