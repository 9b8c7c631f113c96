// hnswlib-wasm: a graph in memory, kept as one file that Emscripten copies into IndexedDB.
import { loadHnswlib, syncFileSystem } from '/peers/hnswlib-wasm/dist/hnswlib.js';

const FILE = 'vectors.hnsw';
/** hnswlib's defaults, and the seed of its documentation. */
const [LINKS, EF_CONSTRUCTION, SEED] = [16, 200, 100];

let index;

export default {
  name: 'hnswlib-wasm',
  storage: 'IndexedDB (IDBFS), all of it read when opened',
  exact: false,
  settings: ['ef 10', 'ef 50', 'ef 200'],

  async open({ size, dimensions }) {
    const library = await loadHnswlib();
    await syncFileSystem('read');
    index = new library.HierarchicalNSW('ip', dimensions, '');
    if (library.EmscriptenFileSystemManager.checkFileExists(FILE)) await index.readIndex(FILE, size);
    else index.initIndex(size, LINKS, EF_CONSTRUCTION, SEED);
  },
  add(ids, vectors) {
    const width = vectors.length / ids.length;
    const rows = ids.map((_, row) => vectors.subarray(row * width, (row + 1) * width));
    index.addPoints(rows, ids, false);
  },
  async finish() {
    await index.writeIndex(FILE);
    await syncFileSystem('write');
  },
  set: (setting) => index.setEfSearch(Number(setting.slice(3))),
  search: (vector, k) => [...index.searchKnn(vector, k, undefined).neighbors],
  bytes: () => undefined,
  close() {},
};
