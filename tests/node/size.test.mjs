import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import {
  entries,
  LIMIT,
  measure,
  MODEL_LIMITS,
  REACT_LIMIT,
  report,
  reportEntries,
  sizeOf,
  tooLarge,
} from '../../scripts/size.mjs';

test('what a page downloads to open, migrate, remember and recall is within its limit', (t) => {
  const sizes = measure();
  t.diagnostic(`\n${report(sizes)}`);
  assert.ok(sizes.gzip <= LIMIT, `${sizes.gzip} bytes gzipped, the limit is ${LIMIT}:\n${report(sizes)}`);
  assert.ok(sizes.brotli < sizes.gzip && sizes.gzip < sizes.raw);
});

test("React's entry is within its limit, and brings no second core", () => {
  const { gzip } = sizeOf(at('dist'), 'react.js');
  assert.ok(gzip <= REACT_LIMIT, `${gzip} bytes gzipped, the limit is ${REACT_LIMIT}`);
  const imported = readFileSync(at('dist', 'react.js'), 'utf8').matchAll(/from"([^"]+)"/g);
  assert.deepEqual([...imported].map(([, name]) => name).toSorted(), ['./index.js', 'react']);
});

test("each embedder's table is within its limit", () => {
  const files = readdirSync(at('dist', 'models')).map((name) => `models/${name}`);
  assert.deepEqual(files.toSorted(), Object.keys(MODEL_LIMITS).toSorted());
  for (const [file, limit] of Object.entries(MODEL_LIMITS)) {
    const { size } = statSync(at('dist', file));
    assert.ok(size <= limit, `${file} has ${size} bytes, the limit is ${limit}`);
  }
});

test('every file that the page leads to is counted, and nothing else', (t) => {
  const dist = mkdtempSync(join(tmpdir(), 'synth-memory-size-'));
  t.after(() => rmSync(dist, { recursive: true }));
  mkdirSync(join(dist, 'wasm'));
  mkdirSync(join(dist, 'models'));
  const files = {
    'index.js': 'import("./recall-1a2b.js");import(`./node.js`);new Worker(new URL(`./worker.js`,import.meta.url))',
    'recall-1a2b.js': 'import{a}from"./shared.js";new URL("./models/table.bin",import.meta.url)',
    'shared.js': 'import"./index.js"',
    'worker.js': 'const imports={"./synth_memory_bg.js":{}}',
    'node.js': '',
    'cli.js': '',
    'models/table.bin': '',
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dist, file), text);
  assert.throws(() => measure(dist), /does not lead to wasm\/synth_memory_bg\.wasm/);

  writeFileSync(join(dist, 'wasm', 'synth_memory_bg.wasm'), 'code');
  writeFileSync(join(dist, 'index.js'), `${files['index.js']};new URL('./wasm/synth_memory_bg.wasm',import.meta.url)`);
  const { files: counted, raw } = measure(dist);
  assert.deepEqual(counted.map(({ file }) => file).toSorted(), [
    'index.js',
    'recall-1a2b.js',
    'shared.js',
    'wasm/synth_memory_bg.wasm',
    'worker.js',
  ]);
  assert.equal(
    raw,
    counted.reduce((sum, { raw }) => sum + raw, 0),
  );
});

test('each entry point has a line in the table, and what is above its limit is named', (t) => {
  const dist = mkdtempSync(join(tmpdir(), 'synth-memory-entries-'));
  t.after(() => rmSync(dist, { recursive: true }));
  mkdirSync(join(dist, 'wasm'));
  mkdirSync(join(dist, 'models'));
  for (const file of ['embedders.js', 'wasm/synth_memory_bg.wasm', ...Object.keys(MODEL_LIMITS)])
    writeFileSync(join(dist, file), 'x');
  writeFileSync(join(dist, 'index.js'), "new URL('./wasm/synth_memory_bg.wasm',import.meta.url)");
  writeFileSync(join(dist, 'react.js'), 'x'.repeat(10 * REACT_LIMIT));
  const sizes = entries(dist);
  assert.deepEqual(tooLarge(sizes), []);
  const { exports, name } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  const modules = Object.keys(exports).filter((path) => !path.endsWith('.json'));
  assert.deepEqual(
    sizes.map(({ entry }) => entry).toSorted(),
    [...modules.map((path) => path.replace('.', name)), ...Object.keys(MODEL_LIMITS)].toSorted(),
  );
  assert.equal(reportEntries(sizes).split('\n').length, 2 + sizes.length);

  writeFileSync(join(dist, 'react.js'), randomBytes(2 * REACT_LIMIT));
  assert.deepEqual(
    tooLarge(entries(dist)).map(({ entry }) => entry),
    ['synth-memory/react'],
  );
});
