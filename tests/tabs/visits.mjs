// Minutes of random work by tabs that are reloaded, closed and opened: whether anything grows without bound.
import { setTimeout as sleep } from 'node:timers/promises';
import { privateMemory } from '../../scripts/browsers.mjs';
import { Tabs, URL } from './tabs.mjs';

const TABS = 4;
const SAMPLE_EVERY = 15_000;
/** Between two reloads, in ms. */
const SHORTEST = 300;
const LONGEST = 1_500;
/** One in so many tabs is closed and another opened, the others are reloaded. */
const CLOSED = 5;

/** From the second third of the samples to the last, the most of a figure may grow by this share, and so many MB. */
const SHARE = 1.25;
export const SLACK = { file: 2, heap: 1, renderers: 40 };
/** Entries of the ledger for each client there was: the last answer of one that is gone is kept for a day. */
const ENTRIES = 2;

async function ledgerRows(tab) {
  const [{ there }] = await tab.run(
    'query',
    "SELECT count(*) AS there FROM sqlite_schema WHERE name = 'synth_requests'",
  );
  return there === 0 ? 0 : (await tab.run('query', 'SELECT count(*) AS n FROM synth_requests'))[0].n;
}

async function sample({ live }) {
  const heaps = [];
  for (const tab of live) heaps.push(await tab.heap());
  return {
    file: (await live[0].run('usage')) / 1024 / 1024,
    heap: Math.max(...heaps),
    renderers: live.reduce((sum, { pid }) => sum + privateMemory(pid), 0),
    ledger: await ledgerRows(live[0]),
  };
}

/** Reloads a random tab, or closes it and opens another. */
async function disturb(tabs) {
  const tab = tabs.live[Math.floor(Math.random() * tabs.live.length)];
  if (Math.random() < 1 / CLOSED) {
    await tab.page.close();
    tabs.forget(tab);
    await tabs.fill(TABS);
    await tabs.live.at(-1).start();
  } else {
    await tab.page.reload();
    await tab.run('open', URL);
    await tab.start();
  }
  return tab.failures;
}

/** Runs so many minutes; returns the samples and what calls were rejected with. */
export function runVisits(minutes, onSample) {
  return Tabs.with(TABS, 'visitor.js', async (tabs) => {
    await Promise.all(tabs.live.map((tab) => tab.start()));
    const samples = [];
    const failures = [];
    const end = Date.now() + minutes * 60_000;
    for (let next = Date.now() + SAMPLE_EVERY, reloads = 0; Date.now() < end; reloads++) {
      await sleep(SHORTEST + Math.random() * (LONGEST - SHORTEST));
      failures.push(...(await disturb(tabs)).splice(0));
      if (Date.now() < next) continue;
      next += SAMPLE_EVERY;
      samples.push({ clients: TABS + reloads + 1, ...(await sample(tabs)) });
      onSample(samples.at(-1));
    }
    await Promise.all(tabs.live.map((tab) => tab.stop()));
    failures.push(...tabs.live.flatMap((tab) => tab.failures));
    return { samples, failures: failures.map(({ failure }) => failure) };
  });
}

/** The most that a third of the samples shows of a figure, by the number of the third. */
export function most(samples, figure, third) {
  const size = samples.length / 3;
  return Math.max(
    ...samples.slice(Math.floor(third * size), Math.floor((third + 1) * size)).map((each) => each[figure]),
  );
}

/** What is wrong with a run, as texts; none if nothing is. */
export function faultsOf({ samples, failures }) {
  const grown = Object.entries(SLACK).filter(
    ([figure, slack]) => most(samples, figure, 2) > most(samples, figure, 1) * SHARE + slack,
  );
  const listed = samples.filter(({ ledger, clients }) => ledger > clients * ENTRIES);
  return [
    ...grown.map(([figure]) => `${figure} grows`),
    ...listed.map(({ ledger, clients }) => `${ledger} entries of the ledger for ${clients} clients`),
    ...new Set(failures),
  ];
}
