// A context: what it shows of each row, how it fits a budget, and that its ranking is the one of recall.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from './marked.mjs';
import { filled, letters, open, rejects } from './recalled.mjs';

const QUESTION = 'What must Ada not eat?';
const wordsOf = (text) => text.split(/\s+/).filter(Boolean).length;
const nameOf = ({ table, id, key }) => `${table} ${id ?? key}`;
const rowName = ({ table, details }) => `${table} ${details.id ?? details.key}`;

/** The usual rows and thirty more turns. */
async function talkative() {
  const memory = await filled({ embedder: letters });
  await memory.turns.appendMany(
    Array.from({ length: 30 }, (_, at) => ({ userInput: `Small talk number ${at}`, assistantResponse: 'I see.' })),
  );
  return memory;
}

test('each row has its table, its id or key, its time, and where it is from', async () => {
  const memory = await open({ embedder: 'none' });
  const timestamp = new Date('2026-03-04T05:06:07.890Z');
  await memory.turns.appendMany([
    { userInput: 'Hello', assistantResponse: 'Hello Ada', timestamp, metadata: { sessionId: 7, source: 'telegram' } },
    { userInput: 'No answer', assistantResponse: null, timestamp, metadata: { thread_id: 'a/1', session: 'b' } },
    { userInput: '', timestamp },
    { userInput: 'Nothing said of it', timestamp, metadata: ['session', 'x'] },
  ]);
  const content = { city: 'Oslo', nights: 2 };
  await memory.episodes.record({ eventType: 'booked', content, timestamp, metadata: { origin: 'calendar' } });
  await memory.episodes.record({ eventType: 'Oslo', timestamp });
  await memory.longTerm.setMany({ 'user.name': 'Ada', 'user.trips': ['Oslo'], 'user.car': null, 'user.pet': '' });
  await memory.longTerm.set('place.home', 'Oslo');
  for (const key of ['user.name', 'user.trips', 'user.car', 'user.pet', 'place.home'])
    await memory.longTerm.update(key, { updatedAt: timestamp });
  await memory.semantic.rememberMany([
    { content: 'Ada likes\n  Oslo', category: 'places', timestamp, metadata: { url: 'https://example.com/a?b=1' } },
    { content: 'Oslo is cold', timestamp, metadata: { source: { deep: 'not a text' }, session: '' } },
    { content: 'Oslo is old', timestamp, metadata: { source: 'x'.repeat(300) } },
  ]);
  const { text, used } = await memory.context('Oslo', { tokenBudget: 5000, timeZone: 'UTC' });
  const time = '2026-03-04T05:06:07Z';
  const rows = parse(text);
  const of = (section) =>
    rows
      .filter((row) => row.section === section)
      .map(({ table, details, text, sides }) => [table, details, text ?? sides]);
  assert.deepEqual(of('facts'), [
    ['longTerm', { key: 'user.car', time }, 'null'],
    ['longTerm', { key: 'user.name', time }, 'Ada'],
    ['longTerm', { key: 'user.pet', time }, ''],
    ['longTerm', { key: 'user.trips', time }, '["Oslo"]'],
  ]);
  const recalled = of('recalled').toSorted(([one, a], [other, b]) => one.localeCompare(other) || a.id - b.id);
  assert.deepEqual(recalled, [
    ['episodes', { id: '1', time, type: 'booked', source: 'calendar' }, '{"city":"Oslo","nights":2}'],
    ['episodes', { id: '2', time, type: 'Oslo' }, ''],
    ['longTerm', { key: 'place.home', time }, 'Oslo'],
    ['semantic', { id: '1', time, category: 'places', source: 'https://example.com/a?b=1' }, 'Ada likes Oslo'],
    ['semantic', { id: '2', time, category: 'general' }, 'Oslo is cold'],
    ['semantic', { id: '3', time, category: 'general', source: `${'x'.repeat(200)}...` }, 'Oslo is old'],
  ]);
  assert.deepEqual(of('conversation'), [
    ['turns', { id: '1', time, session: '7', source: 'telegram' }, ['Hello', 'Hello Ada']],
    ['turns', { id: '2', time, session: 'a/1' }, ['No answer', undefined]],
    ['turns', { id: '4', time }, ['Nothing said of it', undefined]],
  ]);
  assert.deepEqual(rows.map(rowName), used.map(nameOf));
  await memory.close();
});

