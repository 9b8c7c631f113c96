// Any number of tabs share one memory: one of them leads, and when it ends, another takes over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inPage, openFirefox, withDriver } from './driver.mjs';
import { breakWorker, FOLDERS, withPage } from './page.mjs';
import { freshProfile, openChromium } from '../../scripts/browsers.mjs';
import { serve } from '../../scripts/serve.mjs';

const URL = 'opfs:///shared.db';

/** Calls a function of pages/tabs.js in a page. */
const run = (page, name, ...args) =>
  page.evaluate(async ([name, args]) => (await import('/pages/tabs.js'))[name](...args), [name, args]);

/** Opens the shared memory in a page; returns its role. */
const open = (page, options = {}) =>
  page.evaluate(
    async (options) => {
      window.memory = await window.library.Memory.open(options);
      return window.memory.status.role;
    },
    { url: URL, ...options },
  );
const append = (page, userInput) => page.evaluate((userInput) => window.memory.turns.append({ userInput }), userInput);
const count = (page) => page.evaluate(() => window.memory.turns.count());
const role = (page) => page.evaluate(() => window.memory.status.role);
/** The names of the files that a page loaded. */
const loaded = (page) =>
  page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name.split('/').at(-1)));

test('every call can be made from every tab', () =>
  withPage(async ({ page: first, open: openPage }) => {
    const { methods, listed } = await run(first, 'open');
    assert.deepEqual(methods, listed, 'every public method is called, and only those that there are');
    const second = await openPage();
    await run(second, 'open');
    assert.deepEqual([await role(first), await role(second)], ['leader', 'follower']);
    const { failures, made } = await run(second, 'callAll');
    assert.deepEqual(failures, []);
    assert.equal(made.length, methods.length - 4);
    assert.equal(await role(second), 'follower');
    assert.deepEqual((await run(first, 'callAll')).failures, []);
    const counts = [await count(first), await count(second)];
    assert.equal(counts[0], counts[1]);
    await second.evaluate(() => window.memory.close());
    await first.evaluate(() => window.memory.close());
  }));

test('and in Firefox', async () => {
  const driver = await openFirefox();
  await withDriver(driver, async (load) => {
    const run = (what) => inPage(driver, `(tabs) => tabs.${what}`, '/pages/tabs.js');
    await run('open()');
    const first = await driver.getWindowHandle();
    await driver.switchTo().newWindow('tab');
    await load();
    await run('open()');
    const { failures, made, error } = await run('callAll()');
    assert.deepEqual([error, failures], [undefined, []]);
    // The leader's tab is closed, and this one takes over.
    const second = await driver.getWindowHandle();
    await driver.switchTo().window(first);
    await driver.close();
    await driver.switchTo().window(second);
    const again = await run('callAll()');
    assert.deepEqual([again.error, again.failures, again.made], [undefined, [], made]);
    assert.equal((await run('look()')).role, 'follower');
  });
});

test('a follower loads no part of the engine', () =>
  withPage(async ({ page: first, open: openPage }) => {
    await open(first);
    const second = await openPage();
    assert.equal(await open(second), 'follower');
    assert.equal(await append(second, 'from the second'), 1);
    assert.deepEqual(
      (await loaded(second)).filter((name) => /worker|wasm/.test(name)),
      [],
    );
    assert.equal(second.workers().length, 0);
    assert.equal(await count(first), 1);
  }));

test('one memory in a page, in its frame, in its worker, and in the page again', () =>
  withPage(
    async ({ page }) => {
      await run(page, 'open');
      const found = await page.evaluate(async () => {
        const { openElsewhere } = await import('/pages/tabs.js');
        const found = {};
        for (const [where, look] of Object.entries(openElsewhere)) found[where] = await look();
        return found;
      });
      const follower = (count) => ({ role: 'follower', count });
      assert.deepEqual(found, { frame: follower(1), worker: follower(2), page: follower(3) });
    },
    // The strict policy allows no frames.
    { policy: "script-src 'self' 'wasm-unsafe-eval'" },
  ));

/** How a leader ends. */
const departures = {
  'closes its memory': (page) => page.evaluate(() => window.memory.close()),
  'closes its tab': (page) => page.close(),
  'loses its worker': (page) => breakWorker(page),
  'is reloaded': (page) => page.reload(),
  'goes elsewhere': (page) => page.goto('about:blank'),
  'is frozen': (page) => page.evaluate(() => void document.dispatchEvent(new Event('freeze'))),
};

