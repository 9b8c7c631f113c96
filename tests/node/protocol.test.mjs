// The protocol between clients and successive leaders, over a channel that loses, repeats and reorders messages, while
// leaders end at any instant. Every answered write is stored exactly once, in the order of its client's calls.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { rolldown } from 'rolldown';
import { random } from '../../bench/recall/data.js';
import { at } from '../../scripts/process.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 500);
const CLIENTS = 3;
const STEPS = 400;

let Connection, Processor;
before(async () => {
  const load = async (source, plugins = []) => {
    const bundle = await rolldown({ input: at('www', 'package', ...source), platform: 'neutral', plugins });
    const { output } = await bundle.generate();
    return import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
  };
  ({ Processor } = await load(['worker', 'processor.ts']));
  // The tab is the interface to the browser. The test replaces it.
  const tab = {
    name: 'tab',
    resolveId: (id) => (id.endsWith('/tab.js') ? '\0tab' : null),
    load: (id) => (id === '\0tab' ? 'export const Tab = globalThis.Tab;' : null),
  };
  globalThis.Tab = class {
    constructor(client, options, openWorker, host) {
      return openWorker(client, host);
    }
  };
  ({ Connection } = await load(['link', 'connection.ts'], [tab]));
});

const failure = (code) => ({ code, message: 'No.', hint: 'Try again.', cause: null });

/** An engine over a disk that outlives it. A transaction's changes are on the disk once it ends, or not at all. */
function engineOn(disk, chance) {
  let rows, ledger;
  const begin = () => ([rows, ledger] = [[...disk.rows], [...disk.ledger]]);
  begin();
  const commit = () => ([disk.rows, disk.ledger] = [rows, ledger]);
  /** Sometimes ends the engine, which loses its uncommitted changes. */
  const mayEnd = () => {
    if (chance(0.02)) throw new WebAssembly.RuntimeError('unreachable');
  };
  let entered;
  return {
    schemaStatus: () => ({}),
    changes: () => null,
    beginBatch: begin,
    endBatch() {
      mayEnd();
      if (chance(0.05)) throw failure('quota_exceeded');
      commit();
      mayEnd();
    },
    answers: (client) => disk.ledger.filter((entry) => entry.client === client).map(({ answers }) => answers),
    keepAnswers(client, acknowledged, last, answers) {
      ledger = ledger.filter((entry) => entry.client !== client || entry.last >= acknowledged);
      ledger.push({ client, last, answers });
    },
    acknowledge: (client) => (ledger = ledger.filter((entry) => entry.client !== client)),
    enter: (client, sequence) => (entered = { client, sequence }),
    turnsAdd([text]) {
      if (chance(0.01)) mayEnd();
      if (chance(0.1)) throw failure('invalid_argument');
      rows.push(text);
      return rows.length;
    },
    turnsCount: () => rows.length,
    /** Runs in its own transaction. */
    stamp([text]) {
      begin();
      mayEnd();
      rows.push(text);
      const { client, sequence } = entered;
      ledger.push({ client, last: sequence, answers: JSON.stringify([[sequence, { value: null }]]) });
      commit();
      mayEnd();
      return null;
    },
    close: () => null,
  };
}

