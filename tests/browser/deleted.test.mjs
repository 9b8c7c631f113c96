// Deleted text is in no file of the origin.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPage } from './page.mjs';

/** No other word has the same beginning, so the index stores it in one piece. */
const WORD = 'xqvwzk';

/** The files of the origin that contain the word. No memory must be open. */
const found = (page) =>
  page.evaluate(async (word) => {
    const names = [];
    const search = async (folder, path) => {
      for await (const [name, handle] of folder) {
        if (handle.kind === 'directory') await search(handle, `${path}${name}/`);
        else {
          const text = new TextDecoder('latin1').decode(await (await handle.getFile()).arrayBuffer());
          if (text.toLowerCase().includes(word)) names.push(`${path}${name}`);
        }
      }
    };
    await search(await navigator.storage.getDirectory(), '/');
    return names;
  }, WORD);

/** The same, after a memory has been opened, used and closed. */
const after = async (page, use) => {
  await page.evaluate(async () => (window.memory = await window.library.Memory.open()) && undefined);
  const answer = await page.evaluate(`(${use})(window.memory, '${WORD}')`);
  await page.evaluate(() => window.memory.close());
  return { answer, files: await found(page) };
};

const fill = async (memory, word) => {
  const texts = Array.from({ length: 300 }, (_, n) => (n % 3 ? `green tea ${n}` : `green tea ${n} with ${word}`));
  await memory.turns.appendMany(texts.map((text) => ({ userInput: text, assistantResponse: text })));
  await memory.episodes.recordMany(texts.map((text) => ({ eventType: 'told', content: { text } })));
  await memory.semantic.rememberMany(texts.map((content) => ({ content })));
  await memory.longTerm.setMany(Object.fromEntries(texts.map((text) => [text, { text }])));
  await memory.uncertainty.logMany(texts.map((text) => ({ userMessage: text, confidenceScore: 0.5 })));
  const hits = await memory.recall(`tea with ${word}`);
  return hits[0].text.includes(word);
};

const ways = {
  'delete, row by row': async (memory, word) => {
    for (const table of [memory.turns, memory.episodes, memory.semantic, memory.longTerm, memory.uncertainty]) {
      const { rows } = await table.list({ search: word, limit: 1000 });
      for (const row of rows) await table.delete(row.id ?? row.key);
    }
  },
  clear: async (memory) => {
    for (const table of [memory.turns, memory.episodes, memory.semantic, memory.longTerm, memory.uncertainty])
      await table.clear();
  },
  'update to another text': async (memory, word) => {
    const { rows } = await memory.semantic.list({ search: word, limit: 1000 });
    for (const { id } of rows) await memory.semantic.update(id, { content: 'something else' });
    for (const table of [memory.turns, memory.episodes, memory.longTerm, memory.uncertainty])
      await table.clear({ search: word });
  },
};

for (const [way, remove] of Object.entries(ways)) {
  test(`${way}: no file holds the text, after close`, () =>
    withPage(async ({ page }) => {
      const before = await after(page, fill);
      assert.equal(before.answer, true, 'recall finds it');
      assert.notDeepEqual(before.files, []);
      assert.deepEqual((await after(page, remove)).files, []);
      const left = await after(page, async (memory, word) => (await memory.recall(word)).length);
      assert.deepEqual(left.files, []);
    }));
}

test('compact reports which backups still hold the text, and a backup can be deleted', () =>
  withPage(async ({ page }) => {
    await after(page, fill);
    const kept = await after(page, async (memory) => {
      const made = await memory.backups.create();
      await memory.turns.clear();
      await memory.episodes.clear();
      await memory.semantic.clear();
      await memory.longTerm.clear();
      await memory.uncertainty.clear();
      const { bytesBefore, bytesAfter, backups } = await memory.compact();
      return { shrinks: bytesAfter < bytesBefore, told: backups.map(({ id }) => id === made.id) };
    });
    assert.deepEqual(kept.answer, { shrinks: true, told: [true] });
    assert.equal(kept.files.length, 1);
    const deleted = await after(page, async (memory) => {
      const [{ id }] = await memory.backups.list();
      const results = [await memory.backups.delete(id), await memory.backups.delete(id)];
      return [...results, (await memory.backups.list()).length, memory.status.backup];
    });
    assert.deepEqual(deleted.answer, [true, false, 0, null]);
    assert.deepEqual(deleted.files, []);
  }));

test('what consolidate removed is kept for its undo, until that is discarded', () =>
  withPage(async ({ page }) => {
    await after(page, async (memory, word) => {
      await memory.semantic.rememberMany([{ content: `a ${word}` }, { content: `a ${word}` }]);
      await memory.consolidate();
      await memory.semantic.clear();
    });
    assert.equal((await found(page)).length, 1);
    assert.deepEqual((await after(page, (memory) => memory.discardConsolidations())).files, []);
  }));

test('an export contains no deleted text, and no free pages', () =>
  withPage(async ({ page }) => {
    const { answer } = await after(page, async (memory, word) => {
      await memory.turns.appendMany(Array.from({ length: 2000 }, () => ({ userInput: `${word} `.repeat(50) })));
      await memory.recall(word);
      const full = await memory.export();
      await memory.turns.clear();
      const file = await memory.export();
      return [full, file].map((bytes) => [
        bytes.length > 300_000,
        new TextDecoder('latin1').decode(bytes).includes(word),
      ]);
    });
    assert.deepEqual(answer, [
      [true, true],
      [false, false],
    ]);
  }));

test('a file that is mostly free shrinks while the memory is open', () =>
  withPage(async ({ page }) => {
    const sizes = await page.evaluate(async () => {
      const memory = await window.library.Memory.open();
      const pages = async () => (await memory.query('SELECT page_count AS n FROM pragma_page_count'))[0].n;
      const long = 'word '.repeat(200);
      await memory.turns.appendMany(Array.from({ length: 5000 }, () => ({ userInput: long })));
      const full = await pages();
      await memory.turns.clear();
      for (let tries = 0; (await pages()) > full / 4 && tries < 20; tries++) {
        // Two seconds without a call.
        await new Promise((resolve) => setTimeout(resolve, 3000));
      }
      const left = await pages();
      await memory.close();
      return { full, left };
    });
    assert.ok(sizes.left < sizes.full / 4, JSON.stringify(sizes));
  }));
