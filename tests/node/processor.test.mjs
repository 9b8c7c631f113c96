// How requests that wait together share a transaction, with an engine that writes down what is asked of it.
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

/** A processor, what its engine was asked, and what it answered. */
function start({ failBatch = false, trap = false } = {}) {
  const asked = [];
  const answers = [];
  const record =
    (name, act = () => name) =>
    (...given) => (asked.push(name), act(...given));
  const engine = {
    schemaStatus: () => 'status',
    changes: () => null,
    beginBatch: record('beginBatch'),
    endBatch: record('endBatch', () => {
      if (failBatch) throw failure('quota_exceeded');
    }),
    turnsAdd: record('add', ([row]) => {
      if (trap) throw new WebAssembly.RuntimeError('unreachable');
      if (row === 'bad') throw failure('invalid_argument');
      return row;
    }),
    turnsCount: record('count'),
    reserve: record('reserve', async () => undefined),
    import: record('import'),
    close: record('close', () => null),
  };
  const tasks = [];
  let released = 0;
  const processor = new Processor({
    open: async () => ({ engine, release: () => released++ }),
    defer: (task) => tasks.push(task),
    post: (message) => answers.push(...(message.type === 'answer' ? message.answers : [message])),
  });
  let sequence = 0;
  const send = (...calls) =>
    processor.receive({
      type: 'call',
      requests: calls.map(([method, ...given]) => ({ client: 'c', sequence: sequence++, method, arguments: given })),
    });
  const run = async () => {
    while (tasks.length) tasks.shift()();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { processor, send, run, asked, answers, released: () => released };
}

const said = (answers) =>
  answers.map((answer) => answer.value ?? answer.failure?.code ?? (answer.cancelled ? 'cancelled' : answer.type));
const add = (row) => ['turnsAdd', [row]];

test('what waits together is one transaction, what waits alone has its own', async () => {
  const { send, run, asked, answers } = start();
  send(['open', {}], add('a'));
  send(add('bad'), ['turnsCount', {}]);
  send(add('b'));
  await run();
  assert.deepEqual(asked, ['beginBatch', 'add', 'add', 'count', 'add', 'endBatch']);
  assert.deepEqual(said(answers), ['status', 'a', 'invalid_argument', 'count', 'b']);
  asked.length = 0;
  send(add('alone'));
  await run();
  assert.deepEqual(asked, ['add']);
});

test('a batch that is not kept is made again call by call', async () => {
  const { send, run, asked, answers } = start({ failBatch: true });
  send(['open', {}], add('a'), add('bad'), add('b'));
  await run();
  assert.deepEqual(asked, ['beginBatch', 'add', 'add', 'add', 'endBatch', 'add', 'add', 'add']);
  assert.deepEqual(said(answers), ['status', 'a', 'invalid_argument', 'b'], 'something was answered twice');
});

test('a call that is a transaction of its own parts those around it', async () => {
  const { send, run, asked } = start();
  send(['open', {}], add('a'), add('b'), ['import', 'file'], add('c'), add('d'));
  await run();
  const batch = ['beginBatch', 'add', 'add', 'endBatch'];
  assert.deepEqual(asked, [...batch, 'reserve', 'import', ...batch]);
});

test('a request is dropped while it waits, and answered truly when it does not', async () => {
  const { processor, send, run, asked, answers } = start();
  send(['open', {}], add('a'), add('b'));
  processor.receive({ type: 'cancel', client: 'other', sequence: 1 });
  processor.receive({ type: 'cancel', client: 'c', sequence: 1 });
  await run();
  processor.receive({ type: 'cancel', client: 'c', sequence: 2 });
  assert.deepEqual(said(answers), ['cancelled', 'status', 'b']);
  assert.deepEqual(asked, ['add']);
});

test('after close nothing is carried out and the lock is given back', async () => {
  const { send, run, answers, released } = start();
  send(['open', {}], ['close'], add('late'));
  await run();
  assert.deepEqual(
    said(answers),
    ['status', null, 'closed'].map((word) => word ?? undefined),
  );
  assert.equal(released(), 1);
});

test('an engine that breaks is told once, and answers nothing more', async () => {
  const { send, run, asked, answers } = start({ trap: true });
  send(['open', {}], add('a'), add('b'));
  await run();
  send(add('c'));
  await run();
  assert.deepEqual(said(answers), ['status', 'crashed']);
  assert.deepEqual(asked, ['beginBatch', 'add']);
});
