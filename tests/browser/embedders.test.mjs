// Only the questions that need an embedder wait for it. They can be aborted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, open } from './migrations.mjs';
import { withPage } from './page.mjs';
import { CELLO, hold, MODEL, plain, prepare, say, WAITING, WORDS } from './questions.mjs';

/** In the page: asks questions that wait for an embedder (`window.asked`), then makes calls. Returns their answers. */
const callBehind = (page) =>
  page.evaluate(async (questions) => {
    const { memory } = window;
    window.answered = [];
    window.asked = questions.map((question) => {
      const answer = window.ask(memory, question);
      const note = () => window.answered.push(question.path);
      answer.then(note, note);
      return answer;
    });
    return Promise.all([
      memory.turns.append({ userInput: 'behind it' }),
      memory.turns.count({ search: 'behind' }),
      memory.query('SELECT count(*) AS n FROM turns'),
      memory.semantic.update(1, { importance: 1 }),
      memory.longTerm.set('user.name', 'Ada'),
      memory.recall('cello', { k: 1, weights: { meaning: 0 } }).then(([hit]) => hit.text),
      memory.migrations.history().then(([{ id }]) => id),
      memory.backups.list(),
      memory.export().then((bytes) => bytes.length > 1000),
    ]);
  }, WAITING.map(plain));

/** The answers to these calls, in a memory with the fact about the cello and no turns. */
const BEHIND = ({ revisions }) => [1, 1, [{ n: 1 }], undefined, undefined, CELLO, revisions[0], [], true];

test('while the model is on its way, every other call is answered', () =>
  withPage(async ({ page, context }) => {
    const { release, asked } = await hold(context, MODEL);
    await prepare(page);
    const status = await open(page);
    await call(page, 'semantic.remember', { content: CELLO });
    assert.deepEqual(await callBehind(page), BEHIND(status));
    await asked;
    assert.equal(await call(page, 'turns.count'), 1);
    assert.deepEqual(await page.evaluate(() => window.answered), [], 'they wait for the model');
    release();
    const found = await page.evaluate(() => Promise.all(window.asked));
    for (const [n, question] of WAITING.entries()) assert.ok(question.sees(found[n]), say(question, found[n]));
  }));

test('while recall itself is on its way, every other call is answered', () =>
  withPage(async ({ page, context }) => {
    const { release, asked } = await hold(context, '**/package/recall.js');
    await prepare(page);
    await open(page);
    await call(page, 'semantic.remember', { content: CELLO });
    const answers = await page.evaluate(() => {
      window.asked = window.memory.recall('cello', { k: 1 });
      window.asked.then(() => (window.answered = true));
      const { turns } = window.memory;
      return Promise.all([
        turns.append({ userInput: 'behind it' }),
        turns.count(),
        window.memory.query('SELECT 1 AS n'),
      ]);
    });
    await asked;
    assert.deepEqual(answers, [1, 1, [{ n: 1 }]]);
    assert.equal(await page.evaluate(() => window.answered), undefined);
    release();
    assert.equal(await page.evaluate(async () => (await window.asked)[0].text), CELLO);
  }));

/**
 * In the page: opens a memory with an app's embedder, which answers only after `window.answer()`. The vector depends on
 * whether a text is about music.
 */
const openWithEmbedder = (page, dimensions) =>
  page.evaluate(async (dimensions) => {
    window.calls = 0;
    const told = new Promise((resolve) => (window.answer = resolve));
    const embedder = {
      name: 'slow',
      ...(dimensions && { dimensions }),
      embed: async (texts) => {
        window.calls++;
        await told;
        return texts.map((text) => (/cello|music/.test(text) ? [1, 0] : [0, 1]));
      },
    };
    window.memory = await window.library.Memory.open({ embedder });
    return window.memory.status;
  }, dimensions);

for (const [what, dimensions] of [
  ['an embedder of the page', 2],
  ['an embedder that does not say its dimensions', undefined],
]) {
  test(`while ${what} makes its answer, every other call is answered`, () =>
    withPage(async ({ page }) => {
      await prepare(page);
      const status = await openWithEmbedder(page, dimensions);
      await call(page, 'semantic.remember', { content: CELLO });
      assert.deepEqual(await callBehind(page), BEHIND(status));
      assert.deepEqual(await page.evaluate(() => [window.answered, window.calls > 0]), [[], true]);
      await page.evaluate(() => window.answer());
      const found = await page.evaluate(async () => {
        await Promise.all(window.asked);
        await window.memory.embeddings.ready();
        return window.memory.recall('a musical instrument', { k: 1 });
      });
      assert.deepEqual([found[0].text, found[0].similarity], [CELLO, 1]);
    }));
}

