// How long a tab that writes has to wait when the leader ends: its tab is closed, or its renderer killed, alternately.
import { setTimeout as sleep } from 'node:timers/promises';
import { openSide, openSides } from './tab.mjs';

export const ENDINGS = {
  closed: (tab) => tab.page.close(),
  killed: async (tab) => {
    process.kill(tab.pid, 'SIGKILL');
    // The tab itself remains and shows that it crashed.
    await tab.page.waitForEvent('crash');
    await tab.page.close();
  },
};
/** How long the remaining tab writes afterwards, in ms. */
const AFTERWARDS = 500;
/** In ms; a tab that is not answered within this time never will be. */
const PATIENCE = 60_000;

/** Waits until a call that the tab made after this instant has been answered. */
async function answered(tab, instant) {
  for (const end = Date.now() + PATIENCE; !(await tab.run('answeredSince', instant)); await sleep(20))
    if (Date.now() > end) throw new Error('The remaining tab is never answered.');
}

/** One round: the follower's longest wait in ms, and what went wrong. A new tab follows afterwards. */
async function takeOver(context, origin, side, ending) {
  const [leader, follower] = side.tabs;
  await follower.run('watch');
  await answered(follower, 0);
  await sleep(200 + Math.random() * 100);
  const instant = Date.now();
  await ENDINGS[ending](leader);
  // Parts of the leader can live for a moment longer. If a side has no leader, nothing ends, and the result is the
  // longest ordinary wait over the same time.
  await answered(follower, Date.now() + AFTERWARDS);
  const result = await follower.run('stopWatching', instant);
  side.tabs = [follower, await openSide(context, origin, side, side.file)];
  return result;
}

/** For each side and ending a list of `{ longest, again, never }`. */
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
