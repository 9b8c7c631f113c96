// The figures of `npm run bench:tabs` as Markdown.
import { median, medianOfPairs, quantile, spread, ratios, table } from '../figures.mjs';
import { CALLS } from './calls.mjs';
import { TABS } from './memory.mjs';
import { BROADCAST, OURS } from './tab.mjs';

/** A duration in ms with as many digits as its clock is good for. */
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
Awaited calls of the tab that follows, ${CALLS.rows.toLocaleString('en')} rows: ms for each call, medians of ${CALLS.rounds} rounds of ${CALLS.writes} writes and ${CALLS.reads}
reads by id at the most, the sides in turn. The last columns are medians of the ratios round by round, and their quartiles: above 1,
synth-memory is faster. SQLocal has no leader: each of its tabs has a connection of its own to the file.

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
The follower's calls next to those of the tab that leads, in the same rounds.

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
Taking over, ${rows.toLocaleString('en')} rows: the longest time in ms between two answers to a tab that writes without a pause, while the tab
that leads is closed or its renderer killed. "again": calls that failed, or that waited when a new leader was reported, and
were made again; "never": calls without an answer for 10 s. Where nobody leads, it is the longest ordinary wait.

${table([['', 'the leader', 'rounds', 'p50', 'p99', 'longest', 'again', 'never', 'failed'], ...cells])}`;
}

export function reportMemory({ nothing, memory, browser }) {
  const list = (values) => values.map((value) => value.toFixed(2)).join(', ');
  return `
Memory of a tab that follows, of ${TABS} tabs of which one leads, in MB: what the private memory (Private_Clean and
Private_Dirty of /proc/<pid>/smaps_rollup) of its own renderer grows by when it opens the memory, writes and reads, after a
garbage collection. Of tabs that do nothing instead, the same measure is what it is off by.

${table([
  ['', 'median', 'each'],
  ['opens the memory', median(memory), list(memory)],
  ['does nothing', median(nothing), list(nothing)],
  ['all processes of the browser, for each that opens it', browser, ''],
])}`;
}