test('the multilingual model is downloaded only on request, and all its tabs share one', () =>
  withPage(async ({ page, context, open: openPage }) => {
    const asked = [];
    await context.route(MODEL, (route) => {
      asked.push(new URL(route.request().url()).pathname.split('/').at(-1));
      return route.continue();
    });
    await prepare(page);
    await open(page);
    await call(page, 'semantic.remember', { content: 'Ada spielt Cello' });
    await call(page, 'recall', 'ein Musikinstrument', { k: 1 });
    assert.deepEqual(asked, ['all-minilm-l6-v2-256.bin']);
    await page.evaluate(() => window.memory.close());

    await open(page, { embedder: 'multilingual' });
    const [hit] = await call(page, 'recall', '一种乐器', { k: 1 });
    assert.deepEqual([hit.text, hit.similarity > 0], ['Ada spielt Cello', true]);
    const { model, embedded, pending } = await call(page, 'embeddings.ready');
    assert.deepEqual([model, embedded, pending], ['multilingual-e5-small-static-256-pq', 1, 0]);
    assert.deepEqual(asked, ['all-minilm-l6-v2-256.bin', 'multilingual-e5-small-256.bin']);

    const other = await openPage();
    await prepare(other);
    await open(other, { embedder: 'multilingual' });
    assert.equal((await call(other, 'recall', 'music', { k: 1 }))[0].text, 'Ada spielt Cello');
    assert.equal(asked.length, 2, 'what another tab has loaded is used');
  }));

/** In the page: asks, writes, aborts the question, and returns its outcome within some seconds. */
const giveUp = (page, question) =>
  page.evaluate(async ({ path, asked, options }) => {
    const controller = new AbortController();
    const answer = window.ask(window.memory, { path, asked, options: { ...options, signal: controller.signal } });
    const outcome = answer.then(
      () => 'answered',
      ({ code, cause }) => `${code}: ${cause?.message}`,
    );
    const written = await window.memory.turns.append({ userInput: 'behind it' });
    controller.abort(new Error('long enough'));
    const late = new Promise((resolve) => setTimeout(resolve, 3000, 'still waited for'));
    return { written, outcome: await Promise.race([outcome, late]) };
  }, plain(question));

const GIVEN_UP = [
  ...WAITING,
  { path: 'trackContext', asked: 'music' },
  { path: 'embeddings.embed', asked: ['music'] },
  { path: 'embeddings.ready' },
  { path: 'consolidate' },
];

for (const [what, arrange] of [
  ['an embedder that never answers', (page) => openWithEmbedder(page, 2)],
  ['an embedder that never even says its dimensions', (page) => openWithEmbedder(page, undefined)],
  [
    'a model that never comes',
    async (page, context) => {
      await hold(context, MODEL);
      await open(page);
    },
  ],
]) {
  test(`a question to ${what} can be given up, and writes go on`, () =>
    withPage(async ({ page, context }) => {
      await prepare(page);
      await arrange(page, context);
      await call(page, 'semantic.remember', { content: CELLO });
      const outcomes = {};
      for (const [n, question] of GIVEN_UP.entries()) {
        const { written, outcome } = await giveUp(page, question);
        assert.equal(written, n + 1);
        outcomes[question.path] = outcome;
      }
      assert.deepEqual(outcomes, Object.fromEntries(GIVEN_UP.map(({ path }) => [path, 'aborted: long enough'])));
      const [hit] = await call(page, 'recall', 'cello', WORDS);
      assert.equal(hit.text, CELLO);
    }));
}

test('a memory closes while its embedder never answers: the question is rejected, and writes are kept', () =>
  withPage(async ({ page }) => {
    await openWithEmbedder(page, 2);
    const outcome = await page.evaluate(async () => {
      const asked = window.memory.recall('music').catch(window.told);
      const written = window.memory.turns.append({ userInput: 'kept' });
      const late = new Promise((resolve) => setTimeout(resolve, 5000, 'still open'));
      const closed = await Promise.race([window.memory.close().then(() => 'closed'), late]);
      return [closed, (await asked).code, await written];
    });
    assert.deepEqual(outcome, ['closed', 'closed', 1]);
    await open(page);
    assert.equal(await call(page, 'turns.count', { search: 'kept' }), 1);
  }));

for (const [what, path] of [
  ['its model', MODEL],
  ['the part that recalls', '**/package/recall.js'],
]) {
  test(`a memory closes at once while ${what} never comes, and another tab has it`, () =>
    withPage(async ({ page, context, open: openPage }) => {
      await hold(context, path);
      await open(page);
      const outcome = await page.evaluate(async () => {
        const asked = [
          window.memory.recall('music'),
          window.memory.context('music'),
          window.memory.embeddings.ready(),
          window.memory.semantic.search('music'),
        ].map((asked) => asked.catch(window.told));
        const written = window.memory.turns.append({ userInput: 'kept' });
        // By then it waits for the file that never comes.
        await new Promise((resolve) => setTimeout(resolve, 500));
        const aborted = await window.memory.recall('music', { signal: AbortSignal.timeout(100) }).catch(window.told);
        const late = new Promise((resolve) => setTimeout(resolve, 5000, 'still open'));
        const closed = await Promise.race([window.memory.close().then(() => 'closed'), late]);
        return [closed, aborted.code, (await Promise.all(asked)).map(({ code }) => code), await written];
      });
      assert.deepEqual(outcome, ['closed', 'aborted', ['closed', 'closed', 'closed', 'closed'], 1]);
      const other = await openPage();
      await open(other);
      assert.equal(await call(other, 'turns.count', { search: 'kept' }), 1);
    }));
}