/** Runs once; returns the disk, and the requests and answers of each client. */
async function play(seed) {
  const next = random(seed);
  const chance = (p) => !isCalm && next() < p;
  const pick = (list) => list[Math.floor(next() * list.length)];
  let isCalm = false;
  const disk = { rows: [], ledger: [] };
  /** The messages on their way. Their order can change. */
  let way = [];
  const send = (deliver) => {
    if (chance(0.02)) return;
    const message = { deliver };
    const place = chance(0.1) ? Math.floor(next() * (way.length + 1)) : way.length;
    way.splice(place, 0, message);
    if (chance(0.05)) way.splice(Math.floor(next() * (way.length + 1)), 0, message);
  };
  let leader;
  let names = 0;
  const hosts = new Map();

  function lead() {
    const name = `leader ${names++}`;
    const tasks = [];
    const self = { name, tasks, isEnded: false };
    self.processor = new Processor({
      open: async () => ({ engine: engineOn(disk, chance), release: async () => undefined }),
      defer: (task) => tasks.push(task),
      later: () => undefined,
      tell: (message) => message.type === 'crashed' && end(self),
    });
    self.peer = (client) => ({
      // A tab receives messages only from the leader that it knows; those of an earlier one are too late.
      post: (message) => send(() => self === leader && hosts.get(client).receive(structuredClone(message))),
    });
    void self.processor.lead(name, { path: '/memory.db' });
    leader = self;
    for (const host of hosts.values()) host.reached('follower');
  }
  function end(self) {
    self.isEnded = true;
    if (leader !== self) return;
    leader = undefined;
    for (const host of hosts.values()) host.lost();
  }

  const clients = Array.from({ length: CLIENTS }, (_, number) => {
    const asked = [];
    const connection = new Connection(
      (client, host) => {
        hosts.set(client, host);
        return {
          start() {},
          quiet() {},
          suspect() {},
          end() {},
          leave: async () => undefined,
          post(message) {
            const to = leader;
            const copy = structuredClone(message);
            send(() => to && !to.isEnded && to.processor.receive(copy, to.peer(client)));
          },
        };
      },
      { path: '/memory.db' },
    );
    return { number, connection, asked };
  });

  const ask = ({ number, connection, asked }, method = pick(['turnsAdd', 'turnsAdd', 'turnsAdd', 'stamp'])) => {
    const text = `${number} ${asked.length}`;
    const call = { text, answers: [] };
    asked.push(call);
    connection.call(method, [[text]]).then(
      (value) => call.answers.push({ value }),
      ({ code }) => call.answers.push({ code }),
    );
  };
  const step = () => new Promise((resolve) => setImmediate(resolve));

  lead();
  for (let at = 0; at < STEPS; at++) {
    const what = next();
    if (what < 0.3) for (let n = next() * 5; n > 0; n--) ask(pick(clients));
    else if (what < 0.31 && leader) end(leader);
    else if (what < 0.4 && !leader) lead();
    // A client that receives nothing connects again.
    else if (what < 0.43 && leader) pick([...hosts.values()]).reached('follower');
    else if (what < 0.9) way.shift()?.deliver();
    else leader?.tasks.shift()?.();
    if (next() < 0.3) await step();
  }
  // Then the faults stop: there is one leader, and no message is lost.
  isCalm = true;
  if (leader) end(leader);
  lead();
  const isDone = () => clients.every(({ asked }) => asked.every(({ answers }) => answers.length > 0));
  const settle = async () => {
    for (let at = 0; at < 5000 && !(isDone() && way.length === 0); at++) {
      way.shift()?.deliver();
      leader?.tasks.shift()?.();
      await step();
      if (!leader) lead();
      if (way.length === 0 && at % 50 === 49 && !isDone()) for (const host of hosts.values()) host.reached('follower');
    }
  };
  await settle();
  // Their next messages acknowledge all answers.
  for (const client of clients) ask(client, 'turnsAdd');
  await settle();
  for (const { connection } of clients) await connection.close();
  return { disk, clients };
}

test(`in ${ROUNDS} runs with ends, losses, repetitions and reorderings every write is made once, in order`, async () => {
  const seen = { answered: 0, refused: 0, unknown: 0 };
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const { disk, clients } = await play(seed);
    const why = `seed ${seed}`;
    assert.equal(new Set(disk.rows).size, disk.rows.length, `${why}: a write was made twice`);
    for (const { number, asked } of clients) {
      for (const { text, answers } of asked) {
        assert.equal(answers.length, 1, `${why}: ${text} was answered ${answers.length} times`);
        const [{ code }] = answers;
        if (code === undefined) assert.ok(disk.rows.includes(text), `${why}: ${text} was answered and is gone`);
        if (code === 'invalid_argument' || code === 'quota_exceeded')
          assert.ok(!disk.rows.includes(text), `${why}: ${text} failed and is there`);
        seen[code === undefined ? 'answered' : code === 'worker_crashed' ? 'unknown' : 'refused']++;
      }
      const own = disk.rows.filter((text) => text.startsWith(`${number} `)).map((text) => Number(text.split(' ')[1]));
      assert.deepEqual(
        own,
        own.toSorted((one, other) => one - other),
        `${why}: out of order`,
      );
    }
    assert.ok(disk.ledger.length <= CLIENTS, `${why}: ${disk.ledger.length} answers are kept`);
  }
  console.log(JSON.stringify(seen));
  assert.ok(seen.answered > 0 && seen.refused > 0);
});
