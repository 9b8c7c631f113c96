// Tabs of different versions: a newer one leads; an older one continues as far as it can, and otherwise gets an error.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { file } from './migrations.mjs';
import { FOLDERS, withPage } from './page.mjs';
import { buildVersion } from './versions.mjs';

const URL = 'opfs:///aged.db';
/** The additional migration of the newer version of an app. */
const NEWER = file('places', '002', 'CREATE TABLE places (name TEXT);', 'DROP TABLE places;');

let folders;
before(async () => (folders = { ...FOLDERS, '/next/': [await buildVersion(2)] }));

/** Opens the memory with the package in a folder. Returns its role, or the code of the error. */
const open = (page, options = {}, from = '/package/') =>
  page.evaluate(
    async ([options, from]) => {
      const { Memory } = await import(`${from}index.js`);
      window.statuses = [];
      try {
        window.memory = await Memory.open(options);
      } catch ({ code }) {
        return code;
      }
      window.memory.onStatus((status) => window.statuses.push(status));
      return window.memory.status.role;
    },
    [{ url: URL, ...options }, from],
  );
const append = (page, userInput = 'said') =>
  page.evaluate((userInput) => window.memory.turns.append({ userInput }).catch(({ code }) => code), userInput);
const status = (page) => page.evaluate(() => window.memory.status);
const close = (page) => page.evaluate(() => window.memory.close());
const until = (page, isSo) => page.waitForFunction(isSo);

test('a tab with a newer schema migrates, after a backup, and leads; an older one goes on', () =>
  withPage(async ({ page: old, open: openPage }) => {
    assert.equal(await open(old), 'leader');
    assert.equal(await append(old), 1);
    const waiting = await openPage();
    assert.equal(await open(waiting), 'follower');
    // Writes without end, so that some are in flight when the leader changes.
    await old.evaluate(async () => {
      window.answers = [];
      window.writing = (async () => {
        while (!window.stop) window.answers.push(await window.memory.turns.append({ userInput: 'without end' }));
      })();
    });
    const next = await openPage();
    assert.equal(await open(next, { migrations: NEWER }), 'leader');
    const { migrated, backup, revisions } = await status(next);
    assert.deepEqual([migrated, revisions], [['places'], ['places']]);
    assert.notEqual(backup, null);
    await until(old, () => window.statuses.some(({ revision }) => revision === 'places'));
    const answers = await old.evaluate(async () => {
      window.stop = true;
      await window.writing;
      return window.answers;
    });
    assert.deepEqual(
      answers,
      answers.map((_, at) => at + 2),
    );
    assert.deepEqual([(await status(old)).role, (await status(waiting)).role], ['follower', 'follower']);
    // A page of an older release can ask its user to reload.
    await until(old, () => window.statuses.at(-1).newerSchema);
    assert.deepEqual([(await status(old)).newerSchema, (await status(next)).newerSchema], [true, false]);
    assert.equal(await append(waiting), answers.length + 2);
    const seen = await old.evaluate(() => window.statuses.map(({ moving }) => moving));
    assert.ok(seen.includes('upgrade'), 'it was told that the memory is being migrated');
    assert.equal((await status(old)).moving, null);

    // No remaining tab knows the schema.
    await close(next);
    assert.equal(await append(old), 'newer_schema');
    assert.equal(await append(waiting), 'newer_schema');
    const reading = await openPage();
    assert.equal(await open(reading, { onNewerSchema: 'readonly' }), 'leader');
    assert.equal(await append(reading), 'read_only_memory');
    assert.equal((await status(reading)).newerSchema, true);
    assert.equal(await reading.evaluate(() => window.memory.turns.count()), answers.length + 2);
    assert.equal(await old.evaluate(() => window.memory.turns.count()), answers.length + 2, 'it is led again');
  }));

