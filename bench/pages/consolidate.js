// Consolidates many facts from the page, and measures how long this takes and how long other calls wait meanwhile.
import { Memory } from '/package/index.js';

const DIMENSIONS = 256;
const WORDS =
  'green tea river train garden letter winter bread window music paper market silver north table cloud friend harbour'.split(
    ' ',
  );

/** Pseudo-random numbers, the same in every run: Marsaglia's xorshift32. */
function randomFrom(seed) {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const hash = (text) => [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.codePointAt(0)) | 0, 7);

/** The vector of a subject. A text with one more word has nearly the same vector. */
function vectorOf(text) {
  const vector = new Float32Array(DIMENSIONS);
  const add = (seed, far) => {
    const random = randomFrom(Math.imul(seed, 0x9e3779b1));
    for (let at = 0; at < DIMENSIONS; at++) vector[at] += far * (random() + random() - 1);
  };
  const [first] = text.split(' indeed');
  add(hash(first) % 40, 1);
  add(hash(first), 0.8);
  if (first !== text) add(hash(text), 0.1);
  return vector;
}

window.run = async ({ facts, how = {} }) => {
  const embedder = {
    name: 'bench',
    dimensions: DIMENSIONS,
    batchSize: 256,
    embed: async (texts) => texts.map(vectorOf),
  };
  const memory = await Memory.open({ url: `opfs:///consolidate-${facts}.db`, embedder });
  const random = randomFrom(5);
  const rows = [];
  for (let at = 0; at < facts; at++) {
    const last = rows.at(-1);
    const content = Array.from({ length: 10 }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
    const again = at % 20 === 19;
    rows.push({
      content: again ? `${last.content} indeed` : content,
      category: again ? last.category : `c${Math.floor(random() * 50)}`,
      importance: random(),
      timestamp: new Date(Date.now() - random() * 365 * 86_400_000),
    });
  }
  for (let at = 0; at < facts; at += 10_000) await memory.semantic.rememberMany(rows.slice(at, at + 10_000));
  await memory.embeddings.ready();
  await memory.recall('tea');
  const started = performance.now();
  let isDone = false;
  const waits = [];
  const consolidating = memory.consolidate(how).finally(() => (isDone = true));
  while (!isDone) {
    const asked = performance.now();
    await memory.turns.count();
    waits.push(performance.now() - asked);
  }
  const { merged, faded } = await consolidating;
  const took = performance.now() - started;
  waits.sort((a, b) => a - b);
  return {
    facts,
    seconds: took / 1000,
    merged: merged.length,
    faded,
    calls: waits.length,
    median: waits[waits.length >> 1],
    p99: waits[Math.floor(waits.length * 0.99)],
    secondLongest: waits.at(-2),
    longest: waits.at(-1),
  };
};
