// Embedders that fail, hang, change or are invalid, and the adapters.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { openAiEmbedder, transformersEmbedder } from '../../dist/embedders.js';
import { byLetters, filled, letters, open, rejects } from './recalled.mjs';

test('an embedder that fails loses nothing: rows wait, are reported, and are retried', async () => {
  let down = true;
  let poison = '';
  const asked = [];
  const told = [];
  const embedder = {
    ...letters,
    batchSize: 4,
    embed: async (texts) => {
      asked.push(texts.length);
      if (down || texts.some((text) => poison && text.includes(poison))) throw new Error('503 from the model');
      return texts.map(byLetters);
    },
  };
  const memory = await filled({ embedder, onEmbedding: (status) => told.push(status) });
  let status = await memory.embeddings.ready();
  assert.deepEqual([status.embedded, status.pending, status.failed], [0, 9, 9]);
  assert.match(status.lastError, /503 from the model/);
  assert.ok(status.retryAt instanceof Date && told.at(-1).failed === 9);
  // The rows are found by their words; a question that cannot be embedded reports this.
  const byWords = await memory.recall('peanuts', { weights: { meaning: 0 } });
  assert.deepEqual(
    byWords.map(({ table, id, key }) => [table, id ?? key]),
    [
      ['longTerm', 'user.diet'],
      ['semantic', 1],
    ],
  );
  await rejects(memory.recall('peanuts'), 'embedder_failed', /503 from the model/);

  down = false;
  poison = 'cello';
  status = await memory.embeddings.retry();
  assert.deepEqual(
    [status.embedded, status.pending, status.failed],
    [8, 1, 1],
    'one bad text does not keep the others back',
  );
  poison = '';
  status = await memory.embeddings.retry();
  assert.deepEqual([status.embedded, status.pending, status.failed, status.lastError], [9, 0, 0, null]);
  const [found] = await memory.semantic.search('a peanut is allergic to Ad', { k: 1 });
  assert.equal(found.content, 'Ada is allergic to peanuts');
  await memory.close();
});

test('one text that the embedder rejects does not block others, whatever its position', async () => {
  const embed = async (texts) => {
    if (texts.some((text) => text.includes('poison'))) throw new Error('400 too long');
    return texts.map(byLetters);
  };
  for (const at of [0, 5, 29]) {
    const memory = await open({ embedder: { ...letters, embed } });
    const contents = Array.from({ length: 30 }, (_, number) => (number === at ? 'poison' : `fact ${number}`));
    await memory.semantic.rememberMany(contents.map((content) => ({ content })));
    const status = await memory.embeddings.ready();
    assert.deepEqual([status.embedded, status.failed], [29, 1]);
    // New rows do not wait until the failed ones are retried.
    await memory.semantic.remember({ content: 'later' });
    while ((await memory.embeddings.status()).embedded < 30) await new Promise((resolve) => setTimeout(resolve, 10));
    await memory.close();
  }
});

/** A signal that fires soon, with a timer that Node waits for. */
function soon() {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  return controller.signal;
}

test('an embedder that never answers is aborted by a signal, and by closing', async () => {
  const memory = await open({ embedder: { ...letters, embed: () => new Promise(() => undefined) } });
  await memory.semantic.remember({ content: 'a' });
  for (const ask of [
    (signal) => memory.recall('a', { signal }),
    (signal) => memory.embeddings.ready({ signal }),
    (signal) => memory.consolidate({ signal }),
  ])
    await rejects(ask(soon()), 'aborted');
  const waiting = memory.recall('a');
  const counted = memory.semantic.count();
  await memory.close();
  await rejects(waiting, 'closed');
  assert.equal(await counted, 1);
});

test('calls before closing are answered', async () => {
  const memory = await filled();
  const asked = [memory.recall('peanuts'), memory.semantic.search('cello', { k: 1 }), memory.context('peanuts')];
  await memory.close();
  const [[first, second], [found], { text }] = await Promise.all(asked);
  assert.deepEqual(
    [first.key, second.row.content, found.content],
    ['user.diet', 'Ada is allergic to peanuts', 'Ada plays the cello'],
  );
  assert.match(text, /<facts>\n[^]*<recalled>\n.*peanuts<\/semantic>\n[^]*<conversation>\n[^]*Bo and Cleo\./);
});

