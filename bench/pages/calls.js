// Single calls from a page, each awaited, the sides alternating: synth-memory in both durabilities, the official module
// with its default settings and with a memory's.
import { Memory } from '/package/index.js';
import { openOfficial } from './official.js';

const SCHEMA = `
  CREATE TABLE turns (id INTEGER PRIMARY KEY, timestamp REAL, user_input TEXT, assistant_response TEXT, metadata TEXT);
  CREATE INDEX idx_turns_timestamp ON turns (timestamp);`;
const INSERT = 'INSERT INTO turns (timestamp, user_input, assistant_response, metadata) VALUES (?, ?, ?, ?)';
const SELECT = 'SELECT id, timestamp, user_input, assistant_response, metadata FROM turns WHERE id = ?';

const words = (n) => `Turn number ${n}: what did I tell you about the green tea and the peanuts?`;
const answer = (n) => `Answer ${n}: you like the one.`;

async function ours(name, durability) {
  const memory = await Memory.open({ url: `opfs:///${name}.db`, durability });
  return {
    write: (n) => memory.turns.append({ userInput: words(n), assistantResponse: answer(n) }),
    read: (id) => memory.turns.get(id),
  };
}

async function official(name, settings) {
  const call = openOfficial();
  await call('open', name, settings);
  await call('exec', SCHEMA);
  return {
    write: (n) => call('insert', INSERT, [Date.now() / 1000, words(n), answer(n), '{}']),
    read: (id) => call('get', SELECT, id),
  };
}

window.run = async ({ rounds, writes, reads }) => {
  const sides = {
    strict: await ours('strict', 'strict'),
    relaxed: await ours('relaxed', 'relaxed'),
    official: await official('calls', {}),
    officialWal: await official('calls-wal', { wal: true }),
  };
  const perSecond = async (count, step) => {
    const started = performance.now();
    for (let n = 0; n < count; n++) await step(n);
    return (count / (performance.now() - started)) * 1000;
  };
  const results = Object.fromEntries(Object.keys(sides).map((name) => [name, { write: [], read: [] }]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, side] of Object.entries(sides)) {
      const write = await perSecond(writes, side.write);
      const read = await perSecond(reads, (n) => side.read(1 + ((n * 7919) % writes)));
      // The first round warms up.
      if (round >= 0) {
        results[name].write.push(write);
        results[name].read.push(read);
      }
    }
  }
  return results;
};
