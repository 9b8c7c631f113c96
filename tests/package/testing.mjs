// The tests of users' apps: test runners that emulate a page in Node run the tests of a small app on `memory:`. Its
// files are in project/testing/, and docs/testing.md shows them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { call, inProject } from './project.mjs';
import { tool } from './tools.mjs';

const cwd = inProject('testing');
const TESTS = ['agent.test.js', 'all.test.js', 'turns.test.js'];

const vitest = (environment, ...more) => [
  tool('vitest'),
  ['run', '--reporter=json', '--environment', environment, ...more],
];
const jest = [process.execPath, ['--experimental-vm-modules', tool('jest'), '--json']];
const RUNNERS = {
  'vitest in jsdom': vitest('jsdom'),
  'vitest in happy-dom': vitest('happy-dom', '--no-isolate', '--no-file-parallelism'),
  'Jest in jsdom': jest,
};

export function testTesting() {
  for (const [name, [command, args]] of Object.entries(RUNNERS)) {
    test(`${name} runs an app's tests`, async () => {
      const { stdout } = await call(command, args, { cwd });
      const { success, testResults } = JSON.parse(stdout);
      assert.equal(success, true);
      assert.deepEqual(testResults.map((file) => file.name.split('/').at(-1)).toSorted(), TESTS);
    });
  }

  test('docs/testing.md shows these very files', () => {
    const page = readFileSync(at('docs', 'testing.md'), 'utf8');
    for (const name of ['vitest.config.js', 'jest.config.js', 'agent.js', 'agent.test.js', 'turns.test.js']) {
      const text = readFileSync(at('tests', 'package', 'project', 'testing', name), 'utf8');
      assert.ok(page.includes(`\`\`\`js\n// ${name}\n${text}\`\`\``), name);
    }
  });
}
