// The figures of `npm run bench:tabs` as Markdown.
import { median, medianOfPairs, quantile, spread, ratios, table } from '../figures.mjs';
import { CALLS } from './calls.mjs';
import { TABS } from './memory.mjs';
import { BROADCAST, OURS } from './tab.mjs';

/** A duration in ms, with as many digits as its clock can measure. */
const ms = (value) => value.toLocaleString('en', { maximumFractionDigits: 3 });
const difference = (over, under) => median(over.map((value, at) => value - under[at]));
const quartiles = (over, under) => `${medianOfPairs(over, under).toFixed(2)} (${spread(ratios(over, under))})`;

export function reportCalls(results) {
  const ours = results[OURS];
  const rows = Object.entries(results).map(([name, { settings, write, read }]) => [
    name,
    settings,
    ms(median(write)),
    ms(median(read)),
    ours && name !== OURS ? quartiles(write, ours.write) : null,
    ours && name !== OURS ? quartiles(read, ours.read) : null,
  ]);
  const text = `
Awaited calls of a follower, ${CALLS.rows.toLocaleString('en')} rows: ms for each call, medians of ${CALLS.rounds} rounds of ${CALLS.writes} writes and ${CALLS.reads}
reads by id at most, the sides alternating. The last columns are the medians of the ratios of each round, with quartiles: above 1,
synth-memory is faster. SQLocal has no leader: each of its tabs has its own connection to the file.

${table([['', 'settings', 'write, ms', 'read, ms', 'write / ours', 'read / ours'], ...rows])}`;
  const own = [OURS, BROADCAST].filter((name) => results[name]);
  return own.length > 0 ? `${text}\n${reportOwn(results, own)}` : text;
}

function reportOwn(results, names) {
  const rows = names.map((name) => {
    const { write, ownWrite, read, ownRead } = results[name];
    return [
      name,
      ms(median(ownWrite)),
      quartiles(write, ownWrite),
      ms(median(ownRead)),
      ms(difference(read, ownRead)),
      quartiles(read, ownRead),
    ];
  });
  const { write, together } = results[OURS] ?? { together: [] };
  return `
The follower's calls next to those of the leader, in the same rounds.

${table([['', "leader's write, ms", "follower's / leader's", "leader's read, ms", 'difference, ms', "follower's / leader's"], ...rows])}
${
  together.length > 0
    ? `
${CALLS.together.toLocaleString('en')} writes that a follower starts together: ${quartiles(write, together)} times the rate of awaiting each.`
    : ''
}`;
}

export function reportTakeOvers(results, rows) {
  const cells = Object.entries(results).flatMap(([name, { failed, ...endings }]) =>
    Object.entries(endings).map(([ending, rounds]) => {
      if (rounds.length === 0) return [name, ending, 0, null, null, null, null, null, failed];
      const longest = rounds.map((round) => round.longest);
      const sum = (count) => rounds.reduce((total, round) => total + count(round), 0);
      return [
        name,
        ending,
        rounds.length,
        quantile(longest, 0.5),
        quantile(longest, 0.99),
        Math.max(...longest),
        sum(({ again }) => again),
        sum(({ never }) => never),
        failed ?? null,
      ];
    }),
  );
  return `
Taking over, ${rows.toLocaleString('en')} rows: the longest time in ms between two answers to a tab that writes without a pause, while the
leader is closed or its renderer killed. "again": calls that were retried, because they failed or waited when a new leader was
reported; "never": calls without an answer for 10 s. If a side has no leader, it is the longest ordinary wait.

${table([['', 'the leader', 'rounds', 'p50', 'p99', 'longest', 'again', 'never', 'failed'], ...cells])}`;
}

export function reportMemory({ nothing, memory, browser }) {
  const list = (values) => values.map((value) => value.toFixed(2)).join(', ');
  return `
Memory of a follower, with ${TABS} tabs of which one leads, in MB: the growth of the private memory (Private_Clean and
Private_Dirty of /proc/<pid>/smaps_rollup) of its own renderer when it opens the memory, writes and reads, after a
garbage collection. The growth of tabs that do nothing instead is the error of this measurement.

${table([
  ['', 'median', 'each'],
  ['opens the memory', median(memory), list(memory)],
  ['does nothing', median(nothing), list(nothing)],
  ['all processes of the browser, for each that opens it', browser, ''],
])}`;
}
