// A Next app: it builds, its server renders the fallback and the parts without a memory, and in a browser it remembers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { freshProfile, openChromium } from '../../scripts/browsers.mjs';
import { environment } from '../../scripts/process.mjs';
import { noteComplaints } from '../browser/page.mjs';
import { call, inProject } from './project.mjs';

const env = { NEXT_TELEMETRY_DISABLED: '1' };
const cwd = inProject('next');

/** Starts the built app; returns its address and a function that stops it. */
async function start() {
  const server = spawn('next', ['start', '--port', '0'], { cwd, env: environment(env) });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (said += chunk));
  const address = () => /http:\/\/localhost:\d+/.exec(said)?.[0];
  while (!(address() && /Ready/.test(said))) {
    await Promise.race([once(server.stdout, 'data'), once(server, 'exit')]);
    assert.equal(server.exitCode, null, said);
  }
  return { url: address(), close: () => (server.kill(), once(server, 'exit')) };
}

export function testNext() {
  test('Next, built', { timeout: 240_000 }, async (t) => {
    await call('next', ['build'], { cwd, env, seconds: 180 });
    const server = await start();
    t.after(() => server.close());

    const html = await (await fetch(server.url)).text();
    assert.match(html, /Rendered on the server/);
    assert.match(html, /<p>Opening<\/p>/);
    assert.doesNotMatch(html, /Reading|turns/);

    const profile = freshProfile('next');
    const context = await openChromium(profile.folder);
    t.after(async () => {
      await context.close();
      profile.remove();
    });
    const page = await context.newPage();
    const complaints = [];
    noteComplaints(page, complaints);
    await page.goto(server.url);
    const status = page.getByRole('status');
    for (let count = 0; count < 2; count++) {
      await status.filter({ hasText: `${count} turns, ${count} found` }).waitFor();
      await page.getByRole('button', { name: 'Add' }).click();
      await status.filter({ hasText: `${count + 1} turns` }).waitFor();
      await page.reload();
    }
    assert.deepEqual(complaints, []);
  });
}
