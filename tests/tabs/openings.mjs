// A page that opens and closes a memory thousands of times: what it leaves behind. Half of the times it leads, and half
// another tab does.
import { privateMemory } from '../../scripts/browsers.mjs';
import { Tabs, URL } from './tabs.mjs';

const STEPS = 10;
/** Before the first look, for what is kept once and for all. */
const WARM_UP = 50;

/** What must not grow, and by how much it may all the same. */
export const FIGURES = {
  heap: { unit: 'MB', slack: 1 },
  listeners: { unit: '', slack: 10 },
  renderer: { unit: 'MB', slack: 30 },
  workers: { unit: '', slack: 0 },
  locks: { unit: '', slack: 0 },
};

async function look(tab) {
  const session = await tab.page.context().newCDPSession(tab.page);
  await session.send('Performance.enable');
  const heap = await tab.heap();
  const { metrics } = await session.send('Performance.getMetrics');
  await session.detach();
  return {
    heap,
    listeners: metrics.find(({ name }) => name === 'JSEventListeners').value,
    renderer: privateMemory(tab.pid),
    workers: tab.page.workers().length,
    locks: (await tab.run('locks')).length,
  };
}

async function cycles(tab, times, onLook) {
  const roles = new Set(await tab.run('cycle', URL, WARM_UP));
  const looks = [await look(tab)];
  for (let step = 0; step < STEPS; step++) {
    for (const role of await tab.run('cycle', URL, Math.ceil(times / STEPS))) roles.add(role);
    looks.push(await look(tab));
    onLook({ role: [...roles].join(), ...looks.at(-1) });
  }
  return { roles: [...roles], looks };
}

/** Opens and closes so many times in all; returns what was seen as leader and as follower. */
export function runOpenings(times, onLook) {
  return Tabs.with(2, 'opener.js', async (tabs) => {
    const [first, second] = tabs.live;
    const follower = await cycles(second, times / 2, onLook);
    await first.run('close');
    await second.run('close');
    const leader = await cycles(second, times / 2, onLook);
    return { follower, leader };
  });
}

/** What is wrong with a run, as texts; none if nothing is. */
export function faultsOf(parts) {
  return Object.entries(parts).flatMap(([part, { roles, looks }]) => [
    ...(roles.join() === part ? [] : [`as ${part} it was ${roles.join()}`]),
    ...Object.entries(FIGURES)
      .filter(([figure, { slack }]) => looks.at(-1)[figure] > looks[0][figure] + slack)
      .map(([figure]) => `as ${part}, ${figure} grew from ${looks[0][figure]} to ${looks.at(-1)[figure]}`),
  ]);
}
