// The committed public API matches the build, so that every change of it is visible in the diff.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { reports } from '../../scripts/api.mjs';
import { at } from '../../scripts/process.mjs';

const UPDATE = 'The public API changed. If that is meant, run `npm run api` and commit api/.';

test('api/ holds the public API of each entry point', async () => {
  const expected = await reports();
  assert.deepEqual(readdirSync(at('api')).toSorted(), [...expected.keys()].toSorted(), UPDATE);
  for (const [file, text] of expected) {
    const committed = readFileSync(at('api', file), 'utf8');
    if (committed === text) continue;
    const lines = (one) => new Set(one.split('\n'));
    const [before, after] = [lines(committed), lines(text)];
    const gone = [...before].filter((line) => !after.has(line)).map((line) => `- ${line}`);
    const come = [...after].filter((line) => !before.has(line)).map((line) => `+ ${line}`);
    assert.fail(`${UPDATE}\napi/${file}:\n${[...gone, ...come].join('\n')}`);
  }
});