test('it fits its budget, says what it used, and is always the same', async () => {
  const memory = await talkative();
  for (const [countTokens, budgets] of [
    [wordsOf, [0, 3, 20, 40, 60, 150, 1000]],
    [(text) => text.length, [0, 100, 200, 500, 1000, 10_000]],
    [undefined, [0, 30, 100, 300, 1000, 10_000]],
  ]) {
    let before = 0;
    for (const tokenBudget of budgets) {
      const options = { tokenBudget, countTokens };
      const { text, tokens, used, omitted } = await memory.context(QUESTION, options);
      assert.ok(tokens <= tokenBudget);
      if (countTokens) assert.equal(tokens, countTokens(text));
      assert.equal((await memory.context(QUESTION, options)).text, text);
      assert.deepEqual(parse(text).map(rowName), used.map(nameOf));
      const names = [...used, ...omitted].map(nameOf);
      assert.equal(new Set(names).size, names.length, 'each row once');
      // All candidates: two facts, the last twenty turns, and the rows that are recalled in addition.
      assert.equal(names.length, 25);
      assert.ok(used.length >= before, 'more room never has fewer rows');
      before = used.length;
    }
    assert.equal(before, 25);
  }
  const empty = await open({ embedder: 'none' });
  const nothing = { text: '', tokens: 0, hits: [], used: [], omitted: [] };
  assert.deepEqual(await empty.context('anything'), nothing);
  await empty.close();
  await memory.close();
});

test('sections and order determine what comes first, and how the budget is divided', async () => {
  const memory = await talkative();
  const packed = async (options) => {
    const { text } = await memory.context(QUESTION, { countTokens: wordsOf, ...options });
    const rows = parse(text);
    return [...new Set(rows.map(({ section }) => section))].map((section) => [
      section,
      rows.filter((row) => row.section === section).length,
    ]);
  };
  assert.deepEqual(await packed({}), [
    ['facts', 2],
    ['recalled', 3],
    ['conversation', 20],
  ]);
  const all = { facts: 0.2, recalled: 0.4, turns: 0.4 };
  for (const [options, expected] of [
    [{ sections: { turns: 1 } }, ['conversation']],
    [{ sections: { turns: 0.5, facts: 0.5 } }, ['conversation', 'facts']],
    [{ order: ['recalled'] }, ['recalled', 'facts', 'conversation']],
    [{ order: ['turns', 'recalled', 'facts'] }, ['conversation', 'recalled', 'facts']],
    [{ sections: all, order: ['turns'] }, ['conversation', 'facts', 'recalled']],
    [{ sections: { ...all, facts: 0 } }, ['recalled', 'conversation']],
  ]) {
    const sections = (await packed(options)).map(([section]) => section);
    assert.deepEqual(sections, expected);
  }
  // A row that is a fact or a late turn is not also among the recalled rows, whatever the order of the sections.
  const { text: both } = await memory.context('peanuts small talk', {
    order: ['recalled', 'facts', 'turns'],
    recentTurns: 100,
    tokenBudget: 10_000,
  });
  const found = await memory.recall('peanuts small talk', { k: 30, minSimilarity: 0.2 });
  const tables = new Set(found.map(({ table }) => table));
  assert.ok(tables.has('longTerm') && tables.has('turns'));
  for (const { section, table } of parse(both))
    assert.equal(section, { longTerm: 'facts', turns: 'conversation' }[table] ?? 'recalled');
  // Turns are listed oldest first, and the newest ones get the space.
  const { text } = await memory.context(QUESTION, { sections: { turns: 1 }, countTokens: wordsOf, tokenBudget: 60 });
  const turns = parse(text).map(({ sides: [user] }) => user);
  assert.ok(turns.length > 1 && turns.length < 10);
  const newest = Array.from({ length: turns.length }, (_, at) => `Small talk number ${30 - turns.length + at}`);
  assert.deepEqual(turns, newest);
  // The rest of a budget goes to the first section in order.
  const scarce = { sections: { facts: 0.05, recalled: 0.2, turns: 0.2 }, tokenBudget: 120 };
  const many = async (order) => new Map(await packed({ ...scarce, order }));
  const [first, second] = [await many(['recalled', 'turns']), await many(['turns', 'recalled'])];
  assert.ok(first.get('recalled') > (second.get('recalled') ?? 0));
  assert.ok(first.get('conversation') < second.get('conversation'));
  await memory.close();
});

