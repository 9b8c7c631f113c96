// sqlite-vec's own build for the browser: SQLite with its vec0 table, which scans every row. The newest release of that
// build, 0.1.9, does not start (it sets `Module.postRun` too late), so this is the one before it.
import sqlite3InitModule from '/peers/sqlite-vec-wasm-demo/sqlite3.mjs';

/** An engine over a vec0 table. It is also used with a table that has bits in addition to the vectors. */
export function sqliteVec({ name, exact, notes, settings, set, schema, insert, select, bind }) {
  let db;
  let adding;
  let searching;
  return {
    name,
    exact,
    notes,
    settings,
    storage: 'OPFS (SAHPool)',

    async open() {
      const sqlite3 = await sqlite3InitModule({ print() {}, printErr() {} });
      const pool = await sqlite3.installOpfsSAHPoolVfs();
      db = new pool.OpfsSAHPoolDb('/vectors.db');
      db.exec(schema);
      adding = db.prepare(insert);
      searching = db.prepare(select);
    },
    add(ids, vectors) {
      const width = vectors.length / ids.length;
      db.transaction(() => {
        for (const [row, id] of ids.entries()) {
          const vector = new Uint8Array(vectors.buffer, row * width * 4, width * 4);
          adding.bind({ ':id': id, ':vector': vector }).stepReset();
        }
      });
    },
    finish() {},
    set: (setting) => set(db, setting),
    search(vector, k) {
      const blob = new Uint8Array(vector.buffer);
      searching.bind({ ':vector': blob, ':k': k, ...bind?.() });
      const ids = [];
      while (searching.step()) ids.push(searching.getInt(0));
      searching.reset();
      return ids;
    },
    bytes: () => db.selectValue('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size'),
    close() {
      adding.finalize();
      searching.finalize();
      db.close();
    },
  };
}

// The larger cache holds the whole table, as SQLite's manual suggests.
const CACHES = { 'float32, cache as it comes': -16_384, 'float32, cache of 256 MiB': -262_144 };

export default sqliteVec({
  name: 'sqlite-vec',
  exact: true,
  settings: Object.keys(CACHES),
  set: (db, setting) => db.exec(`PRAGMA cache_size = ${CACHES[setting]}`),
  schema: 'CREATE VIRTUAL TABLE IF NOT EXISTS items USING vec0 (embedding float[384] distance_metric=cosine)',
  insert: 'INSERT INTO items (rowid, embedding) VALUES (:id, :vector)',
  select: 'SELECT rowid FROM items WHERE embedding MATCH :vector AND k = :k',
});
