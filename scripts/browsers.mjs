// Starts browsers for the tests and the benchmarks: Debian's own, with a new profile on the disk, as a user has one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { browsers } from './setup.mjs';

export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A new folder for a profile, and the function that removes it. */
export function freshProfile(name = 'profile') {
  const folder = mkdtempSync(join(tmpdir(), `synth-memory-${name}-`));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) };
}

/**
 * Starts Chromium with a profile of its own. A context of `browser.newContext()` is incognito, with another, slower
 * OPFS.
 * @param {string} folder the profile's folder
 */
export function openChromium(folder, options = {}) {
  return chromium.launchPersistentContext(folder, {
    executablePath: browsers.chromium(),
    headless: true,
    args: CHROMIUM_FLAGS,
    ...options,
  });
}

/**
 * For tests that identify a tab's renderer: Chromium keeps no spare renderer ready for a later tab, which would be
 * mistaken for another tab's.
 */
export const NO_SPARE_RENDERER = '--disable-features=SpareRendererForSitePerProcess';

/** Opens a page in a new tab; returns it with the process id of its renderer. To be called one at a time. */
export async function openTab(context, url) {
  const session = await context.browser().newBrowserCDPSession();
  const renderers = async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  };
  const before = new Set(await renderers());
  const page = await context.newPage();
  await page.goto(url);
  // The blank page that a tab begins with may have a renderer of its own, which ends.
  let added;
  for (let waited = 0; added?.length !== 1; waited += 20) {
    if (waited > 5_000) throw new Error(`A new tab started ${added.length} renderers instead of 1.`);
    await sleep(20);
    added = (await renderers()).filter((id) => !before.has(id));
  }
  await session.detach();
  return { page, pid: added[0] };
}

/** The private memory of a process in MB, as Linux counts it: the memory that would be free if the process ended. */
export function privateMemory(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = [...text.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)].map(([, size]) => Number(size));
  return kilobytes.reduce((total, size) => total + size, 0) / 1024;
}

/**
 * Starts Chromium in a process group of its own, so that all its processes can be killed at once.
 * @param {string} folder the profile's folder
 */
export async function startChromium(folder, flags = []) {
  const port = join(folder, 'DevToolsActivePort');
  rmSync(port, { force: true });
  const all = [
    ...CHROMIUM_FLAGS,
    ...flags,
    '--headless',
    '--remote-debugging-port=0',
    `--user-data-dir=${folder}`,
    'about:blank',
  ];
  const child = spawn(browsers.chromium(), all, { detached: true, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
  };
  try {
    for (let waited = 0; ; waited += 20) {
      const [number, path] = read(port).split('\n');
      if (path) return { kill, browser: await chromium.connectOverCDP(`ws://127.0.0.1:${number}${path}`) };
      if (waited >= 20_000 || child.exitCode !== null) throw new Error('The browser did not start.');
      await sleep(20);
    }
  } catch (error) {
    await kill();
    throw error;
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
