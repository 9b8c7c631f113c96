// The figures as tables in Markdown.
import { DIMENSIONS } from './data.js';

const MB = 1e6;
const SEARCHES = 1000;

/** The columns of the table of vectors: head, value and, if given, decimals. For all but recall, lower is better. */
const VECTOR_COLUMNS = [
  ['build, s', ({ build }) => build / 1000],
  ['p50, ms', ({ p50 }) => p50],
  ['p95, ms', ({ p95 }) => p95],
  ['recall@10', ({ recall }) => recall, 3],
  ['on disk, MB', ({ disk }) => disk.browser / MB],
  ['in memory, MB', ({ memory }) => (memory.javascript + memory.wasm) / MB],
  ['opened again, ms', ({ reopened }) => reopened.opened],
  ['first answer then, ms', ({ reopened }) => reopened.answered - reopened.opened],
  [`build + ${SEARCHES.toLocaleString('en')} searches, s`, ({ build, mean }) => (build + SEARCHES * mean) / 1000],
];
const TEXT_COLUMNS = [
  ['build, s', ({ build }) => build / 1000],
  ['either word, p50, ms', ({ any }) => any.p50],
  ['p95', ({ any }) => any.p95],
  ['both words, p50, ms', ({ all }) => all.p50],
  ['p95', ({ all }) => all.p95],
  ['on disk, MB', ({ disk }) => disk.browser / MB],
  ['in memory, MB', ({ memory }) => (memory.javascript + memory.wasm) / MB],
];

const count = (value) => value.toLocaleString('en');
/** A number with three significant digits, or with the given number of decimals. */
const figure = (value, decimals) =>
  decimals === undefined
    ? value.toLocaleString('en', value < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 })
    : value.toFixed(decimals);

const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (heads, rows) => [row(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(row)].join('\n');

/** One row of figures for each setting of an engine. */
const vectorRows = ({ about, asked, ...whole }) =>
  asked.map(({ label, ...round }) => ({ ...whole, ...round, title: label ? `${about.name}, ${label}` : about.name }));
const textRows = ({ about, asked, ...whole }) => {
  const [any, all] = ['any', 'all'].map((which) => asked.find(({ label }) => label === which));
  return [{ ...whole, memory: all.memory, any, all, title: about.name }];
};

function tables(engines, columns, rowsOf, ours) {
  const ran = engines.filter(({ asked }) => asked);
  const rows = ran.flatMap((engine) => rowsOf(engine).map((figures) => ({ name: engine.name, ...figures })));
  const written = [];
  if (rows.length > 0)
    written.push(
      table(
        ['', ...columns.map(([head]) => head)],
        rows.map((figures) => [figures.title, ...columns.map(([, of, decimals]) => figure(of(figures), decimals))]),
      ),
    );
  const own = rows.find(({ name }) => name === ours);
  const peers = rows.filter(({ name }) => name !== ours);
  if (own && peers.length > 0) {
    const compared = columns.filter(([head]) => !head.startsWith('recall'));
    written.push(
      'The same as multiples of ours: above 1, ours is better.',
      table(
        ['', ...compared.map(([head]) => head.replace(/, (s|ms|MB)$/, ''))],
        peers.map((figures) => [figures.title, ...compared.map(([, of]) => figure(of(figures) / of(own)))]),
      ),
    );
  }
  for (const { name, missing, failed } of engines.filter(({ asked }) => !asked))
    written.push(missing ? `${name} was left out: ${missing}.` : `${name} failed: ${failed}`);
  for (const { name, wrong } of engines)
    for (const what of wrong ?? []) written.push(`**The answers of ${name} are wrong:** ${what}`);
  return written;
}

/** Each engine with its version and where it keeps its data. */
function engineList(parts) {
  const seen = new Map();
  for (const engine of parts.flatMap(({ engines }) => engines)) if (engine.about) seen.set(engine.name, engine);
  return [...seen.values()]
    .map(({ about, versions }) => {
      const named = versions[0]?.startsWith(`${about.name} `) ? versions : [about.name, ...versions];
      return `- ${named.join(', ')}: ${[about.storage, about.notes].filter(Boolean).join('; ')}`;
    })
    .join('\n');
}

/** The read rate of the first pass of a search, as a share of the machine's. */
function scanned(size, asked, bandwidth) {
  if (!asked) return [];
  const bytes = (size * DIMENSIONS) / 8;
  const speed = bytes / (asked.p50 / 1000);
  return [
    `A bit for each dimension is ${figure(bytes / MB)} MB: at the p50, ${figure(speed / 1e9)} GB/s from the page, ` +
      `${figure((100 * speed) / bandwidth)}% of the sum's.`,
  ];
}

export function report({ machine, questions, k, vectors, texts, bundled }, ours) {
  const [before, after] = machine.bandwidth.map((bytes) => (bytes / 1e9).toFixed(1));
  const parts = [
    `Chromium ${machine.chromium} with new profiles on the disk, ${machine.cores} cores (${machine.processor}). ` +
      `A SIMD sum over 154 MB in WebAssembly reads ${before} GB/s before and ${after} GB/s after the run.`,
    `${questions} questions for the best ${k}, one after the other, timed in the page. Build: adding all rows and ` +
      'finishing the index. On disk: the storage of this site, as the browser reports it after closing. In memory: what ' +
      "the page and its workers hold beyond the empty page, as the browser reports it, and WebAssembly's memories. " +
      'Opened again: in a new page, followed by its first answer.',
  ];
  for (const { size, dimension, engines } of vectors) {
    parts.push(
      `### ${count(size)} vectors of 384 dimensions`,
      `Local intrinsic dimension by the 100 nearest of each question: ${dimension.mean.toFixed(1)} in the mean, ` +
        `median ${dimension.median.toFixed(1)}.`,
      ...tables(engines, VECTOR_COLUMNS, vectorRows, ours),
      ...scanned(size, engines.find(({ name }) => name === ours)?.asked?.[0], Math.max(...machine.bandwidth)),
    );
  }
  if (texts)
    parts.push(
      `### ${count(texts.size)} texts of 8 to 20 words`,
      ...tables(texts.engines, TEXT_COLUMNS, textRows, ours),
    );
  if (bundled)
    parts.push(
      `### ${ours} with its embedder, ${count(texts.size)} texts`,
      `Texts embedded and kept a second: ${count(Math.round(bundled.perSecond))}. With everything in the cache, the ` +
        `embedder works after ${figure(bundled.again.loaded)} ms, and the first answer takes ${figure(bundled.again.first)} ms.`,
      table(
        ['recall, from the page', 'p50, ms', 'p95, ms'],
        bundled.asked.map(({ label, p50, p95 }) => [label, figure(p50), figure(p95)]),
      ),
    );
  parts.push(engineList([...vectors, ...(texts ? [texts] : [])]));
  return `\n${parts.join('\n\n')}`;
}
