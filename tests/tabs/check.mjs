// Compares what is in the file with what the writers were answered.
import { KEYS, read, tableOf, writerOf } from './pages/calls.js';

const PAGE = 50_000;
const TEXTS = {
  turns: 'SELECT id, user_input AS text FROM turns',
  semantic: 'SELECT id, content AS text FROM semantic_memories',
};

/** What one writer's calls came to. */
class Writer {
  /** How often each call was carried out, by number. */
  times = [];
  /** The number that was last seen in each table. */
  last = { turns: -1, semantic: -1, longTerm: -1 };
  outOfOrder = 0;

  see(table, n) {
    if (n < this.last[table]) this.outOfOrder++;
    this.last[table] = Math.max(n, this.last[table]);
    this.times[n] = (this.times[n] ?? 0) + 1;
  }

  /** Of the one key that its calls set again and again, only the last value is there. */
  seeValue(value) {
    if (value < this.last.longTerm) this.outOfOrder++;
    this.last.longTerm = Math.max(value, this.last.longTerm);
  }

  carriedOut(n) {
    return tableOf(n) === 'longTerm' ? n <= this.last.longTerm : this.times[n] > 0;
  }

  /** `sent` is how many calls it made, where that is known: all of them were answered. */
  judge({ answers, sent }) {
    const last = Math.max(...Object.values(this.last));
    let skipped = 0;
    for (let n = 0; n < (sent ?? last); n++) if (!this.carriedOut(n)) skipped++;
    return {
      missing: answers.filter(({ n }) => !this.carriedOut(n)).length,
      twice: this.times.filter((count) => count > 1).length,
      outOfOrder: this.outOfOrder,
      // A later call of the same client was carried out, or all of its calls were answered.
      skipped,
    };
  }
}

/** Follows a memory that only grows: each look reads what came since the last one. */
export class Check {
  #writers = new Map();
  #read = { turns: 0, semantic: 0 };
  #rows = 0;

  #writer(name) {
    if (!this.#writers.has(name)) this.#writers.set(name, new Writer());
    return this.#writers.get(name);
  }

  /** Reads the new rows through one tab; nobody writes meanwhile. Returns the sum of what is wrong with these tabs' writes. */
  async look(through, tabs) {
    for (const [table, sql] of Object.entries(TEXTS)) {
      for (let more = true; more;) {
        const rows = await through.run('query', `${sql} WHERE id > ? ORDER BY id LIMIT ${PAGE}`, [this.#read[table]]);
        for (const { text } of rows) {
          const { writer, n } = read(text);
          this.#writer(writer).see(table, n);
        }
        this.#rows += rows.length;
        this.#read[table] = rows.at(-1)?.id ?? this.#read[table];
        more = rows.length === PAGE;
      }
    }
    const entries = await through.run('query', 'SELECT key, value FROM long_term WHERE key LIKE ?', [KEYS]);
    for (const { key, value } of entries) this.#writer(writerOf(key)).seeValue(Number(value));
    const found = tabs.map((tab) => this.#writer(tab.writer).judge(tab));
    const sum = (name) => found.reduce((total, each) => total + each[name], 0);
    return Object.fromEntries(['missing', 'twice', 'outOfOrder', 'skipped'].map((name) => [name, sum(name)]));
  }

  /** Whether the file is sound and still holds every row that was seen. */
  async whole(through) {
    const [{ integrity_check: integrity }] = await through.run('query', 'PRAGMA integrity_check', []);
    const [{ n }] = await through.run(
      'query',
      'SELECT (SELECT count(*) FROM turns) + (SELECT count(*) FROM semantic_memories) AS n',
      [],
    );
    return { integrity, rows: n, lost: this.#rows - n };
  }
}
