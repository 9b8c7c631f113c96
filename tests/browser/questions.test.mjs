// A question sees every write that was made before it, awaited or not, even if it is the first question of a session.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, open } from './migrations.mjs';
import { withPage } from './page.mjs';
import { CELLO, hold, MODEL, plain, prepare, QUESTIONS, say, WAITING, WORDS } from './questions.mjs';

/**
 * Writes, and asks at once, in a reloaded page.
 *
 * @param act - Runs between the opening and the writes; omitted if the question is the first one.
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
        // Everything is loaded, and no row waits for its vector.
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
        // New rows are embedded soon by themselves; the model arrives later than that.
        void asked.then(() => setTimeout(release, 300));
      });
      await context.unroute(MODEL);
    }
  }));

/** In the page: changes some facts and asks for them at once, after `count` turns that were also just written. */
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

test('a question sees earlier changes and deletions', () =>
  withPage(async ({ page }) => {
    assert.deepEqual(await changeAndAsk(page, 20), {
      byWords: [STRINGS, ['small talk number 0'], ['small talk number 19']],
      byMeaning: [STRINGS, STRINGS],
    });
  }));

test('a question sees what was written before it, however much that was', () =>
  withPage(async ({ page }) => {
    assert.deepEqual(await changeAndAsk(page, 2000), {
      byWords: [STRINGS, ['small talk number 0'], ['small talk number 1999']],
      byMeaning: [STRINGS, STRINGS],
    });
  }));

for (const [what, slow] of [
  ['a Blob', false],
  ['a Blob that takes its time to be read', true],
]) {
  test(`calls right behind an import of ${what} see what was imported`, () =>
    withPage(async ({ page, load }) => {
      /** Imports and asks, as the first question of a page or after another one. */
      const importing = async (question, isFirst) => {
        await load(page);
        await prepare(page);
        const { answer, ...rest } = await page.evaluate(
          async ([question, cello, slow, isFirst]) => {
            const { Memory } = window.library;
            const other = await Memory.open({ url: 'memory:', embedder: 'none' });
            await other.semantic.remember({ content: cello });
            await other.turns.appendMany([{ userInput: 'Good morning' }, { userInput: 'Good evening' }]);
            const bytes = await other.export();
            await other.close();
            class SlowBlob extends Blob {
              async arrayBuffer() {
                await new Promise((resolve) => setTimeout(resolve, 500));
                return super.arrayBuffer();
              }
            }

            const { embedder } = question;
            const memory = await Memory.open({ url: 'memory:', ...(embedder && { embedder }) });
            if (!isFirst) await window.ask(memory, question);
            const imported = memory.import(new (slow ? SlowBlob : Blob)([bytes]));
            const calls = [
              window.ask(memory, question),
              memory.semantic.count({ search: 'cello' }),
              memory.query('SELECT count(*) AS n FROM turns'),
              memory.turns.append({ userInput: 'behind it' }),
              memory.turns.count(),
              imported,
            ];
            const [answer, facts, [{ n }], id, count, { applied }] = await Promise.all(calls);
            const result = { answer, facts, turns: [n, id, count, await memory.turns.count()], applied };
            await memory.close();
            return result;
          },
          [plain(question), CELLO, slow, isFirst],
        );
        const why = `${isFirst ? 'the first one' : 'a later one'}: ${say(question, answer)}`;
        // A write after the import changes the imported database.
        assert.deepEqual(rest, { facts: 1, turns: [2, 3, 3, 3], applied: [] }, why);
        assert.ok(question.sees(answer), why);
      };
      for (const question of QUESTIONS) await importing(question, true);
      // Once recall and the model are loaded, questions wait for nothing else.
      for (const question of QUESTIONS.slice(0, 2)) await importing(question, false);
    }));
}
