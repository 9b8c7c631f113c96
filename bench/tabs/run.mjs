// `npm run bench:tabs`: two tabs that share a database, with synth-memory, PGlite's worker and SQLocal in the same run.
//
//   --only a,b       only these parts: calls, takeover, memory     --sides a,b   only these of the sides
//   --rounds 100     rounds of takeover for each side
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { build } from '../../scripts/build.mjs';
import { at } from '../../scripts/process.mjs';
import { setUp } from '../../scripts/setup.mjs';
import { installPeers } from '../peers.mjs';
import { benchCalls } from './calls.mjs';
import { benchMemory } from './memory.mjs';
import { reportCalls, reportMemory, reportTakeOvers } from './report.mjs';
import { inBrowser, serveTabs } from './site.mjs';
import { SIDES } from './tab.mjs';
import { benchTakeOvers } from './takeover.mjs';

const ROWS = 10_000;
const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: 'calls,takeover,memory' },
    sides: { type: 'string', default: Object.keys(SIDES).join() },
    rounds: { type: 'string', default: '100' },
  },
});
const parts = flags.only.split(',');
const names = flags.sides.split(',');
const unknown = names.filter((name) => !(name in SIDES));
if (unknown.length > 0)
  throw new Error(`Unknown side ${unknown.join()}. Choose from ${Object.keys(SIDES).join(', ')}.`);

await setUp();
await build();
await installPeers('tabs');
const server = await serveTabs();
const { dependencies } = JSON.parse(readFileSync(at('bench', 'tabs', 'package.json'), 'utf8'));
const results = {};
try {
  const chromium = await inBrowser(async (context) => context.browser().version());
  if (parts.includes('calls')) {
    console.error('Calls …');
    results.calls = await inBrowser((context) => benchCalls(context, server.url, names));
  }
  if (parts.includes('takeover')) {
    console.error('Taking over …');
    const rounds = Number(flags.rounds);
    results.takeOvers = await inBrowser((context) => benchTakeOvers(context, server.url, names, ROWS, rounds));
  }
  if (parts.includes('memory')) {
    console.error('Memory …');
    results.memory = await inBrowser((context) => benchMemory(context, server.url));
  }
  const peers = Object.entries(dependencies).map(([name, version]) => `${name} ${version}`);
  console.log(`\nChromium ${chromium}, ${os.cpus().length} cores; ${peers.join(', ')}.`);
} finally {
  await server.close();
}
if (results.calls) console.log(reportCalls(results.calls));
if (results.takeOvers) console.log(reportTakeOvers(results.takeOvers, ROWS));
if (results.memory) console.log(reportMemory(results.memory));
