// Rounds of tabs that write as fast as they can while the one that leads is ended at a random instant.
import { setTimeout as sleep } from 'node:timers/promises';
import { Check } from './check.mjs';
import { ENDINGS } from './endings.mjs';
import { Tabs, until } from './tabs.mjs';

/** How long the tabs write before the leader ends, in ms. */
const SHORTEST = 50;
const LONGEST = 500;

const count = (tabs) => tabs.reduce((total, { answers }) => total + answers.length, 0);

/** One round: how it went. */
async function round(tabs, check, many, { survives, end }) {
  await tabs.fill(many);
  const leader = await tabs.leader();
  const all = [...tabs.live];
  const answeredBefore = count(all);
  await Promise.all(all.map((tab) => tab.start()));
  await sleep(SHORTEST + Math.random() * (LONGEST - SHORTEST));

  const instant = Date.now();
  await end(tabs, leader);
  const ended = Date.now();
  if (!survives) tabs.forget(leader);
  const survivors = [...tabs.live];
  // Nobody helps them.
  await Promise.all(
    survivors.map((tab) =>
      until(`${tab.writer} is answered again`, () => tab.failures.length > 0 || tab.answeredSince(ended)),
    ),
  );
  await Promise.all(survivors.map((tab) => tab.stop()));

  await tabs.fill(many);
  const wrong = await check.look(tabs.live[0], all);
  return {
    ...wrong,
    answered: count(all) - answeredBefore,
    rejected: survivors.reduce((total, tab) => total + tab.failures.length, 0),
    failures: survivors.flatMap((tab) => tab.failures.map(({ failure }) => failure)),
    waits: survivors.map((tab) => tab.longestWait(instant)),
  };
}

/**
 * Runs rounds, each of the endings in turn; `onRound` hears of each.
 * Returns a list of all rounds, and whether the file was whole after the last.
 */
export function runRounds({ rounds, many = 4, endings = Object.keys(ENDINGS), onRound = () => {} }) {
  return Tabs.with(many, 'writer.js', async (tabs) => {
    const check = new Check();
    const done = [];
    for (let n = 0; n < rounds; n++) {
      const ending = endings[n % endings.length];
      const result = await round(tabs, check, many, ENDINGS[ending]).catch((error) => {
        const failures = tabs.live.flatMap((tab) => tab.failures.map(({ failure }) => failure));
        throw new Error([`Round ${n + 1}, ${ending}`, ...failures].join('\n  '), { cause: error });
      });
      result.ending = ending;
      done.push(result);
      onRound(n, result);
    }
    return { done, whole: await check.whole(tabs.live[0]) };
  });
}

/** What must be 0 in every round. */
export const FAULTS = ['missing', 'twice', 'outOfOrder', 'skipped', 'rejected'];

/** What is wrong with a run, as texts; none if nothing is. */
export function faultsOf({ done, whole }) {
  const faults = FAULTS.flatMap((name) => {
    const sum = done.reduce((total, round) => total + round[name], 0);
    return sum > 0 ? [`${sum} ${name}`] : [];
  });
  faults.push(...new Set(done.flatMap(({ failures }) => failures)));
  if (whole.integrity !== 'ok') faults.push(`integrity: ${whole.integrity}`);
  if (whole.lost !== 0) faults.push(`${whole.lost} rows that had been seen are gone`);
  return faults;
}
