// A tab that has a memory keeps it, whatever it does with it: another one that tries to open it meanwhile gets `locked`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inPage, openFirefox, withDriver } from './driver.mjs';
import { withPage } from './page.mjs';

/** Calls a function of pages/tabs.js in a page. */
const run = (page, name, ...args) =>
  page.evaluate(async ([name, args]) => (await import('/pages/tabs.js'))[name](...args), [name, args]);

test('no call of a tab lets another one have its memory', () =>
  withPage(async ({ page: first, open }) => {
    const { methods, listed } = await run(first, 'open');
    assert.deepEqual(methods, listed, 'every public method is called, and only those that there are');

    const second = await open();
    await run(second, 'keepTrying');
    const { failures, made } = await run(first, 'callAll');
    const codes = await run(second, 'stopTrying');
    assert.deepEqual(failures, []);
    assert.equal(made.length, methods.length - 3);
    assert.deepEqual(Object.keys(codes), ['locked'], JSON.stringify(codes));

    // Nor does opening another one, or the same again.
    const opened = await first.evaluate(async () => {
      const { Memory } = window.library;
      window.other = await Memory.open({ url: 'opfs:///other.db' });
      return Memory.open({ url: 'opfs:///shared.db' }).catch(({ code }) => code);
    });
    assert.equal(opened, 'locked');
    assert.equal(await run(second, 'tryOnce'), 'locked');
    // Closing does, and only of that one.
    await first.evaluate(() => window.other[Symbol.asyncDispose]());
    assert.equal(await run(second, 'tryOnce'), 'locked');
    assert.equal(await first.evaluate(() => window.memory.turns.append({ userInput: 'still mine' })), 2);
    await first.evaluate(() => window.memory.close());
    assert.equal(await run(second, 'tryOnce'), 'opened');
    assert.equal(await second.evaluate(() => window.memory.turns.count({ search: 'kept' })), 1);
    assert.equal(await run(first, 'tryOnce'), 'locked');
    await second.evaluate(() => window.memory[Symbol.asyncDispose]());
    assert.equal(await run(first, 'tryOnce'), 'opened');
  }));

test('nor in Firefox', async () => {
  const driver = await openFirefox();
  await withDriver(driver, async (load) => {
    const run = (what) => inPage(driver, `(tabs) => tabs.${what}`, '/pages/tabs.js');
    const { methods, listed } = await run('open()');
    assert.deepEqual(methods, listed);
    const first = await driver.getWindowHandle();
    await driver.switchTo().newWindow('tab');
    await load();
    await run('keepTrying()');
    const second = await driver.getWindowHandle();
    await driver.switchTo().window(first);
    const { failures, made } = await run('callAll()');
    assert.deepEqual([failures, made.length], [[], methods.length - 3]);
    await driver.switchTo().window(second);
    const codes = await run('stopTrying()');
    assert.deepEqual(Object.keys(codes), ['locked'], JSON.stringify(codes));
  });
});
