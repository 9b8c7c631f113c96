// The time of inserts next to the official module with a memory's settings: until they are answered, and until their
// words are indexed. The official module indexes them at the end, in one statement.
import { median, medianOfPairs, spread, ratios } from './figures.mjs';
import { runPage } from './site.mjs';

export const INSERTS = { rows: 20_000, rounds: 9 };

/** Rows: name, ours, the official module's, and the ratio with its quartiles. All in ms. */
export async function benchInserts(url) {
  console.log('Inserts …');
  const { worker, page } = await runPage(`${url}/bench/inserts.html`, 'run', INSERTS);
  const row = (name, ours, official) => [
    name,
    median(ours),
    median(official),
    `${medianOfPairs(ours, official).toFixed(2)} (${spread(ratios(ours, official))})`,
  ];
  const facts = `${INSERTS.rows.toLocaleString('en')} facts in one transaction`;
  const rows = (where, { ours, oursIndexed, official, officialIndexed }) => [
    row(`${where}: ${facts}, ms`, ours, official),
    row(`${where}: ${facts}, and their words indexed, ms`, oursIndexed, officialIndexed),
  ];
  return [...rows('In the worker', worker), ...rows('From the page', page)];
}
