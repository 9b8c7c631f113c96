// The code in README.md and docs/: every block of TypeScript compiles against the package, and the blocks that need no
// browser run in Node, on `memory:`.
//
// Each block is its own file. A comment above a block completes it: `<!-- with: … -->` holds code that goes before it.
// `<!-- not run: … -->` gives the reason why a block is only compiled. Blocks of TSX are only compiled.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { before, test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { call, inProject } from './project.mjs';
import { compile } from './types.mjs';

/** The comments above a block, its language and its code. */
const BLOCK = /((?:^<!--(?:(?!-->)[^])*-->\n+)*)^```(tsx?)\n([^]*?)^```$/gm;
const WITH = /<!-- with: ((?:(?!-->)[^])*)-->/g;

/** The pages: README.md and those of docs/, but not the decisions, which are in a subfolder. */
const pages = () => [
  'README.md',
  ...readdirSync(at('docs'))
    .filter((name) => name.endsWith('.md'))
    .sort(),
];
const read = (page) => readFileSync(page === 'README.md' ? at(page) : at('docs', page), 'utf8');

/** Every block of a page: the name of its file, its completed code, and whether it is run. */
function blocksOf(page) {
  return [...read(page).matchAll(BLOCK)].map(([, comments, kind, code], n) => {
    const added = [...comments.matchAll(WITH)].map(([, given]) => given.trim());
    return {
      name: `${page}.${n + 1}`,
      kind,
      code: [...added, code, 'export {};\n'].join('\n'),
      runs: kind === 'ts' && !comments.includes('<!-- not run: '),
    };
  });
}

/** The files that a page links to, relative to it. */
export const linksOf = (page) => [...page.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link]) => link);

/** Every document for readers, by its path. */
const documents = () => [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'migrations/README.md', 'models/README.md'],
  ...readdirSync(at('docs'), { recursive: true })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export function testDocs() {
  test('README.md has at most 900 words', () => {
    const words = read('README.md').match(/\S+/g);
    assert.ok(words.length <= 900, `${words.length} words`);
  });

  test('every link to a file leads to one', () => {
    const broken = documents().flatMap((path) => {
      const links = linksOf(readFileSync(at(path), 'utf8'));
      return links.filter((link) => !existsSync(at(dirname(path), link))).map((link) => `${path}: ${link}`);
    });
    assert.deepEqual(broken, []);
  });

  const blocks = pages().flatMap((page) => blocksOf(page));

  before(() => {
    mkdirSync(inProject('docs'), { recursive: true });
    for (const { name, kind, code } of blocks) writeFileSync(inProject('docs', `${name}.${kind}`), code);
  });

  // The declarations of other packages are not checked.
  test('every block compiles', async () => {
    const files = blocks.map(({ name, kind }) => `docs/${name}.${kind}`);
    const bundler = { module: 'ESNext', moduleResolution: 'bundler', jsx: 'react-jsx', skipLibCheck: true };
    await compile(files, { ...bundler, noEmit: false, rootDir: 'docs', outDir: 'run' });
  });

  for (const { name } of blocks.filter(({ runs }) => runs)) {
    test(`${name} runs`, async () => {
      const { stderr } = await call(process.execPath, ['--import', './memory-only.js', `run/${name}.js`], {
        seconds: 20,
      });
      assert.equal(stderr, '');
    });
  }
}
