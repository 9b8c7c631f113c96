// JSON columns store any JSON value exactly, and reject values that would change on the way. In Node, in memory.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Memory, MemoryError } from '../../dist/index.js';

let memory;
before(async () => {
  memory = await Memory.open({ url: 'memory:' });
});
after(() => memory.close());

async function roundTrip(value) {
  await memory.longTerm.set('value', value);
  return memory.longTerm.get('value');
}

/** JSON, with bigints in it. */
const asText = (value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part));
const deep = (levels) => Array.from({ length: levels }).reduce((inner) => [inner], 1);
const own = (entries) => Object.fromEntries(entries);

test('any JSON value comes back as it was', async () => {
  const values = [
    null,
    true,
    false,
    0,
    -0,
    1,
    -1.5,
    5e-324,
    Number.MAX_VALUE,
    Number.MAX_SAFE_INTEGER,
    2 ** 53,
    2 ** 60,
    -(2 ** 63),
    1e21,
    1.5e300,
    2n ** 53n + 1n,
    -1234567890123456789n,
    10n ** 30n + 1n,
    { id: 1234567890123456789n, of: [9007199254740993n, 'id 1234567890123456789'] },
    ['1234567890123456789', '"1234567890123456789'],
    0.1 + 0.2,
    '',
    'text',
    '\u0000',
    '"\\\n\u2028\u2029\u007f',
    'naïve 日本語 😀',
    '\uFFFD',
    'null',
    '{"a":1}',
    'x'.repeat(100_000),
    [],
    {},
    [[]],
    [null, [1, [2]]],
    { a: { b: [{}] } },
    own([['__proto__', 1]]),
    own([
      ['__proto__', { constructor: null }],
      ['toString', 2],
      ['', 3],
    ]),
    own([
      ['b', 1],
      ['a', 2],
      ['10', 3],
      ['9', 4],
    ]),
    Object.assign(Object.create(null), { bare: true }),
    deep(1000),
  ];
  for (const value of values) {
    const back = await roundTrip(value);
    assert.equal(asText(back), asText(value));
    assert.ok(Object.is(back, value) || typeof value === 'object', `${asText(value)} came back as ${asText(back)}`);
    if (value && typeof value === 'object') assert.deepEqual(Object.entries(back), Object.entries(value));
  }
});

test('random JSON values come back as they were', async () => {
  let seed = 20261123;
  const random = (below) => ((seed = (seed * 1103515245 + 12345) % 2147483648), seed % below);
  const letters = ['a', '"', '\\', '\n', '\u0000', 'é', '日', '😀', '__proto__', ' '];
  const text = () => Array.from({ length: random(6) }, () => letters[random(letters.length)]).join('');
  const value = (depth) => {
    const kind = random(depth > 4 ? 4 : 6);
    if (kind === 0) return null;
    if (kind === 1) return random(2) === 1;
    if (kind === 2) return (random(1e9) - 5e8) / 10 ** random(12);
    if (kind === 3) return text();
    if (kind === 4) return Array.from({ length: random(5) }, () => value(depth + 1));
    return own(Array.from({ length: random(5) }, () => [text(), value(depth + 1)]));
  };
  const values = Array.from({ length: 500 }, () => value(0));
  await memory.longTerm.setMany(values.map((value, at) => [`random.${at}`, value]));
  for (const [at, value] of values.entries()) assert.deepEqual(await memory.longTerm.get(`random.${at}`), value);
});

test('values that JSON cannot hold are rejected, with their path', async () => {
  const cycle = { a: [] };
  cycle.a.push(cycle);
  const cases = [
    [undefined, /value is undefined/],
    [{ a: { b: [1, undefined] } }, /value\.a\.b\[1\] is undefined/],
    [[1, , 2], /value\[1\] is undefined/],
    [() => 1, /is a function/],
    [Symbol('s'), /is a symbol/],
    [NaN, /is NaN/],
    [{ deep: -Infinity }, /value\.deep is -Infinity/],
    ['\uD800', /lone surrogate/],
    [{ '\uDC00': 1 }, /lone surrogate in a key/],
    [cycle, /value\.a\[0\] is a part of itself/],
    [new Date(0), /instance of Date/],
    [new Map(), /instance of Map/],
    [{ [Symbol('s')]: 1 }, /symbols for keys/],
    [deep(1001), /more than 1000 levels/],
    ['x'.repeat(16 * 1024 * 1024), /limit is 16777216/],
  ];
  await memory.longTerm.set('value', 'before');
  for (const [value, words] of cases) {
    await assert.rejects(memory.longTerm.set('value', value), (error) => {
      assert.ok(error instanceof MemoryError, String(error));
      assert.ok(['invalid_json', 'text_too_long'].includes(error.code), error.code);
      assert.match(error.message, words);
      return true;
    });
    assert.equal(await memory.longTerm.get('value'), 'before');
  }
});

