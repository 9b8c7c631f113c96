// The small engine opens, the one with migrations takes over: when it is fetched, in what order calls are answered, and
// what becomes of them where it breaks or cannot be had.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, call, file, fill, open, releases } from './migrations.mjs';
import { withPage } from './page.mjs';

const [, first, second] = releases;
const SMALL = ['synth_memory_at_head_bg.wasm', 'worker.js'];
const BOTH = ['synth_memory_at_head_bg.wasm', 'synth_memory_bg.wasm', 'worker-whole.js', 'worker.js'];

/** What of the package is fetched while something is done, the page's own module aside. */
async function fetched(context, act) {
  const names = new Set();
  const note = (request) => names.add(new URL(request.url()).pathname.split('/').at(-1));
  context.on('request', note);
  await act();
  context.off('request', note);
  return [...names].filter((name) => /worker|wasm/.test(name)).sort();
}

test('the engine with migrations is fetched when it is needed, and not before', () =>
  withPage(async ({ page, load, context }) => {
    /** In a page that is loaded anew, for a page compiles each engine once. */
    const opening = (options, expected, migrated) =>
      fetched(context, async () => {
        await page.evaluate(() => window.memory?.close());
        await load(page);
        const status = await open(page, options);
        assert.deepEqual(status.migrated, migrated, JSON.stringify(status));
        await call(page, 'turns.append', { userInput: 'one' });
        await ask(page, 'SELECT 1');
      }).then((names) => assert.deepEqual(names, expected, JSON.stringify(options)));

    // New, and at head.
    await opening({}, SMALL, ['001', '002']);
    await opening({}, SMALL, []);
    // The same with the app's own; only a table that exists is rebuilt, or backed up.
    await opening({ migrations: first }, BOTH, ['reminders1']);
    await opening({ migrations: first }, SMALL, []);
    await opening({ migrations: second }, BOTH, ['reminders2']);
    await opening({ migrations: second }, SMALL, []);
    await opening({ url: 'opfs:///first.db', migrations: first }, SMALL, ['001', '002', 'reminders1']);
    await opening({ url: 'opfs:///first.db', migrations: first }, SMALL, []);
    const all = await call(page, 'migrations.current');
    assert.deepEqual(all, ['002', 'reminders1']);

    const larger = BOTH.filter((name) => !SMALL.includes(name));
    const asked = await fetched(context, () => call(page, 'migrations.history'));
    assert.deepEqual(asked, larger);
    assert.deepEqual(await fetched(context, () => call(page, 'migrations.downgrade', 'reminders@base')), []);
    // What keeps nothing could not change hands.
    await opening({ url: 'memory:' }, larger, ['001', '002']);
  }));

test('a new memory is made with a rebuilt table at once', () =>
  withPage(async ({ page }) => {
    const status = await open(page, { migrations: second });
    assert.deepEqual(status.migrated.toSorted(), ['001', '002', 'reminders1', 'reminders2']);
    assert.deepEqual([status.backup, await call(page, 'backups.list')], [null, []]);
    await fill(page, 2);
    assert.equal(await ask(page, "SELECT count(*) FROM reminders WHERE day = '2026-12-24'"), 2);
  }));

test('calls that are not waited for keep their order across the hand-over', () =>
  withPage(async ({ page }) => {
    await open(page, { migrations: first });
    const results = await page.evaluate(async () => {
      const { memory } = window;
      const { turns, migrations } = memory;
      const revisions = () => memory.query('SELECT version_num AS id FROM alembic_version ORDER BY 1');
      const controller = new AbortController();
      const calls = [
        turns.append({ userInput: 'one' }),
        turns.count(),
        migrations.downgrade('001'),
        revisions(),
        turns.append({ userInput: 'two' }),
        turns.append({ userInput: 'given up' }, { signal: controller.signal }).catch(({ code }) => code),
        turns.append({ userInput: 'too long', metadata: { n: 1n } }).catch(({ code }) => code),
        migrations.upgrade(),
        revisions(),
        turns.append({ userInput: 'three' }),
        turns.count({ search: 'two' }),
        migrations.history().then((found) => found.length),
        turns.list({ direction: 'asc' }).then(({ rows }) => rows.map(({ userInput }) => userInput)),
      ];
      // It waits for the engine, so it has not begun.
      await new Promise((resolve) => setTimeout(resolve));
      controller.abort();
      return Promise.all(calls);
    });
    assert.deepEqual(results, [
      1,
      1,
      ['002'],
      // What it depends on is implied, as in Alembic.
      [{ id: 'reminders1' }],
      2,
      'aborted',
      'invalid_json',
      ['002'],
      [{ id: '002' }, { id: 'reminders1' }],
      3,
      1,
      3,
      ['one', 'two', 'three'],
    ]);
  }));