for (const [how, depart] of Object.entries(departures)) {
  for (const hasBroker of [true, false]) {
    test(`another tab goes on when the one that leads ${how}${hasBroker ? '' : ', without shared workers'}`, () =>
      withPage(async ({ page: first, open: openPage, context }) => {
        if (!hasBroker) await first.addInitScript(() => delete window.SharedWorker);
        await open(first);
        const others = [await openPage(), await openPage()];
        for (const page of others) {
          if (!hasBroker) await page.evaluate(() => delete window.SharedWorker);
          assert.equal(await open(page), 'follower');
          await page.evaluate(() => {
            window.roles = [];
            window.memory.onStatus(({ role }) => window.roles.push(role));
          });
        }
        // Each tab writes continuously, one call after the other, and records the answers.
        for (const [at, page] of others.entries()) {
          await page.evaluate((at) => {
            window.answers = [];
            window.failures = [];
            window.stop = false;
            const write = async () => {
              for (let n = 0; !window.stop; n++) {
                const text = `${at} ${n}`;
                await window.memory.turns.append({ userInput: text }).then(
                  (id) => window.answers.push([id, text]),
                  (error) => window.failures.push(error.code),
                );
              }
            };
            window.writing = write();
          }, at);
        }
        await sleep(200);
        const before = await others[0].evaluate(() => window.answers.length);
        await depart(first);
        await others[0].waitForFunction((before) => window.answers.length > before + 20, before);
        const written = [];
        for (const page of others) {
          const { answers, failures } = await page.evaluate(async () => {
            window.stop = true;
            await window.writing;
            return { answers: window.answers, failures: window.failures };
          });
          assert.deepEqual(failures, []);
          const numbers = answers.map(([, text]) => Number(text.split(' ')[1]));
          assert.deepEqual(
            numbers,
            numbers.map((_, n) => n),
            'each is answered once, in order',
          );
          written.push(...answers);
        }
        const rows = await others[1].evaluate(() => window.memory.query('SELECT id, user_input AS text FROM turns'));
        const kept = rows.map(({ id, text }) => [id, text]);
        const byId = (one, other) => one[0] - other[0];
        assert.deepEqual(written.sort(byId), kept.sort(byId), 'what was answered is there, once, as it was answered');
        const roles = await Promise.all(others.map(role));
        if (how !== 'loses its worker') assert.deepEqual(roles.sort(), ['follower', 'leader']);
      }));
  }
}

test('a tab that was frozen or put away comes back', () =>
  withPage(async ({ page: first, open: openPage }) => {
    await open(first);
    const second = await openPage();
    await open(second);
    // A headless browser hides no page, so none can really be frozen. The event is simulated.
    const tell = (event) => first.evaluate((event) => void document.dispatchEvent(new Event(event)), event);
    for (let round = 0; round < 3; round++) {
      await tell('freeze');
      await append(second, `while it sleeps ${round}`);
      assert.equal(await role(second), 'leader');
      await tell('resume');
      assert.equal(await count(first), 2 * round + 1);
      await append(first, `awake ${round}`);
      assert.equal(await count(second), 2 * round + 2);
    }
  }));

