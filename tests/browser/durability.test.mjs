// Acknowledged writes are kept, whatever happens to the tab.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPage } from './page.mjs';

const open = (page, durability) =>
  page.evaluate(async (durability) => {
    window.memory = await window.library.Memory.open({ durability });
  }, durability);

const turns = (page) => page.evaluate(() => window.memory.turns.count());

async function crash(context, page) {
  const session = await context.newCDPSession(page);
  const gone = page.waitForEvent('crash');
  // The crashed page cannot answer.
  void session.send('Page.crash').catch(() => undefined);
  await gone;
  await page.close();
}

for (const durability of ['strict', 'relaxed']) {
  test(`${durability}: every acknowledged write survives a crashed tab`, () =>
    withPage(async ({ page, open: openPage, context }) => {
      let acknowledged = 0;
      for (let round = 0; round < 4; round++) {
        await open(page, durability);
        assert.equal(await turns(page), acknowledged);
        // Some writes one by one, some together, and some still in flight when the tab crashes.
        acknowledged += await page.evaluate(async () => {
          const append = (n) => window.memory.turns.append({ userInput: `turn ${n}: green tea and peanuts` });
          for (let n = 0; n < 20; n++) await append(n);
          const together = await Promise.all(Array.from({ length: 200 }, (_, n) => append(n)));
          return 20 + together.length;
        });
        await crash(context, page);
        page = await openPage();
      }
      await open(page, durability);
      assert.equal(await turns(page), acknowledged);
      assert.deepEqual(await page.evaluate(() => window.memory.query('PRAGMA integrity_check')), [
        { integrity_check: 'ok' },
      ]);
    }));

  test(`${durability}: a transaction larger than SQLite's cache survives a crashed tab`, () =>
    withPage(async ({ page, open: openPage, context }) => {
      await open(page, durability);
      // 48 MB in one transaction, each key twice: pages are spilled from the cache to the log, and then written again.
      await page.evaluate(async () => {
        const pass = (n) => Array.from({ length: 3000 }, (_, key) => [`key ${key}`, `${n} ${'word '.repeat(1600)}`]);
        await window.memory.longTerm.setMany([...pass(1), ...pass(2)]);
      });
      await crash(context, page);
      page = await openPage();
      await open(page, durability);
      assert.equal(await page.evaluate(() => window.memory.longTerm.count()), 3000);
      assert.match(await page.evaluate(() => window.memory.longTerm.get('key 0')), /^2 word/);
      assert.deepEqual(await page.evaluate(() => window.memory.query('PRAGMA integrity_check')), [
        { integrity_check: 'ok' },
      ]);
    }));
}

test('a write that is under way when the tab crashes is whole or not there', () =>
  withPage(async ({ page, open: openPage, context }) => {
    for (let round = 0; round < 5; round++) {
      await open(page, 'strict');
      const before = await turns(page);
      assert.equal(before % 500, 0);
      // Not awaited.
      await page.evaluate(() => {
        const turns = Array.from({ length: 500 }, (_, n) => ({ userInput: `turn ${n}` }));
        void window.memory.turns.appendMany(turns);
      });
      await page.waitForTimeout(round * 8);
      await crash(context, page);
      page = await openPage();
    }
    await open(page, 'strict');
    assert.equal((await turns(page)) % 500, 0);
  }));

test('a page that is reloaded again and again finds what it wrote', () =>
  withPage(async ({ page, load }) => {
    for (let round = 0; round < 10; round++) {
      await open(page, 'strict');
      assert.equal(await turns(page), round);
      await page.evaluate((n) => window.memory.turns.append({ userInput: `load ${n}` }), round);
      await load(page);
    }
  }));

test('a full disk is reported with its cause, and nothing that was written is lost', () =>
  withPage(async ({ page, context, origin }) => {
    await open(page, 'strict');
    const session = await context.newCDPSession(page);
    await page.evaluate(() => window.memory.turns.append({ userInput: 'kept' }));
    const { usage } = await page.evaluate(() => window.memory.refreshStatus());
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + 3_000_000 });
    const { error, written } = await page.evaluate(async () => {
      const userInput = 'x'.repeat(100_000);
      for (let written = 1; ; written++) {
        try {
          await window.memory.turns.append({ userInput });
        } catch (error) {
          return { error: window.told(error), written };
        }
      }
    });
    assert.equal(error.code, 'quota_exceeded');
    assert.equal(error.cause.name, 'QuotaExceededError');
    assert.ok(error.isMemoryError && error.message.endsWith(error.hint));
    assert.equal(await turns(page), written);
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    await page.evaluate(() => window.memory.turns.append({ userInput: 'there is room again' }));
    assert.equal(await turns(page), written + 1);
  }));
