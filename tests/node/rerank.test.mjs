// A reranker: its arguments, the effect of its scores, its failures, and the adapter.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transformersReranker } from '../../dist/embedders.js';
import { filled, letters, open, rejects } from './recalled.mjs';

/** Scores that do not change while a test runs. */
const STEADY = { embedder: 'none' };
const ALWAYS = { halfLifeHours: Number.MAX_VALUE };

const nameOf = ({ table, id, key }) => `${table} ${id ?? key}`;
/** The numbers as standard deviations from their mean. */
function standardised(numbers) {
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const deviation = Math.sqrt(numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0) / numbers.length);
  return numbers.map((number) => (deviation === 0 ? 0 : (number - mean) / deviation));
}
const about = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

/** A memory of `count` facts that all have the word of the question. */
async function many(count) {
  const memory = await open(STEADY);
  const contents = Array.from({ length: count }, (_, at) => `Tea number ${at} ${'leaf '.repeat(at % 7)}`);
  await memory.semantic.rememberMany(contents.map((content) => ({ content })));
  return memory;
}

test('its scores are standardised, weighed and added, and explained', async () => {
  const memory = await filled(STEADY);
  const asked = [];
  const rerank = (question, texts, signal) => {
    asked.push([question, texts, signal instanceof AbortSignal]);
    return texts.map((text) => text.length);
  };
  const plain = await memory.recall('table Ada peanuts', { k: 20, explain: true, ...ALWAYS });
  for (const { parts, evidence } of plain.map(({ explanation }) => explanation))
    assert.deepEqual([parts.rerank, evidence.rerank], [0, null]);
  for (const [options, weight] of [
    [{}, 4],
    [{ weights: { rerank: 0.5 } }, 0.5],
    [{ weights: { rerank: -1 } }, -1],
  ]) {
    const hits = await memory.recall('table Ada peanuts', { k: 20, rerank, explain: true, ...ALWAYS, ...options });
    assert.deepEqual(hits.map(nameOf).toSorted(), plain.map(nameOf).toSorted());
    const deviations = standardised(plain.map(({ text }) => text.length));
    for (const [at, { text, score, explanation }] of plain.entries()) {
      const hit = hits.find((hit) => hit.text === text);
      assert.equal(hit.explanation.evidence.rerank, text.length);
      about(hit.explanation.parts.rerank, weight * deviations[at]);
      about(hit.score, score + hit.explanation.parts.rerank);
      const { rerank, ...parts } = hit.explanation.parts;
      assert.deepEqual({ ...parts, rerank: 0 }, explanation.parts);
    }
    const scores = hits.map(({ score }) => score);
    assert.deepEqual(
      scores,
      scores.toSorted((one, other) => other - one),
    );
  }
  assert.deepEqual(asked[0], ['table Ada peanuts', plain.map(({ text }) => text), true]);
  // A weight that outweighs all others leaves only the order of the reranker.
  const hits = await memory.recall('table Ada peanuts', { k: 20, rerank, weights: { rerank: 1000 } });
  const lengths = hits.map(({ text }) => text.length);
  assert.deepEqual(
    lengths,
    lengths.toSorted((one, other) => other - one),
  );
  assert.ok(!('explanation' in hits[0]));
  await memory.close();
});

test('scores of any size, and equal ones, keep their sense', async () => {
  const memory = await many(5);
  const ids = async (rerank) =>
    (await memory.recall('tea', { rerank, weights: { rerank: 1000 }, ...ALWAYS })).map(({ id }) => id);
  const before = (await memory.recall('tea', ALWAYS)).map(({ id }) => id);
  assert.deepEqual(await ids((_, texts) => texts.map(() => 7)), before, 'the same for all says nothing');
  for (const large of [1, 1e-300, Number.MAX_VALUE]) {
    const rising = [0, 0.25, 0.5, 0.75, 1].map((part) => part * large);
    assert.deepEqual(await ids(() => rising), before.toReversed());
    assert.deepEqual(await ids(() => Float64Array.from(rising, (score) => -score)), before);
  }
  assert.deepEqual(await ids((_, texts) => Float32Array.from(texts, (_, at) => at)), before.toReversed());
  await memory.close();
});

