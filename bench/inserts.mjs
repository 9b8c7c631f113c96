// What an insert costs next to the official module: SQLite's part, apart from indexing, and all of it.
import { median, medianOfPairs, spread, ratios } from './figures.mjs';
import { runPage } from './site.mjs';

export const INSERTS = { rows: 20_000, rounds: 9 };

/**
 * Rows: name, ours, the official module's with a memory's settings and its own, and the ratio to the former with its
 * quartiles. All in ms.
 */
export async function benchInserts(url) {
  console.log('Inserts …');
  const { worker, page } = await runPage(`${url}/bench/inserts.html`, 'run', INSERTS);
  const row = (name, ours, { officialWal, official }) => [
    name,
    median(ours),
    median(officialWal),
    median(official),
    `${medianOfPairs(ours, officialWal).toFixed(2)} (${spread(ratios(ours, officialWal))})`,
  ];
  const facts = `${INSERTS.rows.toLocaleString('en')} facts in one transaction, ms`;
  return [
    row(`In the worker, triggers dropped: ${facts}`, worker.ours, worker),
    row(`In the worker, indexed: ${facts}`, worker.oursIndexed, worker),
    row(`From the page, triggers dropped: ${facts}`, page.ours, page),
    row(`From the page, indexed: ${facts}`, page.oursIndexed, page),
  ];
}