test('a close that comes right behind waits for the hand-over', () =>
  withPage(async ({ page }) => {
    await open(page);
    const results = await page.evaluate(async () => {
      const calls = [
        window.memory.turns.append({ userInput: 'kept' }),
        window.memory.migrations.downgrade('001'),
        window.memory.turns.append({ userInput: 'kept too' }),
      ];
      await Promise.resolve();
      await window.memory.close();
      return Promise.all(calls);
    });
    assert.deepEqual(results, [1, ['002'], 2]);
    assert.deepEqual((await open(page)).migrated, ['002']);
    assert.equal(await call(page, 'turns.count', { search: 'kept' }), 2);
  }));

/** Calls across the hand-over, of which the first takes its time; gives their codes, or `kept`. */
const across = (page) =>
  page.evaluate(async () => {
    const { turns, migrations } = window.memory;
    const long = Array.from({ length: 20_000 }, () => ({ userInput: 'long' }));
    const calls = [turns.appendMany(long), migrations.downgrade('001'), turns.append({ userInput: 'behind' })];
    return (await Promise.allSettled(calls)).map(({ reason }) => (reason ? window.told(reason) : 'kept'));
  });

/** Lets a worker break when it has answered for the first time: then the call to close is in its queue. */
const breakAfterAnswer = (worker) =>
  worker.evaluate(() => {
    const post = self.postMessage.bind(self);
    self.postMessage = (message, options) => {
      self.postMessage = post;
      post(message, options);
      throw new Error('broken on purpose');
    };
  });

test('a worker that breaks in the hand-over rejects what waits, and the next call goes on', () =>
  withPage(async ({ page, context }) => {
    await open(page);
    // The one that hands over.
    await breakAfterAnswer(page.workers()[0]);
    const told = await across(page);
    for (const error of told.slice(1))
      assert.deepEqual([error.code, error.cause?.message.includes('on purpose')], ['worker_crashed', true]);
    const count = await call(page, 'turns.count');
    assert.ok([0, 20_000].includes(count), JSON.stringify(count));
    assert.deepEqual(await call(page, 'migrations.current'), ['002']);

    // The one that takes over.
    await open(page);
    await context.route('**/package/worker-whole.js', async (route) => {
      const response = await route.fetch();
      const broken = "navigator.locks.request = () => { throw new Error('broken on purpose'); };";
      await route.fulfill({ response, body: `${broken}\n${await response.text()}` });
    });
    const [kept, ...lost] = await across(page);
    assert.equal(kept, 'kept');
    for (const error of lost)
      assert.deepEqual([error.code, error.cause.message], ['worker_crashed', 'broken on purpose']);
    assert.equal(await call(page, 'turns.count', { search: 'behind' }), 0);
    assert.equal(await call(page, 'turns.count'), count + 20_000);
    await context.unroute('**/package/worker-whole.js');
    assert.deepEqual(await across(page), ['kept', 'kept', 'kept']);
  }));

for (const path of ['worker-whole.js', 'wasm/synth_memory_bg.wasm']) {
  test(`where ${path} cannot be had, what needs it says so, and the tables go on working`, () =>
    withPage(async ({ page, context }) => {
      await open(page);
      await call(page, 'turns.append', { userInput: 'before' });
      await context.route(`**/package/${path}`, (route) => route.abort());
      const told = await page.evaluate(async () => {
        const { turns, migrations } = window.memory;
        const calls = [
          turns.append({ userInput: 'ahead' }),
          migrations.history(),
          turns.append({ userInput: 'behind' }),
        ];
        return (await Promise.allSettled(calls)).map(({ value, reason }) => value ?? window.told(reason));
      });
      assert.equal(told[0], 2);
      for (const error of told.slice(1))
        assert.deepEqual([error.code, error.isMemoryError], ['worker_unavailable', true]);
      for (let again = 0; again < 2; again++) {
        assert.equal(await call(page, 'turns.append', { userInput: 'after' }), 3 + again);
        assert.equal((await call(page, 'backups.list')).code, 'worker_unavailable');
      }
      assert.equal(await call(page, 'turns.count', { search: 'behind' }), 0);
      // One that has to be migrated is left alone.
      const error = await open(page, { migrations: first });
      assert.equal(error.code, 'worker_unavailable');
      const status = await open(page);
      assert.deepEqual([status.revision, status.migrated], ['002', []]);

      await context.unroute(`**/package/${path}`);
      assert.equal((await call(page, 'migrations.history')).length, 2);
      assert.deepEqual((await open(page, { migrations: first })).migrated, ['reminders1']);
      assert.equal(await call(page, 'turns.count'), 4);
    }));
}

test('files that no engine can follow are told by the engine that opens', () =>
  withPage(async ({ page }) => {
    const broken = file('app1', '', '-- batch: nothing here\nCREATE TABLE nothing (id);');
    const error = await open(page, { migrations: broken });
    assert.deepEqual([error.code, error.message.includes('app1.sql')], ['invalid_migration', true], error.message);
    assert.deepEqual((await open(page)).revisions, ['002']);
  }));
