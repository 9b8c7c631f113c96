// The time from a page's navigation until a memory is open, next to the official module.
import { median, medianOfPairs } from './figures.mjs';
import { inTurns, withChromium } from './site.mjs';

export const OPENINGS = 20;
/** Polls by time, because a page in the background has no animation frames. The timeout is long, for a busy machine. */
const WAIT = { polling: 50, timeout: 120_000 };

/** Opens a page and returns its `window.opened`: ms since the navigation. */
export async function visit(context, url) {
  const page = await context.newPage();
  const broken = new Promise((_, reject) => page.once('pageerror', reject));
  // Errors after it has opened do not matter.
  broken.catch(() => {});
  await page.goto(url);
  const handle = await Promise.race([page.waitForFunction(() => window.opened, null, WAIT), broken]);
  const opened = await handle.jsonValue();
  await page.close();
  return opened;
}

/** A new profile for each opening. A second visit finds the memory and the browser's cache. */
async function openings(url, again) {
  const times = { ours: [], official: [] };
  for (let round = 0; round < OPENINGS; round++) {
    for (const side of inTurns(['ours', 'official'], round)) {
      await withChromium(async (context) => {
        const address = `${url}/bench/open-${side}.html`;
        if (again) await visit(context, address);
        times[side].push(await visit(context, address));
      });
    }
  }
  return times;
}

/** Rows: name, ours, ours with `relaxed`, the official module's, times as fast. */
export async function benchOpenings(url) {
  const rows = [];
  for (const [name, again] of [
    ['Open a new memory, from navigation, ms', false],
    ['Open an existing one, from navigation, ms', true],
  ]) {
    console.log(`${name} …`);
    const { ours, official } = await openings(url, again);
    rows.push([name, median(ours), null, median(official), medianOfPairs(official, ours)]);
  }
  return rows;
}
