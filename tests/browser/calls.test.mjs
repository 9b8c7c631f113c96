// Calls that are not awaited, around calls that migrate: their order, a close after them, a worker that breaks between
// them. And calls while the package's files are unavailable.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, call, fill, open, releases } from './migrations.mjs';
import { breakWorker, withPage } from './page.mjs';

const [, first, second] = releases;

test('a new memory is made with a rebuilt table at once', () =>
  withPage(async ({ page }) => {
    const status = await open(page, { migrations: second });
    const ours = status.migrated.filter((id) => !id.startsWith('reminders'));
    assert.deepEqual(status.migrated.toSorted(), [...ours, 'reminders1', 'reminders2']);
    assert.deepEqual([ours[0], status.revisions], ['001', [ours.at(-1), 'reminders2']]);
    assert.deepEqual([status.backup, await call(page, 'backups.list')], [null, []]);
    await fill(page, 2);
    assert.equal(await ask(page, "SELECT count(*) FROM reminders WHERE day = '2026-12-24'"), 2);
  }));

test('calls that are not awaited keep their order across migrations', () =>
  withPage(async ({ page }) => {
    const { migrated } = await open(page, { migrations: first });
    const ours = migrated.filter((id) => id !== 'reminders1');
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
        turns.append({ userInput: 'too long', metadata: { n: NaN } }).catch(({ code }) => code),
        migrations.upgrade(),
        revisions(),
        turns.append({ userInput: 'three' }),
        turns.count({ search: 'two' }),
        migrations.history().then((found) => found.length),
        turns.list({ direction: 'asc' }).then(({ rows }) => rows.map(({ userInput }) => userInput)),
      ];
      // All have been sent by now. The aborted call waits behind the downgrade, so it has not begun.
      await Promise.resolve();
      controller.abort();
      return Promise.all(calls);
    });
    assert.deepEqual(results, [
      1,
      1,
      ours.slice(1).reverse(),
      // The revision that it depends on is implied, as in Alembic.
      [{ id: 'reminders1' }],
      2,
      'aborted',
      'invalid_json',
      ours.slice(1),
      [{ id: ours.at(-1) }, { id: 'reminders1' }],
      3,
      1,
      migrated.length,
      ['one', 'two', 'three'],
    ]);
  }));

test('a close right behind a migration waits for it, and for what comes after it', () =>
  withPage(async ({ page }) => {
    const [base, ...later] = (await open(page)).migrated;
    const results = await page.evaluate(async (base) => {
      const calls = [
        window.memory.turns.append({ userInput: 'kept' }),
        window.memory.migrations.downgrade(base),
        window.memory.turns.append({ userInput: 'kept too' }),
      ];
      const closed = window.memory.close();
      const late = window.memory.turns.append({ userInput: 'late' }).catch(({ code }) => code);
      await closed;
      return Promise.all([...calls, late]);
    }, base);
    assert.deepEqual(results, [1, later.toReversed(), 2, 'closed']);
    assert.deepEqual((await open(page)).migrated, later);
    assert.equal(await call(page, 'turns.count', { search: 'kept' }), 2);
    assert.equal(await call(page, 'turns.count'), 2);
  }));

/** Calls before and after a downgrade; the first one is slow. Returns `kept` or the error of each. */
const across = (page) =>
  page.evaluate(async () => {
    const { turns, migrations } = window.memory;
    const long = Array.from({ length: 20_000 }, () => ({ userInput: 'long' }));
    const calls = [turns.appendMany(long), migrations.downgrade('001'), turns.append({ userInput: 'behind' })];
    return (await Promise.allSettled(calls)).map(({ reason }) => (reason ? window.told(reason) : 'kept'));
  });

const breaks = {
  /** An error in the worker itself. Like a trap, it ends the task that carries out calls. */
  'between two calls': () => {
    const post = self.postMessage.bind(self);
    self.postMessage = (message, options) => {
      self.postMessage = post;
      post(message, options);
      throw new Error('broken on purpose');
    };
  },
  /**
   * An uncaught error, while space is reserved for the downgrade's backup. Then the worker is blocked. Otherwise it
   * could finish the downgrade before the page ends it, and the next worker would upgrade again, as every opening does.
   */
  'within a migration': () => {
    const post = self.postMessage.bind(self);
    self.postMessage = (message, options) => {
      self.postMessage = post;
      post(message, options);
      queueMicrotask(() =>
        queueMicrotask(() => {
          queueMicrotask(() => {
            for (;;);
          });
          throw new Error('broken on purpose');
        }),
      );
    };
  },
};

