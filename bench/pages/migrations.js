// Downgrades a memory with many rows to 001, upgrades it to head, and opens it when there is nothing to migrate.
import { Memory } from '../package/index.js';

const PLACE = 'opfs:///migrations.db';
const BULK = 10_000;

const timed = async (work) => {
  const begun = performance.now();
  const result = await work();
  return [performance.now() - begun, result];
};

async function fill(memory, rows) {
  for (let from = 0; from < rows; from += BULK) {
    const each = (row) =>
      Array.from({ length: BULK }, (_, n) => row(`guest ${from + n}, green tea and peanuts at noon`));
    await memory.turns.appendMany(each((text) => ({ userInput: text, assistantResponse: text })));
    await memory.episodes.recordMany(each((text) => ({ eventType: 'task', content: { text } })));
    await memory.longTerm.setMany(each((text) => [text, text]));
    await memory.uncertainty.logMany(each((text) => ({ userMessage: text, confidenceScore: 0.5 })));
    await memory.semantic.rememberMany(each((text) => ({ content: text })));
  }
}

/** The times in ms of each upgrade and downgrade, including the backup, and of each opening. */
window.run = async ({ rows, rounds }) => {
  const times = { upgrade: [], downgrade: [], open: [] };
  let memory = await Memory.open({ url: PLACE });
  await fill(memory, rows);
  for (let round = 0; round < rounds; round++) {
    times.downgrade.push((await timed(() => memory.migrations.downgrade('001')))[0]);
    times.upgrade.push((await timed(() => memory.migrations.upgrade('head')))[0]);
    await memory.close();
    const [time, opened] = await timed(() => Memory.open({ url: PLACE }));
    times.open.push(time);
    memory = opened;
  }
  await memory.close();
  return times;
};

/** The times in ms to open the same file with the engine alone, with and without the check. */
window.check = (openings) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./check-worker.js', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(openings);
  });
