// Measures only synth-memory: the whole of recall, with the bundled embedder.
import { Memory } from '/package/index.js';
import { makeTexts } from '../data.js';

const URL = 'opfs:///bundled.db';
const CHUNK = 5000;
const WARM_UP = 20;

const timed = async (act) => {
  const begun = performance.now();
  const result = await act();
  return { time: performance.now() - begun, result };
};

/** Embeds `size` texts, and recalls by two words, and by six including common ones. */
window.bundled = async ({ size, count, k }) => {
  const made = makeTexts();
  const filled = await Memory.open({ url: URL, embedder: 'none' });
  for (let from = 0; from < size; from += CHUNK) {
    const contents = made.stored(from, Math.min(CHUNK, size - from));
    await filled.semantic.rememberMany(contents.map((content) => ({ content })));
  }
  await filled.close();
  const memory = await Memory.open({ url: URL });
  const loaded = await timed(() => memory.embeddings.embed(['first']));
  const embedded = await timed(() => memory.embeddings.ready());
  const questions = made.asked(size, count);
  const six = made.stored(size, count).map((text) => text.split(' ').slice(0, 6).join(' '));
  const asked = [];
  for (const [label, texts] of [
    ['two words', questions.map((words) => words.join(' '))],
    ['six words', six],
  ]) {
    for (const text of texts.slice(0, WARM_UP)) await memory.recall(text, { k });
    const times = [];
    for (const text of texts) times.push((await timed(() => memory.recall(text, { k }))).time);
    asked.push({ label, times });
  }
  await memory.close();
  return { loaded: loaded.time, perSecond: (1000 * embedded.result.embedded) / embedded.time, asked };
};

/** In a new page, with all files in the browser's cache: how soon the embedder works, and the first answer comes. */
window.bundledAgain = async ({ k }) => {
  const memory = await Memory.open({ url: URL, embedder: 'none' });
  await memory.turns.count();
  await memory.close();
  const opened = await Memory.open({ url: URL });
  await opened.migrations.current();
  await opened.embeddings.status();
  const loaded = await timed(() => opened.embeddings.embed(['first']));
  const first = await timed(() => opened.recall('first question', { k }));
  await opened.close();
  return { loaded: loaded.time, first: first.time };
};
