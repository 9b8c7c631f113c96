// The figures in docs/benchmarks.md on the quality of recall, on the held-out conversations.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory } from '../../dist/index.js';
import { ask, conversations, remember, WAYS } from '../../eval/run.mjs';

test('every answer of the evaluation is a row of its conversation', () => {
  const all = conversations();
  assert.equal(all.length, 30);
  assert.ok(all.reduce((sum, { questions }) => sum + questions.length, 0) >= 1500);
  const long = all.filter(({ rows }) => rows.length >= 300 && rows.every(({ table }) => table === 'turns'));
  assert.equal(long.length, 10);
  for (const half of ['tuning', 'held back']) {
    const languages = new Set(all.filter((one) => one.half === half).map(({ language }) => language));
    for (const language of ['en', 'de', 'es', 'fr', 'zh', 'ja', 'ar', 'hi'])
      assert.ok(languages.has(language), `${language} is ${half}`);
  }
  for (const { name, rows, questions } of all) {
    const ids = new Set(rows.map(({ id }) => id));
    assert.equal(ids.size, rows.length, name);
    for (const { question, answers } of questions) {
      assert.ok(question && answers.length > 0 && answers.every((id) => ids.has(id)), `${name}: ${question}`);
    }
  }
});

test('words and meaning together find more than either alone', async () => {
  const found = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
  for (const conversation of conversations().filter(({ half }) => half === 'held back')) {
    const remembered = await remember(Memory, conversation);
    for (const [way, weights] of Object.entries(WAYS)) {
      const results = await ask(remembered, conversation.questions, weights);
      found[way].push(...results.map(({ recall10 }) => recall10));
    }
    await remembered.memory.close();
  }
  const mean = (way) => found[way].reduce((sum, recall) => sum + recall, 0) / found[way].length;
  for (const way of ['fused', 'as by default']) {
    assert.ok(mean(way) > mean('words') + 0.03 && mean(way) > mean('meaning') + 0.03, `${way}: ${mean(way)}`);
  }
});
