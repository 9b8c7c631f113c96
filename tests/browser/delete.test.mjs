// Deleting a memory deletes everything that it stored, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPage } from './page.mjs';

const fill = (page, url) =>
  page.evaluate(async (url) => {
    const memory = await window.library.Memory.open({ url });
    await memory.turns.append({ userInput: url });
    await memory.backups.create();
    await memory.close();
  }, url);

const count = (page, url) =>
  page.evaluate(async (url) => {
    const memory = await window.library.Memory.open({ url });
    const found = [await memory.turns.count(), (await memory.backups.list()).length];
    await memory.close();
    return found;
  }, url);

const remove = (page, ...args) =>
  page.evaluate((args) => window.library.Memory.delete(...args).catch(window.told), args);

test('a memory is deleted with its backups, but memories next to and below it are not', () =>
  withPage(async ({ page }) => {
    const urls = ['opfs:///memory.db', 'opfs:///a', 'opfs:///a/b.db', 'opfs:///a/c.db'];
    for (const url of urls) await fill(page, url);
    assert.equal(await remove(page), true);
    assert.equal(await remove(page, 'opfs:///a'), true);
    assert.equal(await remove(page, 'opfs:///a/c.db'), true);
    for (const url of [undefined, 'opfs:///a', 'opfs:///never.db', 'opfs:///never/there.db', 'memory:'])
      assert.equal(await remove(page, url), false, url);
    assert.deepEqual(await count(page, 'opfs:///a/b.db'), [1, 1]);
    assert.deepEqual(await count(page, 'opfs:///memory.db'), [0, 0]);
    for (const url of ['opfs:///memory.db', 'opfs:///a/b.db']) assert.equal(await remove(page, url), true);
    const left = await page.evaluate(async () => {
      const names = async (folder) => {
        const found = [];
        for await (const [name, handle] of folder)
          found.push(name, ...(handle.kind === 'directory' ? await names(handle) : []));
        return found;
      };
      return names(await navigator.storage.getDirectory());
    });
    assert.deepEqual(left, [], 'nothing is left');
  }));

test('one that is open in a tab is not deleted and stays usable; once closed, it is', () =>
  withPage(async ({ page, open: openPage }) => {
    const other = await openPage();
    await page.evaluate(async () => {
      window.memory = await window.library.Memory.open();
      await window.memory.turns.append({ userInput: 'kept' });
    });
    for (const tab of [page, other]) {
      const error = await remove(tab);
      assert.deepEqual([error.code, error.isMemoryError], ['locked', true]);
    }
    assert.equal(await page.evaluate(() => window.memory.turns.count()), 1);
    // The memory can be deleted as soon as `close` resolves.
    const deleted = await page.evaluate(async () => {
      await window.memory.close();
      return window.library.Memory.delete();
    });
    assert.equal(deleted, true);
    for (const url of ['', 'file:///x', 5, null])
      assert.equal((await remove(page, url)).code, 'invalid_url', String(url));
  }));
