// Single calls from a page, each awaited, next to the official module with its default settings and with a memory's.
import { median, medianOfPairs } from './figures.mjs';
import { runPage } from './site.mjs';

/** Short rounds, so that other load on the machine affects all sides alike. */
export const CALLS = { rounds: 40, writes: 50, reads: 200 };

const KINDS = [
  ['write', 'Awaited single writes from the page, per second'],
  ['read', 'Awaited reads of one row by id from the page, per second'],
];

/**
 * Rows. `asItComes`, with default settings: name, strict, relaxed, the official module's, times as fast.
 * `sameSettings`, with a memory's settings: name, strict, the official module's, times as fast.
 */
export async function benchCalls(url) {
  console.log('Calls …');
  const { strict, relaxed, official, officialWal } = await runPage(`${url}/bench/calls.html`, 'run', CALLS);
  const asItComes = KINDS.map(([kind, name]) => [
    name,
    median(strict[kind]),
    median(relaxed[kind]),
    median(official[kind]),
    medianOfPairs(strict[kind], official[kind]),
  ]);
  const sameSettings = KINDS.map(([kind, name]) => [
    name,
    median(strict[kind]),
    median(officialWal[kind]),
    medianOfPairs(strict[kind], officialWal[kind]),
  ]);
  return { asItComes, sameSettings };
}
