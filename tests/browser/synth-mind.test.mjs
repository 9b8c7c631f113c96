// The main use case, on a real file: import from Synth Mind, upgrade to head, reload, and return to Alembic's revision.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { python } from '../../scripts/setup.mjs';
import { withPage } from './page.mjs';

const original = at('tests', 'fixtures', 'synth-mind-alembic.db');
const ask = (...files) =>
  JSON.parse(execFileSync(python, [at('tests', 'alembic', 'check.py'), ...files], { encoding: 'utf8' }));

test('a file of Synth Mind goes in, is upgraded, survives a reload, and goes back row for row', () =>
  withPage(async ({ page, load }) => {
    const counted = { turns: 64, episodes: 16, semantic: 16, uncertainty: 8, longTerm: 5 };
    const open = () =>
      page.evaluate(async () => {
        window.memory = await window.library.Memory.open();
      });
    const look = () =>
      page.evaluate(async () => {
        const tables = ['turns', 'episodes', 'semantic', 'uncertainty', 'longTerm'];
        const counts = await Promise.all(tables.map(async (table) => [table, await window.memory[table].count()]));
        return { counts: Object.fromEntries(counts), revision: window.memory.status.revision };
      });
    await open();
    const imported = await page.evaluate(
      (file) => window.memory.import(new Uint8Array(file)),
      [...readFileSync(original)],
    );
    assert.deepEqual(imported, { applied: ['002'], leftOut: [] });
    assert.deepEqual(await look(), { counts: counted, revision: '002' });

    await load(page);
    await open();
    assert.deepEqual(await look(), { counts: counted, revision: '002' });
    assert.deepEqual(await page.evaluate(() => window.memory.longTerm.get('profile')), {
      languages: ['en', 'fr'],
      age: 36,
    });

    const bytes = await page.evaluate(async () => [...(await window.memory.export({ revision: '001' }))]);
    const folder = mkdtempSync(join(tmpdir(), 'synth-memory-export-'));
    try {
      const exported = join(folder, 'exported.db');
      writeFileSync(exported, new Uint8Array(bytes));
      assert.deepEqual(ask(exported, original), {
        current: '001 (head)',
        integrity: 'ok',
        rows: { alembic_version: 1, episodes: 16, long_term: 5, semantic_memories: 16, turns: 64, uncertainty_log: 8 },
        same: { schema: true, rows: true },
        upAgain: true,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }));
