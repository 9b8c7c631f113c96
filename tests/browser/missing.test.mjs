// Pages and browsers that lack something, or serve files in another way: the package works, or reports with an error
// code what is missing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '../../scripts/serve.mjs';
import { FOLDERS, withPage } from './page.mjs';
import { MODEL } from './questions.mjs';

/** Removes something from the page before the package runs. */
const without = (path) => `{
  const path = ${JSON.stringify(path)}.split('.');
  const name = path.pop();
  const owner = path.reduce((object, key) => object[key], globalThis);
  delete owner[name];
  if (owner[name] !== undefined) Object.defineProperty(owner, name, { value: undefined, configurable: true });
}`;

/** The missing parts, each with the result of opening a file. */
const MISSING = [
  ['crypto.randomUUID', 'opfs'],
  ['crypto.subtle', 'opfs'],
  ['Navigator.prototype.storage', 'opfs'],
  ['SharedWorker', 'opfs'],
  ['WebAssembly.compileStreaming', 'opfs'],
  ['performance.measureUserAgentSpecificMemory', 'opfs'],
  ['Worker', 'worker_unavailable'],
];

for (const [path, expected] of MISSING)
  test(`without ${path}`, () =>
    withPage(async ({ page, load }) => {
      await page.addInitScript(without(path));
      await load(page);
      for (const url of ['opfs:///memory.db', 'memory:']) {
        const told = await page.evaluate(
          async (url) =>
            window.library.Memory.open({ url, embedder: 'none' }).then(async (memory) => {
              await memory.turns.append({ userInput: 'hello' });
              const found = await memory.recall('hello');
              const { storage } = memory.status;
              await memory.close();
              return { storage, found: found.length };
            }, window.told),
          url,
        );
        if (expected === 'opfs') assert.deepEqual(told, { storage: url.split(':')[0], found: 1 });
        else assert.deepEqual([told.code, told.isMemoryError], [expected, true], JSON.stringify(told));
      }
    }));

/** How a function of the browser can fail. */
const BROKEN = {
  throws: "() => { throw new Error('broken on purpose'); }",
  rejects: "() => Promise.reject(new DOMException('broken on purpose', 'InvalidStateError'))",
  'never answers': '() => new Promise(() => undefined)',
};
/** Functions that the page itself calls, with the results of opening a file and `memory:` if they fail. */
const PARTS = [
  ['crypto.randomUUID', /^opened$/, /^opened$/],
  ['StorageManager.prototype.estimate', /^opened$/, /^opened$/],
  ['StorageManager.prototype.persist', /^opened$/, /^opened$/],
  ['StorageManager.prototype.persisted', /^opened$/, /^opened$/],
  ['LockManager.prototype.request', /^(worker_unavailable|storage_denied|aborted)$/, /^opened$/],
  ['BroadcastChannel', /^worker_unavailable$/, /^opened$/],
  ['BroadcastChannel.prototype.postMessage', /^opened$/, /^opened$/],
  ['Worker', /^worker_unavailable$/, /^worker_unavailable$/],
  ['Worker.prototype.postMessage', /^(worker_unavailable|aborted)$/, /^(worker_unavailable|aborted)$/],
  ['WebAssembly.compileStreaming', /^(worker_unavailable|aborted)$/, /^(worker_unavailable|aborted)$/],
  ['fetch', /^(worker_unavailable|aborted)$/, /^(worker_unavailable|aborted)$/],
];

