// SQLite's full-text search in the official module.
import sqlite3InitModule from '/official/index.mjs';

let db;
let adding;
let searching;

export default {
  name: 'SQLite FTS5, official module',
  storage: 'OPFS (SAHPool)',

  async open() {
    const sqlite3 = await sqlite3InitModule();
    const pool = await sqlite3.installOpfsSAHPoolVfs();
    db = new pool.OpfsSAHPoolDb('/texts.db');
    db.exec('CREATE VIRTUAL TABLE IF NOT EXISTS items USING fts5 (text)');
    adding = db.prepare('INSERT INTO items (rowid, text) VALUES (?, ?)');
    searching = db.prepare('SELECT rowid FROM items WHERE items MATCH ? ORDER BY rank LIMIT ?');
  },
  addTexts(ids, texts) {
    db.transaction(() => {
      for (const [row, id] of ids.entries()) adding.bind([id, texts[row]]).stepReset();
    });
  },
  finish() {},
  searchText(words, k, which) {
    const quoted = words.map((word) => `"${word}"`);
    searching.bind([quoted.join(which === 'all' ? ' AND ' : ' OR '), k]);
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
