// An app's own migrations as its users have them: on a file in OPFS, under the strict policy, release after release.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { ask, call, file, fill, open, query, releases } from './migrations.mjs';
import { withPage } from './page.mjs';

const ROWS = 300;
const [, first, second] = releases;
/** An app's own revision after the package's last one. */
const newer = file(
  '003',
  '002',
  'ALTER TABLE turns ADD COLUMN mood TEXT; UPDATE turns SET mood = user_input;',
  'ALTER TABLE turns DROP COLUMN mood;',
);

test('a table is added in one release and changed in the next, and rows are kept', () =>
  withPage(async ({ page }) => {
    assert.deepEqual((await open(page)).migrated, ['001', '002']);
    await fill(page, ROWS);

    const added = await open(page, { migrations: first });
    assert.deepEqual(
      [added.migrated, added.revisions, added.revision, added.backup.revision],
      [['reminders1'], ['002', 'reminders1'], '002, reminders1', '002'],
    );
    const reminder = { text: 'the last', due: '2026-12-31T18:00' };
    await call(page, 'episodes.record', { eventType: 'reminder', content: reminder });
    assert.equal(await ask(page, 'SELECT count(*) FROM reminders'), ROWS + 1);

    const status = await open(page, { migrations: second });
    assert.deepEqual([status.migrated, status.revisions], [['reminders2'], ['002', 'reminders2']]);
    assert.deepEqual([status.revisions, status.head, status.readOnly], [status.heads, '002, reminders2', false]);

    // The reported progress, in order.
    const events = await page.evaluate(() => window.events);
    const phases = events.map(({ phase }) => phase).filter((phase, at, all) => phase !== all[at - 1]);
    assert.deepEqual(phases, ['backup', 'upgrade', 'check']);
    const [backup, upgrade] = ['backup', 'upgrade'].map((phase) => events.filter((event) => event.phase === phase));
    const { file } = await query(page, 'SELECT page_count AS file FROM pragma_page_count').then(([row]) => row);
    assert.ok(backup.at(-1).total > file / 2, `${backup.at(-1).total} pages of about ${file}`);
    assert.equal(backup.at(-1).done, backup.at(-1).total);
    assert.ok(upgrade.length > 0 && upgrade.every(({ revision, steps }) => revision === 'reminders2' && steps === 1));
    assert.deepEqual([upgrade.at(-1).done, upgrade.at(-1).total], [ROWS + 1, ROWS + 1]);

    const backups = await call(page, 'backups.list');
    assert.equal(backups[0].id, status.backup.id);
    assert.deepEqual(
      backups.map(({ revision }) => revision),
      ['002, reminders1', '002'],
    );
    await call(page, 'episodes.record', { eventType: 'reminder', content: { text: 'soon' } });
    assert.deepEqual(await query(page, 'SELECT * FROM reminders ORDER BY id DESC LIMIT 2'), [
      { id: ROWS + 2, day: 'someday', text: 'soon', due: null },
      { id: ROWS + 1, day: '2026-12-31', ...reminder },
    ]);
    assert.equal(await ask(page, 'SELECT count(*) FROM turns'), ROWS);
    assert.equal(await call(page, 'episodes.delete', 1), 1);
    assert.equal(await ask(page, 'SELECT count(*) FROM reminders'), ROWS + 1);

    // Downgrades of the branch alone: one step, then the rest.
    assert.deepEqual(await call(page, 'migrations.downgrade', 'reminders@-1'), ['reminders2']);
    assert.equal((await query(page, 'SELECT * FROM reminders'))[0].day, undefined);
    assert.deepEqual(await call(page, 'migrations.downgrade', 'reminders@base'), ['reminders1']);
    assert.deepEqual(await call(page, 'migrations.current'), ['002']);
    assert.deepEqual((await call(page, 'backups.restore', backups[0].id)).applied, ['reminders2']);
    assert.equal(await ask(page, 'SELECT count(*) FROM reminders'), ROWS + 1);
  }));

test('docs/own-tables.md shows these very files', () => {
  const page = readFileSync(at('docs', 'own-tables.md'), 'utf8');
  const shown = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, sql]) => sql);
  assert.deepEqual(
    shown.map((sql) => Object.values(second).findIndex((text) => text.startsWith(sql))),
    [0, 1],
  );
});

