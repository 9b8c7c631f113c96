// What a page downloads to open a memory, migrate it, remember and recall, and the limit. `node scripts/size.mjs` prints it.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { at } from './process.mjs';

/** In bytes, by `gzip -9`. */
export const LIMIT = 850_000;

/** The same, of what React's entry adds. */
export const REACT_LIMIT = 1_500;

/** The same, as they are, of the tables of embedders, each of which is downloaded by itself and hardly gets smaller. */
export const MODEL_LIMITS = {
  'models/all-minilm-l6-v2-256.bin': 2_400_000,
  'models/multilingual-e5-small-256.bin': 9_000_000,
};

/** Where a page begins, and what it cannot do without. */
const ENTRY = 'index.js';
const NEEDED = [ENTRY, 'wasm/synth_memory_bg.wasm'];
/** Node alone loads `node.js`; the embedder's table is fetched by the first question, and has a figure of its own. */
const NOT_COUNTED = /^(?:node\.js|models\/)/;

/** A file of the package, as an import or a URL names it. */
const REFERENCE = /["'`]\.\/([\w./-]+\.(?:js|wasm))["'`]/g;

/** The files that the page's script leads to, itself first: workers, chunks and WebAssembly. */
function filesOfPage(dist) {
  const counts = (file) => !NOT_COUNTED.test(file) && existsSync(join(dist, file));
  const found = new Set([ENTRY]);
  for (const file of found) {
    if (!file.endsWith('.js')) continue;
    for (const [, named] of readFileSync(join(dist, file), 'utf8').matchAll(REFERENCE))
      if (counts(named)) found.add(named);
  }
  const missing = NEEDED.filter((file) => !found.has(file));
  if (missing.length > 0) throw new Error(`${ENTRY} does not lead to ${missing.join(', ')}.`);
  return [...found];
}

function brotli(bytes) {
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return brotliCompressSync(bytes, { params }).length;
}

/** A file in bytes: as it is, by `gzip -9` and by brotli. */
export function sizeOf(dist, file) {
  const path = join(dist, file);
  const gzip = execFileSync('gzip', ['-9', '-n', '-c', path], { maxBuffer: 1 << 26 }).length;
  return { file, raw: statSync(path).size, gzip, brotli: brotli(readFileSync(path)) };
}

/** Each file of a page in bytes: as it is, by `gzip -9` and by brotli; and their sums. */
export function measure(dist = at('dist')) {
  const files = filesOfPage(dist).map((file) => sizeOf(dist, file));
  const sum = (kind) => files.reduce((total, size) => total + size[kind], 0);
  return { files, raw: sum('raw'), gzip: sum('gzip'), brotli: sum('brotli') };
}

/** A Markdown table of the sizes. */
export function report({ files, ...total }) {
  const bytes = (number) => number.toLocaleString('en');
  const rows = [...files, { file: 'in all', ...total }];
  return [
    '| file | bytes | gzip -9 | brotli |',
    '|---|---|---|---|',
    ...rows.map(({ file, raw, gzip, brotli }) => `| ${file} | ${bytes(raw)} | ${bytes(gzip)} | ${bytes(brotli)} |`),
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const sizes = measure(process.argv[2]);
  const react = sizeOf(process.argv[2] ?? at('dist'), 'react.js');
  console.log(report(sizes));
  console.log(`\nThe limit is ${LIMIT.toLocaleString('en')} bytes by gzip -9.`);
  console.log(`React's entry has ${react.gzip} bytes in addition, and the limit of it is ${REACT_LIMIT}.`);
  for (const [file, limit] of Object.entries(MODEL_LIMITS)) {
    const { size } = statSync(join(process.argv[2] ?? at('dist'), file));
    console.log(`${file} has ${size.toLocaleString('en')} bytes, and the limit is ${limit.toLocaleString('en')}.`);
    if (size > limit) process.exitCode = 1;
  }
  if (sizes.gzip > LIMIT || react.gzip > REACT_LIMIT) process.exitCode = 1;
}