test('a page in the back/forward cache holds nothing, and goes on when it is shown again', async () => {
  const server = await serve({ folders: FOLDERS });
  const profile = freshProfile();
  const context = await openChromium(profile.folder, { ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  try {
    const [first, second] = [await context.newPage(), await context.newPage()];
    for (const page of [first, second]) {
      await page.goto(`${server.url}/pages/blank.html`);
      await page.evaluate(async () => {
        window.library = await import('/package/index.js');
        addEventListener('pageshow', ({ persisted }) => (window.isRestored = persisted));
      });
      await open(page);
    }
    for (let round = 1; round <= 3; round++) {
      await first.goto(`${server.url}/pages/blank.html?elsewhere`);
      await append(second, 'while it is away');
      assert.equal(await role(second), 'leader');
      await first.goBack({ waitUntil: 'commit' });
      assert.equal(await first.evaluate(() => window.isRestored), true, 'it was in the cache');
      assert.equal(await append(first, 'back'), 2 * round);
      assert.equal(await role(first), 'follower');
      // Makes the first tab the leader again, for the next round.
      await second.evaluate(async (url) => {
        await window.memory.close();
        window.memory = await window.library.Memory.open({ url });
      }, URL);
    }
  } finally {
    await context.close();
    profile.remove();
    await server.close();
  }
});

test('a page that is reloaded in a loop never meets a held file, nor does one that opens and closes at once', () =>
  withPage(async ({ page, load }) => {
    for (let round = 1; round <= 10; round++) {
      if (round > 1) await load(page);
      await open(page);
      assert.equal(await append(page, 'round'), round);
    }
    const { count, locks } = await page.evaluate(async (url) => {
      await window.memory.close();
      const { Memory } = window.library;
      // Like an effect that runs, is cleaned up and runs again.
      const opening = [];
      for (let n = 0; n < 20; n++) {
        const memory = Memory.open({ url });
        opening.push(memory.then((memory) => memory.turns.append({ userInput: 'effect' }).then(() => memory.close())));
        if (n % 3 === 0) await memory;
      }
      await Promise.all(opening);
      const last = await Memory.open({ url });
      const count = await last.turns.count({ search: 'effect' });
      await last.close();
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { count, locks: await navigator.locks.query() };
    }, URL);
    assert.equal(count, 20);
    assert.deepEqual([locks.held, locks.pending], [[], []], 'nothing is left behind');
    assert.equal(page.workers().length, 0);
  }));

/** A call of an SQLite function that takes minutes without checking the time limit. */
const ENDLESS = "SELECT instr(printf('%.16000000c','a'), printf('%.8000000c','a')||'b')";

for (const who of ['leader', 'follower']) {
  test(`a query of the ${who} that hangs the worker is ended with it, and nothing else is`, () =>
    withPage(async ({ page: first, open: openPage }) => {
      await open(first);
      const second = await openPage();
      await open(second);
      const [asking, other] = who === 'leader' ? [first, second] : [second, first];
      const hanging = asking.evaluate(
        (sql) => window.memory.query(sql, [], { timeoutMs: 500 }).catch(window.told),
        ENDLESS,
      );
      await sleep(100);
      // Calls that wait behind it, in both tabs, are answered.
      const waiting = [asking, other].map((page) => append(page, 'waited'));
      const error = await hanging;
      assert.deepEqual([error.code, error.isMemoryError], ['timed_out', true]);
      assert.deepEqual((await Promise.all(waiting)).sort(), [1, 2]);
      assert.equal(await count(first), 2);
      assert.deepEqual([await role(first), await role(second)].sort(), ['follower', 'leader']);
    }));
}

test('tabs embed each text once between them, and load the bundled model once', () =>
  withPage(async ({ page: first, open: openPage }) => {
    const others = [await openPage(), await openPage()];
    const pages = [first, ...others];
    for (const page of pages) {
      await page.evaluate(async (url) => {
        window.asked = [];
        const embedder = {
          name: 'counted',
          dimensions: 2,
          async embed(texts) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            window.asked.push(...texts);
            return texts.map((text) => [text.length, 1]);
          },
        };
        window.memory = await window.library.Memory.open({ url, embedder });
        await window.memory.embeddings.ready();
      }, URL);
    }
    for (const [at, page] of pages.entries()) {
      await page.evaluate(async (at) => {
        for (let n = 0; n < 20; n++) await window.memory.turns.append({ userInput: `${at} ${n}` });
      }, at);
    }
    await first.evaluate(async () => {
      while ((await window.memory.embeddings.status()).pending > 0)
        await new Promise((resolve) => setTimeout(resolve, 50));
    });
    const asked = (await Promise.all(pages.map((page) => page.evaluate(() => window.asked)))).flat();
    assert.equal(asked.length, 60);
    assert.equal(new Set(asked).size, 60);

    await Promise.all(pages.map((page) => page.evaluate(() => window.memory.close())));
    for (const page of pages) {
      await open(page);
      assert.equal((await page.evaluate(() => window.memory.recall('what was said?'))).length, 10);
    }
    const models = (await Promise.all(pages.map(loaded))).flat().filter((name) => name.endsWith('.bin'));
    assert.equal(models.length, 1);
  }));

test('a module that is replaced and never closes its memory leaves nothing behind', () =>
  withPage(async ({ page }) => {
    const session = await page.context().newCDPSession(page);
    const locks = () =>
      page.evaluate(async () => {
        const { held, pending } = await navigator.locks.query();
        return held.length + pending.length;
      });
    // Each memory is opened, written to and dropped. One of them listens to changes, and is kept for that reason.
    await page.evaluate(async (url) => {
      window.changes = [];
      for (let n = 0; n < 20; n++) {
        const memory = await window.library.Memory.open({ url });
        await memory.turns.append({ userInput: `module ${n}` });
        if (n === 7) memory.onChange((change) => window.changes.push(change.id));
      }
    }, URL);
    assert.ok((await locks()) >= 20);
    // The last awaited value is released some tasks later.
    for (let tries = 0; (await locks()) > 4 && tries < 20; tries++) {
      await session.send('HeapProfiler.collectGarbage');
      await sleep(100);
    }
    assert.ok((await locks()) <= 4, `${await locks()} locks are held or waited for`);
    await open(page);
    assert.equal(await append(page, 'the last'), 21);
    assert.equal(await page.evaluate(() => window.changes.at(-1)), 21);
  }));
