// Rows of another program that cannot be read take no place in an answer.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { python } from '../../scripts/setup.mjs';
import { call, open } from './migrations.mjs';
import { withPage } from './page.mjs';
import { WORDS } from './questions.mjs';

/** Adds at least 150 such rows to each table. Their texts are short, so they match the word better than long ones. */
const SPOIL = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for n in range(150):
    text = b'peanuts %d' % n
    broken = text + b'\\xff\\xfe'
    text, blob = text.decode(), sqlite3.Binary(text)
    insert = lambda table, **row: db.execute(
        'INSERT INTO %s (%s) VALUES (%s)' % (table, ', '.join(row), ', '.join(
            'CAST(? AS TEXT)' if isinstance(value, bytes) else '?' for value in row.values())), tuple(row.values()))
    insert('turns', timestamp=n, user_input=broken)
    insert('turns', timestamp=n, user_input=blob)
    insert('episodes', timestamp=n, event_type=broken)
    insert('episodes', timestamp='yesterday', event_type=text)
    insert('semantic_memories', timestamp=n, content=broken, importance=1.0)
    insert('semantic_memories', timestamp=n, content=text + ' much', importance='much')
    insert('long_term', key=text, value=broken, updated_at=n)
    insert('uncertainty_log', timestamp=n, user_message=broken)
