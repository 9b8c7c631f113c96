// `npm run test:tabs`: many tabs that share a memory, for longer than `npm test` takes.
//
//   ROUNDS=200    rounds of four tabs that write while the leader is ended; ENDINGS='a,b' only in these ways, TABS=4
//   MINUTES=30    instead, minutes of random work with reloads, and what grows meanwhile
//   OPENS=10000   instead, opening and closing so often, and what that leaves behind
import { build } from '../../scripts/build.mjs';
import { number, quantile, table } from '../../bench/figures.mjs';
import { ENDINGS } from './endings.mjs';
import * as openings from './openings.mjs';
import * as rounds from './rounds.mjs';
import * as visits from './visits.mjs';

async function soakRounds(times) {
  const many = Number(process.env.TABS ?? 4);
  const endings = process.env.ENDINGS?.split(',') ?? Object.keys(ENDINGS);
  const onRound = (n, { ending, answered, waits, ...round }) => {
    const wrong = rounds.FAULTS.filter((name) => round[name] > 0).map((name) => `, ${round[name]} ${name}`);
    const wait = waits.length > 0 ? `, waited ${Math.max(...waits)} ms` : '';
    console.log(`${n + 1}/${times} ${ending}: ${answered} answered${wait}${wrong.join('')}`);
  };
  const result = await rounds.runRounds({ rounds: times, many, endings, onRound });
  const rows = endings.map((ending) => {
    const own = result.done.filter((round) => round.ending === ending);
    const sum = (name) => own.reduce((total, round) => total + round[name], 0);
    const waits = own.flatMap((round) => round.waits);
    const at = (share) => (waits.length > 0 ? quantile(waits, share) : null);
    return [ending, own.length, sum('answered'), ...rounds.FAULTS.map(sum), at(0.5), at(0.99), at(1)];
  });
  console.log(`
${times} rounds of ${many} tabs. "missing": answered, but not in the file; "skipped": not carried out, though a later call of the
same client was, or though it was answered; "rejected": calls of tabs that live on. The waits are the longest that each of
these tabs had without any answer, from the instant at which the leader was ended, in ms.

${table([['the leader', 'rounds', 'answered', ...rounds.FAULTS, 'p50', 'p99', 'longest'], ...rows])}

The file: ${number(result.whole.rows)} rows, integrity ${result.whole.integrity}.`);
  return rounds.faultsOf(result);
}

async function soakVisits(minutes) {
  const figures = [...Object.keys(visits.SLACK), 'ledger'];
  const result = await visits.runVisits(minutes, (sample) => {
    console.log(`${sample.clients} clients: ${figures.map((name) => `${name} ${number(sample[name])}`).join(', ')}`);
  });
  const rows = figures.map((name) => [name, ...[0, 1, 2].map((third) => visits.most(result.samples, name, third))]);
  console.log(`
${minutes} minutes of random work by four tabs, which are reloaded or closed and opened again: ${result.samples.at(-1).clients} clients in all. The most
in each third of the time, in MB, and entries of the ledger.

${table([['', 'first', 'second', 'last'], ...rows])}`);
  return visits.faultsOf(result);
}

async function soakOpenings(times) {
  const figures = Object.keys(openings.FIGURES);
  const result = await openings.runOpenings(times, ({ role, ...look }) => {
    console.log(`as ${role}: ${figures.map((name) => `${name} ${number(look[name])}`).join(', ')}`);
  });
  const rows = Object.entries(result).flatMap(([part, { looks }]) => [
    [`as ${part}, before`, ...figures.map((name) => looks[0][name])],
    [`as ${part}, after`, ...figures.map((name) => looks.at(-1)[name])],
  ]);
  const head = figures.map((name) => [name, openings.FIGURES[name].unit].filter(Boolean).join(', '));
  console.log(`\n${times} times opened and closed:\n\n${table([['', ...head], ...rows])}`);
  return openings.faultsOf(result);
}

const { ROUNDS = 200, MINUTES, OPENS } = process.env;
await build();
const faults = MINUTES
  ? await soakVisits(Number(MINUTES))
  : OPENS
    ? await soakOpenings(Number(OPENS))
    : await soakRounds(Number(ROUNDS));
for (const fault of faults) console.error(`WRONG: ${fault}`);
if (faults.length > 0) process.exitCode = 1;
