// How long a tab that writes has to wait when the leading tab ends: closed, or its renderer killed, in turn.
import { setTimeout as sleep } from 'node:timers/promises';
import { openSide, openSides } from './tab.mjs';

export const ENDINGS = {
  closed: (tab) => tab.page.close(),
  killed: async (tab) => {
    process.kill(tab.pid, 'SIGKILL');
    // What is left of it is a tab that says it crashed.
    await tab.page.waitForEvent('crash');
    await tab.page.close();
  },
};
/** How long the tab that is left writes afterwards, in ms. */
const AFTERWARDS = 500;
/** A tab that is not answered by then never will be, in ms. */
const PATIENCE = 60_000;

/** Waits until the tab has been answered a call that it made after this instant. */
async function answered(tab, instant) {
  for (const end = Date.now() + PATIENCE; !(await tab.run('answeredSince', instant)); await sleep(20))
    if (Date.now() > end) throw new Error('The tab that is left is never answered.');
}

/** One round: the follower's longest wait in ms, and what went wrong. A new tab follows afterwards. */
async function takeOver(context, origin, side, ending) {
  const [leader, follower] = side.tabs;
  await follower.run('watch');
  await answered(follower, 0);
  await sleep(200 + Math.random() * 100);
  const instant = Date.now();
  await ENDINGS[ending](leader);
  // What is left of the leader may live for a moment longer. And where nobody leads, nothing ends: what is seen then is the
  // longest of ordinary waits, over the same time.
  await answered(follower, Date.now() + AFTERWARDS);
  const result = await follower.run('stopWatching', instant);
  side.tabs = [follower, await openSide(context, origin, side, side.file)];
  return result;
}

/** Of each side and ending a list of `{ longest, again, never }`. */
export async function benchTakeOvers(context, origin, names, rows, rounds) {
  const sides = await openSides(context, origin, names, rows);
  const results = Object.fromEntries(Object.keys(sides).map((name) => [name, { closed: [], killed: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, side] of Object.entries(sides)) {
      const ending = Object.keys(ENDINGS)[round % 2];
      try {
        results[name][ending].push(await takeOver(context, origin, side, ending));
      } catch (error) {
        console.error(`  ${name}, round ${round + 1}: ${error.message.split('\n')[0]}`);
        results[name].failed = error.message.split('\n')[0];
        delete sides[name];
      }
    }
  }
  return results;
}
