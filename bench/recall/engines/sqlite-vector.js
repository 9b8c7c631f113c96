// SQLite Cloud's build: SQLite with sqlite-vector, which scans a copy of the vectors in 8 bits, kept in memory.
import sqlite3InitModule from '/peers/@sqliteai/sqlite-wasm/sqlite-wasm/jswasm/sqlite3.mjs';

let db;
let adding;
let searching;

const quantised = () => db.selectValue("SELECT count(*) FROM sqlite_schema WHERE name = 'vector0_items_embedding'");

export default {
  name: 'sqlite-vector, 8 bits',
  storage: 'OPFS (SAHPool)',
  exact: false,

  async open({ dimensions }) {
    const sqlite3 = await sqlite3InitModule({ print() {}, printErr() {} });
    const pool = await sqlite3.installOpfsSAHPoolVfs();
    db = new pool.OpfsSAHPoolDb('/vectors.db');
    db.exec('CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, embedding BLOB)');
    const options = `type=FLOAT32,dimension=${dimensions},distance=COSINE`;
    db.exec(`SELECT vector_init('items', 'embedding', '${options}')`);
    if (quantised()) db.exec("SELECT vector_quantize_preload('items', 'embedding')");
    adding = db.prepare('INSERT INTO items (id, embedding) VALUES (?, ?)');
    searching = db.prepare("SELECT rowid FROM vector_quantize_scan('items', 'embedding', ?, ?)");
  },
  add(ids, vectors) {
    const width = vectors.length / ids.length;
    db.transaction(() => {
      for (const [row, id] of ids.entries())
        adding.bind([id, new Uint8Array(vectors.buffer, row * width * 4, width * 4)]).stepReset();
    });
  },
  finish() {
    db.exec("SELECT vector_quantize('items', 'embedding'); SELECT vector_quantize_preload('items', 'embedding')");
  },
  search(vector, k) {
    searching.bind([new Uint8Array(vector.buffer), k]);
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
