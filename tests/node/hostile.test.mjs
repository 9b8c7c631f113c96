// With any argument, a call answers or rejects with a MemoryError. It does not throw, and the engine keeps working.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory, MemoryError } from '../../dist/index.js';

const HOSTILE = {
  null: null,
  'a number': 5,
  NaN,
  'a text': 'x',
  'a symbol': Symbol('s'),
  'a bigint': 5n,
  'a function': () => 1,
  'a list of null': [null],
  'an object of nothing': Object.create(null),
  'a date that is none': new Date(NaN),
};

/** The calls, with the hostile value as each argument. */
const callsOf = (memory) => ({
  recall: (o) => memory.recall('x', o),
  context: (o) => memory.context('x', o),
  related: (o) => memory.related('x', o),
  grounding: (o) => memory.groundingConfidence('x', o),
  track: (o) => memory.trackContext('x', o),
  drift: (o) => memory.coherenceDrift(0.5, o),
  cons: (o) => memory.consolidate(o),
  conss: (o) => memory.consolidations(o),
  undo: (o) => memory.undoConsolidation(1, o),
  disc: (o) => memory.discardConsolidations(o),
  exp: (o) => memory.export(o),
  comp: (o) => memory.compact(o),
  unr: (o) => memory.unreadable(o),
  query: (o) => memory.query('select 1', [], o),
  queryp: (o) => memory.query('select 1', o),
  exec: (o) => memory.execute('delete from x', [], o),
  execp: (o) => memory.execute('delete from x', o),
  tr: (o) => memory.transaction(o),
  tr2: (o) => memory.transaction([o]),
  tr3: (o) => memory.transaction([], o),
  append: (o) => memory.turns.append({ userInput: 'x' }, o),
  app2: (o) => memory.turns.append(o),
  many: (o) => memory.turns.appendMany(o),
  many2: (o) => memory.turns.appendMany([o]),
  list: (o) => memory.turns.list(o),
  list2: (o) => memory.turns.list({}, o),
  get: (o) => memory.turns.get(o),
  get2: (o) => memory.turns.get(1, o),
  up: (o) => memory.turns.update(1, o),
  del: (o) => memory.turns.delete(o),
  count: (o) => memory.turns.count(o),
  clear: (o) => memory.turns.clear(o),
  recent: (o) => memory.turns.recent(o),
  recent2: (o) => memory.turns.recent(1, o),
  set: (o) => memory.longTerm.set(o, 1),
  setMany: (o) => memory.longTerm.setMany(o),
  log: (o) => memory.uncertainty.log(o),
  res: (o) => memory.uncertainty.resolve(1, 'x', o),
  stat: (o) => memory.uncertainty.statistics(o),
  search: (o) => memory.semantic.search('x', o),
  search2: (o) => memory.semantic.search(o),
  merge: (o) => memory.semantic.merge(1, o),
  es: (o) => memory.embeddings.status(o),
  er: (o) => memory.embeddings.ready(o),
  em: (o) => memory.embeddings.map(o),
  ee: (o) => memory.embeddings.embed(o),
  ee2: (o) => memory.embeddings.embed(['x'], o),
  imp: (o) => memory.import(o),
  bl: (o) => memory.backups.list(o),
  bd: (o) => memory.backups.delete(o),
  br: (o) => memory.backups.restore(o),
  mu: (o) => memory.migrations.upgrade(o),
  md: (o) => memory.migrations.downgrade(o),
  mh: (o) => memory.migrations.history(o),
  mst: (o) => memory.migrations.stamp(o),
  mp: (o) => memory.migrations.plan(o),
  mrev: (o) => memory.migrations.revision(o),
  mc: (o) => memory.migrations.check(o),
  msql: (o) => memory.migrations.sql(o, o),
  on: (o) => memory.onChange(o),
  on2: (o) => memory.onChange(() => 1, o),
  ch: (o) => memory.changes(o),
  live: (o) => memory.live(o),
  os: (o) => memory.onStatus(o),
  rs: (o) => memory.refreshStatus(o),
  open: (o) => Memory.open(o),
  open2: (o) => Memory.open({ url: o }),
  open3: (o) => Memory.open({ url: 'memory:', embedder: o }),
  open4: (o) => Memory.open({ url: 'memory:', backups: o }),
  open5: (o) => Memory.open({ url: 'memory:', migrations: o }),
  open6: (o) => Memory.open({ url: 'memory:', signal: o }),
  drift1: (o) => memory.coherenceDrift(o),
  undo1: (o) => memory.undoConsolidation(o),
  map1: (o) => memory.embeddings.map({ limit: o }),
});

/** The calls that register listeners. These throw, because they return no promise. */
const LISTENING = ['on', 'on2', 'ch', 'live', 'os'];

test('every call with every hostile value answers, or rejects with a MemoryError that is not internal', async () => {
  const memory = await Memory.open({ url: 'memory:', embedder: 'none' });
  const wrong = [];
  for (const [name, call] of Object.entries(callsOf(memory)))
    for (const [what, value] of Object.entries(HOSTILE)) {
      const say = (error) => wrong.push(`${name} with ${what}: ${error?.code ?? error}`);
      const isGood = (error) => error instanceof MemoryError && !['internal', 'worker_crashed'].includes(error.code);
      try {
        const answer = call(value);
        if (answer instanceof Promise) await answer.catch((error) => isGood(error) || say(error));
      } catch (error) {
        if (!LISTENING.includes(name) || !isGood(error)) say(`at once: ${error}`);
      }
    }
  assert.deepEqual(wrong, []);
  assert.equal(typeof (await memory.turns.append({ userInput: 'it goes on' })), 'number');
  await memory.close();
});
