// The memory that a follower takes: the private memory of its renderer, as Linux counts it, before and after it opens
// the memory, next to a tab that does nothing instead.
import { setTimeout as sleep } from 'node:timers/promises';
import { openTab, privateMemory } from '../../scripts/browsers.mjs';
import { openSide, OURS, SIDES } from './tab.mjs';

export const TABS = 8;
const SETTLE = 1_000;

async function processesOf(context) {
  const session = await context.browser().newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.map(({ id }) => id);
}

/** The private memory of the whole browser, in MB. */
async function total(context) {
  const processes = await processesOf(context);
  return processes.reduce((sum, pid) => sum + privateMemory(pid), 0);
}

/** The private memory of a tab after garbage collections, in MB. */
async function settled({ page, pid }) {
  const session = await page.context().newCDPSession(page);
  for (let n = 0; n < 3; n++) await session.send('HeapProfiler.collectGarbage');
  await session.detach();
  await sleep(SETTLE);
  return privateMemory(pid);
}

/** In the page: opens the memory, writes and reads. */
async function useMemory(name) {
  const tab = await import('/tabs/pages/tab.js');
  await tab.open('synth-memory', name);
  await tab.read(await tab.write());
}

/** In the page: waits, without using memory. */
async function useNothing() {
  await new Promise((resolve) => setTimeout(resolve, 100));
}

/**
 * In MB: `memory` is the growth of each tab's renderer when it opened the memory, `nothing` the growth when it did
 * nothing, and `browser` the growth of all processes for each tab that opened it.
 */
export async function benchMemory(context, origin) {
  const leader = await openSide(context, origin, SIDES[OURS], 'memory');
  await leader.run('fill', 1_000);
  const grow = async (tab, use) => {
    const before = await settled(tab);
    await tab.page.evaluate(use, 'memory');
    return (await settled(tab)) - before;
  };
  const tabs = [];
  while (tabs.length < TABS - 1) tabs.push(await openTab(context, `${origin}/tabs/pages/tab.html`));
  const nothing = [];
  for (const tab of tabs) nothing.push(await grow(tab, useNothing));
  const before = await total(context);
  const memory = [];
  for (const tab of tabs) memory.push(await grow(tab, useMemory));
  return { nothing, memory, browser: ((await total(context)) - before) / tabs.length };
}
