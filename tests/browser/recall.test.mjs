// Recall in a real page: under the strict policy, stored in OPFS, and continued after a crash.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noteComplaints, withPage } from './page.mjs';

const MODEL = 'all-minilm-l6-v2-256.bin';

/** Opens a memory in the page, as `window.memory`. */
const open = (page, options) =>
  page.evaluate(async (options) => {
    window.memory = await window.library.Memory.open(options);
  }, options);

const fill = (page) =>
  page.evaluate(() =>
    window.memory.semantic.rememberMany([
      { content: 'Ada is allergic to peanuts', category: 'health', importance: 0.9 },
      { content: 'Ada plays the cello' },
      { content: 'The flat has two rooms' },
    ]),
  );

const search = (page, text, k = 1) =>
  page.evaluate(
    async ([text, k]) =>
      (await window.memory.semantic.search(text, { k })).map(({ content, similarity }) => [
        content,
        similarity !== null,
      ]),
    [text, k],
  );

test('a memory finds by meaning, and again after a reload, under the strict policy', async () => {
  await withPage(async ({ page, load }) => {
    const complaints = [];
    noteComplaints(page, complaints);
    await open(page);
    await fill(page);
    assert.deepEqual(await search(page, 'a musical instrument'), [['Ada plays the cello', true]]);
    const status = await page.evaluate(() => window.memory.embeddings.ready());
    assert.deepEqual([status.embedded, status.pending], [3, 0]);
    await page.evaluate(() => window.memory.close());

    await load(page);
    await open(page, { embedder: 'bundled' });
    assert.deepEqual(await search(page, 'food that makes her ill'), [['Ada is allergic to peanuts', true]]);
    assert.deepEqual(complaints, []);
  });
});

test('new rows are embedded automatically, and this is reported', async () => {
  await withPage(async ({ page }) => {
    await page.evaluate(async () => {
      window.told = [];
      window.memory = await window.library.Memory.open({
        embedder: 'bundled',
        onEmbedding: (status) => window.told.push(status),
      });
    });
    await fill(page);
    await page.waitForFunction(() => window.told.at(-1)?.embedded === 3 && window.told.at(-1).pending === 0);
    await page.evaluate(() => window.memory.semantic.update(3, { content: 'The cellar is damp' }));
    await page.waitForFunction(
      () => window.told.filter((status) => status.embedded === 3 && status.pending === 0).length > 1,
    );
    assert.deepEqual(await search(page, 'moisture in the basement'), [['The cellar is damp', true]]);
  });
});

test('an unavailable model is an error with its cause, and recall by words still works', async () => {
  await withPage(async ({ page, context }) => {
    await context.route(`**/${MODEL}`, (route) => route.fulfill({ status: 404, body: 'none' }));
    await open(page);
    await fill(page);
    const error = await page.evaluate(() => window.memory.recall('peanuts').catch(window.told));
    assert.deepEqual([error.code, error.isMemoryError], ['embedder_unavailable', true]);
    assert.match(error.cause.message, /answered 404/);
    const hits = await page.evaluate(async () =>
      (await window.memory.recall('peanuts', { weights: { meaning: 0 } })).map(({ text }) => text),
    );
    assert.deepEqual(hits, ['Ada is allergic to peanuts']);
    await context.unroute(`**/${MODEL}`);
    assert.deepEqual(
      await search(page, 'a musical instrument'),
      [['Ada plays the cello', true]],
      'the next call tries again',
    );
  });
});

test('after the worker crashed, the next question finds as before', async () => {
  await withPage(async ({ page }) => {
    await open(page);
    await fill(page);
    assert.deepEqual(await search(page, 'a musical instrument'), [['Ada plays the cello', true]]);
    // The message that the worker sends after a trap.
    const worker = page.workers()[0];
    await worker.evaluate(() => self.postMessage({ type: 'crashed', name: 'RuntimeError', message: 'unreachable' }));
    assert.deepEqual(await search(page, 'a musical instrument'), [['Ada plays the cello', true]]);
    const hits = await page.evaluate(async () =>
      (await window.memory.recall('a musical instrument', { k: 1 })).map(({ similarity }) => similarity > 0.2),
    );
    assert.deepEqual(hits, [true]);
  });
});

test('an embedder of the page own runs there, with the writes in between', async () => {
  await withPage(async ({ page }) => {
    const result = await page.evaluate(async () => {
      const calls = [];
      const embedder = {
        name: 'page',
        embed: async (texts) => {
          calls.push(texts.length);
          await new Promise((resolve) => setTimeout(resolve, 20));
          return texts.map((text) => [text.includes('cello') ? 1 : 0, text.length / 100, 1]);
        },
      };
      const memory = await window.library.Memory.open({ embedder });
      const ids = await memory.semantic.rememberMany(
        Array.from({ length: 100 }, (_, at) => ({ content: `fact ${at}` })),
      );
      const settled = memory.embeddings.ready();
      // Rows are changed and deleted while their vectors are being computed.
      await memory.semantic.update(ids[99], { content: 'the cello, rather' });
      await memory.semantic.delete(ids.slice(0, 10));
      await settled;
      const status = await memory.embeddings.ready();
      const [first] = await memory.semantic.search('cello', { k: 1 });
      await memory.close();
      return { status, first: first.content, most: Math.max(...calls) };
    });
    assert.deepEqual([result.status.embedded, result.status.pending, result.status.dimensions], [90, 0, 3]);
    assert.deepEqual([result.first, result.most], ['the cello, rather', 32]);
  });
});
