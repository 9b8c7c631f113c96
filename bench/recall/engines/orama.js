// Orama: everything in JavaScript objects. It stores nothing itself; here the result of `save` is put into IndexedDB.
import { create, insertMultiple, load, save, search } from '/peers/@orama/orama/dist/browser/index.js';

let db;
let width;

/** Runs `act` on the only object store of the only database. */
async function inStore(mode, act) {
  const asked = indexedDB.open('orama', 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore('saved');
  const done = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const database = await done(asked);
  try {
    return await done(act(database.transaction('saved', mode).objectStore('saved')));
  } finally {
    database.close();
  }
}

export default {
  name: 'Orama',
  storage: 'IndexedDB, all of it read when opened',
  exact: true,

  async open({ dimensions, texts }) {
    width = dimensions;
    db = create({ schema: texts ? { text: 'string' } : { embedding: `vector[${dimensions}]` } });
    const saved = await inStore('readonly', (store) => store.get('db'));
    if (saved) load(db, saved);
  },
  add(ids, vectors) {
    const documents = ids.map((id, row) => ({
      id: String(id),
      embedding: Array.from(vectors.subarray(row * width, (row + 1) * width)),
    }));
    return void insertMultiple(db, documents, documents.length);
  },
  addTexts(ids, texts) {
    const documents = ids.map((id, row) => ({ id: String(id), text: texts[row] }));
    return void insertMultiple(db, documents, documents.length);
  },
  finish: () => inStore('readwrite', (store) => store.put(save(db), 'db')),
  async search(vector, k) {
    // By default it omits rows with a similarity below 0.8, which here are most of the right answers.
    const { hits } = await search(db, {
      mode: 'vector',
      vector: { value: vector, property: 'embedding' },
      similarity: 0,
      limit: k,
    });
    return hits.map(({ id }) => Number(id));
  },
  async searchText(words, k, which) {
    const { hits } = await search(db, { term: words.join(' '), limit: k, threshold: which === 'all' ? 0 : 1 });
    return hits.map(({ id }) => Number(id));
  },
  bytes: () => undefined,
  close() {},
};
