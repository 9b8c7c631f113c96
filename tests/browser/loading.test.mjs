// Which files of the package a page downloads, and when: one engine for all, and nothing for recall before it is used.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { call, open, query, releases } from './migrations.mjs';
import { breakWorker, withPage } from './page.mjs';

const [, first, second] = releases;
const TO_OPEN = ['index.js', 'wasm/synth_memory_bg.wasm', 'worker.js'];
const RECALL = 'recall.js';
const MODEL = 'models/all-minilm-l6-v2-256.bin';

/** The package's files that are fetched during `act`, sorted. A file that is fetched twice is listed twice. */
async function fetched(context, act) {
  const paths = [];
  const note = (request) => paths.push(new URL(request.url()).pathname);
  context.on('request', note);
  await act();
  context.off('request', note);
  const inPackage = paths.filter((path) => path.startsWith('/package/'));
  return inPackage.map((path) => path.slice('/package/'.length)).sort();
}

test('opening, migrations, tables, history and backups take three files, each fetched once', () =>
  withPage(async ({ page, load, context }) => {
    /** Reloads the page first, because a page compiles the engine only once. */
    const downloads = async (what, act) => {
      await page.evaluate(() => window.memory?.close());
      const files = await fetched(context, async () => {
        await load(page);
        await act();
      });
      assert.deepEqual(files, TO_OPEN, what);
    };
    const opens = (options, migrated) => async () => {
      const status = await open(page, options);
      assert.deepEqual(status.migrated, migrated, JSON.stringify(status));
      assert.equal(typeof (await call(page, 'turns.append', { userInput: 'one' })), 'number');
      assert.deepEqual(await query(page, 'SELECT 1 AS one'), [{ one: 1 }]);
    };

    let ours;
    await downloads('a new memory', async () => {
      ours = (await open(page)).migrated;
      assert.equal(ours[0], '001');
    });
    await downloads('one at head', opens({}, []));
    await downloads('one with a new table', opens({ migrations: first }, ['reminders1']));
    await downloads('one with a rebuilt table', opens({ migrations: second }, ['reminders2']));
    await downloads('one that is taken down to 001', async () => {
      await opens({ migrations: second }, [])();
      assert.deepEqual(await call(page, 'migrations.downgrade', 'reminders@base'), ['reminders2', 'reminders1']);
      assert.deepEqual(await call(page, 'migrations.downgrade', '001'), ours.slice(1).reverse());
    });
    await downloads('one at 001', opens({}, ours.slice(1)));
    await downloads('one in memory', opens({ url: 'memory:' }, ours));
    await downloads('tables, history, backups, plans', async () => {
      await open(page);
      await call(page, 'semantic.remember', { content: 'Ada plays the cello' });
      assert.equal(await call(page, 'semantic.count', { search: 'cello' }), 1);
      assert.equal((await call(page, 'migrations.history')).length, ours.length);
      assert.deepEqual((await call(page, 'migrations.plan')).steps, []);
      const backup = await call(page, 'backups.create');
      assert.deepEqual(await call(page, 'backups.restore', backup.id), { applied: [], leftOut: [] });
    });
    await downloads('a file of Synth Mind', async () => {
      await open(page, { url: 'opfs:///imported.db' });
      const file = [...readFileSync(at('tests', 'fixtures', 'synth-mind-alembic.db'))];
      const { applied } = await page.evaluate((file) => window.memory.import(new Uint8Array(file)), file);
      assert.deepEqual(applied, ours.slice(1));
    });
  }));

