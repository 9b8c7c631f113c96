// synth-memory itself. It has its own worker, so this runs in the page.
import { Memory, SemanticMemories } from '/package/index.js';

/** The greatest number of vectors that wait for the embedder. */
const WAITING = 50_000;

let memory;
/** The vector of each text, as long as the embedder can be called with it. */
const waiting = new Map();

const embedder = {
  name: 'bench',
  dimensions: 384,
  batchSize: 1000,
  embed: async (texts) => texts.map((text) => waiting.get(text)),
};

async function embedAll() {
  await memory.embeddings.ready();
  waiting.clear();
}

export default {
  name: 'synth-memory',
  storage: 'OPFS (SAHPool)',
  exact: false,
  endings: true,

  missing: () => ('search' in SemanticMemories.prototype ? undefined : 'memory.semantic.search is not there yet'),
  async open({ texts }) {
    memory = await Memory.open({ url: 'opfs:///recall.db', embedder: texts ? 'none' : embedder });
  },
  async add(ids, vectors) {
    const width = vectors.length / ids.length;
    const texts = ids.map((id) => `memory ${id}`);
    for (const [row, text] of texts.entries()) waiting.set(text, vectors.subarray(row * width, (row + 1) * width));
    await remember(ids, texts);
    if (waiting.size >= WAITING) await embedAll();
  },
  addTexts: remember,
  // A question finds every committed row, so rows that are not indexed yet are indexed first.
  async finish() {
    await memory.recall('anything', { weights: { meaning: 0 } });
    if (waiting.size > 0) await embedAll();
  },
  async search(vector, k) {
    const rows = await memory.semantic.search(vector, { k });
    return rows.map(({ id }) => id);
  },
  // Either word: recall, by relevance and with other endings. Both words: a list, newest first.
  async searchText(words, k, which) {
    const text = words.join(' ');
    if (which === 'all') return (await memory.semantic.list({ search: text, limit: k })).rows.map(({ id }) => id);
    const hits = await memory.recall(text, { k, weights: { meaning: 0 } });
    return hits.map(({ id }) => id);
  },
  bytes: () => undefined,
  close: () => memory.close(),
};

/** Adds rows. A new memory numbers its rows as the benchmark does, from 1. */
async function remember(ids, texts) {
  const given = await memory.semantic.rememberMany(texts.map((content) => ({ content })));
  if (given[0] !== ids[0]) throw new Error(`Row ${ids[0]} received the id ${given[0]}.`);
}
