// `npm run bench`: measures synth-memory next to the official SQLite module, in the same run, in persistent profiles.
//
//   --against <dist>   next to another build of the package instead: the folder that has its index.js
//   --only a,b         only these parts: openings, calls, inserts, contexts, migrations (the last not with --against)
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { build } from '../scripts/build.mjs';
import { at } from '../scripts/process.mjs';
import { setUp } from '../scripts/setup.mjs';
import { benchAgainst, checkBuild } from './against.mjs';
import { benchCalls, CALLS } from './calls.mjs';
import { benchContexts } from './contexts.mjs';
import { table } from './figures.mjs';
import { benchInserts, INSERTS } from './inserts.mjs';
import { benchMigrations } from './migrations.mjs';
import { benchOpenings, OPENINGS } from './openings.mjs';
import { serveBench, withChromium } from './site.mjs';

const PARTS = ['openings', 'calls', 'inserts', 'contexts', 'migrations'];

const { values: flags } = parseArgs({ options: { against: { type: 'string' }, only: { type: 'string' } } });
const parts = flags.only?.split(',') ?? PARTS;
const unknown = parts.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) throw new Error(`Unknown part ${unknown.join(', ')}. Choose from ${PARTS.join(', ')}.`);
const wanted = (part) => parts.includes(part);
const before = flags.against && checkBuild(flags.against);

const versionOf = (...folder) => JSON.parse(readFileSync(at(...folder, 'package.json'), 'utf8')).version;
const machine = async () =>
  `Chromium ${await withChromium((context) => context.browser().version())}, ${os.cpus().length} cores`;

async function benchOfficial(plain, isolated) {
  const openings = wanted('openings') ? await benchOpenings(plain) : [];
  const calls = wanted('calls') ? await benchCalls(plain) : { asItComes: [], sameSettings: [] };
  const inserts = wanted('inserts') ? await benchInserts(isolated) : [];
  console.log(`
synth-memory ${versionOf()}, @sqlite.org/sqlite-wasm ${versionOf('node_modules', '@sqlite.org', 'sqlite-wasm')} (SAHPool, its default settings),
${await machine()}, medians of ${OPENINGS} openings and of ${CALLS.rounds} rounds of ${CALLS.writes} writes and ${CALLS.reads} reads.
The last column is the median of the ratios of each run: above 1, synth-memory is faster.`);
  show(['', 'strict', 'relaxed', 'official module', 'times as fast'], [...openings, ...calls.asItComes]);
  console.log(`
The same calls, and the official module with a memory's settings: page_size 4096, WAL, synchronous=FULL,
locking_mode=EXCLUSIVE.`);
  show(['', 'strict', 'official module', 'times as fast'], calls.sameSettings);
  console.log(`
Inserts, medians of ${INSERTS.rounds} rounds, each into a new file. The official module has the same table and indexes, no
full-text index, and one prepared statement. The last column is the median, with quartiles, of the ratios of each round: our
time divided by that of the official module with a memory's settings. Below 1, synth-memory is faster.`);
  show(['', 'synth-memory', "official module, a memory's settings", 'ours / official'], inserts);
  if (wanted('contexts')) {
    const contexts = await benchContexts(isolated);
    console.log(`
Contexts without a limit, ms: medians of the rounds, next to the call that reads the same rows. The last column is the median
of the differences of each round.`);
    show(['', 'context', 'list or recall', 'packing'], contexts);
  }
  if (wanted('migrations')) {
    console.log('\nMigrations …');
    await benchMigrations(plain);
  }
}

function show(head, rows) {
  console.log(rows.length > 0 ? `\n${table([head, ...rows])}` : '\n(not measured)');
}

await setUp({ forTests: true });
await build();
const folders = before ? { '/before/': [before] } : {};
const servers = [await serveBench({ folders }), await serveBench({ folders, isolated: true })];
const [plain, isolated] = servers.map(({ url }) => url);
try {
  if (before) {
    const rows = await benchAgainst(plain, isolated, wanted, before);
    console.log(`
This build and the previous one, ${await machine()}. The last column is the median, with quartiles, of the ratios of each run:
this build's time divided by that of the previous one. Below 1, this build is faster.`);
    show(['', 'this build', 'before', 'this / before'], rows);
  } else {
    await benchOfficial(plain, isolated);
  }
} finally {
  for (const server of servers) await server.close();
}