test('an older tab misses changes when a newer one migrates, and its own SQL meets the newer tables', () =>
  withPage(async ({ page: old, open: openPage }) => {
    const first = file('places', '002', 'CREATE TABLE places (name TEXT, town TEXT);', 'DROP TABLE places;');
    const second = file(
      'towns',
      'places',
      'ALTER TABLE places DROP COLUMN town;',
      'ALTER TABLE places ADD COLUMN town;',
    );
    assert.equal(await open(old, { migrations: first }), 'leader');
    await old.evaluate(() => {
      window.changes = [];
      window.memory.onChange((change) => window.changes.push(change));
    });
    const next = await openPage();
    assert.equal(await open(next, { migrations: { ...first, ...second } }), 'leader');
    await until(old, () => window.statuses.some(({ revision }) => revision === 'towns'));
    const changes = await old.evaluate(() => window.changes);
    const tables = ['turns', 'episodes', 'semantic', 'longTerm', 'uncertainty'];
    assert.ok(changes.length > 0);
    for (const change of changes) assert.deepEqual(change, { kind: 'missed', tables });

    const call = (name, sql) =>
      old.evaluate(([name, sql]) => window.memory[name](sql).catch(({ code }) => code), [name, sql]);
    assert.equal(await call('query', 'SELECT town FROM places'), 'invalid_sql');
    assert.equal(await call('execute', "INSERT INTO places (name, town) VALUES ('Home', 'Oslo')"), 'invalid_sql');
    assert.deepEqual(await call('query', 'SELECT name FROM places'), []);
    assert.equal(await append(old), 1);
  }));

test('an older tab that opens later follows the newer one', () =>
  withPage(async ({ page: next, open: openPage }) => {
    assert.equal(await open(next, { migrations: NEWER }), 'leader');
    const old = await openPage();
    assert.equal(await open(old), 'follower');
    assert.equal(await append(old), 1);
    assert.deepEqual([(await status(old)).revision, (await status(old)).newerSchema], ['places', true]);
    await close(next);
    assert.equal(await append(old), 'newer_schema');
  }));

test('two tabs that differ do not take turns for ever', () =>
  withPage(async ({ page: one, open: openPage }) => {
    assert.equal(await open(one, { migrations: NEWER }), 'leader');
    const other = await openPage();
    const OTHER = file('people', '002', 'CREATE TABLE people (name TEXT);', 'DROP TABLE people;');
    // Each tab has a revision that the other lacks. The new one cannot open the file, and leaves it alone.
    assert.equal(await open(other, { migrations: OTHER }), 'newer_schema');
    assert.equal(await append(one), 1);
    assert.equal((await status(one)).role, 'leader');
  }));

test('a tab with an older protocol has to reload, and continues when the newer ones are closed', () =>
  withPage(
    async ({ page: old, open: openPage }) => {
      assert.equal(await open(old), 'leader');
      assert.equal(await append(old), 1);
      const next = await openPage();
      assert.equal(await open(next, {}, '/next/'), 'leader');
      await until(old, () => window.statuses.some(({ outdated }) => outdated));
      assert.equal(await append(old), 'client_outdated');
      assert.equal(await append(next), 2);
      const late = await openPage();
      assert.equal(await open(late), 'client_outdated');
      await close(next);
      await until(old, () => window.statuses.some(({ outdated, role }) => !outdated && role === 'leader'));
      assert.equal(await append(old), 3);
    },
    { folders },
  ));

test('a newer leader rejects an older tab, which opens when the newer one is closed', () =>
  withPage(
    async ({ page: next, open: openPage }) => {
      assert.equal(await open(next, {}, '/next/'), 'leader');
      const second = await openPage();
      assert.equal(await open(second, {}, '/next/'), 'follower');
      const old = await openPage();
      assert.equal(await open(old), 'client_outdated');
      assert.equal(await append(second), 1);
      await next.close();
      assert.equal(await append(second), 2);
      // A closed tab can still answer for a moment; a closed memory does not.
      await close(second);
      assert.equal(await open(old), 'leader');
      assert.equal(await append(old), 3);
    },
    { folders },
  ));