test('wrong arguments are reported by name, and nothing is sent', async () => {
  const day = new Date('2026-01-02T03:04:05.678Z');
  const cases = [
    [() => memory.turns.append(), 'invalid_argument'],
    [() => memory.turns.append({}), 'invalid_argument'],
    [() => memory.turns.append({ userInput: 'x', mood: 'good' }), 'invalid_argument'],
    [() => memory.turns.append({ userInput: 'x', timestamp: 5 }), 'invalid_argument'],
    [() => memory.turns.append({ userInput: 'x', timestamp: new Date(NaN) }), 'invalid_argument'],
    [() => memory.turns.append({ userInput: () => 1 }), 'invalid_argument'],
    [() => memory.turns.append({ userInput: 'a\uD800' }), 'invalid_text'],
    [() => memory.turns.appendMany('x'), 'invalid_argument'],
    [() => memory.turns.get('1'), 'invalid_argument'],
    [() => memory.turns.get(1.5), 'invalid_argument'],
    [() => memory.turns.list({ limit: 1.5 }), 'invalid_argument'],
    [() => memory.turns.list({ orderBy: 'importance' }), 'invalid_argument'],
    [() => memory.turns.list({ category: 'x' }), 'invalid_argument'],
    [() => memory.turns.delete([1, {}]), 'invalid_argument'],
    // A filter that is not set must not delete everything.
    [() => memory.turns.clear({ search: undefined }), 'invalid_argument'],
    [() => memory.semantic.clear({ categories: undefined, search: 'x' }), 'invalid_argument'],
    [() => memory.longTerm.clear({ prefix: undefined }), 'invalid_argument'],
    [() => memory.episodes.clear(null), 'invalid_argument'],
    [() => memory.turns.update(1, {}), 'invalid_argument'],
    [() => memory.turns.update(10_000, { userInput: 'x' }), 'not_found'],
    [() => memory.episodes.list({ eventTypes: 'x' }), 'invalid_argument'],
    [() => memory.semantic.remember({ content: 'x', importance: 1.1 }), 'invalid_argument'],
    [() => memory.uncertainty.log({ userMessage: 'x', confidenceScore: NaN }), 'invalid_argument'],
    [() => memory.uncertainty.resolve(1, ''), 'invalid_argument'],
    [() => memory.longTerm.set('', 1), 'invalid_argument'],
    [() => memory.longTerm.set('k'.repeat(1025), 1), 'invalid_argument'],
    [() => memory.query(5), 'invalid_argument'],
    [() => memory.query('SELECT ?', [undefined]), 'invalid_argument'],
    [() => memory.query('SELECT ?', [() => 1]), 'invalid_argument'],
    [() => memory.query('SELECT ?', [2n ** 64n]), 'invalid_argument'],
    [() => memory.query('SELECT 1', [], { timeoutMs: 0 }), 'invalid_argument'],
    [() => memory.import('x'), 'invalid_argument'],
    [() => memory.longTerm.set({ name: 'Ada' }), 'invalid_argument'],
    [() => Memory.open('memory:'), 'invalid_argument'],
    [() => memory.migrations.upgrade(1), 'invalid_argument'],
    [() => Memory.open({ url: 'memory:', durability: 'none' }), 'invalid_argument'],
    [() => Memory.open({ url: 'file:///x' }), 'invalid_url'],
    [() => Memory.open({ url: 'opfs:///../x' }), 'invalid_url'],
    [() => Memory.open({ url: 'opfs:///a//b' }), 'invalid_url'],
    [() => Memory.open({ url: '' }), 'invalid_url'],
    [() => Memory.open(), 'opfs_unavailable'],
  ];
  for (const [call, code] of cases) {
    await assert.rejects(
      async () => call(),
      (error) => {
        assert.ok(error instanceof MemoryError, `${call}: ${error}`);
        assert.equal(error.code, code, `${call}: ${error.message}`);
        assert.ok(error.message.endsWith(error.hint) && error.hint.endsWith('.'));
        return true;
      },
    );
  }
  const promise = Promise.resolve(1);
  const unawaited = [
    () => memory.turns.get(promise),
    () => memory.turns.delete([1, promise]),
    () => memory.turns.append(promise),
    () => memory.turns.append({ userInput: promise }),
    () => memory.uncertainty.resolve(promise, 'x'),
    () => memory.recall(promise),
    () => memory.recall('x', promise),
    () => memory.query(promise),
    () => memory.import(promise),
    () => memory.longTerm.get(promise),
    () => Memory.open(promise),
  ];
  for (const call of unawaited)
    await assert.rejects(
      async () => call(),
      ({ code, message }) => code === 'invalid_argument' && /is a promise\. Await it/.test(message),
      `${call}`,
    );
  assert.equal(await memory.turns.count(), 0);
  const id = await memory.turns.append({ userInput: 'x', timestamp: day, metadata: undefined });
  assert.deepEqual((await memory.turns.get(id)).timestamp, day);
});