test('an edited migration is rejected by name, until the edit is accepted', () =>
  withPage(async ({ page }) => {
    await open(page, { migrations: first });
    const [[path, text]] = Object.entries(first);
    const migrations = { [path]: text.replace('due TEXT', 'due TEXT, place TEXT') };
    const error = await open(page, { migrations });
    assert.equal(error.code, 'edited_revision');
    assert.match(error.message, /20261201_0900_reminders1_reminders\.sql/);

    const status = await open(page, { migrations, upgrade: false });
    assert.deepEqual([status.migrated, status.revisions], [[], ['002', 'reminders1']]);
    const standings = async () =>
      Object.fromEntries((await call(page, 'migrations.verify')).map((row) => [row.revision, row.standing]));
    assert.deepEqual(await standings(), { '001': 'ok', '002': 'ok', reminders1: 'edited' });
    await call(page, 'migrations.accept', 'reminders1');
    assert.deepEqual(await standings(), { '001': 'ok', '002': 'ok', reminders1: 'ok' });
    assert.deepEqual((await open(page, { migrations })).migrated, []);
  }));

test('a newer file in older code is rejected, read, or downgraded', () =>
  withPage(async ({ page }) => {
    await open(page);
    await fill(page, ROWS);
    assert.deepEqual((await open(page, { migrations: newer })).migrated, ['003']);
    assert.equal(await ask(page, "SELECT count(*) FROM turns WHERE mood LIKE 'turn %'"), ROWS);

    for (const options of [{}, { onNewerSchema: 'error' }]) {
      const error = await open(page, options);
      assert.equal(error.code, 'newer_schema');
      assert.match(error.message, /003/);
    }

    const readonly = await open(page, { onNewerSchema: 'readonly' });
    assert.deepEqual([readonly.readOnly, readonly.revision, readonly.head], [true, '003', '002']);
    assert.equal(readonly.unindexed, 0);
    assert.equal(await call(page, 'turns.count', { search: 'turn' }), ROWS);
    assert.equal(await ask(page, 'SELECT count(mood) FROM turns'), ROWS);
    const write = { userInput: 'lost' };
    for (const [path, ...args] of [['turns.append', write], ['turns.clear'], ['longTerm.set', 'key', 1]])
      assert.equal((await call(page, path, ...args)).code, 'read_only_memory', path);
    assert.equal((await call(page, 'migrations.downgrade', '001')).code, 'unknown_revision');
    const history = await call(page, 'migrations.history');
    assert.deepEqual(
      history.map(({ id }) => id),
      ['002', '001'],
    );

    const back = await open(page, { onNewerSchema: 'downgrade' });
    assert.deepEqual([back.readOnly, back.revision, back.backup.revision], [false, '002', '003']);
    assert.equal(await call(page, 'turns.append', write), ROWS + 1);
    assert.equal(await ask(page, "SELECT count(*) FROM pragma_table_info('turns') WHERE name = 'mood'"), 0);

    assert.deepEqual((await open(page, { migrations: newer })).migrated, ['003']);
    assert.equal(await ask(page, 'SELECT count(mood) FROM turns'), ROWS + 1);
  }));

test('invalid files are rejected by name, and the memory is unchanged', () =>
  withPage(async ({ page }) => {
    await open(page);
    await fill(page, 3);
    const one = file('app1', '', 'CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);', 'DROP TABLE notes;');
    const before = await call(page, 'export').then(String);
    for (const [what, migrations, code, named] of [
      ['a duplicate id', { ...one, 'again.sql': one['app1.sql'] }, 'invalid_migration', /app1\.sql.*again\.sql|again/s],
      ['an id of ours', { 'mine.sql': file('002', '001', '')['002.sql'] }, 'invalid_migration', /mine\.sql/],
      ['an unknown parent', file('app2', 'app1', ''), 'invalid_migration', /app2\.sql/],
      ['a circle', { ...file('x', 'y', ''), ...file('y', 'x', '') }, 'invalid_migration', /x\.sql/],
      ['no markers', { 'plain.sql': 'CREATE TABLE notes (id);' }, 'invalid_migration', /plain\.sql/],
      ['no text', { 'empty.sql': '' }, 'invalid_migration', /empty\.sql/],
      ['a page for a file', { './m/a.sql': '<!doctype html>' }, 'invalid_migration', /a\.sql/],
      ['SQL that fails', file('bad', '', 'CREATE TABLE turns (id);'), 'migration_failed', /bad\.sql/],
      [
        'a batch of no table',
        file('bad', '', '-- batch: none\nCREATE TABLE none (id);'),
        'invalid_migration',
        /bad\.sql/,
      ],
      ['a batch of two', file('two', '', '-- batch: one two\nCREATE TABLE one (id);'), 'invalid_migration', /two\.sql/],
      ['a module', { './app.sql': { default: 'text' } }, 'invalid_argument', /app\.sql.*import\.meta\.glob/],
      ['a lone surrogate', { 'half.sql': `${one['app1.sql']}\ud800` }, 'invalid_text', /half\.sql/],
      ['an array', Object.values(one), 'invalid_argument', /import\.meta\.glob/],
      ['null', null, 'invalid_argument', /import\.meta\.glob/],
      ['a text', one['app1.sql'], 'invalid_argument', /import\.meta\.glob/],
    ]) {
      const error = await open(page, { migrations });
      assert.equal(error.isMemoryError, true, what);
      assert.equal(error.code, code, `${what}: ${error.message}`);
      assert.match(error.message, named, what);
      const status = await open(page);
      assert.deepEqual([status.revision, status.migrated], ['002', []], what);
    }
    assert.equal(await call(page, 'export').then(String), before);
    assert.deepEqual((await open(page, { migrations: one })).migrated, ['app1']);
  }));

