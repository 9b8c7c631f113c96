// In a tab: opens a memory and closes it, again and again.
import { Memory } from '/package/index.js';

let kept;

/** Opens it to stay, so that other tabs follow. */
export async function open(url) {
  kept = await Memory.open({ url });
}

export const close = () => kept.close();

/** Opens and closes it so many times; returns the parts it had. */
export async function cycle(url, times) {
  const roles = new Set();
  for (let n = 0; n < times; n++) {
    const memory = await Memory.open({ url });
    roles.add(memory.status.role);
    await memory.longTerm.set('opened', n);
    await memory.close();
  }
  return [...roles];
}

/** The names of all locks of the origin, held and waited for. */
export async function locks() {
  const { held, pending } = await navigator.locks.query();
  return [...held, ...pending].map(({ name }) => name);
}
