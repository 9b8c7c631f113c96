// Recall as a page asks for it, with the engine in Node: options, embedders that fail, contexts, consolidation.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { Memory, MemoryError } from '../../dist/index.js';
import { openAiEmbedder, transformersEmbedder } from '../../dist/embedders.js';

const open = (options) => Memory.open({ url: 'memory:', ...options });

/** A vector by which letters a text has: the same words in another order are the same. */
const byLetters = (text) =>
  Float32Array.from({ length: 26 }, (_, at) => text.toLowerCase().split(String.fromCharCode(97 + at)).length - 1);
const letters = { name: 'letters', dimensions: 26, embed: async (texts) => texts.map(byLetters) };

const rejects = (promise, code, message) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof MemoryError, String(error));
    assert.equal(error.code, code, error.message);
    if (message) assert.match(error.message, message);
    return true;
  });

async function filled(options) {
  const memory = await open(options);
  await memory.turns.appendMany([
    { userInput: 'Call me Ada', assistantResponse: 'Hello Ada' },
    { userInput: 'Book a table at the Harbour Grill for Friday', assistantResponse: 'Booked for seven.' },
    { userInput: 'Who is coming?', assistantResponse: 'Bo and Cleo.' },
  ]);
  await memory.episodes.record({ eventType: 'task_completed', content: { task: 'booked a table' }, valence: 0.6 });
  await memory.longTerm.set('user.name', 'Ada');
  await memory.longTerm.set('user.diet', { avoids: ['peanuts'] });
  await memory.semantic.rememberMany([
    { content: 'Ada is allergic to peanuts', category: 'health', importance: 0.9 },
    { content: 'Ada plays the cello', category: 'hobby' },
    { content: 'The flat has two rooms', category: 'home', importance: 0.2 },
  ]);
  return memory;
}

test('the bundled embedder finds by meaning, without being asked for', async () => {
  const memory = await filled();
  const [hit] = await memory.recall('Which nuts make her ill?', { explain: true });
  assert.deepEqual([hit.table, hit.id, hit.row.content], ['semantic', 1, 'Ada is allergic to peanuts']);
  assert.ok(hit.row.timestamp instanceof Date && hit.similarity > 0.2);
  const { parts, evidence } = hit.explanation;
  assert.equal(
    Object.values(parts).reduce((sum, part) => sum + part),
    hit.score,
  );
  assert.equal(evidence.similarity, hit.similarity);
  const [music] = await memory.semantic.search('a musical instrument', { k: 1 });
  assert.equal(music.content, 'Ada plays the cello');
  assert.deepEqual(
    await memory.semantic
      .search('a musical instrument', { k: 5, categories: ['home'] })
      .then((found) => found.map(({ id }) => id)),
    [3],
  );
  const status = await memory.embeddings.status();
  assert.deepEqual([status.pending, status.embedded, status.dimensions], [0, 9, 256]);
  // What is written later is found at once.
  await memory.semantic.remember({ content: 'Bo repairs violins' });
  const [later] = await memory.semantic.search('fixing string instruments', { k: 1 });
  assert.deepEqual([later.content, later.similarity > 0.2], ['Bo repairs violins', true]);
  const [vector] = await memory.embeddings.embed(['string instruments']);
  assert.equal((await memory.semantic.search(vector, { k: 1 }))[0].content.length > 0, true);
  assert.ok((await memory.groundingConfidence('Is she allergic to peanuts?')) > 0.5);
  assert.equal((await memory.related('music lessons', { k: 1 }))[0].row.content, 'Ada plays the cello');
  for (const text of ['the cello', 'an orchestra', 'a concert', 'car insurance', 'the tax office', 'a parking fine'])
    await memory.trackContext(text);
  assert.deepEqual(
    { ...(await memory.coherenceDrift(0.4)), coherence: 0 },
    { drifting: true, coherence: 0, contexts: 6 },
  );
  assert.equal((await memory.embeddings.map()).length, 10);
  await memory.close();
});

