// Measures this build of the package next to another build, in the same run.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { contextsAgainst } from './contexts.mjs';
import { median, medianOfPairs, ratios, spread } from './figures.mjs';
import { OPENINGS, visit } from './openings.mjs';
import { makeTexts } from './recall/data.js';
import { inTurns, runPage, withChromium } from './site.mjs';

/** Short rounds, so that other load on the machine affects both sides alike. */
const CALLS = { rounds: 40, writes: 50, reads: 200, pages: 40, limit: 100 };
const INSERTS = { rows: 20_000, rounds: 5, bulk: 1000, asked: 200 };
const PATHS = { ours: '/package/', before: '/before/' };
/** Two words of one of the first 1,000 facts. */
const QUESTION = makeTexts().asked(1000, 1)[0].join(' ');

/** The absolute path of the folder of a built package. */
export function checkBuild(given) {
  const folder = resolve(given);
  if (!existsSync(join(folder, 'index.js'))) throw new Error(`${folder} has no index.js. Name a build's dist folder.`);
  return folder;
}

const row = (name, { ours, before }) => [
  name,
  median(ours),
  median(before),
  `${medianOfPairs(ours, before).toFixed(2)} (${spread(ratios(ours, before))})`,
];

/** In each profile: opening a new memory, opening it again, and opening it with 1,000 facts until the first recall. */
async function openings(url) {
  const times = Object.fromEntries(['created', 'opened', 'recalled'].map((name) => [name, { ours: [], before: [] }]));
  for (let round = 0; round < OPENINGS; round++) {
    for (const side of inTurns(['ours', 'before'], round)) {
      await withChromium(async (context) => {
        const address = (then) =>
          `${url}/bench/open.html?${new URLSearchParams({ package: PATHS[side], then, question: QUESTION })}`;
        times.created[side].push(await visit(context, address('nothing')));
        times.opened[side].push(await visit(context, address('nothing')));
        await visit(context, address('fill'));
        // The files that recall loads are in the browser's cache, as on any later visit.
        await visit(context, address('recall'));
        times.recalled[side].push(await visit(context, address('recall')));
      });
    }
  }
  return [
    row('Open a new memory, from navigation, ms', times.created),
    row('Open an existing one, from navigation, ms', times.opened),
    row('Open one of 1,000 facts and answer the first recall by words, from navigation, ms', times.recalled),
  ];
}

async function calls(url) {
  const found = await runPage(`${url}/bench/against.html`, 'calls', CALLS);
  const of = (name) => ({ ours: found.ours[name], before: found.before[name] });
  return [
    row('Awaited strict write, ms', of('write')),
    row('Awaited read by id, ms', of('read')),
    row(`A page of ${CALLS.limit} rows, p50, ms`, of('page')),
  ];
}

async function inserts(url) {
  const found = await runPage(`${url}/bench/against.html`, 'inserts', INSERTS);
  const of = (name) => ({ ours: found.ours[name], before: found.before[name] });
  const rows = INSERTS.rows.toLocaleString('en');
  return [
    row(`Insert ${rows} facts in one call, ms`, of('atOnce')),
    row(`Insert ${rows} facts in calls of ${INSERTS.bulk.toLocaleString('en')}, ms`, of('inBulks')),
    row(`The first recall by two words after the one call, ms`, of('first')),
    row(`Both: the one call and the first recall, ms`, of('atOnceAndFirst')),
    row(`Recall by two words at ${rows} facts, p50, ms`, of('recall')),
  ];
}

/** Rows: name, this build's, the other's, their ratio with its quartiles. */
export async function benchAgainst(plain, isolated, wanted, before) {
  const rows = [];
  for (const [part, measure, url] of [
    ['openings', openings, plain],
    ['calls', calls, isolated],
    ['inserts', inserts, isolated],
    ['contexts', (url) => contextsAgainst(url, before), isolated],
  ]) {
    if (!wanted(part)) continue;
    console.log(`${part} …`);
    rows.push(...(await measure(url)));
  }
  return rows;
}
