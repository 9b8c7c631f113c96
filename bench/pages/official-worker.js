// The official module as its documentation has it: SAHPool in a dedicated worker, settings left as they are.
import sqlite3InitModule from '/official/index.mjs';

let db;
let getRow;

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ id: data.id, value: await calls[data.call](...data.given) });
  } catch (error) {
    self.postMessage({ id: data.id, error: String(error) });
  }
};

const calls = {
  async open(name) {
    const sqlite3 = await sqlite3InitModule();
    const pool = await sqlite3.installOpfsSAHPoolVfs({ name });
    db = new pool.OpfsSAHPoolDb('/memory.db');
    return db.selectValue('SELECT count(*) FROM sqlite_schema');
  },
  exec: (sql) => void db.exec(sql),
  insert: (sql, bind) => {
    db.exec({ sql, bind });
    return db.selectValue('SELECT last_insert_rowid()');
  },
  // A statement is kept prepared, as a careful user would.
  get: (sql, id) => {
    getRow ??= db.prepare(sql);
    getRow.bind([id]);
    const row = getRow.step() ? getRow.get({}) : undefined;
    getRow.reset();
    return row;
  },
};
