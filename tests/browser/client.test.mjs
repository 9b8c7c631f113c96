// The client in a real page: calls in flight, aborted calls, workers that break, several tabs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { POLICY } from '../../scripts/serve.mjs';
import { breakWorker, FOLDERS, withPage } from './page.mjs';

const open = (page, options) =>
  page.evaluate(async (options) => {
    window.memory = await window.library.Memory.open(options);
    return window.memory.status;
  }, options);

const tryOpen = (page, options) =>
  page.evaluate((options) => window.library.Memory.open(options).then(() => undefined, window.told), options);

test('calls in flight are answered in order, each by itself', () =>
  withPage(async ({ page }) => {
    await open(page);
    const { order, results, rows } = await page.evaluate(async () => {
      const order = [];
      const calls = Array.from({ length: 300 }, (_, n) => {
        // The engine rejects every tenth call, which must not affect its neighbours.
        const call =
          n % 10 === 9
            ? window.memory.episodes.record({ eventType: 'bad', valence: 7 })
            : window.memory.turns.append({ userInput: String(n) });
        return call.finally(() => order.push(n));
      });
      const results = (await Promise.allSettled(calls)).map(({ value, reason }) => value ?? reason.code);
      return { order, results, rows: await window.memory.turns.list({ direction: 'asc', limit: 1000 }) };
    });
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    const good = results.filter((result) => typeof result === 'number');
    assert.deepEqual(
      good,
      Array.from({ length: 270 }, (_, n) => n + 1),
    );
    assert.ok(
      results.every((result, n) => (n % 10 === 9 ? result === 'invalid_argument' : typeof result === 'number')),
    );
    assert.deepEqual(
      rows.rows.map((row) => Number(row.userInput)),
      Array.from({ length: 300 }, (_, n) => n).filter((n) => n % 10 !== 9),
    );
  }));

test('a call that is aborted before it begins is not carried out', () =>
  withPage(async ({ page }) => {
    await open(page);
    const { before, queued, count } = await page.evaluate(async () => {
      const { turns } = window.memory;
      const before = await turns
        .append({ userInput: 'never' }, { signal: AbortSignal.abort(new Error('no')) })
        .catch(window.told);
      // Behind a long call, and in its own message.
      const long = turns.appendMany(Array.from({ length: 20_000 }, () => ({ userInput: 'long' })));
      await new Promise((resolve) => setTimeout(resolve));
      const controller = new AbortController();
      const queued = turns
        .append({ userInput: 'never' }, { signal: controller.signal })
        .then((id) => ({ id }), window.told);
      await new Promise((resolve) => setTimeout(resolve));
      controller.abort(new Error('changed my mind'));
      await long;
      return { before, queued: await queued, count: await turns.count({ search: 'never' }) };
    });
    assert.deepEqual([before.code, before.cause.message], ['aborted', 'no']);
    // Whichever side won the race, the answer is correct.
    if (queued.id) assert.equal(count, 1);
    else assert.deepEqual([queued.code, queued.cause.message, count], ['aborted', 'changed my mind', 0]);
  }));

test('a worker that breaks loses nothing: what waits is carried out by the next one, once and in order', () =>
  withPage(async ({ page }) => {
    await open(page);
    await page.evaluate(() => window.memory.turns.append({ userInput: 'kept' }));
    const pending = page.evaluate(async () => {
      const calls = Array.from({ length: 50 }, (_, n) =>
        window.memory.turns.appendMany(Array.from({ length: 2000 }, () => ({ userInput: `${n}` }))),
      );
      return Promise.all(calls);
    });
    await breakWorker(page);
    const ids = (await pending).flat();
    assert.deepEqual(
      ids,
      ids.map((_, at) => at + 2),
    );
    const { count, kept } = await page.evaluate(async () => ({
      count: await window.memory.turns.count(),
      kept: await window.memory.turns.get(1),
    }));
    assert.equal(kept.userInput, 'kept');
    assert.equal(count, 100_001);
  }));

test('after a worker broke, every call is answered: by the file, by its holder, by the close', () =>
  withPage(async ({ page, open: openPage }) => {
    await open(page);
    await page.evaluate(() => window.memory.turns.append({ userInput: 'kept' }));
    const second = await openPage();
    await open(second);
    // The other tab takes over the file, then releases it.
    await breakWorker(page);
    assert.equal(await page.evaluate(() => window.memory.turns.count()), 1);
    await second.evaluate(() => window.memory.close());
    assert.equal(await page.evaluate(() => window.memory.turns.count()), 1);
    await breakWorker(page);
    const [written, count] = await page.evaluate(async () => {
      const written = window.memory.turns.append({ userInput: 'last' });
      await window.memory.close();
      window.memory = await window.library.Memory.open();
      return [await written, await window.memory.turns.count()];
    });
    assert.deepEqual([written, count], [2, 2]);
  }));

