// `npm run bench:recall`: measures vector and text search in a browser page, next to the alternatives to synth-memory.
//
//   --engines=a,b     only these (names of files in engines/)   --json           print figures instead of tables
//   --sizes=100000    numbers of vectors, for all engines       --ours=1000000   sizes for synth-memory alone
//   --texts=100000    number of texts; 0 omits them             --questions=500
import { parseArgs } from 'node:util';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { build } from '../../scripts/build.mjs';
import { CHROMIUM_FLAGS, freshProfile, openChromium } from '../../scripts/browsers.mjs';
import { at } from '../../scripts/process.mjs';
import { serve } from '../../scripts/serve.mjs';
import { setUp } from '../../scripts/setup.mjs';
import { installPeers } from '../peers.mjs';
import { sumModule } from './bandwidth.mjs';
import { checkTexts, recall, summary } from './check.mjs';
import { DIMENSIONS } from './data.js';
import { report } from './report.mjs';

const K = 10;
const BANDWIDTH_BYTES = 100_000 * DIMENSIONS * 4;
const OURS = 'synth-memory';
const WATCHED = at('target', 'recall');
const peers = (...path) => at('bench', 'recall', 'node_modules', ...path);

/** The engines in the order of the tables. Ours is last, because the package has to be built for it. */
const ENGINES = {
  javascript: { does: ['vectors'], packages: [] },
  'sqlite-vec': { does: ['vectors'], packages: [peers('sqlite-vec-wasm-demo')] },
  'sqlite-vec-bits': { does: ['vectors'], packages: [peers('sqlite-vec-wasm-demo')] },
  'sqlite-vector': { does: ['vectors'], packages: [peers('@sqliteai', 'sqlite-wasm')] },
  hnswlib: { does: ['vectors'], packages: [peers('hnswlib-wasm')] },
  pglite: {
    does: ['vectors', 'texts'],
    packages: [peers('@electric-sql', 'pglite'), peers('@electric-sql', 'pglite-pgvector')],
  },
  orama: { does: ['vectors', 'texts'], packages: [peers('@orama', 'orama')] },
  'sqlite-fts5': { does: ['texts'], packages: [at('node_modules', '@sqlite.org', 'sqlite-wasm')] },
  [OURS]: { does: ['vectors', 'texts'], packages: [at()] },
};

const { values: flags } = parseArgs({
  options: {
    engines: { type: 'string', default: Object.keys(ENGINES).join() },
    sizes: { type: 'string', default: '100000' },
    ours: { type: 'string', default: '1000000' },
    texts: { type: 'string', default: '100000' },
    questions: { type: 'string', default: '500' },
    json: { type: 'boolean', default: false },
  },
});
const list = (text) => text.split(',').filter(Boolean);
const chosen = list(flags.engines);
const questions = Number(flags.questions);
for (const name of chosen)
  if (!(name in ENGINES)) throw new Error(`Unknown engine ${name}. Choose from ${Object.keys(ENGINES).join(', ')}.`);

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const versionOf = (folder) => `${read(`${folder}/package.json`).name} ${read(`${folder}/package.json`).version}`;
const say = (text) => console.error(text);

/** Opens a browser with a new profile. `call` runs one of the page's functions, each time in a new page. */
async function inBrowser(url, use) {
  const profile = freshProfile('recall');
  // To count only live memory: the page can collect garbage, and memory is measured at once.
  const args = [...CHROMIUM_FLAGS, '--js-flags=--expose-gc', '--enable-blink-features=ForceEagerMeasureMemory'];
  const context = await openChromium(profile.folder, { args });
  const call = async (name, options) => {
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && say(`    ${message.text()}`));
    await page.goto(`${url}/recall/pages/index.html`);
    await page.waitForFunction(() => window.bandwidth && window.bundled);
    const result = await page.evaluate(([name, ...given]) => window[name](...given), [name, ...options]);
    await page.close();
    return result;
  };
  try {
    return await use(call, context);
  } finally {
    await context.close();
    profile.remove();
  }
}

const bandwidth = (url) =>
  inBrowser(url, (call) => call('bandwidth', [[...sumModule(BANDWIDTH_BYTES)], BANDWIDTH_BYTES]));