/** The value of a key for which another program stored this text, with spaces before it. */
async function readBack(text) {
  const other = await Memory.open({ url: 'memory:' });
  const place = 'q'.repeat(text.length);
  await other.longTerm.set('python', place);
  const file = Buffer.from(await other.export());
  file.write(`  ${text}`, file.indexOf(`"${place}"`));
  await other.import(file);
  const back = await other.longTerm.get('python');
  // The value that was read can be written and stays the same.
  await other.longTerm.set('again', back);
  assert.deepEqual(await other.longTerm.get('again'), back);
  await other.close();
  return back;
}

test('a wrong argument is described in words of JavaScript', async () => {
  const id = await memory.uncertainty.log({ userMessage: 'x', confidenceScore: 0.5 });
  const settledBy = (reference) => () => memory.uncertainty.resolve(id, 'so', { settledBy: [reference] });
  const tables = 'one of turns, episodes, semantic, longTerm, uncertainty';
  for (const [call, message] of [
    [() => memory.semantic.delete('1'), 'keys[0] must be a whole number; it is the string "1".'],
    [() => memory.semantic.delete([1, '2']), 'keys[1] must be a whole number; it is the string "2".'],
    [() => memory.turns.get(', expected i64'), 'key must be a whole number; it is the string ", expected i64".'],
    [() => memory.longTerm.get(5), 'key must be a string; it is 5.'],
    [() => memory.recall('q', { tables: ['facts'] }), `tables[0] is "facts"; it must be ${tables}.`],
    [settledBy({ table: 'facts', id: 1 }), `settledBy[0].table is "facts"; it must be ${tables}.`],
    [settledBy({ id: 1 }), 'settledBy[0].table must be a string; it is null or undefined.'],
    [settledBy({ table: 'turns', id: '1' }), 'settledBy[0].id must be a whole number; it is the string "1".'],
    [() => memory.uncertainty.log({ userMessage: 'x' }), 'confidenceScore is missing.'],
    [() => memory.turns.append({}), 'userInput is missing.'],
    [() => memory.turns.appendMany([{ userInput: 'x' }, {}]), 'rows[1].userInput is missing.'],
    [() => memory.turns.list({ orderBy: 'mood' }), 'orderBy is "mood"; it must be id or timestamp.'],
    [() => memory.turns.list({ direction: 'up' }), 'direction is "up"; it must be asc or desc.'],
    [() => memory.query('SELECT :a', { a: 2n ** 70n }), 'parameters.a is a BigInt that does not fit in 64 bits.'],
  ])
    await assert.rejects(call, (error) => {
      assert.equal(error.code, 'invalid_argument');
      assert.equal(error.message, `${message} ${error.hint}`);
      return true;
    });
});

test('a column that another program filled with other text is returned as it is', async () => {
  // Python's json writes NaN bare.
  assert.equal(await readBack('NaN'), '  NaN');
});

test('a number that another program wrote is never another number', async () => {
  for (const [text, value] of [
    ['1234567890123456789', 1234567890123456789n],
    ['{"id":-1234567890123456789,"n":[9007199254740993]}', { id: -1234567890123456789n, n: [9007199254740993n] }],
    ['{"1234567890123456789":"\\"1234567890123456789"}', { '1234567890123456789': '"1234567890123456789' }],
    ['18446744073709551615', 18446744073709551615n],
    // A number represents these exactly.
    ['9007199254740992', 2 ** 53],
    ['1152921504606846976', 2 ** 60],
    ['0.12345678901234568', 0.12345678901234568],
    ['1e22', 1e22],
    // A number that is too large is returned as text.
    ['1e400', '1e400'],
    ['[1,-1e999]', '[1,-1e999]'],
    // So is text that is not JSON.
    ['[1234567890123456789', '[1234567890123456789'],
    ['1234567890123456789 and more', '1234567890123456789 and more'],
    ['NaN', 'NaN'],
  ]) {
    const back = await readBack(text);
    assert.deepEqual(typeof back === 'string' ? back.trim() : back, value, text);
  }
});
