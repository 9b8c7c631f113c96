// PGlite, Postgres in WebAssembly: pgvector's HNSW for the vectors, a GIN index over tsvectors for the texts.
import { PGlite } from '/peers/@electric-sql/pglite/dist/index.js';
import { vector as pgvector } from '/peers/@electric-sql/pglite-pgvector/dist/index.js';

let db;

export default {
  name: 'PGlite',
  storage: 'OPFS (opfs-ahp)',
  exact: false,
  settings: ['pgvector HNSW, ef_search 40', 'pgvector HNSW, ef_search 200'],

  async open({ dimensions, texts }) {
    db = await PGlite.create('opfs-ahp://postgres', { extensions: { vector: pgvector } });
    if (texts) {
      await db.exec(`
        CREATE TABLE IF NOT EXISTS items (id integer PRIMARY KEY, text text,
          words tsvector GENERATED ALWAYS AS (to_tsvector('simple', text)) STORED)`);
    } else {
      await db.exec(`
        CREATE EXTENSION IF NOT EXISTS vector;
        CREATE TABLE IF NOT EXISTS items (id integer PRIMARY KEY, embedding vector(${dimensions}))`);
    }
  },
  add: (ids, vectors) =>
    db.query("COPY items FROM '/dev/blob' WITH (FORMAT binary)", [], { blob: binaryCopy(ids, vectors) }),
  addTexts: (ids, texts) => {
    const lines = ids.map((id, row) => `${id}\t${texts[row]}\n`);
    return db.query("COPY items (id, text) FROM '/dev/blob'", [], { blob: new Blob(lines) });
  },
  // The graph is built in memory if it fits. The vectors have length 1, so the inner product is enough.
  async finish() {
    const { rows } = await db.query("SELECT count(*)::int AS texts FROM pg_attribute WHERE attname = 'words'");
    if (rows[0].texts) await db.exec('CREATE INDEX ON items USING gin (words); ANALYZE items');
    else
      await db.exec(`
        SET maintenance_work_mem = '512MB';
        CREATE INDEX ON items USING hnsw (embedding vector_ip_ops);
        ANALYZE items`);
  },
  set: (setting) => db.exec(`SET hnsw.ef_search = ${/\d+$/.exec(setting)}`),
  async search(vector, k) {
    const asked = `[${vector.join(',')}]`;
    const { rows } = await db.query('SELECT id FROM items ORDER BY embedding <#> $1 LIMIT $2', [asked, k]);
    return rows.map(({ id }) => id);
  },
  async searchText(words, k, which) {
    const { rows } = await db.query(
      `SELECT id FROM items, to_tsquery('simple', $1) AS asked WHERE words @@ asked
       ORDER BY ts_rank(words, asked) DESC LIMIT $2`,
      [words.join(which === 'all' ? ' & ' : ' | '), k],
    );
    return rows.map(({ id }) => id);
  },
  async bytes() {
    const { rows } = await db.query('SELECT pg_database_size(current_database())::int AS bytes');
    return rows[0].bytes;
  },
  close: () => db.close(),
};

/** Rows in the format of Postgres's binary COPY (big-endian), its fastest way to insert. */
function binaryCopy(ids, vectors) {
  const width = vectors.length / ids.length;
  const signature = [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00];
  const view = new DataView(new ArrayBuffer(19 + ids.length * (18 + width * 4) + 2));
  for (const [at, byte] of signature.entries()) view.setUint8(at, byte);
  let at = 19;
  for (const [row, id] of ids.entries()) {
    view.setInt16(at, 2);
    view.setInt32(at + 2, 4);
    view.setInt32(at + 6, id);
    view.setInt32(at + 10, 4 + width * 4);
    view.setInt16(at + 14, width);
    at += 18;
    for (let i = 0; i < width; i++, at += 4) view.setFloat32(at, vectors[row * width + i]);
  }
  view.setInt16(at, -1);
  return new Blob([view.buffer]);
}