test('hits are of their tables, and can be referred to', async () => {
  const memory = await filled({ embedder: 'none' });
  const hits = await memory.recall('table Ada peanuts', { k: 20, neighbours: 1 });
  const of = (table) => hits.find((hit) => hit.table === table);
  assert.deepEqual([of('longTerm').key, of('longTerm').row.value], ['user.diet', { avoids: ['peanuts'] }]);
  assert.deepEqual(of('episodes').row.content, { task: 'booked a table' });
  const turn = hits.find((hit) => hit.table === 'turns' && hit.id === 2);
  assert.deepEqual(
    turn.neighbours.map(({ id }) => id),
    [1, 3],
  );
  assert.deepEqual([turn.similarity, 'explanation' in turn], [null, false]);
  const doubt = await memory.uncertainty.log({ userMessage: 'nuts?', confidenceScore: 0.2 });
  const fact = of('semantic');
  await memory.uncertainty.resolve(doubt, 'looked it up', { settledBy: [fact], misledBy: [of('longTerm')] });
  const again = await memory.recall('table Ada peanuts', { k: 20, explain: true });
  const lessons = (table) => again.find((hit) => hit.table === table).explanation.parts.lessons;
  assert.deepEqual([lessons('semantic'), lessons('longTerm')], [0.25, -0.25]);
  assert.equal((await memory.uncertainty.get(doubt)).resolutionPattern, 'looked it up');
  await rejects(memory.uncertainty.resolve(doubt, 'x', { settledBy: [{ table: 'turns', id: 99 }] }), 'not_found');
  await rejects(
    memory.uncertainty.resolve(doubt, 'x', { settledBy: [{ table: 'nothing', id: 1 }] }),
    'invalid_argument',
  );
  await memory.close();
});

test('what cannot be asked is refused by name', async () => {
  const memory = await filled({ embedder: letters });
  for (const [call, message] of [
    [() => memory.recall(7), /question must be a string/],
    [() => memory.recall('x', null), /options/],
    [() => memory.recall('x', { k: 0 }), /k is 0/],
    [() => memory.recall('x', { k: 1.5 }), /k is 1.5/],
    [() => memory.recall('x', { tables: 'turns' }), /tables must be an array/],
    [() => memory.recall('x', { tables: ['tables'] }), /tables\[0\]/],
    [() => memory.recall('x', { since: 5 }), /since must be a valid Date/],
    [() => memory.recall('x', { weights: { word: 1 } }), /weights have no field "word"/],
    [() => memory.recall('x', { weights: { words: Infinity } }), /words must be a finite number/],
    [() => memory.recall('x', { halfLifeHours: 0 }), /half-life/],
    [() => memory.recall('x', { duplicates: '1' }), /duplicates must be a number/],
    [() => memory.recall('x', { neighbours: -1 }), /neighbours/],
    [() => memory.recall('x', { minImportance: NaN }), /minImportance must be a number/],
    [() => memory.semantic.search({}), /query must be/],
    [() => memory.context('x', { tokenBudget: -1 }), /tokenBudget/],
    [() => memory.context('x', { sections: { turn: 1 } }), /sections has no field "turn"/],
    [() => memory.context('x', { sections: { turns: 2 } }), /sections.turns/],
    [() => memory.context('x', { countTokens: 4 }), /countTokens/],
    [() => memory.coherenceDrift(2), /threshold/],
    [() => memory.consolidate({ floor: 2 }), /floor/],
    [() => memory.consolidate({ duplicates: 'x' }), /duplicates must be a number/],
    [() => memory.consolidate({ dryrun: true }), /no field "dryrun"/],
    [() => memory.recall('x', { limit: 3 }), /no field "limit"/],
    [() => memory.semantic.search('x', { category: 'a' }), /no field "category"/],
    [() => memory.context('x', { budget: 3 }), /no field "budget"/],
    [() => memory.context('x', { countTokens: () => NaN }), /countTokens gave NaN/],
    [() => Memory.open({ embeder: 'none' }), /no field "embeder"/],
    [() => memory.embeddings.embed('x'), /texts must be an array/],
    [() => memory.embeddings.map({ limit: 0 }), /limit/],
  ])
    await rejects(call(), 'invalid_argument', message);
  await rejects(memory.recall('\ud800'), 'invalid_text');
  for (const vector of [new Float32Array(3), new Float32Array(26), new Float32Array(26).fill(NaN)])
    await rejects(memory.semantic.search(vector), 'invalid_embedding');
  const signal = AbortSignal.abort(new Error('no longer'));
  await rejects(memory.recall('x', { signal }), 'aborted');
  assert.equal((await memory.recall('peanuts')).length > 0, true);
  await memory.close();
  await rejects(memory.recall('x'), 'closed');
  for (const embedder of [
    'other',
    {},
    { name: 'x' },
    { ...letters, name: '' },
    { ...letters, dimensions: 0 },
    { ...letters, dimensions: 5000 },
    { ...letters, batchSize: 0.5 },
  ])
    await rejects(open({ embedder }), 'invalid_argument', /embedder/);
});

