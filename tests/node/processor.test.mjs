// How requests that wait together share a transaction, with an engine that records its calls.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { rolldown } from 'rolldown';
import { at } from '../../scripts/process.mjs';

let Processor;
before(async () => {
  const bundle = await rolldown({ input: at('www', 'package', 'worker', 'processor.ts'), platform: 'neutral' });
  const { output } = await bundle.generate();
  ({ Processor } = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`));
});

const failure = (code) => ({ code, message: 'No.', hint: 'Try again.', cause: null });

/** A processor, the calls to its engine, and the answers. */
async function start({
  failBatch = false,
  trap = false,
  inMemory = false,
  sent = 0,
  entered = [],
  slices = [],
  tidying = [],
} = {}) {
  const asked = [];
  const answers = [];
  const told = [];
  const record =
    (name, act = () => name) =>
    (...given) => (asked.push(name), act(...given));
  const engine = {
    schemaStatus: () => 'status',
    changes: () => null,
    answers: record('answers', () => entered),
    beginBatch: record('beginBatch'),
    endBatch: record('endBatch', () => {
      if (failBatch) throw failure('quota_exceeded');
    }),
    keepAnswers: (client, acknowledged, last, kept) => void asked.push(`keep ${acknowledged} ${last} ${kept}`),
    enter: (client, sequence) => void asked.push(`enter ${sequence}`),
    turnsAdd: record('add', ([row]) => {
      if (trap) throw new WebAssembly.RuntimeError('unreachable');
      if (row === 'bad') throw failure('invalid_argument');
      return row;
    }),
    turnsCount: record('count'),
    reserve: record('reserve', async () => undefined),
    import: record('import'),
    close: record('close', () => null),
    indexSlice: record('slice', () => slices.shift() ?? false),
    tidySlice: record('tidy', () => tidying.shift() ?? false),
  };
  const tasks = [];
  /** The tasks for a short time without calls, and those for a longer time. */
  const [later, muchLater] = [[], []];
  let released = 0;
  const processor = new Processor({
    open: async () => ({ engine, release: () => released++ }),
    defer: (task) => tasks.push(task),
    later: (task, ms) => (ms > 1000 ? muchLater : later).push({ task, ms }),
    tell: (message) => told.push(message.type),
  });
  const peer = { post: (message) => message.type === 'answer' && answers.push(...message.answers) };
  processor.receive({ type: 'hello', client: 'c', durability: 'strict', listens: false, acknowledged: 0, sent }, peer);
  let sequence = 0;
  const send = (...calls) => {
    const requests = calls.map(([method, ...given]) => ({ sequence: sequence++, method, arguments: given }));
    processor.receive({ type: 'call', client: 'c', acknowledged: 0, requests }, peer);
  };
  const cancel = (client, sequence) => processor.receive({ type: 'cancel', client, sequence }, peer);
  const run = async () => {
    while (tasks.length) tasks.shift()();
    await new Promise((resolve) => setTimeout(resolve));
  };
  const lead = () => processor.lead('leader', inMemory ? {} : { path: '/memory.db' });
  return { processor, send, cancel, lead, run, asked, answers, told, later, muchLater, released: () => released };
}

const said = (answers) =>
  answers.map((answer) => answer.value ?? answer.failure?.code ?? (answer.cancelled ? 'cancelled' : 'nothing'));
const add = (row) => ['turnsAdd', [row]];
const kept = (...entries) => JSON.stringify(entries.map(([sequence, value]) => [sequence, { value }]));

test('requests that wait together share one transaction, which also stores the answers to changes', async () => {
  const { send, lead, run, asked, answers } = await start();
  send(add('a'), ['turnsCount', {}]);
  send(add('b'));
  await lead();
  assert.deepEqual(asked, ['beginBatch', 'add', 'count', 'add', `keep 0 2 ${kept([0, 'a'], [2, 'b'])}`, 'endBatch']);
  assert.deepEqual(said(answers), ['a', 'count', 'b']);
  asked.length = 0;
  send(['turnsCount', {}]);
  await run();
  assert.deepEqual(asked, ['count'], 'what only reads needs no transaction');
});

test('a failure is stored too, because a repeated call would be out of order', async () => {
  const { send, lead, asked } = await start();
  send(add('bad'), add('a'));
  await lead();
  assert.match(asked.at(-2), /^keep 0 1 \[\[0,\{"failure":.*\],\[1,\{"value":"a"\}\]\]$/);
});

test('a database in memory stores no answers', async () => {
  const { send, lead, asked } = await start({ inMemory: true });
  send(add('a'), ['import', 'file']);
  await lead();
  assert.deepEqual(asked, ['beginBatch', 'add', 'endBatch', 'reserve', 'import']);
});

test('a batch whose commit fails is repeated call by call', async () => {
  const { send, lead, asked, answers } = await start({ failBatch: true });
  send(add('a'), add('bad'), add('b'));
  await lead();
  assert.equal(asked.filter((call) => call === 'endBatch').length, 4);
  assert.deepEqual(said(answers), ['quota_exceeded', 'invalid_argument', 'quota_exceeded']);
});

test('a call with its own transaction splits the batch around it, and stores its answer itself', async () => {
  const { send, lead, asked } = await start();
  send(add('a'), add('b'), ['import', 'file'], add('c'), add('d'));
  await lead();
  const batch = (...entries) => ['beginBatch', 'add', 'add', `keep 0 ${entries[1][0]} ${kept(...entries)}`, 'endBatch'];
  assert.deepEqual(asked, [...batch([0, 'a'], [1, 'b']), 'reserve', 'enter 2', 'import', ...batch([3, 'c'], [4, 'd'])]);
});

test('a cancelled request is dropped if it still waits, and otherwise gets its real answer', async () => {
  const { cancel, send, lead, asked, answers } = await start();
  send(add('a'), add('b'));
  cancel('other', 0);
  cancel('c', 0);
  await lead();
  cancel('c', 1);
  assert.deepEqual(said(answers), ['cancelled', 'b']);
  assert.equal(asked.filter((call) => call === 'add').length, 1);
});

test('for repeated requests, stored answers are looked up once; new requests are carried out', async () => {
  const entered = [kept([0, 'first'], [1, 'second'])];
  const { cancel, send, lead, run, asked, answers } = await start({ sent: 3, entered });
  send(add('a'), add('b'), add('c'), add('d'), add('e'));
  // A request that may have been carried out gets its real answer; one that cannot have been is dropped.
  cancel('c', 1);
  cancel('c', 4);
  await lead();
  assert.deepEqual(asked.slice(0, 4), ['answers', 'beginBatch', 'add', 'add']);
  assert.deepEqual(said(answers), ['cancelled', 'first', 'second', 'c', 'd']);
  asked.length = 0;
  send(add('f'));
  await run();
  assert.deepEqual(asked[1], 'add');
  assert.ok(!asked.includes('answers'));
});

test('requests before it yields are carried out, later ones are not, and the lock is released', async () => {
  const { processor, send, lead, run, answers, told, released } = await start();
  send(add('a'));
  processor.yield();
  send(add('late'));
  await lead();
  await run();
  assert.deepEqual(said(answers), ['a']);
  assert.deepEqual([told.at(-1), released()], ['yielded', 1]);
});

test('an engine that breaks is reported once, its call is answered, and no other call is', async () => {
  const { send, lead, run, asked, answers, told } = await start({ trap: true });
  send(add('a'), add('b'));
  await lead();
  send(add('c'));
  await run();
  assert.deepEqual(asked, ['beginBatch', 'add']);
  assert.deepEqual(said(answers), ['worker_crashed']);
  assert.deepEqual(told, ['leads', 'crashed']);
});

test('changed rows are indexed when no call waits, slice by slice, with calls in between', async () => {
  const { send, lead, run, asked, later } = await start({ slices: [true, true, false] });
  await lead();
  send(add('one'));
  await run();
  assert.ok(!asked.includes('slice'), 'nothing is indexed while somebody has just asked');
  assert.deepEqual([later.length, later[0].ms > 0], [1, true]);
  const slices = () => asked.filter((one) => one === 'slice').length;
  const next = async () => {
    await new Promise((resolve) => setTimeout(resolve, later[0].ms));
    later.shift().task();
  };
  // Timers can fire a little early.
  while (slices() === 0) await next();
  assert.deepEqual([slices(), later.length], [1, 1], 'one slice at a time');
  asked.length = 0;
  send(add('two'));
  await run();
  assert.ok(asked.includes('add') && !asked.includes('slice'), 'a call is carried out before the next slice');
  while (slices() < 2) await next();
  assert.equal(later.length, 0, 'nothing more is done where nothing is left');
});

test('deleted rows are removed after two seconds without a call, slice by slice', async () => {
  const { send, lead, run, asked, later, muchLater } = await start({ tidying: [true, false] });
  await lead();
  send(add('one'));
  await run();
  assert.equal(muchLater.length, 1);
  muchLater.shift().task();
  assert.ok(!asked.includes('tidy'), 'not before');
  await new Promise((resolve) => setTimeout(resolve, muchLater[0].ms + 20));
  muchLater.shift().task();
  assert.equal(asked.filter((one) => one === 'tidy').length, 1);
  // The next slice runs at once, because there are still no calls.
  later.at(-1).task();
  assert.equal(asked.filter((one) => one === 'tidy').length, 2);
  assert.equal(muchLater.length, 0, 'nothing more is done where nothing is left');
});