test('invalid options are rejected by name', async () => {
  const memory = await filled({ embedder: 'none' });
  for (const [options, message] of [
    [{ tokenBudget: -1 }, /tokenBudget/],
    [{ tokenBudget: NaN }, /tokenBudget/],
    [{ sections: { turn: 1 } }, /sections has no field "turn"/],
    [{ sections: { turns: 2 } }, /sections.turns/],
    [{ sections: 'turns' }, /sections must be an object/],
    [{ order: 'turns' }, /order must be an array/],
    [{ order: ['episodes'] }, /order\[0\] is episodes, which is not among the sections/],
    [{ order: ['turns'], sections: { facts: 1 } }, /order\[0\] is turns, which is not among the sections/],
    [{ order: ['turns', 'turns'] }, /order names turns twice/],
    [{ countTokens: 4 }, /countTokens/],
    [{ countTokens: () => NaN }, /countTokens returned NaN/],
    [{ countTokens: () => -1 }, /countTokens returned -1/],
    [{ budget: 3 }, /no field "budget"/],
    [{ recall: { k: 3 } }, /recall have no field "k"/],
    // docs/context.md lists which options of `recall` are options of a context, and where.
    ...['weights', 'halfLifeHours', 'rerank', 'rerankCandidates', 'tables', 'explain', 'neighbors'].map((name) => [
      { [name]: undefined },
      new RegExp(`no field "${name}"`),
    ]),
    [{ k: 0 }, /k is 0/],
  ])
    await rejects(memory.context('x', options), 'invalid_argument', message);
  await memory.close();
});

test("its ranking is recall's own, with the same scores, explained", async () => {
  const memory = await talkative();
  const ranking = { halfLifeHours: Number.MAX_VALUE, weights: { words: 3, diversity: 0 } };
  const rerank = (_, texts) => texts.map((text) => text.length % 5);
  for (const [asked, own] of [
    [{ k: 30 }, { k: 30, minSimilarity: 0.2 }],
    [{ k: 5, minSimilarity: 0.4, categories: ['health', 'hobby'] }, undefined],
    [{ k: 4, minSimilarity: 0, since: new Date(0) }, undefined],
    [{ recall: { rerank, rerankCandidates: 7 }, k: 6, minSimilarity: 0.1 }, undefined],
  ]) {
    const { recall, ...plain } = asked;
    const how = { ...ranking, ...recall };
    const hits = await memory.recall(QUESTION, { ...how, ...(own ?? plain), explain: true });
    const known = ({ evidence, ...rest }) => ({ ...rest, evidence: { ...evidence, ageHours: 0 } });
    const seen = (hits) => hits.map(({ explanation, ...hit }) => ({ ...hit, explanation: known(explanation) }));
    const context = await memory.context(QUESTION, { ...asked, recall: how, tokenBudget: 1e6 });
    assert.ok(hits.length > 1);
    assert.deepEqual(seen(context.hits), seen(hits));
    // If the space is not enough for all, `hits` are those in the text, in the same order.
    const scarce = await memory.context(QUESTION, {
      ...asked,
      recall: how,
      sections: { recalled: 1 },
      tokenBudget: 200,
    });
    const names = parse(scarce.text).map(rowName);
    assert.ok(names.length < hits.length || hits.length < 4);
    assert.deepEqual(scarce.hits.map(nameOf), names);
    assert.deepEqual(
      names,
      hits.map(nameOf).filter((name) => names.includes(name)),
    );
  }
  await memory.close();
});

test('a counter is called once for each row, with short texts, and once with the whole', async () => {
  const memory = await open({ embedder: 'none' });
  await memory.turns.appendMany(Array.from({ length: 1000 }, (_, at) => ({ userInput: `Turn ${at} about tea` })));
  await memory.semantic.rememberMany(Array.from({ length: 1000 }, (_, at) => ({ content: `Fact ${at} about tea` })));
  const most = { recentTurns: 1000, k: 1000 };
  for (const tokenBudget of [0, 1000, 20_000, 1e9]) {
    const lengths = [];
    const countTokens = (text) => (lengths.push(text.length), text.length);
    const { text, used } = await memory.context('tea', { ...most, tokenBudget, countTokens });
    assert.equal(lengths.pop(), text.length);
    // One call for each row, for the marks around them, and for the empty text.
    assert.ok(lengths.length <= 2000 + 10, `${lengths.length} calls`);
    assert.ok(Math.max(...lengths) < 150);
    if (tokenBudget === 1e9) assert.ok(used.length > 1000);
  }
  await memory.close();
});

