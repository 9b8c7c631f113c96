// Node, where servers render pages, and where the tests of apps that use the package run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { call } from './project.mjs';

const node = (...args) => call(process.execPath, args, { seconds: 20 });

export function testNode() {
  test('an import does nothing: the process prints nothing and ends', async () => {
    const { stdout, stderr } = await node('--input-type=module', '--eval', "import 'synth-memory'");
    assert.equal(stdout + stderr, '');
  });

  test('a memory that is never closed does not keep the process', async () => {
    const program = "import { Memory } from 'synth-memory'; await Memory.open({ url: 'memory:' });";
    const { stdout, stderr } = await node('--input-type=module', '--eval', program);
    assert.equal(stdout + stderr, '');
  });

  test('`memory:` works, files come in and go out as bytes, and OPFS is refused', async () => {
    const { stdout, stderr } = await node('node.js', at('tests', 'fixtures', 'synth-mind-alembic.db'));
    assert.equal(stderr, '');
    assert.deepEqual(JSON.parse(stdout), {
      ids: [1, 2],
      userInput: 'Call me Ada',
      byMeaning: true,
      isDate: true,
      exported: 'SQLite format 3',
      imported: 64,
      afterClose: 'closed',
      opfs: 'opfs_unavailable',
    });
  });

  const pages = {
    'a page that a test emulates is Node': ['', '0'],
    "Electron's page is a browser": ["process.type = 'renderer';", 'worker.js'],
    "Electron's worker is one of a browser": ["process.type = 'worker';", 'worker.js'],
  };
  for (const [name, [made, expected]] of Object.entries(pages)) {
    test(name, async () => {
      const program = `import { Memory } from 'synth-memory';
        globalThis.window = globalThis;
        ${made}
        globalThis.Worker = function ({ href }) { process.exit(console.log(href.split('/').at(-1))); };
        console.log(await (await Memory.open({ url: 'memory:' })).turns.count());`;
      const { stdout } = await node('--input-type=module', '--eval', program);
      assert.equal(stdout, `${expected}\n`);
    });
  }

  test('the command line is there', async () => {
    const { stdout } = await call('npx', ['--no', 'synth-memory', 'heads']);
    assert.equal(stdout, '002 (head)\nreminders2 (head)\n');
  });

  test('a server build of Vite runs', async () => {
    const { stderr } = await call('vite', ['build', '--ssr', 'server.js', '--outDir', 'vite-ssr']);
    assert.equal(stderr, '');
    const { stdout } = await node('vite-ssr/server.js');
    assert.equal(stdout, '<p>0 turns</p>\n');
  });
}
