// The command line while an app is being developed: mistyped words, edited migrations, missing files.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { look, runPython, start } from './cli/program.mjs';

const revision = (id, revises, up = '', down = '', more = '') =>
  `-- ${id}\n--\n-- Revision ID: ${id}\n-- Revises: ${revises}\n${more}-- migrate:up\n${up}\n-- migrate:down\n${down}\n`;

/** Starts an app with these revisions. */
function startApp(t, files) {
  const app = start(t);
  mkdirSync(app.path('migrations'));
  for (const [id, text] of Object.entries(files)) app.write(`migrations/${id}.sql`, text);
  return app;
}

const NOTES = revision('a', '', 'CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);', 'DROP TABLE notes;');
const MOOD = revision('b', 'a', 'ALTER TABLE notes ADD COLUMN mood;', 'ALTER TABLE notes DROP COLUMN mood;');

suite('what is mistyped', () => {
  for (const [words, status, said] of [
    ['current --url sqlite:///nowhere.db', 1, /no database at .*nowhere\.db\. Check --url/],
    ['verify --url sqlite:///nowhere.db', 1, /no database at .*nowhere\.db\. Check --url/],
    ['backups --url sqlite:///nowhere.db', 1, /no database at .*nowhere\.db\. Check --url/],
    ['heads --migrations migratoins', 2, /no folder .*migratoins\. Check --migrations/],
    ['upgrade heads --migrations migratoins', 2, /no folder .*migratoins\. Check --migrations/],
    ['upgrade heads --keep none', 2, /--keep takes a number from 1/],
    ['backups --keep 3', 2, /Unknown option '--keep'/],
    ['upgrade heads --keeep 3', 2, /Unknown option '--keeep'\. Did you mean "--keep"\?/],
    ['upgrade heads --no-bakcup', 2, /Did you mean "--no-backup"\?/],
    ['current --verbos', 2, /Did you mean "--verbose"\?/],
    ['revision -m x --autogen', 2, /Did you mean "--autogenerate"\?/],
    ['heads --zzz', 2, /Unknown option '--zzz'\. See synth-memory help/],
    ['upgarde heads', 2, /There is no command "upgarde"\. Did you mean "upgrade"\?/],
    ['xyzzy', 2, /There is no command "xyzzy"\. See/],
    ['upgrade a --downgrade-newer', 2, /--downgrade-newer requires the revision head or heads/],
  ])
    test(words, (t) => {
      const { run, ok, list } = start(t);
      ok('upgrade', 'heads');
      const found = run(words.split(' '));
      assert.deepEqual([found.status, found.stdout], [status, ''], found.stderr);
      assert.match(found.stderr, said);
      assert.deepEqual(list(), ['state'], 'something was made');
    });

  test('is the name of a variable too', (t) => {
    const { run } = start(t);
    assert.match(run(['heads'], { env: { SYNTH_MIGRATIONS: 'none' } }).stderr, /no folder/);
    assert.match(run(['current'], { env: { SYNTH_DATABASE_URL: 'sqlite:///none.db' } }).stderr, /no database/);
    assert.equal(run(['current']).status, 0, 'the default is not there yet');
  });

  test('is not the folder that revision makes, nor a database that left backups', (t) => {
    const { ok, json, path } = start(t);
    ok('revision', '-m', 'First', '--migrations', 'mine');
    ok('upgrade', 'heads', '--url', 'sqlite:///x.db', '--migrations', 'mine');
    ok('backup', '--url', 'sqlite:///x.db', '--migrations', 'mine');
    rmSync(path('x.db'));
    assert.equal(json('backups', '--url', 'sqlite:///x.db').length, 1);
  });
});

suite('a revision that only this database has', () => {
  test('is redone: downgraded as it was applied, applied as it is now', (t) => {
    const { ok, run, json, path, write } = startApp(t, { a: NOTES, b: MOOD });
    ok('upgrade', 'heads');
    runPython([
      '-c',
      `import sqlite3; c = sqlite3.connect('${path('state', 'memory.db')}'); c.execute("INSERT INTO notes VALUES (1, 'x', 'y')"); c.commit()`,
    ]);
    write('migrations/b.sql', MOOD.replaceAll('mood', 'feeling'));
    assert.match(run(['upgrade', 'heads']).stderr, /`synth-memory redo <revision>`/);
    const { applied, backup } = json('redo');
    assert.deepEqual(applied, ['b']);
    assert.equal(look(path('state', 'memory.db')).rows.notes, "[(1, 'x', None)]");
    assert.equal(look(path('state', backup)).rows.notes, "[(1, 'x', 'y')]");
    assert.match(ok('verify'), /^b +ok/m);
    assert.match(ok('redo', 'a'), /upgrade +a +a\nupgrade +b +b/);

    const before = readFileSync(path('state', 'memory.db'));
    write('migrations/b.sql', MOOD.replace('ADD COLUMN', 'ADD COLUMM'));
    assert.match(run(['redo']).stderr, /Revision b \(b\.sql\) failed/);
    assert.match(run(['redo', '002']).stderr, /comes with the package/);
    assert.ok(before.equals(readFileSync(path('state', 'memory.db'))), 'it was changed');
  });

  test('whose file is gone is downgraded with the script in the database', (t) => {
    const { ok, run, json, path } = startApp(t, { a: NOTES, b: MOOD });
    ok('upgrade', 'heads');
    rmSync(path('migrations', 'b.sql'));
    assert.match(run(['upgrade', 'heads']).stderr, /`synth-memory upgrade heads --downgrade-newer`/);
    assert.deepEqual(json('upgrade', 'heads', '--downgrade-newer').revisions, ['002', 'a']);
    assert.match(ok('upgrade', 'heads', '--downgrade-newer'), /Nothing to do/);
  });
});

test('check tries each revision, also without a schema', (t) => {
  const { ok, run, path } = startApp(t, { a: NOTES, b: MOOD });
  assert.equal(ok('check'), 'All revisions can be downgraded.\n');
  writeFileSync(path('migrations', 'b.sql'), MOOD.replace('DROP COLUMN mood', 'DROP COLUMN mod'));
  const wrong = run(['check']);
  assert.equal(wrong.status, 1);
  assert.match(wrong.stdout, /^Revisions that fail:\n {2}Revision b \(b\.sql\) failed on the way down: no such column/);
  assert.match(run(['upgrade', 'heads']).stderr, /Revision b \(b\.sql\) failed on the way down/);
  writeFileSync(path('schema.sql'), 'CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);');
  assert.match(run(['check']).stdout, /remove column notes\.mood\nRevisions that fail:/);
});

test("the first revision depends on the package's, and head, +1 and -1 are those of the app", (t) => {
  const { ok, json, run } = start(t, { 'schema.sql': 'CREATE VIEW said AS SELECT user_input FROM turns;' });
  const first = json('revision', '-m', 'First', '--autogenerate');
  assert.match(first.text, /Branch Labels: app\n-- Depends On: 002\n/);
  json('revision', '-m', 'Second');
  assert.equal(json('upgrade', 'app@head').applied.length, 4);
  assert.equal(json('downgrade', '-1').takenBack.length, 1);
  assert.equal(json('upgrade', '+1').applied.length, 1);
  assert.deepEqual(json('upgrade', 'head').applied, []);
  assert.match(run(['merge', 'heads', '-m', 'x']).stderr, /package's own head is merged only if named/);
});