test('a counter that is not a sum of its lines still fits the budget, in few calls', async () => {
  const memory = await open({ embedder: 'none' });
  await memory.turns.appendMany(Array.from({ length: 500 }, (_, at) => ({ userInput: `Turn ${at} about tea` })));
  const rowsWith = async (countTokens, tokenBudget) => {
    let calls = 0;
    let characters = 0;
    const counted = (text) => (calls++, (characters += text.length), countTokens(text));
    const options = { sections: { turns: 1 }, recentTurns: 500, tokenBudget, countTokens: counted };
    const { text, tokens, used } = await memory.context('tea', options);
    assert.ok(tokens <= tokenBudget && tokens === countTokens(text));
    assert.equal(parse(text).length, used.length);
    assert.ok(calls < 600 && characters < 12 * 50_000, `${calls} calls, ${characters} characters`);
    return used.length;
  };
  const plain = await rowsWith((text) => text.length, 20_000);
  // A constant that is added to each text is not added for each row.
  assert.equal(await rowsWith((text) => text.length + 500, 20_500), plain);
  // The whole text counts more than its lines do together.
  assert.ok((await rowsWith((text) => text.length * (1 + text.length / 1e5), 20_000)) > plain / 2);
  assert.ok((await rowsWith((text) => text.length ** 1.3, 20_000)) > 0);
  assert.ok((await rowsWith((text) => (text.length > 5000 ? 20_001 : text.length), 20_000)) > 0);
  assert.equal(await rowsWith(() => 0, 0), 0);
  await memory.close();
});

test('tokens are estimated as a pattern would', async () => {
  const memory = await open({ embedder: 'none' });
  const pattern = (text) => {
    const words = [...text.matchAll(/[\p{Script=Latin}\p{N}]+|\S/gu)].map(([word]) =>
      /^[\p{Script=Latin}\p{N}]/u.test(word) ? Math.ceil(word.length / 4) : 1,
    );
    return words.reduce((sum, tokens) => sum + tokens, 0) + text.split('\n').length - 1;
  };
  const texts = [
    'Plain English words, and: punctuation!',
    'Ünïcödé ªº ½ 𝟘𝟙 ０１',
    '私はお茶が好きです。',
    'שלום, мир',
    '🙂👩‍👩‍👧 x\u00a0y\u3000z',
  ];
  await memory.semantic.rememberMany(texts.map((content) => ({ content: `tea ${content}` })));
  const { text, tokens, used } = await memory.context('tea');
  assert.deepEqual([used.length, tokens], [texts.length, pattern(text)]);
  await memory.close();
});

test('a time is the time of the user, whose day it is, or as the app writes it', async () => {
  const memory = await open({ embedder: 'none' });
  const timeOf = async (timestamp, options) => {
    const id = await memory.turns.append({ userInput: 'Hello', timestamp });
    const { text } = await memory.context('Hello', { sections: { turns: 1 }, recentTurns: 1, ...options });
    await memory.turns.delete(id);
    return parse(text)[0].details.time;
  };
  for (const [timeZone, time, expected] of [
    ['UTC', '2026-03-04T23:30:07.890Z', '2026-03-04T23:30:07Z'],
    ['Europe/Oslo', '2026-03-04T23:30:07.890Z', '2026-03-05T00:30:07+01:00'],
    ['Europe/Oslo', '2026-07-04T23:30:07Z', '2026-07-05T01:30:07+02:00'],
    // The hour that occurs twice, when summer time ends.
    ['Europe/Oslo', '2026-10-25T00:30:00Z', '2026-10-25T02:30:00+02:00'],
    ['Europe/Oslo', '2026-10-25T01:30:00Z', '2026-10-25T02:30:00+01:00'],
    ['America/Los_Angeles', '2026-01-01T07:59:59Z', '2025-12-31T23:59:59-08:00'],
    ['Asia/Kathmandu', '2026-01-01T18:15:00Z', '2026-01-02T00:00:00+05:45'],
    ['Pacific/Kiritimati', '2025-12-31T10:00:00Z', '2026-01-01T00:00:00+14:00'],
    ['UTC', '0099-01-02T03:04:05Z', '0099-01-02T03:04:05Z'],
    ['UTC', '-000001-01-02T03:04:05Z', '-000001-01-02T03:04:05Z'],
  ]) {
    assert.equal(await timeOf(new Date(time), { timeZone }), expected, `${time} in ${timeZone}`);
  }
  const formatTime = (time) => time.toLocaleDateString('de', { timeZone: 'Europe/Berlin' });
  assert.equal(await timeOf(new Date('2026-03-04T23:30:00Z'), { formatTime }), '5.3.2026');
  const own = await timeOf(new Date('2026-03-04T23:30:00Z'), {});
  assert.equal(new Date(own).getTime(), Date.parse('2026-03-04T23:30:00Z'));
  for (const options of [
    { timeZone: 'Europe/Nowhere' },
    { timeZone: 5 },
    { formatTime: 'iso' },
    { formatTime: () => 5 },
  ])
    await assert.rejects(timeOf(new Date(0), options), { code: 'invalid_argument' });
  await memory.close();
});