test('an embedder that fails loses nothing: rows wait, are told of, and are tried again', async () => {
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
  // Its rows are found by their words; a question that cannot be embedded says so.
  assert.equal((await memory.recall('peanuts', { weights: { meaning: 0 } })).length > 0, true);
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

test('one text that its embedder refuses keeps no other back, wherever it stands', async () => {
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
    // What is written now does not wait for what failed to be tried again.
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

test('an embedder that never answers is given up by a signal, and by closing', async () => {
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

test('what was asked before closing is answered', async () => {
  const memory = await filled();
  const asked = [memory.recall('peanuts'), memory.semantic.search('cello', { k: 1 }), memory.context('peanuts')];
  await memory.close();
  const [hits, [found], { text }] = await Promise.all(asked);
  assert.deepEqual([hits.length > 0, found.content, text.length > 0], [true, 'Ada plays the cello', true]);
});

test('an embedder that does not even tell its dimensions is told of like any other', async () => {
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

test('a vector that was made while another file was imported is not kept for it', async () => {
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

test('without an embedder, what means nothing without one says so', async () => {
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

test('vectors that are none are told of, and not kept', async () => {
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
  await rejects(memory.recall('x'), 'embedder_failed', /no vector for each/);
  await memory.close();
});

test('another embedder embeds anew, an import brings its own, and the purpose is told', async () => {
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

test('a context fits its budget, says what it used, and is always the same', async () => {
  const memory = await filled({ embedder: letters });
  await memory.turns.appendMany(
    Array.from({ length: 30 }, (_, at) => ({ userInput: `Small talk number ${at}`, assistantResponse: 'I see.' })),
  );
  const words = (text) => text.split(/\s+/).filter(Boolean).length;
  for (const tokenBudget of [0, 3, 20, 60, 150, 1000]) {
    const context = await memory.context('What must Ada not eat?', { tokenBudget, countTokens: words });
    assert.ok(context.tokens <= tokenBudget && words(context.text) === context.tokens);
    assert.deepEqual(await memory.context('What must Ada not eat?', { tokenBudget, countTokens: words }), context);
    const names = [...context.used, ...context.left].map((reference) => JSON.stringify(reference));
    assert.equal(new Set(names).size, names.length, 'each row once');
    assert.equal(context.text.split('\n').length >= context.used.length, true);
  }
  const { text, used } = await memory.context('What must Ada not eat?', { tokenBudget: 150, countTokens: words });
  assert.match(text, /## Known facts\n- user\.diet: \{"avoids":\["peanuts"\]\}\n- user\.name: Ada\n\n## Recalled\n/);
  assert.match(text, /- \[\d{4}-\d\d-\d\d\] Ada is allergic to peanuts\n/);
  assert.match(
    text,
    /## Recent conversation\n[^]*User: Small talk number 28\nAssistant: I see\.\nUser: Small talk number 29\nAssistant: I see\.$/,
  );
  assert.ok(used.some(({ table, key }) => table === 'longTerm' && key === 'user.diet'));
  const only = await memory.context('peanuts', {
    sections: { recalled: 1 },
    k: 1,
    recall: { weights: { meaning: 0 } },
  });
  assert.deepEqual([only.used.length, only.text.includes('##'), only.text.includes('Recent')], [1, true, false]);
  const { tokens } = await memory.context('peanuts');
  assert.ok(tokens > 0 && tokens <= 1000);
  const empty = await open({ embedder: 'none' });
  assert.deepEqual(await empty.context('anything'), { text: '', tokens: 0, used: [], left: [] });
  await empty.close();
  await memory.close();
});

test('a consolidation is told, kept and taken back', async () => {
  const memory = await filled({ embedder: letters });
  await memory.semantic.remember({ content: 'Ada is allergic to peanuts!', category: 'health', importance: 0.4 });
  const tried = await memory.consolidate({ dryRun: true });
  assert.deepEqual(tried, { id: null, merged: [{ kept: 1, removed: [4] }], faded: 0, forgotten: [] });
  const done = await memory.consolidate({ floor: 0.3 });
  assert.deepEqual([done.merged, done.forgotten, await memory.semantic.count()], [tried.merged, [3], 2]);
  const [kept] = await memory.consolidations();
  assert.deepEqual([kept.id, kept.removed, kept.undoneAt, kept.timestamp instanceof Date], [done.id, 2, null, true]);
  assert.equal(await memory.undoConsolidation(), 2);
  assert.deepEqual(
    (await memory.semantic.list({ direction: 'asc' })).rows.map(({ importance }) => importance),
    [0.9, 0.5, 0.2, 0.4],
  );
  await rejects(memory.undoConsolidation(), 'not_found');
  assert.equal(await memory.discardConsolidations(), 1);
  await memory.close();
});

test('the adapters speak as their models want it', async () => {
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
    /no vector for each of 2/,
  );
  server.close();
});
