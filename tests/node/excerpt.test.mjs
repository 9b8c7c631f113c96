// A long text is neither omitted nor included whole: hit and context contain the part that answers the question.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from './marked.mjs';
import { open } from './recalled.mjs';

const filler = (n) =>
  Array.from({ length: n }, (_, at) => `Remark ${at} is about the weather and nothing else.`).join(' ');
const IMAGE = `data:image/png;base64,${'iVBORw0KGgoAAAANSUhEUgAA'.repeat(20_000)}`;

const CASES = [
  ['in the middle', `${filler(100)} The passport is in the blue drawer. ${filler(100)}`],
  ['at the beginning', `The passport is in the blue drawer. ${filler(300)}`],
  ['at the end', `${filler(300)} The passport is in the blue drawer.`],
  ['behind 200,000 characters', `${filler(5000)} The passport is in the blue drawer. ${filler(5000)}`],
  ['behind an image', `Look at this: ${IMAGE} The passport is in the blue drawer.`],
  ['before an image', `The passport is in the blue drawer. ${IMAGE}`],
  ['between lines', `${'a line\n'.repeat(1000)}The passport is in the blue drawer.\n${'a line\n'.repeat(1000)}`],
];

test('the part that answers is in the hit and in the context, whatever its position', async () => {
  for (const [where, text] of CASES) {
    const memory = await open({ embedder: 'none' });
    await memory.turns.appendMany([{ userInput: 'Good morning' }, { userInput: text }, { userInput: 'Good night' }]);
    const [hit] = await memory.recall('Where is my passport?');
    assert.equal(hit.isExcerpt, true, where);
    assert.ok(hit.text.length <= 1000, `${where}: ${hit.text.length}`);
    assert.match(hit.text, /(^|[.…] |\n)The passport is in the blue drawer\.(\s|$)/, where);
    assert.equal(hit.row.userInput, text);
    for (const tokenBudget of [200, 500, 1000]) {
      const { text: context, tokens } = await memory.context('Where is my passport?', { tokenBudget });
      assert.ok(tokens <= tokenBudget, `${where}: ${tokens}`);
      assert.match(context, /The passport is in the blue drawer\./, `${where}, ${tokenBudget}`);
      assert.doesNotMatch(context, /iVBORw0KGgo/);
      const row = parse(context).find(({ details }) => details.id === '2');
      assert.equal(row.details.excerpt, 'yes');
    }
    await memory.close();
  }
});

test('it is found in every script, and no character is cut in two', async () => {
  for (const [question, fact, other] of [
    ['我的护照在哪里？', '护照在蓝色的抽屉里。', '今天天气很好。'],
    ['パスポートはどこ？', 'パスポートは青い引き出しにあります。', '今日はいい天気です。'],
    ['Где мой паспорт?', 'Паспорт лежит в синем ящике.', 'Сегодня хорошая погода.'],
    ['أين جواز السفر؟', 'جَوَازُ السَّفَرِ في الدرج الأزرق.', 'الطقس جميل اليوم.'],
    ['पासपोर्ट कहाँ है?', 'पासपोर्ट नीली दराज में है।', 'आज मौसम अच्छा है।'],
    ['🛂 where?', 'The 🛂 is in the drawer.', '😀😀😀😀😀 '],
  ]) {
    const memory = await open({ embedder: 'none' });
    await memory.semantic.remember({ content: `${other.repeat(300)} ${fact} ${other.repeat(300)}` });
    const [hit] = await memory.recall(question);
    assert.ok(hit.text.includes(fact.trim()), hit.text);
    assert.ok(hit.text.length <= 1000 && hit.text.isWellFormed());
    await memory.close();
  }
});

test('a short text is whole, and a long one leaves room for others', async () => {
  const memory = await open({ embedder: 'none' });
  const long = `${filler(200)} Peanuts are bad. ${filler(200)}`;
  await memory.semantic.rememberMany([
    { content: long },
    { content: 'Ada must not eat peanuts.' },
    { content: `${'x'.repeat(5000)} peanuts` },
  ]);
  const hits = await memory.recall('peanuts');
  assert.deepEqual(hits.map(({ isExcerpt, row }) => [isExcerpt, row.content.length > 2000]).sort(), [
    [false, false],
    [true, true],
    [true, true],
  ]);
  const { used } = await memory.context('peanuts', { tokenBudget: 700 });
  assert.equal(used.length, 3);
  await memory.close();
});

test('a reranker receives the part that answers', async () => {
  const memory = await open({ embedder: 'none' });
  await memory.semantic.remember({ content: CASES[0][1] });
  const given = [];
  await memory.recall('Where is my passport?', {
    rerank: (_, texts) => {
      given.push(...texts);
      return texts.map(() => 1);
    },
  });
  assert.match(given[0], /blue drawer/);
  assert.ok(given[0].length <= 1000);
  await memory.close();
});