test('a memory that existed only in the worker is reported as lost', () =>
  withPage(async ({ page }) => {
    await open(page, { url: 'memory:' });
    await page.evaluate(() => window.memory.turns.append({ userInput: 'gone' }));
    await breakWorker(page);
    for (let n = 0; n < 2; n++) {
      const error = await page.evaluate(() => window.memory.turns.count().catch(window.told));
      assert.equal(error.code, 'worker_crashed');
    }
  }));

test('a value that no message can carry is an error for its caller only', () =>
  withPage(async ({ page }) => {
    await open(page);
    const results = await page.evaluate(async () => {
      const detached = new Uint8Array(8);
      structuredClone(detached, { transfer: [detached.buffer] });
      let looks = 0;
      const changing = {
        get userInput() {
          return looks++ ? () => 1 : 'x';
        },
      };
      const calls = [
        window.memory.turns.append({ userInput: 'before' }),
        window.memory.query('SELECT ? AS a', new Proxy([1], {})),
        window.memory.query('SELECT ?', [detached]),
        window.memory.import(detached),
        window.memory.turns.append(changing),
        window.memory.turns.append({ userInput: 'behind' }, { signal: {} }),
        window.memory.turns.append({ userInput: 'after' }),
      ];
      return (await Promise.allSettled(calls)).map(({ value, reason }) => value ?? reason.code);
    });
    // The text is read once, so later changes have no effect.
    const refused = 'invalid_argument';
    assert.deepEqual(results, [1, [{ a: 1 }], refused, refused, 2, refused, 3]);
    const texts = await page.evaluate(async () => (await window.memory.turns.list()).rows.map((row) => row.userInput));
    assert.deepEqual(texts, ['after', 'x', 'before']);
  }));

test('calls keep their order around an import, and one that was made is not called closed', () =>
  withPage(async ({ page }) => {
    await open(page);
    const file = [...readFileSync(at('tests', 'fixtures', 'synth-mind-alembic.db'))];
    const result = await page.evaluate(async (file) => {
      const imported = window.memory.import(new Uint8Array(file));
      const id = await window.memory.turns.append({ userInput: 'after it' });
      await imported;
      const count = await window.memory.turns.count();
      const downgraded = window.memory.migrations.downgrade('001');
      await Promise.resolve();
      await window.memory.close();
      return { id, count, downgraded: await downgraded };
    }, file);
    assert.deepEqual(result, { id: 65, count: 65, downgraded: ['002'] });
  }));

test('an aborted opening ends, and the next one works', () =>
  withPage(async ({ page, context }) => {
    await context.route('**/*.wasm', () => undefined);
    const error = await page.evaluate(() =>
      window.library.Memory.open({ signal: AbortSignal.timeout(200) }).catch(window.told),
    );
    assert.deepEqual([error.code, error.cause.name], ['aborted', 'TimeoutError']);
    await context.unroute('**/*.wasm');
    assert.equal((await open(page)).storage, 'opfs');
    assert.equal(await page.evaluate(() => window.memory.turns.append({ userInput: 'first' })), 1);
  }));

test('the status tells the truth', () =>
  withPage(async ({ page }) => {
    const status = await open(page, { durability: 'relaxed' });
    assert.deepEqual(
      { ...status, usage: typeof status.usage, quota: typeof status.quota },
      {
        storage: 'opfs',
        durability: 'relaxed',
        role: 'leader',
        moving: null,
        outdated: false,
        newerSchema: false,
        persisted: false,
        usage: 'number',
        quota: 'number',
        revision: '002',
        revisions: ['002'],
        head: '002',
        heads: ['002'],
        migrated: ['001', '002'],
        backup: null,
        readOnly: false,
        unindexed: 0,
      },
    );
    const later = await page.evaluate(async () => {
      await window.memory.turns.append({ userInput: 'x'.repeat(1_000_000) });
      await window.memory.migrations.downgrade('-1');
      const { persisted, usage, revision, backup } = window.memory.status;
      return { persisted, usage, revision, backup: backup.revision, really: await navigator.storage.persisted() };
    });
    assert.deepEqual([later.revision, later.backup, later.persisted], ['001', '002', later.really]);
    assert.ok(later.usage > status.usage + 1_000_000);
    const kept = await page.evaluate(async () => {
      await window.memory.close();
      window.memory = await window.library.Memory.open();
      return { migrated: window.memory.status.migrated, backups: (await window.memory.backups.list()).length };
    });
    assert.deepEqual(kept, { migrated: ['002'], backups: 2 });
  }));