test('queries about migrations change nothing, and new files are valid', () =>
  withPage(async ({ page }) => {
    await open(page, { migrations: first });
    await fill(page, ROWS);
    const before = await call(page, 'export').then(String);

    await open(page, { migrations: second, upgrade: false });
    const plan = await call(page, 'migrations.plan');
    assert.deepEqual(
      plan.steps.map(({ revision }) => revision),
      ['reminders2'],
    );
    const rows = plan.tables.find(({ table }) => table === 'reminders');
    assert.deepEqual([rows.before, rows.after], [ROWS, ROWS]);
    const back = await call(page, 'migrations.plan', 'reminders@base', { direction: 'downgrade' });
    assert.equal(back.tables.find(({ table }) => table === 'reminders').after, null);
    assert.match(await call(page, 'migrations.sql', 'base', '002'), /CREATE TABLE turns/);
    const down = { direction: 'downgrade' };
    assert.match(await call(page, 'migrations.sql', '002', '001', down), /DROP TABLE memory_fts/);
    assert.match(await call(page, 'migrations.sql', '001', 'base', down), /DROP TABLE turns;/);
    const batch = await call(page, 'migrations.sql', 'reminders1', 'reminders2');
    assert.equal(batch.code, 'invalid_argument');
    assert.deepEqual(await call(page, 'migrations.current'), ['002', 'reminders1']);
    assert.equal(await call(page, 'export').then(String), before);
    assert.deepEqual(await call(page, 'backups.list'), []);

    // The schema that the app declares, next to the one that its revisions make.
    const declared = (
      await query(page, "SELECT sql FROM sqlite_schema WHERE name LIKE 'reminders%' AND sql IS NOT NULL")
    )
      .map(({ sql }) => `${sql};`)
      .join('\n');
    await open(page, { migrations: first });
    assert.deepEqual((await call(page, 'migrations.check', declared)).operations, []);
    const schema = `${declared.replace('due TEXT', 'due TEXT, place TEXT NOT NULL')}\nCREATE INDEX by_due ON reminders (due);`;
    const difference = await call(page, 'migrations.check', schema);
    assert.equal(difference.operations.length, 2);
    const heads = ['reminders@head'];
    const made = await call(page, 'migrations.revision', { message: 'Places', heads, schema });
    const migrations = { ...first, [made.name]: made.text };
    assert.deepEqual((await open(page, { migrations })).migrated, [made.id]);
    assert.deepEqual((await call(page, 'migrations.check', schema)).operations, []);
    assert.equal(await call(page, 'migrations.revision', { message: 'None', heads, schema }), null);
    assert.equal(await ask(page, "SELECT count(*) FROM reminders WHERE place = ''"), ROWS);

    // Two heads are merged into one, and several revisions squashed into one file.
    const merged = await call(page, 'migrations.merge', ['002', made.id], { message: 'All of it' });
    const all = { ...migrations, [merged.name]: merged.text };
    const status = await open(page, { migrations: all });
    assert.deepEqual([status.migrated, status.revisions], [[merged.id], [merged.id]]);
    assert.equal(await ask(page, 'SELECT count(*) FROM reminders'), ROWS);
  }));