db.commit()
`;

/** A file with these rows. */
function spoilt(bytes) {
  const folder = mkdtempSync(join(tmpdir(), 'synth-memory-spoilt-'));
  try {
    const file = join(folder, 'memory.db');
    writeFileSync(file, bytes);
    execFileSync(python, ['-c', SPOIL, file]);
    return [...readFileSync(file)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [what, make] of [
  ['this package', (page) => page.evaluate(async () => [...(await window.memory.export())])],
  ['Synth Mind', () => readFileSync(at('tests', 'fixtures', 'synth-mind-alembic.db'))],
]) {
  test(`rows that cannot be read take no place in an answer, in a file of ${what}`, () =>
    withPage(async ({ page }) => {
      await open(page);
      const file = spoilt(Uint8Array.from(await make(page)));
      const { applied } = await page.evaluate((file) => window.memory.import(new Uint8Array(file)), file);
      assert.ok(Array.isArray(applied), JSON.stringify(applied));
      // The rows exist, and cannot be read.
      const [{ n }] = await call(page, 'query', "SELECT count(*) AS n FROM turns WHERE typeof(user_input) = 'blob'");
      assert.equal(n, 150);
      // All are listed, with their readable parts and the names of the unreadable ones.
      assert.equal((await call(page, 'unreadable')).length, 1000);
      for (const [table, order, many] of [
        ['turns', 'timestamp', 300],
        ['episodes', 'timestamp', 300],
        ['semantic', 'importance', 300],
        ['longTerm', 'key', 150],
        ['uncertainty', 'confidenceScore', 150],
      ]) {
        for (const orderBy of [order, 'updatedAt'].slice(0, table === 'longTerm' ? 2 : 1)) {
          const seen = await page.evaluate(
            async ([table, orderBy]) => {
              const seen = [];
              for (let cursor = null; ;) {
                const page = await window.memory[table].list({ orderBy, limit: 70, cursor });
                seen.push(...page.rows);
                cursor = page.cursor;
                if (cursor === null) return seen.filter((row) => row.unreadable).map((row) => row.id ?? row.key);
              }
            },
            [table, orderBy],
          );
          assert.deepEqual([seen.length, new Set(seen).size], [many, many], `${table} by ${orderBy}`);
        }
      }

      // Ten readable rows in each table. Their texts are longer, so that they match the word less well.
      const readable = (n) => `${n} times she said that she must not eat any food at all that was made with peanuts`;
      await page.evaluate(
        async (texts) => {
          const { turns, episodes, semantic, longTerm, uncertainty } = window.memory;
          await turns.appendMany(texts.map((userInput) => ({ userInput })));
          await episodes.recordMany(texts.map((text) => ({ eventType: 'said', content: { text } })));
          await semantic.rememberMany(texts.map((text) => ({ content: `${text}, as is known`, importance: 0.1 })));
          await longTerm.setMany(texts.map((text, n) => [`user.said.${n}`, text]));
          await uncertainty.logMany(texts.map((userMessage) => ({ userMessage, confidenceScore: 0.5 })));
        },
        Array.from({ length: 10 }, (_, n) => readable(n)),
      );

      const found = async (path, ...args) => {
        const answer = await call(page, path, ...args);
        return answer.code ?? answer.length;
      };
      const counts = {};
      for (const table of ['turns', 'episodes', 'semantic', 'longTerm', 'uncertainty']) {
        const apart = { tables: [table] };
        counts[`${table} by words`] = await found('recall', 'peanuts', { k: 10, ...apart, ...WORDS });
        counts[`${table} by meaning`] = await found('recall', 'peanuts', { k: 10, ...apart });
      }
      counts['all by words'] = await found('recall', 'peanuts', { k: 40, ...WORDS });
      counts['all by meaning'] = await found('recall', 'peanuts', { k: 40 });
      counts.neighbors = await found('recall', 'peanuts', {
        k: 10,
        tables: ['turns'],
        neighbors: 20,
      });
      counts.search = await found('semantic.search', 'peanuts', { k: 10 });
      counts.related = await found('related', 'peanuts', { k: 10 });
      const context = await call(page, 'context', 'peanuts', {
        tokenBudget: 10_000,
        k: 10,
        sections: { recalled: 1 },
      });
      counts.context = context.code ?? context.used.length;
      assert.deepEqual(
        counts,
        Object.fromEntries(Object.keys(counts).map((name) => [name, name.startsWith('all') ? 40 : 10])),
      );
    }));
}

test('a readable row is found next to an unreadable one with the same text', () =>
  withPage(async ({ page }) => {
    await open(page);
    const file = spoilt(Uint8Array.from(await page.evaluate(async () => [...(await window.memory.export())])));
    await page.evaluate((file) => window.memory.import(new Uint8Array(file)), file);
    await call(page, 'semantic.remember', { content: 'peanuts 7 much', importance: 0 });
    for (const options of [WORDS, {}]) {
      const hits = await call(page, 'recall', 'peanuts 7 much', { k: 1, tables: ['semantic'], ...options });
      assert.deepEqual([hits[0]?.text, hits[0]?.row.importance], ['peanuts 7 much', 0]);
    }
  }));

test('a row of another program is read as far as possible, corrected and deleted', () =>
  withPage(async ({ page }) => {
    await open(page);
    await call(page, 'turns.append', { userInput: 'I can be read' });
    const file = spoilt(Uint8Array.from(await page.evaluate(async () => [...(await window.memory.export())])));
    await page.evaluate((file) => window.memory.import(new Uint8Array(file)), file);
    const rows = await call(page, 'unreadable');
    assert.deepEqual(rows[0], { table: 'turns', id: 2, fields: ['userInput'] });
    const broken = await call(page, 'turns.get', 2);
    assert.deepEqual([broken.userInput, broken.unreadable], ['peanuts 0\ufffd\ufffd', ['userInput']]);
    assert.equal((await call(page, 'turns.get', 3)).userInput, 'peanuts 0');
    const episode = rows.find(({ table, fields }) => table === 'episodes' && fields.includes('timestamp'));
    const { timestamp, eventType, unreadable } = await call(page, 'episodes.get', episode.id);
    assert.deepEqual([timestamp, eventType, unreadable], [null, 'peanuts 0', ['timestamp']]);
    const entry = await call(page, 'longTerm.entry', 'peanuts 0');
    assert.deepEqual([entry.value, entry.unreadable], ['peanuts 0\ufffd\ufffd', ['value']]);

    // The last 300 turns cannot be read. The context contains the one that can.
    const recent = await call(page, 'turns.recent', 10);
    assert.equal(recent.filter((turn) => turn.unreadable).length, 10);
    const { text } = await call(page, 'context', 'anything', { sections: { turns: 1 }, recentTurns: 5 });
    assert.equal(text.match(/<turns /g).length, 1);
    assert.match(text, /I can be read/);

    await call(page, 'turns.update', 2, { userInput: 'peanuts, corrected' });
    await call(page, 'episodes.update', episode.id, { timestamp: new Date(0) });
    await call(page, 'turns.delete', 3);
    for (const [path, id] of [
      ['turns.get', 2],
      ['episodes.get', episode.id],
    ]) {
      assert.equal((await call(page, path, id)).unreadable, undefined);
    }
    const [hit] = await call(page, 'recall', 'corrected', { k: 1, tables: ['turns'], ...WORDS });
    assert.equal(hit.text.trim(), 'peanuts, corrected');
    const left = await call(page, 'unreadable');
    assert.ok(
      !left.some(({ table, id }) => (table === 'turns' && id <= 3) || (table === 'episodes' && id === episode.id)),
    );
  }));
