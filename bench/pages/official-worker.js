// The official module as its documentation recommends: SAHPool in a dedicated worker. With `wal` it gets a memory's
// settings, otherwise it keeps its own.
import sqlite3InitModule from '/official/index.mjs';
import { answer } from './rpc.js';

/** A memory's settings. WAL needs the exclusive lock first, because OPFS has no shared memory. */
const WAL = ['page_size = 4096', 'locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL'];

let sqlite3;
let pool;
let db;
let statements = {};

/** Prepared statements are reused, as in a careful program. */
const prepared = (sql) => (statements[sql] ??= db.prepare(sql));

const calls = {
  async open(name, { wal = false, file = '/memory.db' } = {}) {
    sqlite3 ??= await sqlite3InitModule();
    pool ??= await sqlite3.installOpfsSAHPoolVfs({ name });
    db = new pool.OpfsSAHPoolDb(file);
    if (wal) for (const setting of WAL) db.exec(`PRAGMA ${setting}`);
    return db.selectValue('SELECT count(*) FROM sqlite_schema');
  },
  settings: () => ({
    pageSize: db.selectValue('PRAGMA page_size'),
    journal: db.selectValue('PRAGMA journal_mode'),
    synchronous: db.selectValue('PRAGMA synchronous'),
  }),
  exec: (sql) => void db.exec(sql),
  insert: (sql, bind) => {
    prepared(sql).bind(bind).stepReset();
    return Number(sqlite3.capi.sqlite3_last_insert_rowid(db));
  },
  /** Inserts rows in one transaction. The time is the first value of each, as in a memory. */
  insertMany(sql, rows) {
    const statement = prepared(sql);
    db.transaction('IMMEDIATE', () => {
      for (const row of rows) statement.bind([Date.now() / 1000, ...row]).stepReset();
    });
    return rows.length;
  },
  /** The same with rows that are already in the worker. Returns the time in ms. */
  async insertOwn(sql, size) {
    const { facts, values } = await import('./facts.js');
    const rows = facts(0, size).map(values);
    const begun = performance.now();
    calls.insertMany(sql, rows);
    return performance.now() - begun;
  },
  /** The same, with an index of their words, built at the end in one statement: contentless and stemmed. */
  async insertIndexed(sql, size) {
    const { facts, values } = await import('./facts.js');
    const rows = facts(0, size).map(values);
    const begun = performance.now();
    calls.insertMany(sql, rows);
    calls.index();
    return performance.now() - begun;
  },
  index() {
    db.transaction('IMMEDIATE', () => {
      db.exec("CREATE VIRTUAL TABLE words USING fts5(content, content = '', tokenize = 'porter')");
      db.exec('INSERT INTO words (rowid, content) SELECT id, content FROM semantic_memories');
    });
  },
  count: (table) => db.selectValue(`SELECT count(*) FROM ${table}`),
  get: (sql, id) => {
    const statement = prepared(sql);
    statement.bind([id]);
    const row = statement.step() ? statement.get({}) : undefined;
    statement.reset();
    return row;
  },
  closeFile() {
    for (const statement of Object.values(statements)) statement.finalize();
    statements = {};
    db.close();
  },
  /** Closes the file and releases the pool for other pages. */
  close() {
    calls.closeFile();
    pool.pauseVfs();
  },
  /** Closes and removes the file. */
  remove(file) {
    calls.closeFile();
    pool.unlink(file);
  },
};

answer(calls);