test('recall is loaded when it is first asked for, the model when a question is first asked by meaning, each once', () =>
  withPage(async ({ page, load, context }) => {
    const recall = (question, options) => call(page, 'recall', question, { k: 1, ...options });
    await open(page);
    await call(page, 'semantic.rememberMany', [{ content: 'Ada plays the cello' }, { content: 'The flat is small' }]);
    const wordsOnly = await fetched(context, () => recall('cello', { weights: { meaning: 0 } }));
    assert.deepEqual(wordsOnly, [RECALL]);
    let hit;
    const byMeaning = await fetched(context, async () => ([hit] = await recall('a musical instrument')));
    assert.deepEqual([byMeaning, hit.text], [[MODEL], 'Ada plays the cello']);
    const after = await fetched(context, async () => {
      await recall('where does she live?');
      for (const [path, ...args] of [
        ['context', 'music'],
        ['semantic.search', 'music'],
        ['related', 'music'],
        ['groundingConfidence', 'music'],
        ['trackContext', 'music'],
        ['consolidate'],
        ['embeddings.ready'],
      ])
        assert.equal((await call(page, path, ...args))?.code, undefined, path);
    });
    assert.deepEqual(after, []);
    await page.evaluate(() => window.memory.close());

    // Both calls need the files first, at the same time.
    const all = await fetched(context, async () => {
      await load(page);
      await open(page);
      await page.evaluate(() => Promise.all([window.memory.recall('music'), window.memory.context('music')]));
    });
    assert.deepEqual(all, [...TO_OPEN, RECALL, MODEL].sort());
    await page.evaluate(() => window.memory.close());

    // An embedder that is named is loaded from the start.
    const named = await fetched(context, async () => {
      await load(page);
      await open(page, { embedder: 'bundled' });
      await call(page, 'embeddings.ready');
    });
    assert.deepEqual(named, [...TO_OPEN, RECALL, MODEL].sort());
    await page.evaluate(() => window.memory.close());

    const none = await fetched(context, async () => {
      await load(page);
      await open(page, { embedder: 'none' });
      [hit] = await recall('cello');
    });
    assert.deepEqual([none, hit.text], [[...TO_OPEN, RECALL].sort(), 'Ada plays the cello']);
  }));

test('two memories of a page share one engine: it is fetched once and compiled once, also after a worker broke', () =>
  withPage(async ({ page, context }) => {
    /** Counts compilations in its thread. A compiled module is only instantiated, which does not count. */
    const count = () => {
      globalThis.compiled = [];
      for (const name of ['compile', 'compileStreaming', 'instantiate', 'instantiateStreaming', 'Module']) {
        const note = ([source]) => {
          if (!(source instanceof WebAssembly.Module)) globalThis.compiled.push(name);
        };
        WebAssembly[name] = new Proxy(WebAssembly[name], {
          apply: (target, self, args) => note(args) ?? Reflect.apply(target, self, args),
          construct: (target, args) => note(args) ?? Reflect.construct(target, args),
        });
      }
    };
    await context.route('**/package/worker.js', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `(${count})();\n${await response.text()}` });
    });
    await page.evaluate(count);

    const files = await fetched(context, async () => {
      const counts = await page.evaluate(async () => {
        const { Memory } = window.library;
        const urls = ['opfs:///one.db', 'opfs:///two.db'];
        window.memories = await Promise.all(urls.map((url) => Memory.open({ url })));
        window.memories.push(await Memory.open({ url: 'opfs:///three.db' }));
        for (const memory of window.memories) await memory.turns.append({ userInput: 'one' });
        return Promise.all(window.memories.map((memory) => memory.turns.count()));
      });
      assert.deepEqual(counts, [1, 1, 1]);
      await breakWorker(page);
      assert.deepEqual(
        await page.evaluate(() => Promise.all(window.memories.map((memory) => memory.turns.count()))),
        [1, 1, 1],
      );
    });
    assert.deepEqual(
      files.filter((path) => path !== 'worker.js'),
      ['wasm/synth_memory_bg.wasm'],
    );
    assert.deepEqual(await page.evaluate(() => window.compiled), ['compileStreaming']);
    const workers = page.workers();
    assert.equal(workers.length, 3);
    for (const worker of workers) assert.deepEqual(await worker.evaluate(() => self.compiled), []);
  }));
