// `npm run bench`: synth-memory beside the official SQLite module, in the same run, in persistent browser profiles.
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { build } from '../scripts/build.mjs';
import { freshProfile, openChromium } from '../scripts/browsers.mjs';
import { at } from '../scripts/process.mjs';
import { serve } from '../scripts/serve.mjs';
import { setUp } from '../scripts/setup.mjs';
import { benchMigrations } from './migrations.mjs';

const OPENINGS = 20;
const CALLS = { rounds: 7, writes: 300, reads: 1000 };

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const medianOfPairs = (over, under) => median(over.map((value, at) => value / under[at]));

async function openings(url, warm) {
  const times = { ours: [], official: [] };
  for (let run = 0; run < OPENINGS; run++) {
    // In turns, and each side first as often as the other.
    const order = run % 2 ? ['ours', 'official'] : ['official', 'ours'];
    for (const side of order) {
      const profile = freshProfile('bench');
      const context = await openChromium(profile.folder);
      const visit = async () => {
        const page = await context.newPage();
        await page.goto(`${url}/bench/open-${side}.html`);
        const opened = await page.waitForFunction(() => window.opened).then((handle) => handle.jsonValue());
        await page.close();
        return opened;
      };
      if (warm) await visit();
      times[side].push(await visit());
      await context.close();
      profile.remove();
    }
  }
  return times;
}

async function calls(url) {
  const profile = freshProfile('bench');
  const context = await openChromium(profile.folder);
  const page = await context.newPage();
  await page.goto(`${url}/bench/calls.html`);
  await page.waitForFunction(() => window.run);
  const results = await page.evaluate((options) => window.run(options), CALLS);
  const version = context.browser()?.version() ?? (await page.evaluate(() => navigator.userAgent));
  await context.close();
  profile.remove();
  return { results, version };
}

const version = (name) => JSON.parse(readFileSync(at('node_modules', name, 'package.json'), 'utf8')).version;
const number = (value) => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : 0 });

await setUp({ forTests: true });
await build();
const server = await serve({
  folders: {
    '/bench/': [at('bench', 'pages')],
    '/package/': [at('dist')],
    '/engine/': [at('www', 'package', 'wasm')],
    '/official/': [at('node_modules', '@sqlite.org', 'sqlite-wasm', 'dist')],
  },
  policy: "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; worker-src 'self' blob:",
});

console.log('Openings, each in a new profile …');
const cold = await openings(server.url, false);
console.log('Openings, with files and cache already there …');
const warm = await openings(server.url, true);
console.log('Calls …');
const { results, version: chromium } = await calls(server.url);

const rows = [
  [
    'Open a new memory, from navigation, ms',
    median(cold.ours),
    null,
    median(cold.official),
    medianOfPairs(cold.official, cold.ours),
  ],
  [
    'Open an existing one, from navigation, ms',
    median(warm.ours),
    null,
    median(warm.official),
    medianOfPairs(warm.official, warm.ours),
  ],
  ...['write', 'read'].map((kind) => [
    kind === 'write'
      ? 'Awaited single writes from the page, per second'
      : 'Awaited reads of one row by id from the page, per second',
    median(results.strict[kind]),
    median(results.relaxed[kind]),
    median(results.official[kind]),
    medianOfPairs(results.strict[kind], results.official[kind]),
  ]),
];
console.log(`
synth-memory ${JSON.parse(readFileSync(at('package.json'), 'utf8')).version}, @sqlite.org/sqlite-wasm ${version('@sqlite.org/sqlite-wasm')} (SAHPool, its default settings),
Chromium ${chromium}, ${os.cpus().length} cores, medians of ${OPENINGS} openings and of ${CALLS.rounds} rounds of ${CALLS.writes} writes and ${CALLS.reads} reads.
The last column is the median of the ratios, run by run: above 1, synth-memory is faster.

| | strict | relaxed | official module | times as fast |
|---|---|---|---|---|`);
for (const [name, ...values] of rows) {
  console.log(`| ${name} | ${values.map((value) => (value === null ? '' : number(value))).join(' | ')} |`);
}

console.log('\nMigrations …');
await benchMigrations(server.url);
await server.close();
