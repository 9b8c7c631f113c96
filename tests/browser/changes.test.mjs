// The changes of commits, by iterator and by callback: each row once, in order, after the commit, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakWorker, withPage } from './page.mjs';

/** Opens a memory. `window.take(count)` returns its next changes. */
const open = (page, options) =>
  page.evaluate(async (options) => {
    window.memory = await window.library.Memory.open();
    const changes = window.memory.changes(options);
    window.changes = changes;
    window.take = async (count) => {
      const taken = [];
      while (taken.length < count) taken.push((await changes.next()).value);
      return taken;
    };
  }, options);

test('each row is reported once, in order, with its table, its key and what happened to it', () =>
  withPage(async ({ page }) => {
    await open(page);
    const changes = await page.evaluate(async () => {
      const { memory } = window;
      await memory.turns.appendMany([{ userInput: 'one' }, { userInput: 'two' }, { userInput: 'three' }]);
      await memory.turns.update(2, { userInput: 'second' });
      await memory.turns.delete([1, 3]);
      await memory.longTerm.setMany({ 'user.name': 'Ada', 'user.city': 'Turin' });
      await memory.longTerm.set('user.name', 'Grace');
      await memory.longTerm.delete('user.city');
      // Not awaited: these share a transaction.
      memory.episodes.record({ eventType: 'greeting' });
      const doubt = memory.uncertainty.log({ userMessage: 'the usual?', confidenceScore: 0.3 });
      memory.semantic.remember({ content: 'Ada plays the cello' });
      await memory.uncertainty.resolve(await doubt, 'asked');
      return window.take(14);
    });
    assert.deepEqual(
      changes.map(({ table, kind, id, key }) => [table, kind, id ?? key].join(' ')),
      [
        ...['turns insert 1', 'turns insert 2', 'turns insert 3', 'turns update 2', 'turns delete 1', 'turns delete 3'],
        ...['longTerm insert user.name', 'longTerm insert user.city', 'longTerm update user.name'],
        'longTerm delete user.city',
        ...['episodes insert 1', 'uncertainty insert 1', 'semantic insert 1', 'uncertainty update 1'],
      ],
    );
  }));

test('failed writes and reads are not reported, nor are tables that were not named', () =>
  withPage(async ({ page }) => {
    await open(page, { tables: ['turns', 'longTerm'] });
    const changes = await page.evaluate(async () => {
      const { memory } = window;
      const failing = [
        memory.turns.appendMany([{ userInput: 'kept by nobody' }, { userInput: 'x'.repeat(17 << 20) }]),
        memory.turns.update(9, { userInput: 'nothing there' }),
      ];
      await Promise.allSettled([memory.episodes.record({ eventType: 'greeting' }), ...failing]);
      await Promise.all([memory.turns.list(), memory.query('SELECT * FROM turns'), memory.turns.delete(9)]);
      await memory.longTerm.set('last', true);
      return window.take(1);
    });
    assert.deepEqual(changes, [{ table: 'longTerm', key: 'last', kind: 'insert' }]);
  }));

test('an import, a restored backup and a migration are each a replacement', () =>
  withPage(async ({ page }) => {
    await open(page, { tables: ['turns'] });
    const changes = await page.evaluate(async () => {
      const { memory } = window;
      await memory.turns.append({ userInput: 'one' });
      await memory.import(await memory.export());
      const [backup] = await memory.backups.list();
      await memory.backups.restore(backup.id);
      await memory.migrations.downgrade('001');
      await memory.migrations.upgrade();
      await memory.turns.append({ userInput: 'two' });
      const taken = [];
      for await (const change of window.changes) {
        taken.push(change.kind);
        if (taken.filter((kind) => kind === 'insert').length === 2) return taken;
      }
    });
    assert.equal(changes[0], 'insert');
    assert.equal(changes.at(-1), 'insert');
    assert.deepEqual([...new Set(changes.slice(1, -1))], ['replaced']);
    assert.equal(changes.length, 6);
  }));

test('a slow consumer learns that it missed changes and of which tables, and receives all later ones', () =>
  withPage(async ({ page }) => {
    await open(page);
    const changes = await page.evaluate(async () => {
      const { memory } = window;
      // One run, however many rows it has.
      await memory.turns.appendMany(Array.from({ length: 20_000 }, () => ({ userInput: 'many' })));
      const first = await window.take(2);
      await memory.longTerm.setMany(Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`key ${n}`, n])));
      await memory.longTerm.setMany(Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`key ${n}`, -n])));
      await memory.episodes.record({ eventType: 'after' });
      return [...first, ...(await window.take(2))];
    });
    assert.deepEqual(changes, [
      { table: 'turns', id: 1, kind: 'insert' },
      { table: 'turns', id: 2, kind: 'insert' },
      { kind: 'missed', tables: ['turns', 'longTerm'] },
      { table: 'episodes', id: 1, kind: 'insert' },
    ]);
  }));

test('a worker that broke may have committed unreported changes', () =>
  withPage(async ({ page }) => {
    await open(page, { tables: ['semantic', 'turns'] });
    await breakWorker(page);
    const changes = await page.evaluate(async () => {
      await window.memory.turns.append({ userInput: 'after' });
      return window.take(2);
    });
    assert.deepEqual(changes, [
      { kind: 'missed', tables: ['turns', 'semantic'] },
      { table: 'turns', id: 1, kind: 'insert' },
    ]);
  }));

