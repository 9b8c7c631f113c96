// `npm run bench:levels`: measures the engine at combinations of optimisation levels, in a worker in Chromium.
//
//   --sqlite=s,2,3      levels of SQLite's C               --rust=s,2,3        levels of everything in Rust
//   --wasm-opt=-Os,-O3  levels of wasm-opt (-Os)           --crate rusqlite=3  the level of one crate, in all builds
//   --cflags="…"        clang's flags instead of those in .cargo/config.toml
//   --rustflags="…"     rustc's flags (-Ctarget-feature=+simd128)
//   --only=s/3,2/2      only these combinations of SQLite's and Rust's levels
//   --built             also the engine as scripts/build.mjs builds it
//   --rounds=5          --rows=20000          --vectors=10000
import { parseArgs } from 'node:util';
import { build } from '../scripts/build.mjs';
import { setUp } from '../scripts/setup.mjs';
import { median, table } from './figures.mjs';
import { buildLevels, described } from './levels/build.mjs';
import { ENGINE, runPage, serveBench } from './site.mjs';

const { values: flags } = parseArgs({
  options: {
    sqlite: { type: 'string', default: 's,2,3' },
    rust: { type: 'string', default: 's,2,3' },
    'wasm-opt': { type: 'string', default: '-Os' },
    crate: { type: 'string', multiple: true, default: [] },
    cflags: { type: 'string' },
    rustflags: { type: 'string', default: '-Ctarget-feature=+simd128' },
    only: { type: 'string' },
    built: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    rows: { type: 'string', default: '20000' },
    vectors: { type: 'string', default: '10000' },
  },
});
const list = (text) => text.split(',').filter(Boolean);
const only = flags.only && list(flags.only);
const crates = Object.fromEntries(flags.crate.map((pair) => pair.split('=')));

const combinations = list(flags.sqlite)
  .flatMap((sqlite) => list(flags.rust).map((rust) => ({ sqlite, rust })))
  .filter(({ sqlite, rust }) => !only || only.includes(`${sqlite}/${rust}`))
  .flatMap((levels) => list(flags['wasm-opt']).map((wasmOpt) => ({ ...levels, wasmOpt })));
if (combinations.length === 0) throw new Error('There is no combination of levels to build.');

/** The names of the figures that a worker measures, in the order of the table. */
const FIGURES = {
  insertBare: 'insert at 001, ms',
  insert: 'insert at head, ms',
  firstRecall: 'first recall, ms',
  page: 'page of 100 rows, ms',
  migrate: '001 to head, ms',
  words: 'recall by words, ms',
  meaning: 'recall by meaning, ms',
};

await setUp({ forTests: true });
console.error('Building …');
const builds = [];
if (flags.built) {
  await build();
  builds.push(described('built', { sqlite: 'as built', rust: '', wasmOpt: '' }, ENGINE));
}
for (const levels of combinations)
  builds.push(await buildLevels({ ...levels, crates, cflags: flags.cflags, rustflags: flags.rustflags }));

const folders = Object.fromEntries(builds.map(({ name, folder }) => [`/levels/${name}/`, [folder]]));
const server = await serveBench({ folders, isolated: true });
const found = builds.map(() => ({}));
const sizes = { rows: Number(flags.rows), vectors: Number(flags.vectors) };
try {
  for (let round = 0; round < Number(flags.rounds); round++) {
    console.error(`Round ${round + 1} …`);
    // Alternately forwards and backwards, so that a machine that slows down affects all builds alike.
    const order = [...builds.keys()];
    for (const at of round % 2 ? order.toReversed() : order) {
      const options = { folder: `/levels/${builds[at].name}/`, ...sizes };
      const figures = await runPage(`${server.url}/bench/levels.html`, 'run', options);
      for (const [name, figure] of Object.entries(figures)) (found[at][name] ??= []).push(figure);
    }
  }
} finally {
  await server.close();
}

const kilobytes = (bytes) => (bytes / 1000).toFixed(0);
console.log(`
${sizes.rows.toLocaleString('en')} rows (in each table for the migration), ${sizes.vectors.toLocaleString('en')} vectors of 384 dimensions, OPFS but for the migration; medians of ${flags.rounds}
rounds, each with a new profile. KB are 1,000 bytes, of the WebAssembly alone.

${table([
  ['SQLite', 'Rust', 'wasm-opt', 'KB', 'KB gzipped', ...Object.values(FIGURES)],
  ...builds.map(({ levels, bytes, gzipped }, at) => [
    levels.sqlite,
    levels.rust,
    levels.wasmOpt,
    kilobytes(bytes),
    kilobytes(gzipped),
    ...Object.keys(FIGURES).map((name) => median(found[at][name])),
  ]),
])}`);
