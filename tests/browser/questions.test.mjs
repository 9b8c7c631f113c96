// What a question sees: every write that was made before it, awaited or not, also as the first one of a session.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, open } from './migrations.mjs';
import { withPage } from './page.mjs';
import { CELLO, hold, MODEL, plain, prepare, QUESTIONS, say, WAITING, WORDS } from './questions.mjs';

/**
 * Writes, and asks at once, in a page that is loaded again.
 *
 * @param act - What comes between the opening and the writes: nothing, where the question is the first one.
 */
async function writeAndAsk(page, load, question, url, act = () => undefined) {
  await load(page);
  await prepare(page);
  await open(page, { url, ...(question.embedder && { embedder: question.embedder }) });
  await act();
  const { answer, ids } = await page.evaluate(
    async ([question, cello]) => {
      const { memory } = window;
      const writes = [
        memory.turns.append({ userInput: 'Good morning' }),
        memory.longTerm.set('user.name', 'Ada'),
        memory.semantic.remember({ content: cello }),
      ];
      const asked = window.ask(memory, question);
      return { answer: await asked, ids: await Promise.all(writes) };
    },
    [plain(question), CELLO],
  );
  assert.deepEqual(ids, [1, undefined, 1]);
  assert.ok(question.sees(answer), say(question, answer));
}

test('the first question of a session sees the writes made before it and not awaited', () =>
  withPage(async ({ page, load }) => {
    for (const [n, question] of QUESTIONS.entries())
      await writeAndAsk(page, load, question, `opfs:///question-${n}.db`);
  }));

test('so does a later one', () =>
  withPage(async ({ page, load }) => {
    for (const [n, question] of QUESTIONS.entries())
      await writeAndAsk(page, load, question, `opfs:///question-${n}.db`, async () => {
        // All is loaded, and no row waits for its vector.
        await page.evaluate((question) => window.ask(window.memory, question), plain(question));
        if (!question.embedder) await call(page, 'embeddings.ready');
      });
  }));

test('so does one that waits for the model, while what was written waits for it too', () =>
  withPage(async ({ page, load, context }) => {
    for (const [n, question] of WAITING.entries()) {
      const { release, asked } = await hold(context, MODEL);
      await writeAndAsk(page, load, question, `opfs:///question-${n}.db`, async () => {
        await call(page, 'recall', 'anything', WORDS);
        // What was written is embedded by itself soon after; the model comes later than that.
        void asked.then(() => setTimeout(release, 300));
      });
      await context.unroute(MODEL);
    }
  }));

/** In the page: changes some facts and asks for them at once, behind so many turns that were just written too. */
const changeAndAsk = async (page, count) => {
  await open(page);
  await call(page, 'semantic.rememberMany', [
    { content: 'Ada plays the drums' },
    { content: 'Ada plays the trumpet' },
    { content: 'The flat has two rooms' },
  ]);
  return page.evaluate(async (count) => {
    const { memory } = window;
    const contents = async (found) => (await found).map(({ row, text }) => text ?? row.content).sort();
    const words = { weights: { meaning: 0 } };
    const writes = [
      memory.turns.appendMany(Array.from({ length: count }, (_, n) => ({ userInput: `small talk number ${n}` }))),
      memory.semantic.update(1, { content: 'Ada plays the violin' }),
      memory.semantic.delete(2),
      memory.semantic.remember({ content: 'Bo plays the viola' }),
    ];
    const byWords = [
      contents(memory.recall('plays', words)),
      contents(memory.recall('number 0', { ...words, k: 1, tables: ['turns'] })),
      contents(memory.recall(`number ${count - 1}`, { ...words, k: 1, tables: ['turns'] })),
    ];
    const byMeaning = [
      contents(memory.recall('a string instrument', { k: 2, tables: ['semantic'] })),
      contents(memory.related('a string instrument', { k: 2 })),
    ];
    const answers = { byWords: await Promise.all(byWords), byMeaning: await Promise.all(byMeaning) };
    await Promise.all(writes);
    return answers;
  }, count);
};

const STRINGS = ['Ada plays the violin', 'Bo plays the viola'];

test('a question sees what was changed and deleted before it', () =>
  withPage(async ({ page }) => {
    assert.deepEqual(await changeAndAsk(page, 20), {
      byWords: [STRINGS, ['small talk number 0'], ['small talk number 19']],
      byMeaning: [STRINGS, STRINGS],
    });
  }));
