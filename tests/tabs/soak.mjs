// `npm run test:tabs`: many tabs that share a memory, for longer than `npm test` takes.
//
//   ROUNDS=200    rounds of four tabs that write while the leader is ended; ENDINGS='a,b' only these ways, TABS=4
//   MINUTES=30    minutes of random work with reloads, instead; what grows is measured
//   OPENS=10000   opens and closes, instead; what they leave behind is measured
import { build } from '../../scripts/build.mjs';
import { number, quantile, table } from '../../bench/figures.mjs';
import { ENDINGS } from './endings.mjs';
import { FAULTS, faultsOf, runRounds } from './rounds.mjs';

async function rounds(rounds) {
  const count = Number(process.env.TABS ?? 4);
  const endings = process.env.ENDINGS?.split(',') ?? Object.keys(ENDINGS);
  const onRound = (n, { ending, answered, waits, ...round }) => {
    const wrong = FAULTS.filter((name) => round[name] > 0).map((name) => `${round[name]} ${name}`);
    const wait = waits.length > 0 ? `, waited ${Math.max(...waits)} ms` : '';
    console.log(`${n + 1}/${rounds} ${ending}: ${answered} answered${wait}${wrong.length > 0 ? `, ${wrong}` : ''}`);
  };
  const result = await runRounds({ rounds, count, endings, onRound });
  const rows = endings.map((ending) => {
    const own = result.done.filter((round) => round.ending === ending);
    const sum = (name) => own.reduce((total, round) => total + round[name], 0);
    const waits = own.flatMap((round) => round.waits);
    const at = (share) => (waits.length > 0 ? quantile(waits, share) : null);
    return [ending, own.length, ...FAULTS.map(sum), at(0.5), at(0.99)];
  });
  console.log(`
${rounds} rounds of ${count} tabs. "missing": answered, but not in the file; "skipped": not carried out, though a later call
of the same client was, or though it was answered. The waits are the longest that each surviving tab had without any answer
after the leader ended, in ms.

${table([['the leader', 'rounds', ...FAULTS, 'wait p50', 'wait p99'], ...rows])}

The file: ${number(result.whole.rows)} rows, integrity ${result.whole.integrity}.`);
  return faultsOf(result);
}

await build();
const faults = await rounds(Number(process.env.ROUNDS ?? 200));
for (const fault of faults) console.error(`WRONG: ${fault}`);
if (faults.length > 0) process.exitCode = 1;