for (const [path, file, memory] of PARTS)
  for (const [way, broken] of Object.entries(BROKEN)) {
    // A constructor returns an object or throws.
    if (/^[A-Z]\w+$/.test(path) && way !== 'throws') continue;
    test(`where ${path} ${way}, opening works or fails with a MemoryError, and nothing hangs`, () =>
      withPage(async ({ page, load }) => {
        await page.addInitScript(`{
          const path = '${path}'.split('.');
          const name = path.pop();
          const owner = path.reduce((object, key) => object[key], globalThis);
          const value = function () { return (${broken})(); };
          Object.defineProperty(owner, name, { value, configurable: true, writable: true });
        }`);
        await load(page);
        const told = await page.evaluate(async () => {
          const late = () => new Promise((resolve) => setTimeout(resolve, 5000, 'it hangs'));
          const say = (error) => (error instanceof window.library.MemoryError ? error.code : String(error));
          const results = [];
          for (const url of ['opfs:///memory.db', 'memory:']) {
            const options = { url, embedder: 'none', signal: AbortSignal.timeout(2500) };
            const use = async () => {
              const memory = await window.library.Memory.open(options);
              await memory.turns.append({ userInput: 'hello' });
              await memory.recall('hello');
              await memory.close();
              return 'opened';
            };
            results.push(await Promise.race([use().catch(say), late()]));
          }
          return results;
        });
        assert.match(told[0], file);
        assert.match(told[1], memory);
      }));
  }

test('from another origin, as from a content delivery network', async () => {
  const away = await serve({ folders: FOLDERS, headers: { 'access-control-allow-origin': '*' } });
  const policy = `default-src 'self' ${away.url}; script-src 'self' ${away.url} 'wasm-unsafe-eval'; worker-src blob: ${away.url}`;
  try {
    await withPage(
      async ({ page }) => {
        const told = await page.evaluate(async (origin) => {
          const { Memory } = await import(`${origin}/package/index.js`);
          const memory = await Memory.open({ url: 'opfs:///away.db' });
          await memory.semantic.remember({ content: 'Ada plays the cello' });
          const [hit] = await memory.recall('a musical instrument');
          await memory.close();
          return [memory.status.storage, hit.text];
        }, away.url);
        assert.deepEqual(told, ['opfs', 'Ada plays the cello']);
      },
      { policy },
    );
  } finally {
    await away.close();
  }
});

test('recall that cannot be loaded is reported, and works once it can be loaded', () =>
  withPage(async ({ page, context, load }) => {
    await context.route('**/package/recall.js', (route) => route.abort());
    await load(page);
    const ask = () =>
      page.evaluate(async () => {
        window.memory ??= await window.library.Memory.open();
        return window.memory.recall('peanuts').then((hits) => hits.length, window.told);
      });
    const error = await ask();
    assert.deepEqual([error.code, error.isMemoryError], ['module_unavailable', true], JSON.stringify(error));
    assert.ok(error.cause.message.length > 0);
    await context.unroute('**/package/recall.js');
    assert.equal(await ask(), 0);
  }));

for (const [what, answer] of [
  [
    'a page of HTML',
    { status: 200, contentType: 'text/html; charset=utf-8', body: '<!doctype html><title>App</title>' },
  ],
  ['something else', { status: 200, contentType: 'application/octet-stream', body: 'no model' }],
  ['nothing', { status: 200, contentType: 'application/octet-stream', body: '' }],
  ['half of it', 'half'],
])
  test(`a model that is answered with ${what} is unavailable, and works once it is available`, () =>
    withPage(async ({ page, context }) => {
      await context.route(MODEL, async (route) => {
        if (answer !== 'half') return route.fulfill(answer);
        const response = await route.fetch();
        const body = await response.body();
        return route.fulfill({ response, body: body.subarray(0, body.length / 2) });
      });
      await page.evaluate(async () => void (window.memory = await window.library.Memory.open()));
      const ask = () => page.evaluate(() => window.memory.recall('peanuts').then((hits) => hits.length, window.told));
      await page.evaluate(() => window.memory.semantic.remember({ content: 'Ada is allergic to peanuts' }));
      const error = await ask();
      assert.deepEqual([error.code, error.isMemoryError], ['embedder_unavailable', true], JSON.stringify(error));
      assert.ok(error.cause.message.length > 0);
      await context.unroute(MODEL);
      assert.equal(await ask(), 1);
    }));
