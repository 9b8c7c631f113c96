// The program prints what docs/command-line.md shows, except for ids, times and paths.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { start } from './cli/program.mjs';

const SCHEMA = 'CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n';

/** The lines of a text without what differs between runs. They are sorted, because heads are ordered by random ids. */
const plain = (text) =>
  text
    .replace(/\S*\/migrations\/\d{8}_\d{4}_/g, '<path>_')
    .replace(/(?<![0-9a-f])[0-9a-f]{12}(?![0-9a-f])/g, '<id>')
    .replace(/\b\d+ ms\b/g, '<time>')
    .replace(/-backup-\d+-/g, '-backup-<time>-')
    .trim()
    .split('\n')
    .sort();

/** The words of a command line of the page. Only the message is quoted there. */
const wordsOf = (line) => [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word);

test('the commands print what the page shows', (t) => {
  const { ok, run } = start(t, { 'schema.sql': SCHEMA });
  ok('upgrade', 'heads');
  const page = readFileSync(at('docs', 'command-line.md'), 'utf8');
  const [, shown] = /```console\n(.*?)```/s.exec(page);
  const calls = shown.split(/^\$ npx synth-memory /m).slice(1);
  assert.equal(calls.length, 5);
  for (const call of calls) {
    const [line, ...output] = call.split('\n');
    const { status, stdout, stderr } = run(wordsOf(line.replace(/ +#.*/, '')));
    assert.equal(status, 0, line);
    assert.deepEqual(plain(stdout + stderr), plain(output.join('\n')), line);
  }
});