for (const [when, arrange] of Object.entries(breaks)) {
  test(`a worker that breaks ${when} loses nothing: what waits is carried out by the next one, once`, () =>
    withPage(async ({ page }) => {
      await open(page);
      await page.workers()[0].evaluate(arrange);
      assert.deepEqual(await across(page), ['kept', 'kept', 'kept']);
      assert.equal(await call(page, 'turns.count'), 20_001);
      assert.deepEqual(await call(page, 'migrations.current'), ['001']);
      await call(page, 'migrations.upgrade');
      assert.equal(await call(page, 'turns.count', { search: 'behind' }), 1);
      assert.deepEqual(await across(page), ['kept', 'kept', 'kept']);
      assert.equal(await call(page, 'turns.count'), 40_002);
    }));
}

test('a worker that breaks while it reopens the memory is reported, and the next call works', () =>
  withPage(async ({ page, context }) => {
    await open(page);
    await call(page, 'turns.append', { userInput: 'kept' });
    await context.route('**/package/worker.js', async (route) => {
      const response = await route.fetch();
      const broken = "navigator.locks.request = () => { throw new Error('broken on purpose'); };";
      await route.fulfill({ response, body: `${broken}\n${await response.text()}` });
    });
    await breakWorker(page);
    // Twice, because a failed load must not be cached.
    for (let n = 0; n < 2; n++) {
      const told = await across(page);
      assert.equal(told.length, 3);
      for (const error of told)
        assert.deepEqual([error.code, error.cause?.message], ['worker_crashed', 'broken on purpose']);
    }
    await context.unroute('**/package/worker.js');
    assert.equal(await call(page, 'turns.count'), 1);
    assert.deepEqual(await across(page), ['kept', 'kept', 'kept']);
  }));

for (const path of ['worker.js', 'wasm/synth_memory_bg.wasm']) {
  test(`where ${path} is unavailable, opening says so, and works once it is there`, () =>
    withPage(async ({ page, context }) => {
      const unavailable = async (options) => {
        const error = await open(page, options);
        assert.deepEqual([error.code, error.isMemoryError], ['worker_unavailable', true], JSON.stringify(error));
        assert.ok(error.cause.message.length > 0);
      };
      await context.route(`**/package/${path}`, (route) => route.abort());
      for (const options of [{}, {}, { migrations: first }, { url: 'memory:' }, { embedder: 'bundled' }])
        await unavailable(options);
      assert.deepEqual(
        await page.evaluate(async () => Array.fromAsync((await navigator.storage.getDirectory()).keys())),
        [],
        'nothing is stored',
      );
      await context.unroute(`**/package/${path}`);

      const status = await open(page);
      assert.deepEqual([status.storage, status.migrated[0]], ['opfs', '001']);
      assert.equal(await call(page, 'turns.append', { userInput: 'kept' }), 1);
      assert.deepEqual((await open(page, { migrations: first })).migrated, ['reminders1']);
      assert.equal(await call(page, 'turns.count'), 1);
    }));
}

test('where worker.js is unavailable to a memory whose worker broke, every call says so, and works once it is there', () =>
  withPage(async ({ page, context }) => {
    const { revisions } = await open(page);
    await call(page, 'turns.append', { userInput: 'before' });
    await context.route('**/package/worker.js', (route) => route.abort());
    await breakWorker(page);
    const told = await page.evaluate(async () => {
      const { turns, migrations } = window.memory;
      const calls = [turns.append({ userInput: 'ahead' }), migrations.history(), turns.append({ userInput: 'behind' })];
      return (await Promise.allSettled(calls)).map(({ value, reason }) => value ?? window.told(reason));
    });
    for (let again = 0; again < 2; again++) {
      told.push(await call(page, 'turns.append', { userInput: 'after' }), await call(page, 'backups.list'));
    }
    assert.equal(told.length, 7);
    for (const error of told) assert.deepEqual([error.code, error.isMemoryError], ['worker_unavailable', true]);

    await context.unroute('**/package/worker.js');
    assert.equal(await call(page, 'turns.append', { userInput: 'after' }), 2);
    assert.deepEqual(await call(page, 'migrations.current'), revisions);
    assert.equal(await call(page, 'turns.count', { search: 'ahead' }), 0);
    assert.equal(await call(page, 'turns.count', { search: 'behind' }), 0);
  }));

test('a memory whose worker broke needs no second download of the engine', () =>
  withPage(async ({ page, context }) => {
    await open(page);
    await call(page, 'turns.append', { userInput: 'before' });
    await context.route('**/package/wasm/*', (route) => route.abort());
    await breakWorker(page);
    assert.equal(await call(page, 'turns.append', { userInput: 'after' }), 2);
  }));
