// The command line in an app's own folder: its revisions written, applied, merged, squashed, edited.
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { look, runPython, start } from './cli/program.mjs';

/** A revision's file. */
const revision = (id, revises, up = '', down = '', more = '') =>
  `-- ${id}\n--\n-- Revision ID: ${id}\n-- Revises: ${revises}\n${more}-- migrate:up\n${up}\n-- migrate:down\n${down}\n`;

function startApp(t, files) {
  const app = start(t);
  mkdirSync(app.path('migrations'));
  for (const [name, text] of Object.entries(files)) app.write(join('migrations', name), text);
  return app;
}

suite("an app's folder", () => {
  const SCHEMA = 'CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n';

  test('revision, upgrade, check, and again', (t) => {
    const { ok, run, json, write, path } = start(t, { 'schema.sql': SCHEMA });
    const before = run(['check']);
    assert.deepEqual([before.status, before.stdout], [1, 'New upgrade operations detected:\n  add table projects\n']);
    const first = json('revision', '-m', 'Projects', '--autogenerate', '--branch-label', 'app');
    assert.match(first.path, /migrations\/\d{8}_\d{4}_[0-9a-f]{12}_projects\.sql$/);
    assert.equal(ok('check'), 'No new upgrade operations detected.\n');
    assert.equal(json('revision', '-m', 'Nothing', '--autogenerate'), null);
    // It depends on the package's revision, which then has no row of its own in alembic_version.
    assert.deepEqual(json('upgrade', 'head').revisions, [first.id]);

    write('schema.sql', SCHEMA.replace('name TEXT NOT NULL', 'title TEXT NOT NULL, due REAL'));
    assert.match(run(['revision', '-m', 'Due', '--autogenerate']).stderr, /--rename projects\.name:projects\.title/);
    runPython([
      '-c',
      `import sqlite3; c = sqlite3.connect('${path('state', 'memory.db')}'); c.execute("INSERT INTO projects (name) VALUES ('x')"); c.commit()`,
    ]);
    ok('revision', '-m', 'Due', '--autogenerate', '--rename', 'projects.name:projects.title', '--rev-id', 'due');
    assert.equal(ok('upgrade', 'app@head', '-q'), '');
    assert.equal(ok('check'), 'No new upgrade operations detected.\n');
    assert.equal(look(path('state', 'memory.db')).rows.projects, "[(1, 'x', None)]");
    assert.equal(ok('heads'), '002 (head)\ndue (head)\n');
    assert.deepEqual(json('downgrade', 'app@base').takenBack, ['due', first.id]);
    assert.equal(existsSync(path('schema.sql')), true);
  });

  test('an edited revision is found, and can be accepted', (t) => {
    const { ok, run, json, path } = startApp(t, { 'a.sql': revision('a', '', 'CREATE TABLE t (x);', 'DROP TABLE t;') });
    ok('upgrade', 'heads');
    assert.match(ok('verify'), /^a +ok/m);
    appendFileSync(path('migrations', 'a.sql'), '-- edited\n');
    const edited = run(['verify']);
    assert.equal(edited.status, 1);
    assert.match(edited.stdout, /^a +edited/m);
    assert.match(run(['upgrade', 'heads']).stderr, /a \(a\.sql\)\. .*`synth-memory accept <revision>`/);
    assert.equal(json('accept', 'a').changed, true);
    assert.equal(run(['verify']).status, 0);
  });

  test('two heads are merged', (t) => {
    const files = { 'a.sql': revision('a', ''), 'b.sql': revision('b', 'a'), 'c.sql': revision('c', 'a') };
    const { ok, run, json } = startApp(t, files);
    assert.equal(ok('branches'), 'a (branchpoint)\n  -> b (head)\n  -> c (head)\n'.replace(/^ {2}/gm, '  '));
    assert.match(run(['revision', '-m', 'x']).stderr, /several/);
    assert.match(run(['upgrade', 'head']).stderr, /means several revisions.*'heads'/);
    const merged = json('merge', '-m', 'Both', '--rev-id', 'm', 'b', 'c');
    assert.match(readFileSync(merged.path, 'utf8'), /Revises: b, c/);
    assert.match(ok('history'), /^b, c -> m \(head\) \(mergepoint\), Both\n/m);
    assert.match(ok('show', 'm'), /Merges: b, c/);
    assert.equal(ok('branches', '-v').includes('Branches into: b, c'), true);
    ok('upgrade', 'heads');
    assert.equal(ok('current'), '002 (head)\nm (head)\n');
    assert.equal(
      ok('history', '-i', '-r', 'a:current').split('\n')[0],
      'b, c -> m (head) (current) (mergepoint), Both',
    );
    assert.equal(ok('history', '-r', 'm:m', '-v').includes('Rev: m (head) (mergepoint)'), true);
  });

  test('--splice begins a branch, and --depends-on adds a dependency', (t) => {
    const { ok, run, json } = startApp(t, { 'a.sql': revision('a', ''), 'b.sql': revision('b', 'a') });
    assert.match(run(['revision', '-m', 'x', '--head', 'a']).stderr, /--splice/);
    json('revision', '-m', 'x', '--head', 'a', '--splice', '--rev-id', 'x');
    const { text } = json(
      'revision',
      '-m',
      'y',
      '--head',
      'x',
      '--rev-id',
      'y',
      '--depends-on',
      '001',
      '--branch-label',
      'why',
    );
    assert.match(text, /Branch Labels: why\n-- Depends On: 001\n/);
    assert.match(ok('history', '-r', 'x:y'), /^x \(001\) -> y \(why\) \(head\), y\n/);
  });

  test('several revisions are squashed, and their files removed with --delete', (t) => {
    const up = (name) => [`CREATE TABLE ${name} (x);`, `DROP TABLE ${name};`];
    const { ok, run, json, list } = startApp(t, {
      'a.sql': revision('a', '', ...up('ta')),
      'b.sql': revision('b', 'a', ...up('tb')),
      'c.sql': revision('c', 'b', ...up('tc')),
    });
    ok('upgrade', 'heads');
    const kept = json('squash', 'a:c', '-m', 'One');
    assert.deepEqual([kept.removed, kept.replaced.length], [false, 2]);
    assert.equal(list('migrations').length, 4);
    assert.match(run(['history']).stderr, /same id c/);
    runPython(['-c', 'import os, sys; os.remove(sys.argv[1])', kept.path]);
    assert.equal(json('squash', 'a:c', '-m', 'One', '--delete').removed, true);
    assert.deepEqual(list('migrations').length, 2);
    assert.deepEqual(json('upgrade', 'heads').applied, []);
    assert.deepEqual(json('downgrade', 'a').takenBack, ['c']);
    assert.equal(ok('history', '-r', 'a:c'), 'a -> c (head), One\n<base> -> a, a\n');
  });

  test('hundreds of revisions are applied, checked and downgraded', (t) => {
    const COUNT = 300;
    const name = (n) => `r${String(n).padStart(3, '0')}`;
    // Every second revision adds a column to the table of the revision before it.
    const files = Array.from({ length: COUNT }, (_, n) => {
      const table = `t${n - (n % 2)}`;
      const made = `CREATE TABLE ${table} (x);\nCREATE TRIGGER of_${table} AFTER INSERT ON ${table} BEGIN DELETE FROM ${table} WHERE x < 0; END;`;
      const [up, down] =
        n % 2 === 0
          ? [made, `DROP TABLE ${table};`]
          : [`ALTER TABLE ${table} ADD COLUMN y;`, `ALTER TABLE ${table} DROP COLUMN y;`];
      return [`${name(n)}.sql`, revision(name(n), n === 0 ? '' : name(n - 1), up, down)];
    });
    const { ok, json, path } = startApp(t, Object.fromEntries(files));
    assert.equal(json('upgrade', 'heads').applied.length, COUNT + 2);
    assert.equal(ok('verify').match(/ ok/g).length, COUNT + 2);
    assert.equal(ok('check'), 'All revisions can be downgraded.\n');
    assert.deepEqual(json('downgrade', '-1').takenBack, [name(COUNT - 1)]);
    assert.deepEqual(json('upgrade', 'heads').applied, [name(COUNT - 1)]);
    const { schema } = look(path('state', 'memory.db'));
    assert.equal(schema.filter(([kind, table]) => kind === 'table' && /^t\d+$/.test(table)).length, COUNT / 2);
    assert.equal(json('downgrade', `${name(0)}`).takenBack.length, COUNT - 1);
  });

  test('edit opens the file in the editor', (t) => {
    const { run, path, write } = startApp(t, { 'a b.sql': revision('a', ''), 'c.sql': revision('c', 'a') });
    write('editor.mjs', "import fs from 'node:fs'; fs.appendFileSync(process.argv.at(-1), process.argv[2]);");
    const editor = (text) => ({ env: { EDITOR: 'false', VISUAL: `"${process.execPath}" editor.mjs '${text}'` } });
    assert.equal(run(['edit', 'a'], editor('-- by hand')).status, 0);
    assert.match(readFileSync(path('migrations', 'a b.sql'), 'utf8'), /-- by hand$/);
    assert.match(run(['edit', 'a'], editor('\n-- migrate:up')).stderr, /one too many/);
    writeFileSync(path('migrations', 'a b.sql'), revision('a', ''));
    assert.match(run(['edit', 'c'], { env: { EDITOR: 'false' } }).stderr, /exit code 1/);
    assert.match(run(['edit', 'c']).stderr, /\$EDITOR/);
    assert.match(run(['edit', '001'], { env: { EDITOR: 'true' } }).stderr, /comes with the package/);
  });

  test("holds the package's own revisions, as this repository does", (t) => {
    const { ok, run, json, path, list } = start(t);
    cpSync(at('migrations', 'versions'), path('migrations', 'versions'), { recursive: true });
    assert.equal(ok('heads'), '002 (head)\n');
    assert.equal(
      json('revision', '-m', 'Moods', '--rev-id', '003').path,
      path('migrations', 'versions', list('migrations', 'versions').at(-1)),
    );
    assert.match(ok('history'), /^002 -> 003 \(head\), Moods\n/);
    assert.deepEqual(json('upgrade', 'head').applied, ['001', '002', '003']);
    const [first] = list('migrations', 'versions');
    appendFileSync(path('migrations', 'versions', first), '-- edited\n');
    assert.match(run(['heads']).stderr, /same id 001/);
  });

  test('--migrations and its variable name another folder', (t) => {
    const { ok, run, path } = start(t);
    mkdirSync(path('mine'));
    writeFileSync(path('mine', 'a.sql'), revision('a', ''));
    assert.match(ok('heads', '--migrations', 'mine'), /^a \(head\)$/m);
    assert.match(run(['heads'], { env: { SYNTH_MIGRATIONS: 'mine' } }).stdout, /^a \(head\)$/m);
    assert.doesNotMatch(ok('heads'), /^a/m);
  });
});