test('an embedder without dimensions is reported like any other', async () => {
  let down = true;
  const embed = async (texts) => {
    if (down) throw new Error('no network');
    return texts.map(byLetters);
  };
  const memory = await filled({ embedder: { name: 'letters', embed } });
  let status = await memory.embeddings.ready();
  assert.deepEqual([status.failed, status.retryAt instanceof Date], [9, true]);
  assert.match(status.lastError, /no network/);
  down = false;
  status = await memory.embeddings.retry();
  assert.deepEqual([status.embedded, status.failed], [9, 0]);
  await memory.close();
});

test('a vector that was computed while another file was imported is not kept', async () => {
  const constant = (name, vector) => ({ name, dimensions: 2, embed: async (texts) => texts.map(() => vector) });
  const first = await open({ embedder: constant('b', [1, 0]) });
  await first.semantic.remember({ content: 'b1' });
  await first.embeddings.ready();
  const file = await first.export();
  await first.close();

  let release;
  const gate = new Promise((resolve) => (release = resolve));
  const embed = async (texts) => (await gate, texts.map(() => [0, 1]));
  const memory = await open({ embedder: { name: 'a', dimensions: 2, embed } });
  await memory.semantic.rememberMany([{ content: 'a1' }, { content: 'a2' }]);
  const settled = memory.embeddings.ready();
  await new Promise((resolve) => setTimeout(resolve, 30));
  await memory.import(file);
  release();
  await settled;
  const status = await memory.embeddings.ready();
  assert.deepEqual([status.model, status.embedded, status.pending], ['a', 1, 0]);
  await memory.close();
});

test('without an embedder, the calls that need one report it', async () => {
  const memory = await filled({ embedder: 'none' });
  for (const call of [
    () => memory.groundingConfidence('x'),
    () => memory.trackContext('x'),
    () => memory.embeddings.embed(['x']),
  ])
    await rejects(call(), 'invalid_argument', /embedder: 'none'/);
  assert.deepEqual(
    (await memory.semantic.search('peanuts')).map(({ similarity }) => similarity),
    [null],
  );
  assert.deepEqual(await memory.semantic.search('peanuts', { minSimilarity: 0.2 }), []);
  await memory.close();
});

test('invalid vectors are reported, and not kept', async () => {
  for (const [wrong, message] of [
    [() => new Float32Array(25).fill(1), /25 numbers/],
    [() => new Float32Array(26).fill(NaN), /finite/],
    [() => new Float32Array(26), /zeros/],
  ]) {
    const memory = await filled({ embedder: { ...letters, embed: async (texts) => texts.map(wrong) } });
    const status = await memory.embeddings.ready();
    assert.deepEqual([status.embedded, status.failed], [0, 9]);
    assert.match(status.lastError, message);
    await rejects(memory.recall('x'), 'invalid_embedding', message);
    await memory.close();
  }
  const memory = await filled({ embedder: { ...letters, embed: async () => [] } });
  await rejects(memory.recall('x'), 'embedder_failed', /did not return a vector for each/);
  await memory.close();
});

test('another embedder embeds everything again, an import brings its own vectors, and the purpose is passed on', async () => {
  const purposes = [];
  const embedder = { ...letters, embed: async (texts, { purpose }) => (purposes.push(purpose), texts.map(byLetters)) };
  const memory = await filled({ embedder });
  await memory.embeddings.ready();
  await memory.recall('x y z');
  assert.deepEqual([...new Set(purposes)], ['memory', 'question']);
  const file = await memory.export();
  const old = await memory.export({ revision: '001' });
  await memory.close();

  const other = await open({
    embedder: { name: 'two', embed: async (texts) => texts.map((text) => [text.length, 1]) },
  });
  await other.import(file);
  let status = await other.embeddings.ready();
  assert.deepEqual([status.model, status.dimensions, status.embedded, status.pending], ['two', 2, 9, 0]);
  await other.close();

  const again = await open({ embedder: letters });
  await again.semantic.remember({ content: 'gone with the import' });
  await again.embeddings.ready();
  for (const bytes of [file, old]) {
    await again.import(bytes);
    status = await again.embeddings.ready();
    assert.deepEqual([status.model, status.embedded, status.pending], ['letters', 9, 0]);
    const [found] = await again.semantic.search('allergic peanuts Ada is to', { k: 1 });
    assert.deepEqual([found.content, found.similarity > 0.99], ['Ada is allergic to peanuts', true]);
  }
  await again.close();
});