test('it receives fifty of the best, or as many as are asked for, and never fewer than k', async () => {
  const memory = await many(80);
  for (const [options, received, answered] of [
    [{}, 50, 10],
    [{ k: 3 }, 50, 3],
    [{ k: 70 }, 70, 70],
    [{ k: 3, rerankCandidates: 5 }, 5, 3],
    [{ k: 8, rerankCandidates: 5 }, 8, 8],
    [{ rerankCandidates: 1000 }, 80, 10],
  ]) {
    let texts = [];
    const rerank = (_, given) => ((texts = given), given.map((_, at) => at));
    const hits = await memory.recall('tea', { rerank, ...options, ...ALWAYS });
    assert.deepEqual([texts.length, hits.length], [received, answered]);
    const best = await memory.recall('tea', { k: received, ...ALWAYS });
    assert.deepEqual(
      texts,
      best.map(({ text }) => text),
    );
    // The hit that the reranker put first was not among the k best.
    if (received > answered) assert.equal(hits[0].text, texts.at(-1));
  }
  const never = () => assert.fail('it is not asked');
  assert.deepEqual(await memory.recall('coffee', { rerank: never }), []);
  assert.equal((await memory.recall('tea', { rerank: never, weights: { rerank: 0 } })).length, 10);
  await memory.close();
});

