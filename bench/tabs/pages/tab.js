// Runs in a tab: opens an engine, measures calls, and records how long the tab waits.

/** The longest time for a round's calls of one kind, in ms. */
const LONGEST = 500;
/** In ms; a call that takes longer counts as never answered. */
const NEVER = 10_000;

let side;
let calls = 0;
let watching;

export async function open(engine, name) {
  side = await (await import(`/tabs/engines/${engine}.js`)).open(name);
}

export const fill = async (rows) => void (await side.fill(rows));
export const settings = () => side.settings();
export const write = () => side.write(calls++);
export const read = (id) => side.read(id);

/** The mean time in ms of `count` awaited calls, or of fewer if they take long. */
async function each(count, call) {
  const started = performance.now();
  let made = 0;
  while (made < count && performance.now() - started < LONGEST) await call(made++);
  return (performance.now() - started) / made;
}

export const writes = (count) => each(count, write);
export const reads = (count, rows) =>
  each(count, async (n) => {
    if (!(await side.read(1 + ((n * 7919) % rows)))) throw new Error('A row is missing.');
  });

/** The mean time in ms of `count` calls that are started together. */
export async function writesTogether(count) {
  const started = performance.now();
  await Promise.all(Array.from({ length: count }, write));
  return (performance.now() - started) / count;
}

/**
 * Writes, each call awaited, until `stopWatching`. A failed call is retried. If the engine reports a new leader, a
 * waiting call is retried too, because it may never be answered.
 */
export function watch() {
  const seen = { answers: [], again: 0, never: 0, stopped: false, abandon: () => {} };
  side.onLeaderChange?.(() => seen.abandon('again'));
  watching = { seen, done: run(seen) };
}

async function run(seen) {
  while (!seen.stopped) {
    const called = Date.now();
    let timer;
    const given = new Promise((resolve) => {
      timer = setTimeout(resolve, NEVER, 'never');
      seen.abandon = resolve;
    });
    // A retry lets other tasks of the page run first.
    const failed = () => new Promise((resolve) => setTimeout(resolve, 0, 'again'));
    const what = await Promise.race([write().then(() => 'answered', failed), given]);
    clearTimeout(timer);
    if (what === 'answered') seen.answers.push({ called, at: Date.now() });
    else seen[what]++;
  }
}

/** Whether a write that began after this instant has been answered. */
export const answeredSince = (instant) => watching.seen.answers.some(({ called }) => called > instant);

/** The longest time in ms between two answers, the second of them after this instant, and what went wrong. */
export async function stopWatching(instant) {
  const { seen, done } = watching;
  seen.stopped = true;
  await done;
  const { answers, again, never } = seen;
  const waits = answers.slice(1).flatMap(({ at }, n) => (at > instant ? [at - answers[n].at] : []));
  return { longest: Math.max(...waits), again, never };
}