test("export and import use bytes, and the caller's bytes stay intact", () =>
  withPage(async ({ page }) => {
    await open(page);
    const file = [...readFileSync(at('tests', 'fixtures', 'synth-mind-alembic.db'))];
    const result = await page.evaluate(async (file) => {
      const bytes = new Uint8Array(file);
      const { applied } = await window.memory.import(bytes);
      const { applied: fromBlob } = await window.memory.import(new Blob([bytes]));
      const out = await window.memory.export({ revision: '001' });
      const [{ blob, big }] = await window.memory.query("SELECT x'00ff' AS blob, 9223372036854775807 AS big");
      const backups = await window.memory.backups.list();
      const refused = await window.memory.import(bytes.subarray(0, 5000)).catch(window.told);
      return {
        kept: bytes.length,
        applied,
        fromBlob,
        header: new TextDecoder().decode(out.subarray(0, 15)),
        blob: [...blob],
        big: String(big),
        turns: await window.memory.turns.count(),
        backups: backups.length,
        createdAt: backups[0].createdAt instanceof Date,
        refused: refused.code,
      };
    }, file);
    assert.deepEqual(result, {
      kept: file.length,
      applied: ['002'],
      fromBlob: ['002'],
      header: 'SQLite format 3',
      blob: [0, 255],
      big: '9223372036854775807',
      turns: 64,
      backups: 2,
      createdAt: true,
      refused: 'corrupt_database',
    });
  }));

test('a memory of the page keeps nothing, and must be requested explicitly', () =>
  withPage(async ({ page, load }) => {
    const status = await open(page, { url: 'memory:' });
    assert.deepEqual([status.storage, status.usage, status.persisted], ['memory', null, false]);
    await page.evaluate(() => window.memory.turns.append({ userInput: 'gone soon' }));
    await load(page);
    await open(page, { url: 'memory:' });
    assert.equal(await page.evaluate(() => window.memory.turns.count()), 0);
  }));

test('a closed memory rejects calls, and closing waits for earlier ones', () =>
  withPage(async ({ page }) => {
    await open(page);
    const result = await page.evaluate(async () => {
      const write = window.memory.turns.append({ userInput: 'last' });
      await Promise.all([window.memory.close(), window.memory.close()]);
      const refused = await window.memory.turns.count().catch(window.told);
      const again = await window.library.Memory.open();
      const count = await again.turns.count();
      await again[Symbol.asyncDispose]();
      const disposed = await again.turns.count().catch(window.told);
      return { id: await write, refused: refused.code, count, disposed: disposed.code };
    });
    assert.deepEqual(result, { id: 1, refused: 'closed', count: 1, disposed: 'closed' });
    // The same while questions are under way, which closing waits for.
    const asked = await page.evaluate(async () => {
      const memory = await window.library.Memory.open();
      await memory.recall('anything');
      const question = memory.recall('last');
      const closing = memory.close();
      const late = [
        () => memory.turns.append({ userInput: 'too late' }),
        () => memory.recall('too late'),
        () => memory.query('SELECT 1'),
        () => memory.migrations.current(),
        () => memory.backups.list(),
      ];
      const codes = await Promise.all(late.map((call) => call().catch((error) => error.code)));
      await closing;
      return { hits: (await question).length, codes };
    });
    assert.deepEqual(asked, { hits: 1, codes: Array(5).fill('closed') });
  }));

test('where the page may not make a worker, opening says so, and works when it may', () =>
  withPage(async ({ page }) => {
    await page.evaluate(() => {
      window.RealWorker = window.Worker;
      window.Worker = class {
        constructor() {
          throw new DOMException('It is of another origin.', 'SecurityError');
        }
      };
    });
    const error = await tryOpen(page);
    assert.deepEqual(
      [error.code, error.cause.name, error.isMemoryError],
      ['worker_unavailable', 'SecurityError', true],
    );
    await page.evaluate(() => (window.Worker = window.RealWorker));
    assert.equal((await open(page)).storage, 'opfs');
  }));

for (const [what, cause, options] of [
  [
    'the worker is not served',
    /^The worker script could not be loaded/,
    { folders: { '/package/worker.js': [], ...FOLDERS } },
  ],
  [
    'the WebAssembly is not served',
    /synth_memory_bg\.wasm answered 404$/,
    { folders: { '/package/wasm/': [], ...FOLDERS } },
  ],
  ['the policy forbids WebAssembly', /Content Security Policy/i, { policy: POLICY.replace("'wasm-unsafe-eval'", '') }],
]) {
  test(`where ${what}, opening says so`, () =>
    withPage(async ({ page }) => {
      const error = await tryOpen(page);
      assert.deepEqual([error.code, error.isMemoryError], ['worker_unavailable', true], error.message);
      assert.match(error.cause.message, cause);
    }, options));
}

test('without OPFS, opening reports it and creates no memory instead', () =>
  withPage(async ({ page, context, load }) => {
    // The worker's script is changed on the way, so that the browser seems to have no OPFS.
    await context.route('**/package/worker.js', async (route) => {
      const response = await route.fetch();
      await route.fulfill({
        response,
        body: `delete StorageManager.prototype.getDirectory;\n${await response.text()}`,
      });
    });
    await load(page);
    const error = await tryOpen(page);
    assert.deepEqual([error.code, error.isMemoryError], ['opfs_unavailable', true], error.message);
    assert.equal((await open(page, { url: 'memory:' })).storage, 'memory');
  }));
