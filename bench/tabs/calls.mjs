// Awaited calls of a follower, the sides alternating. For ours also the leader's calls, and writes started together.
import { openSides, OURS, BROADCAST } from './tab.mjs';

export const CALLS = { rows: 10_000, rounds: 30, writes: 50, reads: 200, together: 1_000 };

/** For each side: `settings`, and the milliseconds of a call in each round; for ours also those of the leader. */
export async function benchCalls(context, origin, names) {
  const sides = await openSides(context, origin, names, CALLS.rows);
  const kinds = ['write', 'read', 'ownWrite', 'ownRead', 'together'];
  const results = Object.fromEntries(
    Object.entries(sides).map(([name, { settings }]) => [
      name,
      { settings, ...Object.fromEntries(kinds.map((kind) => [kind, []])) },
    ]),
  );
  for (let round = -1; round < CALLS.rounds; round++) {
    for (const [name, { tabs }] of Object.entries(sides)) {
      const [leader, follower] = tabs;
      const measured = {
        write: await follower.run('writes', CALLS.writes),
        read: await follower.run('reads', CALLS.reads, CALLS.rows),
      };
      if (name === OURS || name === BROADCAST) {
        measured.ownWrite = await leader.run('writes', CALLS.writes);
        measured.ownRead = await leader.run('reads', CALLS.reads, CALLS.rows);
      }
      if (name === OURS) measured.together = await follower.run('writesTogether', CALLS.together);
      // The first round warms up.
      if (round >= 0) for (const [kind, value] of Object.entries(measured)) results[name][kind].push(value);
    }
  }
  return results;
}
