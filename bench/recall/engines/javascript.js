// A minimal engine, written in ten minutes: one Float32Array in a worker, one loop over it, one file in OPFS.
let vectors;
let width;
let count = 0;
let file;

export default {
  name: 'JavaScript loop',
  storage: 'OPFS, one file, all of it read when opened',
  exact: true,

  async open({ size, dimensions }) {
    width = dimensions;
    vectors = new Float32Array(size * dimensions);
    const folder = await navigator.storage.getDirectory();
    const handle = await folder.getFileHandle('vectors.f32', { create: true });
    file = await handle.createSyncAccessHandle();
    count = file.read(vectors, { at: 0 }) / 4 / dimensions;
  },
  add(ids, rows) {
    vectors.set(rows, count * width);
    count += ids.length;
  },
  finish() {
    file.write(vectors, { at: 0 });
    file.flush();
  },
  search(vector, k) {
    const ids = new Int32Array(k);
    const scores = new Float32Array(k).fill(-Infinity);
    for (let row = 0; row < count; row++) {
      // Four sums at once, because the additions of a single sum wait for each other.
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let i = 0, at = row * width; i < width; i += 4, at += 4) {
        a += vector[i] * vectors[at];
        b += vector[i + 1] * vectors[at + 1];
        c += vector[i + 2] * vectors[at + 2];
        d += vector[i + 3] * vectors[at + 3];
      }
      const score = a + b + c + d;
      if (score <= scores[k - 1]) continue;
      let place = k - 1;
      for (; place > 0 && scores[place - 1] < score; place--) {
        scores[place] = scores[place - 1];
        ids[place] = ids[place - 1];
      }
      scores[place] = score;
      ids[place] = row + 1;
    }
    return [...ids];
  },
  bytes: () => file.getSize(),
  close: () => file.close(),
};
