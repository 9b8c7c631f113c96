// Files of other programs, made by Python's SQLite and imported by the WebAssembly build. In Node, in memory.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Memory } from '../../dist/index.js';
import { at } from '../../scripts/process.mjs';
import { python } from '../../scripts/setup.mjs';

/** Copies Synth Mind's file into one with these pragmas, statement by statement, and runs a script on it. */
const COPY = `
import sqlite3, sys
source, target, pragmas, script = sys.argv[1:]
old = sqlite3.connect(source)
new = sqlite3.connect(target)
new.executescript(pragmas)
new.executescript("\\n".join(old.iterdump()))
new.create_function("theirs", 1, lambda value: value, deterministic=True)
new.create_collation("THEIRS", lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))
new.executescript(script)
new.close()
`;

function copy(pragmas, script = '') {
  const folder = mkdtempSync(join(tmpdir(), 'synth-memory-foreign-'));
  try {
    const target = join(folder, 'copy.db');
    const source = at('tests', 'fixtures', 'synth-mind-alembic.db');
    execFileSync(python, ['-c', COPY, source, target, pragmas, script]);
    return readFileSync(target);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function imported(file, check, options) {
  const memory = await Memory.open({ url: 'memory:' });
  try {
    await check(await memory.import(file, options), memory);
  } finally {
    await memory.close();
  }
}

test('a file in UTF-16 or in auto-vacuum mode arrives whole', async () => {
  const everything = (memory) =>
    Promise.all(
      ['turns', 'episodes', 'semantic', 'uncertainty', 'longTerm'].map((table) => memory[table].list({ limit: 100 })),
    );
  let expected;
  await imported(copy(''), async (_, memory) => (expected = await everything(memory)));
  for (const pragmas of [
    "PRAGMA encoding = 'UTF-16le'",
    "PRAGMA encoding = 'UTF-16be'; PRAGMA page_size = 512",
    'PRAGMA auto_vacuum = 1; PRAGMA page_size = 512',
    "PRAGMA auto_vacuum = 2; PRAGMA encoding = 'UTF-16'",
  ])
    await imported(copy(pragmas), async ({ applied, leftOut }, memory) => {
      assert.deepEqual([applied, leftOut], [['002'], []], pragmas);
      assert.deepEqual(await everything(memory), expected, pragmas);
      await memory.turns.append({ userInput: 'goes on' });
      const [hit] = await memory.recall('peanuts');
      assert.ok(hit, pragmas);
      // Its export is a valid database for this SQLite and any other.
      await imported(await memory.export(), async (_, other) => assert.equal(await other.turns.count(), 65));
    });
});

test("triggers and views are left out, and tables with their program's collations and functions are kept", async () => {
  const file = copy(
    '',
    `CREATE TRIGGER evil AFTER INSERT ON turns BEGIN DELETE FROM long_term; END;
     CREATE VIEW seen AS SELECT * FROM turns;
     CREATE TABLE people (name TEXT COLLATE THEIRS UNIQUE, age INT CHECK (theirs(age) < 200));
     INSERT INTO people VALUES ('b', 1), ('A', 2), ('C', 3);`,
  );
  await imported(file, async ({ leftOut }, memory) => {
    assert.deepEqual(
      leftOut.map(({ type, name, table }) => [type, name, table]),
      [
        ['trigger', 'evil', 'turns'],
        ['view', 'seen', 'seen'],
      ],
    );
    assert.match(leftOut[0].sql, /^CREATE TRIGGER evil/);
    await memory.turns.append({ userInput: 'goes on' });
    assert.equal(await memory.longTerm.count(), 5);
    assert.deepEqual(await memory.query('SELECT age FROM people NOT INDEXED'), [{ age: 1 }, { age: 2 }, { age: 3 }]);
    await memory.compact();
    await imported(await memory.export(), async (_, other) => assert.equal(await other.turns.count(), 65));
  });
  const refused = imported(file, () => assert.fail('it was imported'), { foreign: 'refuse' });
  await assert.rejects(refused, { code: 'schema_mismatch' });
  await assert.rejects(
    imported(file, () => assert.fail('it was imported'), { foreign: 'drop' }),
    { code: 'invalid_argument' },
  );
});
