// The official module as its documentation has it: SAHPool in a dedicated worker. Without a word its settings are left as
// they are; `wal` gives it a memory's.
import sqlite3InitModule from '/official/index.mjs';
import { answer } from './rpc.js';

/** A memory's settings. WAL needs the exclusive lock first, for OPFS has no shared memory. */
const WAL = ['page_size = 4096', 'locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL'];

let sqlite3;
let pool;
let db;
let statements = {};

/** Statements are kept prepared, as a careful user would. */
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
  /** Rows in one transaction. The time comes first of each, as a memory adds it. */
  insertMany(sql, rows) {
    const statement = prepared(sql);
    db.transaction('IMMEDIATE', () => {
      for (const row of rows) statement.bind([Date.now() / 1000, ...row]).stepReset();
    });
    return rows.length;
  },
  /** The same with rows that are here already; returns ms. */
  async insertOwn(sql, size) {
    const { facts, values } = await import('./facts.js');
    const rows = facts(0, size).map(values);
    const begun = performance.now();
    calls.insertMany(sql, rows);
    return performance.now() - begun;
  },
  /** The same, and an index of their words, made at the end in one statement: without a text of its own, stemmed. */
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
  /** Closes the file and lets other pages have the pool. */
  close() {
    calls.closeFile();
    pool.pauseVfs();
  },
  /** Closes the file and removes it. */
  remove(file) {
    calls.closeFile();
    pool.unlink(file);
  },
};

answer(calls);
