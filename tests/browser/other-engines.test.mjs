// The page in the other engines: Firefox, with OPFS, and WebKitGTK, whose automated sessions have none.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import webdriver from 'selenium-webdriver';
import { environment } from '../../scripts/process.mjs';
import { browsers } from '../../scripts/setup.mjs';
import { inPage, openFirefox, withDriver } from './driver.mjs';

test('Firefox keeps a memory in OPFS through a reload', async () => {
  const driver = await openFirefox();
  await withDriver(driver, async (load) => {
    const written = await inPage(
      driver,
      `async ({ Memory }) => {
        const memory = await Memory.open();
        await Promise.all(Array.from({ length: 50 }, (_, n) => memory.turns.append({ userInput: 'turn ' + n })));
        return memory.status;
      }`,
    );
    assert.deepEqual([written.storage, written.revision], ['opfs', '002'], JSON.stringify(written));
    await load();
    const read = await inPage(
      driver,
      `async ({ Memory }) => {
        const memory = await Memory.open();
        const page = await memory.turns.list({ search: 'turn 49', limit: 1 });
        return { count: await memory.turns.count(), found: page.rows[0].userInput, migrated: memory.status.migrated };
      }`,
    );
    assert.deepEqual(read, { count: 50, found: 'turn 49', migrated: [] });
  });
});

test('WebKit without OPFS reports it, and keeps a memory of the page on request', async () => {
  const display = ':' + (90 + (process.pid % 100));
  const screen = spawn(browsers.virtualScreen(), [display, '-screen', '0', '800x600x24', '-nolisten', 'tcp'], {
    stdio: 'ignore',
  });
  const port = await freePort();
  // As root or in a container, WebKit cannot sandbox its pages.
  const env = environment({
    DISPLAY: display,
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
    WEBKIT_FORCE_SANDBOX: '0',
    LIBGL_ALWAYS_SOFTWARE: '1',
  });
  const service = spawn(browsers.webkitDriver(), [`--port=${port}`], { env, stdio: 'ignore' });
  try {
    await answers(port);
    const capabilities = new webdriver.Capabilities({
      browserName: 'MiniBrowser',
      'webkitgtk:browserOptions': { binary: browsers.webkit(), args: ['--automation'] },
    });
    const driver = await new webdriver.Builder()
      .usingServer(`http://127.0.0.1:${port}`)
      .withCapabilities(capabilities)
      .build();
    await withDriver(driver, async () => {
      const { error } = await inPage(driver, '({ Memory }) => Memory.open().then((memory) => memory.status)');
      assert.deepEqual([error?.name, error?.code], ['MemoryError', 'opfs_unavailable'], JSON.stringify(error));
      assert.match(error.hint, /memory:/);
      const kept = await inPage(
        driver,
        `async ({ Memory }) => {
          const memory = await Memory.open({ url: 'memory:' });
          await memory.semantic.remember({ content: 'Ada is allergic to peanuts' });
          const { rows } = await memory.semantic.list({ search: 'peanut' });
          return [memory.status.storage, rows[0].content];
        }`,
      );
      assert.deepEqual(kept, ['memory', 'Ada is allergic to peanuts']);
    });
  } finally {
    service.kill();
    screen.kill();
    await Promise.all([once(service, 'exit'), once(screen, 'exit')]);
  }
});

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until the driver answers. */
async function answers(port) {
  const giveUp = Date.now() + 20_000;
  for (;;) {
    try {
      await fetch(`http://127.0.0.1:${port}/status`);
      return;
    } catch (error) {
      if (Date.now() > giveUp) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