/** The results of one engine; `{ missing }` if it cannot run, `{ failed }` if it failed. */
async function measure(url, job, name, size, truth) {
  say(`  ${name}, ${size.toLocaleString('en')} ${job} …`);
  const options = { file: `${name}.js`, size, count: questions, k: K };
  const versions = ENGINES[name].packages.map(versionOf);
  try {
    return await inBrowser(url, async (call) => {
      const result = await call(job, [options]);
      if (result.about.missing) return { name, versions, missing: result.about.missing };
      const reopened = job === 'vectors' ? await call('reopen', [options]) : null;
      const wrong = [];
      if (job === 'texts') wrong.push(...checkTexts(result.asked, size, questions, K, result.about.endings));
      if (reopened && recall([reopened.answer], truth) < recall([result.asked[0].answers[0]], truth))
        wrong.push('It finds less after it was opened again.');
      const asked = result.asked.map(({ label, times, answers, memory }) => ({
        label,
        memory,
        ...summary(times),
        recall: truth ? recall(answers, truth) : null,
      }));
      if (truth && result.about.exact && asked.some(({ recall }) => recall < 1))
        wrong.push('It is exact, and missed something.');
      for (const { label, p50 } of asked) say(`    ${label ?? 'asked'}: p50 ${p50.toFixed(2)} ms`);
      for (const what of wrong) say(`    WRONG: ${what}`);
      const { answer, ...times } = reopened ?? {};
      return { name, versions, ...result, asked, reopened: reopened && times, wrong };
    });
  } catch (error) {
    say(`    failed: ${error.message.split('\n')[0]}`);
    return { name, versions, failed: error.message.split('\n')[0] };
  }
}

/** Copies of the package's workers that first import the script that counts their memory. */
function watchWorkers() {
  rmSync(WATCHED, { recursive: true, force: true });
  mkdirSync(WATCHED, { recursive: true });
  for (const worker of readdirSync(at('dist')).filter((name) => /^worker.*\.js$/.test(name)))
    writeFileSync(
      join(WATCHED, worker),
      `import '/recall/pages/watch-memories.js';\n${readFileSync(at('dist', worker), 'utf8')}`,
    );
}

await installPeers('recall');
if (chosen.includes(OURS)) {
  await setUp();
  await build();
  watchWorkers();
}
const server = await serve({
  folders: {
    '/recall/': [at('bench', 'recall')],
    '/peers/': [peers()],
    '/official/': [at('node_modules', '@sqlite.org', 'sqlite-wasm', 'dist')],
    '/package/': [WATCHED, at('dist')],
  },
  // hnswlib-wasm has its module in a data: URL and makes functions from text.
  policy:
    "default-src 'self'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'; connect-src 'self' data:; img-src data:",
  // An isolated page has a finer clock and can measure the memory of itself and its workers.
  headers: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
});

const machine = {
  cores: os.cpus().length,
  processor: os.cpus()[0].model,
  chromium: await inBrowser(server.url, async (_, context) => context.browser().version()),
  bandwidth: [await bandwidth(server.url)],
};
const results = { machine, questions, k: K, vectors: [], texts: null, bundled: null };
const sizes = [
  ...list(flags.sizes).map((size) => ({ size: Number(size), engines: chosen })),
  ...(chosen.includes(OURS) ? list(flags.ours) : []).map((size) => ({ size: Number(size), engines: [OURS] })),
];
for (const { size, engines } of sizes) {
  // If only ours is measured and cannot run yet, the right answers are not needed.
  if (results.vectors.some(({ engines: ran }) => ran.some(({ missing }) => missing)) && engines.join() === OURS)
    continue;
  say(`The right answers, ${size.toLocaleString('en')} vectors …`);
  const { nearest, dimension } = await inBrowser(server.url, (call) => call('truth', [{ size, count: questions }]));
  const ran = [];
  for (const name of engines.filter((name) => ENGINES[name].does.includes('vectors')))
    ran.push(await measure(server.url, 'vectors', name, size, nearest));
  results.vectors.push({ size, dimension, engines: ran });
}
const texts = Number(flags.texts);
if (texts > 0) {
  const ran = [];
  for (const name of chosen.filter((name) => ENGINES[name].does.includes('texts')))
    ran.push(await measure(server.url, 'texts', name, texts));
  results.texts = { size: texts, engines: ran };
}
if (chosen.includes(OURS) && texts > 0) {
  say(`  ${OURS}, ${texts.toLocaleString('en')} texts with its embedder …`);
  results.bundled = await inBrowser(server.url, async (call) => {
    const options = { size: texts, count: questions, k: K };
    const { asked, ...whole } = await call('bundled', [options]);
    const again = await call('bundledAgain', [options]);
    return { ...whole, again, asked: asked.map(({ label, times }) => ({ label, ...summary(times) })) };
  });
}
machine.bandwidth.push(await bandwidth(server.url));
await server.close();
console.log(flags.json ? JSON.stringify(results, null, 2) : report(results, OURS));
const all = [...results.vectors, results.texts].flatMap((part) => part?.engines ?? []);
if (all.some(({ failed, wrong }) => failed || wrong?.length)) process.exitCode = 1;
