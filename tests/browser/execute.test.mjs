// An app's own tables are written from any tab: each write is kept, once, and reported to all listeners.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPage } from './page.mjs';

const migrations = {
  'reminders.sql': `-- Reminders
--
-- Revision ID: reminders1
-- Revises:
-- Depends On: 001
-- migrate:up
CREATE TABLE reminders (id INTEGER PRIMARY KEY, text TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE counts (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
-- migrate:down
DROP TABLE reminders;
DROP TABLE counts;
`,
};

const open = (page) =>
  page.evaluate(async (migrations) => {
    window.memory = await window.library.Memory.open({ migrations });
    return window.memory.status.role;
  }, migrations);

test('a follower writes, and every tab and live query sees it', () =>
  withPage(async ({ page, open: openPage }) => {
    const follower = await openPage();
    assert.equal(await open(page), 'leader');
    assert.equal(await open(follower), 'follower');
    for (const one of [page, follower])
      await one.evaluate(() => {
        window.changes = [];
        window.memory.onChange((change) => window.changes.push(change));
        window.turns = [];
        window.memory.onChange((change) => window.turns.push(change), { tables: ['turns'] });
        window.values = [];
        window.memory
          .live((memory) => memory.query('SELECT text, done FROM reminders ORDER BY id'))
          .subscribe(
            ({ value }) => value && window.values.push(value.map(({ text, done }) => `${text} ${done}`).join()),
          );
      });
    await page.waitForFunction(() => window.values.length === 1);
    await follower.waitForFunction(() => window.values.length === 1);
    const [{ changes, rows }] = await follower.evaluate(() =>
      window.memory.transaction([
        {
          sql: 'INSERT INTO reminders (text) VALUES (:a), (:b) RETURNING id, text',
          parameters: { a: 'milk', b: 'tea' },
        },
        { sql: "INSERT INTO counts VALUES ('lists', 1)" },
      ]),
    );
    assert.deepEqual(
      [changes, rows],
      [
        2,
        [
          { id: 1, text: 'milk' },
          { id: 2, text: 'tea' },
        ],
      ],
    );
    const done = await page.evaluate(() => window.memory.execute('UPDATE reminders SET done = 1 WHERE id = ?', [1]));
    assert.deepEqual(done, { changes: 1, rows: [] });
    for (const one of [page, follower]) {
      await one.waitForFunction(() => window.values.at(-1) === 'milk 1,tea 0');
      assert.deepEqual(await one.evaluate(() => [window.changes, window.turns]), [
        [
          { kind: 'own', tables: ['reminders', 'counts'] },
          { kind: 'own', tables: ['reminders'] },
        ],
        [],
      ]);
    }
    const refused = await follower.evaluate(() =>
      window.memory.execute("UPDATE turns SET user_input = 'x'").catch(window.told),
    );
    assert.deepEqual([refused.code, refused.isMemoryError], ['invalid_sql', true]);
    assert.match(refused.message, /it updates turns/);
  }));

test('calls that are not answered when the leader ends are carried out once', () =>
  withPage(async ({ page, open: openPage }) => {
    const follower = await openPage();
    await open(page);
    await open(follower);
    await follower.evaluate(() => window.memory.execute("INSERT INTO counts VALUES ('n', 0)"));
    const writes = follower.evaluate(async () => {
      const results = [];
      for (let round = 0; round < 40; round++) {
        const some = Array.from({ length: 10 }, () =>
          window.memory.execute("UPDATE counts SET n = n + 1 WHERE name = 'n' RETURNING n"),
        );
        results.push(...(await Promise.all(some)).map(({ rows }) => rows[0].n));
      }
      return results;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await page.close();
    const results = await writes;
    assert.deepEqual(
      results,
      Array.from({ length: 400 }, (_, n) => n + 1),
    );
  }));
