// The tabs of one side: the first leads, the second follows.
import { openTab } from '../../scripts/browsers.mjs';

/** The sides that are measured. With `broadcast` the pages have no SharedWorker. */
export const OURS = 'synth-memory';
export const BROADCAST = 'synth-memory without SharedWorker';
export const SIDES = {
  [OURS]: { engine: 'synth-memory' },
  [BROADCAST]: { engine: 'synth-memory', broadcast: true },
  'PGlite worker on IndexedDB': { engine: 'pglite-idb' },
  'PGlite worker on OPFS': { engine: 'pglite-opfs' },
  SQLocal: { engine: 'sqlocal' },
};

/** Opens a tab, and one side's engine in it. */
export async function openSide(context, origin, { engine, broadcast = false }, name) {
  const { page, pid } = await openTab(context, `${origin}/tabs/pages/tab.html`);
  page.on('console', (message) => message.type() === 'error' && console.error(`    ${message.text()}`));
  const run = (name, ...args) =>
    page.evaluate(async ([name, args]) => (await import('/tabs/pages/tab.js'))[name](...args), [name, args]);
  if (broadcast) await page.evaluate(() => delete window.SharedWorker);
  await run('open', engine, name);
  return { page, pid, run };
}

/** Opens each side with two tabs and `rows` rows. A side that does not open is reported and left out. */
export async function openSides(context, origin, names, rows) {
  const sides = {};
  for (const [n, name] of names.entries()) {
    try {
      const tabs = [await openSide(context, origin, SIDES[name], `bench${n}`)];
      await tabs[0].run('fill', rows);
      tabs.push(await openSide(context, origin, SIDES[name], `bench${n}`));
      const settings = await tabs[1].run('settings');
      console.error(`  ${name}: ${settings}`);
      sides[name] = { ...SIDES[name], file: `bench${n}`, tabs, settings };
    } catch (error) {
      console.error(`  ${name} does not open in two tabs: ${error.message.split('\n')[0]}`);
    }
  }
  return sides;
}
