// Recall as a page calls it, with the engine in Node: hits, options, consolidation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory } from '../../dist/index.js';
import { filled, letters, open, rejects } from './recalled.mjs';

test('the bundled embedder finds by meaning, by default', async () => {
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
  // A row that is written later is found at once.
  await memory.semantic.remember({ content: 'Bo repairs violins' });
  const [later] = await memory.semantic.search('fixing string instruments', { k: 1 });
  assert.deepEqual([later.content, later.similarity > 0.2], ['Bo repairs violins', true]);
  const [vector] = await memory.embeddings.embed(['string instruments']);
  assert.equal((await memory.semantic.search(vector, { k: 1 }))[0].content, 'Bo repairs violins');
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

test('in a chat, turns like the question come before the fact, which docs/recall.md shows how to find', async () => {
  const memory = await open();
  await memory.semantic.rememberMany([{ content: 'Ada is allergic to peanuts' }, { content: 'Ada lives in Oslo' }]);
  await memory.turns.appendMany([
    { userInput: 'What food should I avoid?', assistantResponse: 'Peanuts.' },
    { userInput: 'Tell me about Oslo', assistantResponse: 'It is a city.' },
  ]);
  const question = 'What food must I avoid?';
  const fact = 'Ada is allergic to peanuts';
  // Asked before the turn is appended, the question does not find itself, but still the question before it.
  const texts = async (options) => (await memory.recall(question, options)).map(({ text }) => text);
  assert.ok(!(await texts({ k: 10 })).includes(question));
  await memory.turns.append({ userInput: question });
  const all = await memory.recall(question, { k: 3 });
  assert.deepEqual(
    all.slice(0, 2).map(({ table }) => table),
    ['turns', 'turns'],
  );
  assert.ok(all.some(({ text }) => text === question));
  assert.equal((await texts({ k: 1, tables: ['semantic', 'longTerm'] }))[0], fact);
  const { text } = await memory.context(question, { minSimilarity: -1 });
  assert.match(text, new RegExp(`<recalled>[^]*${fact}[^]*</recalled>[^]*<conversation>[^]*${question.slice(0, -1)}`));
  await memory.close();
});

test('hits are of their tables, and can be referred to', async () => {
  const memory = await filled({ embedder: 'none' });
  const hits = await memory.recall('table Ada peanuts', { k: 20, neighbors: 1 });
  const of = (table) => hits.find((hit) => hit.table === table);
  assert.deepEqual([of('longTerm').key, of('longTerm').row.value], ['user.diet', { avoids: ['peanuts'] }]);
  assert.deepEqual(of('episodes').row.content, { task: 'booked a table' });
  const turn = hits.find((hit) => hit.table === 'turns' && hit.id === 2);
  assert.deepEqual(
    turn.neighbors.map(({ id }) => id),
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
  // A second call replaces the first, with what it taught.
  await memory.uncertainty.resolve(doubt, 'differently');
  assert.equal((await memory.uncertainty.get(doubt)).resolutionPattern, 'differently');
  const unlearnt = await memory.recall('table Ada peanuts', { k: 20, explain: true });
  assert.ok(unlearnt.every((hit) => hit.explanation.parts.lessons === 0));
  await rejects(
    memory.uncertainty.resolve(doubt, 'x', { settledBy: [{ table: 'nothing', id: 1 }] }),
    'invalid_argument',
  );
  await memory.close();
});

test('an undo right after a consolidation undoes that one', async () => {
  const memory = await filled({ embedder: letters });
  const content = 'Ada is allergic to peanuts';
  await memory.semantic.rememberMany([{ content }, { content }]);
  await memory.consolidate();
  await memory.semantic.remember({ content });
  const before = await memory.semantic.count();
  const [done, undone] = await Promise.all([memory.consolidate(), memory.undoConsolidation()]);
  assert.deepEqual([done.merged.length, undone, await memory.semantic.count()], [1, 1, before]);
  const kept = await memory.consolidations();
  assert.deepEqual(
    kept.map(({ undoneAt }) => undoneAt !== null),
    [true, false],
  );
  await memory.close();
});

test('calls before the close are answered', async () => {
  for (const embedder of ['bundled', 'none']) {
    const memory = await filled({ embedder });
    const asked = [memory.context('peanuts'), memory.consolidate({ dryRun: true })];
    await memory.close();
    assert.match((await asked[0]).text, /peanuts/);
    assert.equal((await asked[1]).id, null);
  }
});

test('invalid arguments are rejected by name', async () => {
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
    [() => memory.recall('x', { halfLifeHours: 0 }), /halfLifeHours/],
    [() => memory.recall('x', { halfLifeHours: '1' }), /halfLifeHours must be a number/],
    [() => memory.recall('x', { weights: { diversity: -1 } }), /diversity must not be below 0/],
    [() => memory.recall('x', { neighbors: -1 }), /neighbors/],
    [() => memory.recall('x', { minImportance: NaN }), /minImportance must be a number/],
    [() => memory.recall('x', { minImportance: 3 }), /minImportance is 3; it must be from 0 to 1/],
    [() => memory.recall('x', { minSimilarity: 5 }), /minSimilarity is 5; it must be from -1 to 1/],
    [() => memory.context('x', { since: new Date(2000), until: new Date(1000) }), /since is 1 s after until/],
    [() => memory.semantic.search('x', { minImportance: -1 }), /minImportance is -1; it must be from 0 to 1/],
    [() => memory.semantic.list({ maxImportance: 3 }), /maxImportance is 3; it must be from 0 to 1/],
    [() => memory.episodes.list({ minValence: 0.5, maxValence: 0 }), /minValence is 0.5, above maxValence, which is 0/],
    [() => memory.semantic.search({}), /query must be/],
    [() => memory.coherenceDrift(2), /threshold/],
    [() => memory.coherenceDrift(1n), /threshold must be a number/],
    [() => memory.coherenceDrift(null), /threshold must be a number/],
    [() => memory.migrations.merge(['001', '002'], { id: 5 }), /id must be a string/],
    [() => memory.migrations.squash('001', 2), /to must be a string/],
    [() => memory.migrations.sql(null, 'head'), /from must be a string/],
    [() => memory.migrations.check(7), /schema must be a string/],
    [() => memory.embeddings.map({ limit: 10n }), /limit is 10/],
    [() => memory.embeddings.map({ limit: 1.9 }), /limit is 1.9/],
    [() => memory.turns.list({ limit: -1 }), /limit is -1/],
    [() => memory.turns.clear({ since: null }), /since must not be null/],
    [() => memory.turns.update(1, { userInput: null }), /userInput must not be null/],
    [() => memory.semantic.remember({ content: 'x', importance: null }), /importance must not be null/],
    [() => open({ backups: { kep: 1 } }), /no field "kep"/],
    [() => open({ backups: null }), /backups must be an object/],
    [() => memory.consolidate({ floor: 2 }), /floor/],
    [() => memory.consolidate({ similarThreshold: 'x' }), /similarThreshold must be a number/],
    [() => memory.semantic.merge(1, 2), /others must be an array of ids/],
    [() => memory.consolidate({ dryrun: true }), /no field "dryrun"/],
    [() => memory.recall('x', { limit: 3 }), /no field "limit"/],
    [() => memory.recall('x', { signal: {} }), /signal must be an AbortSignal/],
    [() => memory.embeddings.embed(['x'], { signal: {} }), /signal must be an AbortSignal/],
    [() => memory.semantic.search('x', { category: 'a' }), /no field "category"/],
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
  const [first] = await memory.recall('peanuts');
  assert.deepEqual([first.key, first.row.value], ['user.diet', { avoids: ['peanuts'] }]);
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

test('a consolidation is reported, listed and undone', async () => {
  const memory = await filled({ embedder: letters });
  const [{ content }] = (await memory.semantic.list({ direction: 'asc' })).rows;
  await memory.semantic.remember({ content: ` ${content}\n`, category: 'health', importance: 0.4 });
  const tried = await memory.consolidate({ dryRun: true });
  assert.deepEqual(tried, { id: null, merged: [{ kept: 1, removed: [4] }], faded: 0, forgotten: [], similar: [] });
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

test('memories with similar meaning are reported, and can be merged by the caller', async () => {
  const memory = await open({ embedder: letters });
  const facts = ['Ada eats fish', 'Ada eats fish!', 'Ada eats no fish'].map((content) => ({ content }));
  await memory.semantic.rememberMany(facts);
  const { merged, similar } = await memory.consolidate({ similarThreshold: 0.8 });
  assert.deepEqual(merged, []);
  const told = facts.map(({ content }, at) => ({ id: at + 1, content }));
  assert.deepEqual(similar, [told]);
  for (const [others, code] of [
    [[], 'invalid_argument'],
    [[1], 'invalid_argument'],
    [[2, 2], 'invalid_argument'],
    [[2, 7], 'not_found'],
    [['2'], 'invalid_argument'],
  ])
    await rejects(memory.semantic.merge(1, others), code);
  assert.equal(await memory.semantic.count(), 3);
  const done = await memory.semantic.merge(1, [2]);
  assert.deepEqual(done.merged, [{ kept: 1, removed: [2] }]);
  assert.deepEqual(
    (await memory.semantic.list()).rows.map(({ id }) => id),
    [3, 1],
  );
  assert.equal(await memory.undoConsolidation(done.id), 1);
  assert.equal((await memory.semantic.get(2)).content, 'Ada eats fish!');
  await memory.close();
});
