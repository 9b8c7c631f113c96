// The package as a user gets it: the tarball, installed into an empty project. This is one file for `node --test`, so
// that it is packed and installed once and no two bundlers run at the same time. The other files hold the topics.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, posix } from 'node:path';
import { before, suite, test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { testBundlers } from './bundlers.mjs';
import { linksOf, testDocs } from './docs.mjs';
import { testFrameworks } from './frameworks.mjs';
import { testNext } from './next.mjs';
import { testNode } from './node.mjs';
import { testPlain } from './plain.mjs';
import { call, install, installed, pack } from './project.mjs';
import { testTesting } from './testing.mjs';
import { linkTools } from './tools.mjs';
import { testTypes } from './types.mjs';

/** The documents for readers: README.md and those that it links to. */
const DOCUMENTS = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'migrations/README.md'],
  ...readdirSync(at('docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
/** The documents for contributors. Their links need the repository. */
const FOR_CONTRIBUTORS = ['ARCHITECTURE.md', 'CONTRIBUTING.md'];

let packed;

before(async () => {
  packed = await pack();
  await install(packed.tarball);
  linkTools();
});

suite('the tarball', () => {
  test('holds what is needed, and nothing else', () => {
    // Each module has declarations, except those of the command line. `wasm/` has its own.
    const modules = readdirSync(at('www', 'package'), { recursive: true })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => path.endsWith('.ts') && !/^(?:cli|wasm)\//.test(path));
    const expected = [
      'LICENSE',
      'models/LICENSE',
      'models/LICENSE-multilingual',
      'package.json',
      ...DOCUMENTS,
      ...['broker', 'cli', 'embedders', 'index', 'node', 'react', 'recall', 'worker'].map((name) => `dist/${name}.js`),
      ...modules.map((path) => `dist/${path.replace(/\.ts$/, '')}.d.ts`),
      'dist/wasm/synth_memory.d.ts',
      'dist/wasm/synth_memory_bg.wasm',
      'dist/models/all-minilm-l6-v2-256.bin',
      'dist/models/multilingual-e5-small-256.bin',
    ];
    assert.deepEqual(packed.files.toSorted(), expected.toSorted());
  });

  test('has every page that its pages link to', () => {
    const missing = DOCUMENTS.filter((path) => !FOR_CONTRIBUTORS.includes(path)).flatMap((path) =>
      linksOf(readFileSync(join(installed, path), 'utf8'))
        .map((link) => posix.join(posix.dirname(path), link))
        .filter((link) => link.endsWith('.md') && !packed.files.includes(link))
        .map((link) => `${path}: ${link}`),
    );
    assert.deepEqual(missing, []);
  });

  test('contains nothing about the machine that built it', () => {
    const { CARGO_HOME, RUSTUP_HOME } = process.env;
    const folders = [at(), homedir(), CARGO_HOME, RUSTUP_HOME].filter(Boolean).map((path) => join(path, '/'));
    const found = [];
    for (const file of packed.files) {
      const bytes = readFileSync(join(installed, file));
      for (const folder of folders) if (bytes.includes(folder)) found.push(`${file}: ${folder}`);
    }
    assert.deepEqual(found, []);
  });

  test('has no dependencies and no install scripts', () => {
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta, scripts } = JSON.parse(
      readFileSync(join(installed, 'package.json'), 'utf8'),
    );
    assert.deepEqual([dependencies, optionalDependencies], [undefined, undefined]);
    // React is needed only by users of the React entry.
    assert.deepEqual([peerDependencies, peerDependenciesMeta], [{ react: '>=18' }, { react: { optional: true } }]);
    assert.deepEqual(
      Object.keys(scripts ?? {}).filter((name) => /install|prepare/.test(name)),
      [],
    );
  });

  test('is faultless to publint', async () => {
    const { stdout } = await call('publint', ['run', packed.tarball, '--strict']);
    assert.match(stdout, /All good!/);
  });

  test('is faultless to are-the-types-wrong', () => call('attw', [packed.tarball, '--profile', 'esm-only']));
});

suite('types', testTypes);
suite('documentation', testDocs);
suite('Node', testNode);
suite('test runners', testTesting);
suite('frameworks', testFrameworks);
suite('Next', testNext);
suite('bundlers', testBundlers);
suite('without a bundler', testPlain);