test('listeners are called until they are removed, and one that throws does not affect others', () =>
  withPage(async ({ page }) => {
    const { told, errors } = await page.evaluate(async () => {
      const memory = await window.library.Memory.open();
      const errors = [];
      window.addEventListener('error', (event) => {
        errors.push(event.error.message);
        event.preventDefault();
      });
      const told = { all: [], turns: [], until: [], once: [] };
      const controller = new AbortController();
      memory.onChange(() => {
        throw new Error('a listener of the page');
      });
      memory.onChange((change) => told.all.push(change.table));
      const stop = memory.onChange((change) => told.turns.push(change.id), { tables: ['turns'] });
      memory.onChange((change) => told.until.push(change.id), { tables: ['turns'], signal: controller.signal });
      const once = memory.onChange((change) => {
        told.once.push(change.id);
        once();
      });
      await memory.turns.appendMany([{ userInput: 'one' }, { userInput: 'two' }]);
      controller.abort();
      await memory.semantic.remember({ content: 'a fact' });
      await memory.turns.append({ userInput: 'three' });
      stop();
      await memory.turns.append({ userInput: 'four' });
      await memory.close();
      return { told, errors };
    });
    assert.deepEqual(told, {
      all: ['turns', 'turns', 'semantic', 'turns', 'turns'],
      turns: [1, 2, 3],
      until: [1, 2],
      once: [1],
    });
    assert.deepEqual(errors, Array(5).fill('a listener of the page'));
  }));

test('an iterator is done when the memory is closed, when its signal fires and when it is left', () =>
  withPage(async ({ page }) => {
    const results = await page.evaluate(async () => {
      const memory = await window.library.Memory.open();
      const left = memory.changes();
      const waiting = left.next();
      const controller = new AbortController();
      const aborted = memory.changes({ signal: controller.signal });
      const rest = memory.changes();
      const results = [await left.return(), await waiting, await left.next()];
      const late = aborted.next();
      controller.abort();
      results.push(await late, await memory.changes({ signal: controller.signal }).next());
      await memory.turns.append({ userInput: 'the last one' });
      await memory.close();
      results.push(await rest.next(), await rest.next());
      const codeOf = (call) => {
        try {
          call();
        } catch (error) {
          return error.code;
        }
      };
      const codes = [
        codeOf(() => memory.changes()),
        codeOf(() => memory.onChange(() => undefined)),
        codeOf(() => memory.changes({ tables: ['facts'] })),
        codeOf(() => memory.changes({ table: 'turns' })),
        codeOf(() => memory.onChange()),
      ];
      return { results, codes };
    });
    const done = { done: true, value: undefined };
    const last = { done: false, value: { table: 'turns', id: 1, kind: 'insert' } };
    assert.deepEqual(
      results.results.map(({ done = false, value }) => ({ done, value })),
      [...Array(5).fill(done), last, done],
    );
    assert.deepEqual(results.codes, ['closed', 'closed', 'invalid_argument', 'invalid_argument', 'invalid_argument']);
  }));

test('every tab receives each change once, whichever tab made it, in the same order', () =>
  withPage(async ({ page, open: openTab }) => {
    const pages = [page, await openTab(), await openTab()];
    for (const tab of pages) await open(tab);
    const COUNT = 60;
    await Promise.all(
      pages.map((tab, at) =>
        tab.evaluate(
          async ([at, count]) => {
            for (let n = 0; n < count; n++) await window.memory.turns.append({ userInput: `tab ${at}, ${n}` });
          },
          [at, COUNT / 3],
        ),
      ),
    );
    const expected = Array.from({ length: COUNT }, (_, n) => ({ table: 'turns', id: n + 1, kind: 'insert' }));
    for (const tab of pages) assert.deepEqual(await tab.evaluate((count) => window.take(count), COUNT), expected);

    await pages[1].evaluate(async () => window.memory.import(await window.memory.export()));
    for (const tab of pages) assert.deepEqual(await tab.evaluate(() => window.take(1)), [{ kind: 'replaced' }]);
  }));

/** Delays messages of these types on BroadcastChannels by this many ms, in a page or a worker. */
const slowChannel = (where, types, ms) =>
  where.evaluate(
    ([types, ms]) => {
      const { postMessage } = BroadcastChannel.prototype;
      BroadcastChannel.prototype.postMessage = function (message) {
        if (!types.includes(message.type)) return postMessage.call(this, message);
        setTimeout(() => postMessage.call(this, message), ms);
      };
    },
    [types, ms],
  );

test('a tab with a port receives changes, even if its message on the channel arrives later', () =>
  withPage(async ({ page, open: openTab }) => {
    await open(page);
    const late = await openTab();
    await slowChannel(late, ['to'], 500);
    await open(late);
    await late.waitForTimeout(800);
    await page.evaluate(() => window.memory.turns.append({ userInput: 'one' }));
    assert.deepEqual(await late.evaluate(() => window.take(1)), [{ table: 'turns', id: 1, kind: 'insert' }]);
  }));

test('changes arrive in order when a tab switches to a port', () =>
  withPage(async ({ page, open: openTab }) => {
    await open(page);
    await slowChannel(page.workers()[0], ['from'], 400);
    const other = await openTab();
    // It requests a port after a delay.
    await other.evaluate(() => {
      const { postMessage } = MessagePort.prototype;
      MessagePort.prototype.postMessage = function (message, ...rest) {
        if (message.type !== 'reach') return postMessage.call(this, message, ...rest);
        setTimeout(() => postMessage.call(this, message, ...rest), 600);
      };
    });
    await open(other);
    const appended = page.evaluate(async () => {
      for (let n = 0; n < 150; n++) {
        await window.memory.turns.append({ userInput: `turn ${n}` });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    const ids = await other.evaluate(async () => (await window.take(150)).map(({ id }) => id));
    await appended;
    assert.deepEqual(
      ids,
      Array.from({ length: 150 }, (_, n) => n + 1),
    );
  }));
