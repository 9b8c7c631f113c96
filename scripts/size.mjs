// The size of what a page downloads to open a memory, migrate it, remember and recall, the size of what it may load
// besides, and the limits. `npm run size` prints them; `npm run size -- <dist>` prints those of another build.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { at } from './process.mjs';

/** The limit of what a page downloads, in bytes, compressed by `gzip -9`. */
export const LIMIT = 900_000;

/** The same for what React's entry adds. */
export const REACT_LIMIT = 1_500;

/** The limits of the embedders' tables, uncompressed: each is downloaded separately, and compression hardly helps. */
export const MODEL_LIMITS = {
  'models/all-minilm-l6-v2-256.bin': 2_400_000,
  'models/multilingual-e5-small-256.bin': 9_000_000,
};

/** The file that a page loads first, and the files that it always needs. */
const ENTRY = 'index.js';
const NEEDED = [ENTRY, 'wasm/synth_memory_bg.wasm'];
/** Only Node loads `node.js`; the first question fetches the embedder's table, which has a limit of its own. */
const NOT_COUNTED = /^(?:node\.js|models\/)/;

/** A file of the package, as named by an import or a URL. */
const REFERENCE = /["'`]\.\/([\w./-]+\.(?:js|wasm))["'`]/g;

/** The page's script, and all files that it leads to: workers, chunks and WebAssembly. */
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

/** The size of a file in bytes: uncompressed, by `gzip -9` and by brotli. */
export function sizeOf(dist, file) {
  const path = join(dist, file);
  const gzip = execFileSync('gzip', ['-9', '-n', '-c', path], { maxBuffer: 1 << 26 }).length;
  return { file, raw: statSync(path).size, gzip, brotli: brotli(readFileSync(path)) };
}

/** The size of each file of a page in bytes: uncompressed, by `gzip -9` and by brotli; and their sums. */
export function measure(dist = at('dist')) {
  const files = filesOfPage(dist).map((file) => sizeOf(dist, file));
  const sum = (kind) => files.reduce((total, size) => total + size[kind], 0);
  return { files, raw: sum('raw'), gzip: sum('gzip'), brotli: sum('brotli') };
}

const bytes = (number) => number.toLocaleString('en');
const table = (heads, rows) => {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
};
const cells = ({ raw, gzip, brotli }) => [raw, gzip, brotli].map(bytes);

/** A Markdown table of the sizes. */
export function report({ files, ...total }) {
  const rows = [...files, { file: 'in all', ...total }];
  return table(
    ['file', 'bytes', 'gzip -9', 'brotli'],
    rows.map(({ file, ...size }) => [file, ...cells(size)]),
  );
}

/**
 * The size and the limit of each entry: the limit is of `gzip`, or of `raw` for a file that hardly compresses. All but
 * the first are loaded in addition to the first.
 */
export function entries(dist = at('dist')) {
  const alone = (entry, file, limit) => ({ entry, ...sizeOf(dist, file), ...limit });
  return [
    { entry: 'synth-memory', ...measure(dist), by: 'gzip', limit: LIMIT },
    alone('synth-memory/react', 'react.js', { by: 'gzip', limit: REACT_LIMIT }),
    alone('synth-memory/embedders', 'embedders.js'),
    ...Object.entries(MODEL_LIMITS).map(([file, limit]) => alone(file, file, { by: 'raw', limit })),
  ];
}

/** The entries above their limits. */
export const tooLarge = (sizes) => sizes.filter((size) => size[size.by] > size.limit);

/** A Markdown table of the entries and their limits. */
export function reportEntries(sizes) {
  const KINDS = { gzip: 'by gzip -9', raw: 'uncompressed' };
  return table(
    ['entry', 'bytes', 'gzip -9', 'brotli', 'limit'],
    sizes.map(({ entry, by, limit, ...size }) => [
      entry,
      ...cells(size),
      limit === undefined ? '' : `${bytes(limit)} ${KINDS[by]}`,
    ]),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const sizes = entries(process.argv[2]);
  console.log(`${reportEntries(sizes)}\n\nThe files of \`synth-memory\`:\n\n${report(sizes[0])}`);
  for (const { entry, by, limit, [by]: size } of tooLarge(sizes)) {
    console.error(`\n${entry} has ${bytes(size)} bytes, which exceeds its limit of ${bytes(limit)}.`);
    process.exitCode = 1;
  }
}
