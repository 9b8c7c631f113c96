// The time to pack a context, next to reading the same rows and next to another build, in Chromium and in Node.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { at } from '../scripts/process.mjs';
import { median, medianOfPairs, ratios, spread } from './figures.mjs';
import { measureContexts } from './pages/contexts-of.js';
import { makeTexts } from './recall/data.js';
import { runPage } from './site.mjs';

const CONTEXTS = { sizes: [100, 1000], rounds: 9 };
const NAMES = {
  turns: 'last turns',
  words: 'facts recalled by words',
  both: 'facts recalled by words and meaning',
};

async function inNode(folders) {
  const builds = {};
  for (const [name, folder] of Object.entries(folders))
    builds[name] = (await import(pathToFileURL(join(folder, 'index.js')).href)).Memory;
  const texts = (count) => makeTexts().stored(0, count);
  return measureContexts(builds, () => 'memory:', texts, CONTEXTS);
}

/** Rows: name, ms of the context, ms of reading its rows, and the difference, which is the time of packing. */
export async function benchContexts(url) {
  console.log('Contexts …');
  const rows = [];
  for (const [place, found] of [
    ['Chromium', await runPage(`${url}/bench/contexts.html`, 'contexts', CONTEXTS)],
    ['Node', await inNode({ ours: at('dist') })],
  ]) {
    for (const { way, size, times } of found) {
      const { pack, read } = times.ours;
      const packing = pack.map((ms, round) => ms - read[round]);
      rows.push([`${place}: ${size.toLocaleString('en')} ${NAMES[way]}`, median(pack), median(read), median(packing)]);
    }
  }
  return rows;
}

/** Rows: name, this build's ms, the other build's ms, their ratio with its quartiles. */
export async function contextsAgainst(url, before) {
  const rows = [];
  for (const [place, found] of [
    ['Chromium', await runPage(`${url}/bench/contexts.html?before`, 'contexts', CONTEXTS)],
    ['Node', await inNode({ ours: at('dist'), before })],
  ]) {
    for (const { way, size, times } of found) {
      const [ours, other] = [times.ours.pack, times.before.pack];
      rows.push([
        `${place}: a context of ${size.toLocaleString('en')} ${NAMES[way]}, ms`,
        median(ours),
        median(other),
        `${medianOfPairs(ours, other).toFixed(3)} (${spread(ratios(ours, other))})`,
      ]);
    }
  }
  return rows;
}