test('the adapters call their models as these expect', async () => {
  const calls = [];
  const extractor = async (texts, options) => (
    calls.push([texts, options]),
    { dims: [texts.length, 2], data: Float32Array.from(texts.flatMap((text) => [text.length, 1])) }
  );
  const local = transformersEmbedder(extractor, { name: 'e5', prefixes: { question: 'query: ' } });
  assert.deepEqual(await local.embed(['ab', 'c'], { purpose: 'question' }), [
    Float32Array.of(9, 1),
    Float32Array.of(8, 1),
  ]);
  assert.deepEqual(calls[0], [['query: ab', 'query: c'], { pooling: 'mean', normalize: true }]);
  const unpooled = transformersEmbedder(async () => ({ dims: [1, 5, 2], data: new Float32Array(10) }), { name: 'x' });
  await assert.rejects(unpooled.embed(['a'], { purpose: 'memory' }), /choose a pooling/);

  const requests = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push([request.method, request.url, request.headers.authorization, JSON.parse(body)]);
    const { input, model } = JSON.parse(body);
    if (model === 'down') return response.writeHead(429).end('slow down');
    const data = input.map((text, index) => ({ index, embedding: [text.length, 1, 0] })).reverse();
    response.end(JSON.stringify({ data: model === 'short' ? data.slice(1) : data }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${server.address().port}/v1/`;
  const memory = await filled({ embedder: openAiEmbedder({ model: 'small', baseUrl, apiKey: 'k', dimensions: 3 }) });
  const status = await memory.embeddings.ready();
  assert.deepEqual([status.model, status.dimensions, status.embedded], ['small@3', 3, 9]);
  const [method, url, key, { input, ...rest }] = requests[0];
  assert.deepEqual(
    [method, url, key, rest],
    ['POST', '/v1/embeddings', 'Bearer k', { model: 'small', encoding_format: 'float', dimensions: 3 }],
  );
  assert.equal(input.length, 9);
  await memory.close();
  await assert.rejects(
    openAiEmbedder({ model: 'down', baseUrl }).embed(['a'], { purpose: 'memory' }),
    /answered 429: slow down/,
  );
  await assert.rejects(
    openAiEmbedder({ model: 'short', baseUrl }).embed(['a', 'b'], { purpose: 'memory' }),
    /did not return a vector for each of 2/,
  );
  server.close();
});

test('the multilingual embedder finds across languages; an unknown embedder name is rejected', async () => {
  const memory = await open({ embedder: 'multilingual' });
  await memory.semantic.rememberMany([
    { content: 'Ada darf keine Erdnüsse essen' },
    { content: '列车九点从四号站台出发' },
    { content: 'मेरी बहन का जन्मदिन तीन मई को है' },
    { content: 'Le mot de passe est collé sur le frigo' },
  ]);
  for (const [question, content] of [
    ['Welche Nüsse muss sie meiden?', 'Ada darf keine Erdnüsse essen'],
    ['火车什么时候开？', '列车九点从四号站台出发'],
    ['बहन कब पैदा हुई?', 'मेरी बहन का जन्मदिन तीन मई को है'],
    ['Où est le code du wifi ?', 'Le mot de passe est collé sur le frigo'],
  ])
    assert.equal((await memory.semantic.search(question, { k: 1 }))[0].content, content, question);
  const { model, dimensions, pending } = await memory.embeddings.status();
  assert.deepEqual([model, dimensions, pending], ['multilingual-e5-small-static-256-pq', 256, 0]);
  await memory.close();

  await rejects(open({ embedder: 'multilingal' }), 'invalid_argument', /^Unknown embedder "multilingal"\./);
  for (const embedder of [7, null, {}, { name: 'x' }])
    await rejects(open({ embedder }), 'invalid_argument', /'bundled', 'multilingual', 'none', or an object/);
});
