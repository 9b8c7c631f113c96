// In a tab: a client that writes as fast as it can, awaited and in bursts, and reports each answer as it comes. The report
// leaves the page at once (`window.report` is a binding of the test's), so it survives the tab.
import { Memory } from '/package/index.js';
import { CALLS, tableOf } from './calls.js';

const LARGEST_BURST = 64;

let memory;
let writer;
let sent = 0;
let writing;
let stopped = false;

export async function open(url, name) {
  writer = name;
  memory = await Memory.open({ url });
}

export const role = () => memory.status.role;

export function start() {
  stopped = false;
  writing = write();
}

/** Stops when every call is answered; returns how many there were. */
export async function stop() {
  stopped = true;
  await writing;
  return sent;
}

export const query = (sql, parameters) => memory.query(sql, parameters, { timeoutMs: 60_000 });

async function write() {
  while (!stopped) {
    const calls = Math.random() < 0.5 ? 1 : 2 + Math.floor(Math.random() * LARGEST_BURST);
    await Promise.all(Array.from({ length: calls }, next));
  }
}

async function next() {
  const n = sent++;
  const called = Date.now();
  try {
    await CALLS[tableOf(n)](memory, writer, n);
    tell({ n, called, at: Date.now() });
  } catch (error) {
    // A writer whose calls fail would only repeat that.
    stopped = true;
    tell({ n, failure: `${error.code ?? error.name}: ${error.message}` });
  }
}

const tell = (answer) => window.report(JSON.stringify(answer));