test('one that fails is an error with its cause, and nothing is lost', async () => {
  const memory = await filled(STEADY);
  const cause = new Error('no memory left on the GPU');
  for (const [rerank, message] of [
    [() => Promise.reject(cause), /reranker failed \(no memory left on the GPU\)/],
    [
      () => {
        throw cause;
      },
      /reranker failed \(no memory left on the GPU\)/,
    ],
    [() => [1], /returned 1 scores for 5 texts/],
    [(_, texts) => [...texts, ''].map(() => 1), /returned 6 scores for 5 texts/],
    [(_, texts) => texts.map((_, at) => (at === 2 ? NaN : 1)), /returned NaN for text 2/],
    [(_, texts) => texts.map(() => Infinity), /returned Infinity for text 0/],
    [(_, texts) => texts.map(String), /returned a value of type string for text 0/],
    [(_, texts) => new Array(texts.length), /returned a value of type undefined for text 0/],
    [(_, texts) => texts.map((_, at) => [at]), /returned a value of type object/],
    [() => undefined, /did not return an array of numbers/],
    [() => 'high', /did not return an array of numbers/],
    [() => ({ length: 5 }), /did not return an array of numbers/],
    [(_, texts) => new DataView(new ArrayBuffer(texts.length)), /did not return an array of numbers/],
  ]) {
    const asked = memory.recall('Ada peanuts', { rerank });
    await rejects(asked, 'reranker_failed', message);
    await asked.catch((error) => assert.ok(/failed \(/.test(error.message) ? error.cause === cause : !error.cause));
    await rejects(memory.context('Ada peanuts', { recall: { rerank } }), 'reranker_failed', message);
    assert.equal((await memory.recall('Ada peanuts')).length, 5);
  }
  for (const [options, message] of [
    [{ rerank: 'cross-encoder' }, /rerank must be a function/],
    [{ rerank: null }, /rerank must be a function/],
    [{ rerankCandidates: 0 }, /rerankCandidates is 0/],
    [{ rerankCandidates: 1001 }, /rerankCandidates is 1001/],
    [{ weights: { rerank: Infinity } }, /weights.rerank must be a finite number/],
    [{ weights: { rerank: '1' } }, /rerank must be a number/],
  ]) {
    await rejects(memory.recall('x', options), 'invalid_argument', message);
    await rejects(memory.context('x', { recall: options }), 'invalid_argument', message);
  }
  await memory.close();
});

test('one that never answers is aborted by a signal, and by closing', async () => {
  const memory = await filled(STEADY);
  const signals = [];
  const rerank = (_, __, signal) => (signals.push(signal), new Promise(() => undefined));
  const aborting = async (ask) => {
    const controller = new AbortController();
    const answer = ask(controller.signal);
    while (signals.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort(new Error('no longer'));
    await rejects(answer, 'aborted');
    assert.ok(signals.pop().aborted);
  };
  await aborting((signal) => memory.recall('Ada', { rerank, signal }));
  await aborting((signal) => memory.context('Ada', { recall: { rerank }, signal }));
  await rejects(memory.recall('Ada', { rerank, signal: AbortSignal.abort() }), 'aborted');
  assert.equal(signals.length, 0, 'it is not asked what nobody waits for');
  const waiting = [memory.recall('Ada', { rerank }), memory.context('Ada', { recall: { rerank } })];
  const counted = memory.semantic.count();
  while (signals.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  await memory.close();
  for (const answer of waiting) await rejects(answer, 'closed');
  assert.deepEqual([await counted, signals.every(({ aborted }) => aborted)], [3, true]);
});

test('a context and a live query are ranked by it', async () => {
  const memory = await filled({ embedder: letters });
  const rerank = (_, texts) => texts.map((text) => (text.includes('cello') ? 1 : 0));
  const { hits } = await memory.context('Ada', { sections: { recalled: 1 }, recall: { rerank } });
  assert.deepEqual([hits[0].row.content, hits[0].explanation.evidence.rerank], ['Ada plays the cello', 1]);
  let read = 0;
  const live = memory.live(async (memory) => (read++, (await memory.recall('Ada', { k: 1, rerank }))[0].text));
  const values = live[Symbol.asyncIterator]();
  assert.equal((await values.next()).value, 'Ada plays the cello');
  await memory.semantic.update(2, { content: 'Ada plays two cellos' });
  while ((await values.next()).value !== 'Ada plays two cellos');
  assert.ok(read > 1);
  await memory.close();
});

/** A tokenizer and a cross-encoder with the SDK's interface. They count how many words of the question a text has. */
function scripted(labels = 1, count = (pairs) => pairs.length) {
  const calls = [];
  const tokenizer = (questions, options) => {
    calls.push([questions, options]);
    return { input_ids: questions.map((question, at) => [question, options.text_pair[at]]) };
  };
  const model = async ({ input_ids: pairs }) => {
    const scores = pairs.map(([question, text]) => question.split(' ').filter((word) => text.includes(word)).length);
    const data = Float32Array.from(scores.flatMap((score) => (labels === 1 ? [score] : [-score, score])));
    return { logits: { dims: [count(pairs), labels], data } };
  };
  return { tokenizer, model, calls };
}

test('the adapter asks a cross-encoder as the SDK wants it, some texts at a time', async () => {
  const { tokenizer, model, calls } = scripted();
  const rerank = transformersReranker({ tokenizer, model, batchSize: 2 });
  assert.deepEqual(await rerank('a b', ['b', 'a b', 'c']), [1, 2, 0]);
  assert.deepEqual(calls, [
    [['a b', 'a b'], { text_pair: ['b', 'a b'], padding: true, truncation: true }],
    [['a b'], { text_pair: ['c'], padding: true, truncation: true }],
  ]);
  assert.deepEqual(await transformersReranker({ ...scripted(2), label: 1 })('a b', ['a', 'a b']), [1, 2]);
  for (const [options, message] of [
    [scripted(2), /has 2 labels: set label/],
    [{ ...scripted(2), label: 2 }, /has 2 labels: set label/],
    [scripted(1, () => 3), /returned \[3, 1\] numbers for 1 texts/],
  ])
    await assert.rejects(transformersReranker(options)('a', ['a']), message);
  assert.throws(() => transformersReranker({ ...scripted(), batchSize: 0 }), /batchSize/);
  const aborted = scripted();
  await assert.rejects(transformersReranker(aborted)('a', ['a'], AbortSignal.abort()), { name: 'AbortError' });
  assert.equal(aborted.calls.length, 0);

  const memory = await filled(STEADY);
  const [hit] = await memory.recall('Ada plays', { rerank: transformersReranker(scripted()), explain: true });
  assert.deepEqual([hit.row.content, hit.explanation.evidence.rerank], ['Ada plays the cello', 2]);
  await memory.close();
});