test('a squash stands for its line, in new memories and in old ones', () =>
  withPage(async ({ page }) => {
    const line = {
      ...file('app1', '', 'CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);', 'DROP TABLE notes;'),
      ...file(
        'app2',
        'app1',
        "ALTER TABLE notes ADD COLUMN mood TEXT; INSERT INTO notes VALUES (1, 'a', 'b');",
        'ALTER TABLE notes DROP COLUMN mood;',
      ),
    };
    await open(page, { migrations: line });
    const squashed = await call(page, 'migrations.squash', 'base', 'app2', { message: 'Notes' });
    assert.equal(squashed.id, 'app2');
    const migrations = { [squashed.name]: squashed.text };
    for (const [url, migrated] of [
      [undefined, []],
      ['opfs:///fresh.db', ['001', '002', 'app2']],
    ]) {
      const status = await open(page, { migrations, ...(url && { url }) });
      assert.deepEqual([status.migrated, status.revisions], [migrated, ['002', 'app2']]);
      assert.deepEqual(await query(page, 'SELECT * FROM notes'), [{ id: 1, body: 'a', mood: 'b' }]);
    }
  }));

test('as many backups are kept as the app requests', () =>
  withPage(async ({ page }) => {
    await open(page);
    await fill(page, 3);
    for (const keep of [0, 21, 1.5, '1']) {
      assert.equal((await open(page, { backups: { keep } })).code, 'invalid_argument');
    }
    const migrate = async (keep) => {
      await open(page, { backups: { keep } });
      for (const way of ['downgrade', 'upgrade', 'downgrade', 'upgrade'])
        await call(page, `migrations.${way}`, way === 'upgrade' ? 'heads' : '001');
      return (await call(page, 'backups.list')).length;
    };
    assert.equal(await migrate(2), 2);
    assert.equal(await migrate(1), 1);
    assert.equal(await migrate(4), 4);
  }));

test('without space for a backup nothing is changed, unless the app requests to migrate anyway', () =>
  withPage(async ({ page, context, origin }) => {
    await open(page);
    await page.evaluate(() => {
      const userInput = 'green tea and peanuts '.repeat(500);
      return window.memory.turns.appendMany(Array.from({ length: 1500 }, () => ({ userInput })));
    });
    await page.evaluate(() => window.memory.close());
    const session = await context.newCDPSession(page);
    const { usage } = await page.evaluate(() => navigator.storage.estimate());
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + 6_000_000 });

    const error = await open(page, { migrations: first });
    assert.deepEqual([error.code, error.isMemoryError], ['quota_exceeded', true]);
    const before = await open(page);
    assert.deepEqual([before.revision, before.migrated], ['002', []]);
    assert.equal(await call(page, 'turns.count'), 1500);
    assert.deepEqual(await call(page, 'backups.list'), []);

    const status = await open(page, { migrations: first, backups: { required: false } });
    assert.deepEqual([status.migrated, status.backup], [['reminders1'], null], JSON.stringify(status));
    assert.equal(await call(page, 'turns.count'), 1500);
    assert.equal(await ask(page, 'PRAGMA integrity_check'), 'ok');
  }));

test("the file of Synth Mind's app, which names no revision, is taken in with the app's own beside it", () =>
  withPage(async ({ page }) => {
    const bytes = [...readFileSync(at('tests', 'fixtures', 'synth-mind-app.db'))];
    await open(page, { migrations: second });
    const { applied } = await page.evaluate(
      (bytes) => window.memory.import(new Uint8Array(bytes)).catch(window.told),
      bytes,
    );
    assert.deepEqual(applied.toSorted(), ['002', 'reminders1', 'reminders2']);
    const counts = await query(
      page,
      `SELECT (SELECT count(*) FROM turns) AS turns, (SELECT count(*) FROM episodes) AS episodes,
        (SELECT count(*) FROM long_term) AS long_term, (SELECT count(*) FROM reminders) AS reminders,
        (SELECT count(*) FROM semantic_memories) AS semantic, (SELECT count(*) FROM uncertainty_log) AS uncertainty`,
    );
    assert.deepEqual(counts, [{ turns: 64, episodes: 16, long_term: 5, reminders: 0, semantic: 16, uncertainty: 8 }]);
    const reminder = { eventType: 'reminder', content: { text: 'Water the plants', due: '2026-12-24T09:00' } };
    await call(page, 'episodes.record', reminder);
    assert.equal(await ask(page, 'SELECT day FROM reminders'), '2026-12-24');
  }));
