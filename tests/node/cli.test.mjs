// Every command of the command line, run as a process: its output, its exit status and the files that it leaves.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { look, runPython, start } from './cli/program.mjs';

const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
const URL = ['--url', 'sqlite:///memory.db'];

/** Runs Alembic itself on the repository's revisions. */
function alembic(file, ...words) {
  writeFileSync(
    `${file}.ini`,
    `[alembic]\nscript_location = ${at('tests', 'alembic')}\nsqlalchemy.url = sqlite:///${file}\n`,
  );
  return runPython(['-m', 'alembic', '-c', `${file}.ini`, ...words]).trim();
}

/** Runs SQL on a file with Python's SQLite. */
const sql = (file, text) =>
  runPython(['-c', 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])', file, text]);

suite('called', () => {
  test('with help, prints the list of commands or one command', (t) => {
    const { ok, run } = start(t);
    const whole = ok('help');
    assert.equal(ok('--help'), whole);
    const commands = [...whole.matchAll(/^ {2}([a-z-]+)(?: [[<].*?)? {2}/gm)].map(([, name]) => name);
    for (const name of [
      ...['current', 'history', 'heads', 'branches', 'show', 'upgrade', 'downgrade', 'stamp', 'revision', 'merge'],
      ...['check', 'ensure-version', 'edit', 'verify', 'accept', 'plan', 'backup', 'backups', 'restore', 'squash'],
    ]) {
      assert.ok(commands.includes(name), `help does not name ${name}`);
      assert.match(ok('help', name), new RegExp(`^synth-memory ${name}\\b`));
      assert.equal(ok(name, '--help'), ok('help', name));
    }
    assert.match(ok('help', 'upgrade'), /--sql/);
    assert.equal(ok('--version'), `${version}\n`);
    assert.equal(run(['help', 'nothing']).status, 2);
  });

  test('wrongly exits with 2 and prints one line', (t) => {
    const { run, list } = start(t);
    const wrong = [
      ...[[], ['nothing'], ['upgrade'], ['upgrade', 'a', 'b'], ['current', 'head'], ['upgrade', 'head', '--none']],
      ...[['history', '-r'], ['current', '--purge'], ['downgrade', '001', '--sql'], ['squash', '001'], ['revision']],
      ...[
        ['revision', '-m', 'a', '--schema', 'b'],
        ['upgrade', 'head', '--keep', '0'],
        ['help', 'x'],
      ],
    ];
    for (const words of wrong) {
      const { status, stdout, stderr } = run(words);
      assert.deepEqual([status, stdout], [2, ''], words.join(' '));
      assert.match(stderr, /^synth-memory: .+\n$/, words.join(' '));
    }
    const { status, stderr } = run(['--json', 'upgrade']);
    assert.equal(status, 2);
    assert.equal(JSON.parse(stderr).error.code, 'usage');
    assert.deepEqual(list(), [], 'something was made');
  });

  test('without success exits with 1 and prints one line: what was wrong and what to do', (t) => {
    const { run, write } = start(t, { 'text.db': 'no database'.repeat(20), 'schema.sql': 'CREATE TABEL x (y);' });
    write('memory.db', '');
    const cases = [
      [['upgrade', 'nope'], 'unknown_symbol'],
      [['downgrade', '-1'], 'unknown_symbol'],
      [['current', '--url', 'sqlite:///text.db'], 'not_a_database'],
      [['current', '--url', 'postgresql:///x'], 'invalid_url'],
      [['current', '--url', 'sqlite:///:memory:'], 'invalid_url'],
      [['restore', 'nope', ...URL], 'not_found'],
      [['backup', ...URL], 'not_found'],
      [['check'], 'invalid_sql'],
      [['check', '--schema', 'none.sql'], 'not_found'],
      [['show', 'nope'], 'unknown_symbol'],
      [['history', '-r', '001'], 'invalid_argument'],
      [['edit', '001'], 'not_found'],
      [['merge', 'heads', '-m', 'x'], 'invalid_argument'],
      [['squash', 'base:002'], 'invalid_argument'],
      [['accept', '001', ...URL], 'not_found'],
    ];
    for (const [words, code] of cases) {
      const said = run(words);
      assert.deepEqual([said.status, said.stdout], [1, ''], words.join(' '));
      assert.match(said.stderr, /^synth-memory: .+\n$/, words.join(' '));
      assert.doesNotMatch(said.stderr, /memory\.migrations|backups\./, 'the hint is for the page');
      const told = run(['--json', ...words]);
      const { error } = JSON.parse(told.stderr);
      assert.deepEqual([told.status, told.stdout, error.code], [1, '', code], words.join(' '));
      assert.equal(`synth-memory: ${error.message} ${error.hint}\n`.replace(/\s*\n\s*(?=.)/g, ' '), said.stderr);
    }
  });

  suite('without success gives a hint in the words of the command line', () => {
    /** Each function makes a file `memory.db`, except `none`. */
    const files = {
      none: () => {},
      'at 001': ({ ok }) => ok('upgrade', '001', ...URL),
      'at a revision that nobody knows': ({ ok, path }) => {
        ok('upgrade', '001', ...URL);
        sql(path('memory.db'), "UPDATE alembic_version SET version_num = 'gone'");
      },
      'at two revisions, one of which builds on the other': ({ ok, path }) => {
        ok('upgrade', 'head', ...URL);
        sql(path('memory.db'), "INSERT INTO alembic_version VALUES ('001')");
      },
      'without alembic_version': ({ fixture }) => fixture('synth-mind-app.db'),
      'with other tables': ({ path }) => sql(path('memory.db'), 'CREATE TABLE turns (x)'),
      'of Synth Mind': ({ fixture }) => fixture('synth-mind-alembic.db'),
      damaged: ({ ok, path }) => {
        ok('upgrade', '001', ...URL);
        const bytes = readFileSync(path('memory.db'));
        bytes.fill(255, 4096, 8192);
        writeFileSync(path('memory.db'), bytes);
      },
      'that is text': ({ write }) => write('memory.db', 'no database'.repeat(20)),
    };
    for (const [file, words, code, hint] of [
      ['none', 'upgrade nope', 'unknown_symbol', /^Known are head, heads, base,.* 001, /],
      ['none', 'upgrade head+1', 'unknown_symbol', /^From there one can go 0 up/],
      ['none', 'downgrade -1', 'unknown_symbol', /^Look at current and history/],
      ['none', 'revision -m x --head 001', 'not_a_head', /with --splice\.$/],
      ['at 001', 'upgrade base', 'invalid_argument', /^Use downgrade instead\.$/],
      ['at 001', 'downgrade head', 'invalid_argument', /^Use upgrade instead\.$/],
      ['at 001', 'upgrade -1', 'invalid_argument', /^Use downgrade instead\.$/],
      ['at 001', 'accept head', 'not_found', /^Only a revision that is applied can be accepted/],
      [
        'at a revision that nobody knows',
        'upgrade head',
        'unknown_revision',
        /--migrations.*`synth-memory stamp --purge`/,
      ],
      [
        'at a revision that nobody knows',
        'stamp 001',
        'unknown_revision',
        /--migrations.*`synth-memory stamp --purge`/,
      ],
      ['at two revisions, one of which builds on the other', 'upgrade head', 'schema_mismatch', /stamp --purge/],
      ['of Synth Mind', 'stamp head', 'schema_mismatch', /--force stamps without comparing/],
      ['without alembic_version', 'downgrade base', 'unversioned_database', /`synth-memory upgrade heads` adopts it/],
      ['with other tables', 'upgrade head', 'unversioned_database', /correct them.*`synth-memory stamp`/],
      ['damaged', 'upgrade head', 'corrupt_database', /`synth-memory restore <id>`/],
      ['that is text', 'current', 'not_a_database', /^Choose an SQLite file/],
    ])
      test(`${words}, the file ${file}: ${code}`, (t) => {
        const place = start(t);
        files[file](place);
        const { status, stderr } = place.run(['--json', ...words.split(' '), ...URL]);
        const { error } = JSON.parse(stderr);
        assert.deepEqual([status, error.code], [1, code], stderr);
        assert.match(error.hint, hint);
        assert.doesNotMatch(error.hint, /memory\.|migrations\.|backups\.|grade\(|port\(/, 'the hint is for the page');
      });
  });

  for (const pragma of ["encoding = 'UTF-16'", 'auto_vacuum = 1'])
    test(`a file with ${pragma} is read, and left as it is`, (t) => {
      const { ok, path } = start(t);
      sql(path('memory.db'), `PRAGMA ${pragma}; CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)`);
      sql(path('memory.db'), "INSERT INTO alembic_version VALUES ('001')");
      const before = readFileSync(path('memory.db'));
      assert.match(ok('current', ...URL), /^001/);
      assert.deepEqual(readFileSync(path('memory.db')), before);
    });

  test('colours are for terminals', (t) => {
    const { path } = start(t);
    const words = [process.execPath, at('dist', 'cli.js'), 'heads'];
    const spawn = 'import pty, sys; pty.spawn(sys.argv[1:])';
    const inTerminal = (env, ...more) =>
      runPython(['-c', spawn, ...words, ...more], { cwd: path(), env: { ...process.env, ...env } });
    assert.match(inTerminal({ NO_COLOR: '' }), /\x1b\[33m002/);
    assert.doesNotMatch(inTerminal({ NO_COLOR: '1' }), /\x1b\[/);
    assert.doesNotMatch(inTerminal({ NO_COLOR: '' }, '--no-color'), /\x1b\[/);
  });
});

suite('the database', () => {
  test('goes up and down, and every step says so', (t) => {
    const { ok, json, run, list, path } = start(t);
    assert.equal(ok('current'), '');
    assert.deepEqual(list(), [], 'a reading command made something');
    assert.match(ok('upgrade', 'head'), /upgrade +001 +Initial schema\nupgrade +002 +Recall\n/);
    assert.deepEqual(list('state'), ['memory.db'], 'not created with its folder, and nothing else');
    assert.equal(ok('current'), '002 (head)\n');
    assert.match(ok('current', '-v'), /Rev: 002 \(head\)\nParent: 001\nPath: /);
    assert.equal(ok('current', '--check-heads', '-q'), '002 (head)\n');

    const before = readFileSync(path('state', 'memory.db'));
    assert.match(ok('upgrade', 'head'), /Nothing to do/);
    assert.deepEqual(json('upgrade', 'head'), { applied: [], revisions: ['002'], backup: null });
    assert.ok(before.equals(readFileSync(path('state', 'memory.db'))));
    assert.deepEqual(list('state'), ['memory.db'], 'a run that changes nothing made a backup');

    const { takenBack, backup, revisions } = json('downgrade', '-1');
    assert.deepEqual([takenBack, revisions], [['002'], ['001']]);
    assert.match(backup, /^memory\.db-backup-\d+-002$/);
    assert.deepEqual(look(path('state', backup)).versions, ['002']);
    assert.ok(!look(path('state', 'memory.db')).schema.some(([, name]) => name === 'memory_fts'));
    const behind = run(['current', '-c']);
    assert.deepEqual([behind.status, behind.stdout], [1, '001\nDatabase is not on all head revisions: 002.\n']);

    assert.deepEqual(json('restore', backup).revisions, ['002']);
    assert.deepEqual(json('current'), { revisions: ['002'], heads: ['002'], atHeads: true });
    assert.equal(ok('downgrade', 'base', '--quiet'), '');
    assert.equal(ok('current'), '');
    const { integrity, versions } = look(path('state', 'memory.db'));
    assert.deepEqual([integrity, versions], ['ok', []]);
  });

  test('is where the URL says', (t) => {
    const { run, ok, path, list } = start(t);
    ok('upgrade', '001', '--url', `sqlite:///${path('absolute.db')}`);
    ok('upgrade', '001', '--url', 'sqlite+pysqlite:///folder/relative.db?timeout=5');
    assert.equal(run(['upgrade', '001'], { env: { SYNTH_DATABASE_URL: 'sqlite:///named.db' } }).status, 0);
    assert.equal(run(['upgrade', '001'], { env: { SYNTH_DATABASE_URL: '' } }).status, 0);
    assert.deepEqual(list(), ['absolute.db', 'folder', 'named.db', 'state']);
  });

  test('of Synth Mind is adopted, downgraded to 001, and migrated further by Alembic', (t) => {
    const { ok, json, run, path, fixture } = start(t);
    for (const name of ['synth-mind-app.db', 'synth-mind-alembic.db', 'page-size-1024.db']) {
      fixture(name);
      const before = look(path('memory.db'));
      if (before.versions === null) {
        assert.equal(ok('current', '-q', ...URL), '');
        assert.equal(run(['downgrade', 'base', ...URL]).status, 1);
      }
      ok('upgrade', 'head', ...URL);
      assert.deepEqual(look(path('memory.db')).versions, ['002']);
      assert.deepEqual(json('downgrade', '001', ...URL).revisions, ['001']);
      const after = look(path('memory.db'));
      for (const [table, rows] of Object.entries(before.rows)) {
        if (!/^(turns|episodes|long_term|uncertainty_log|semantic_memories)$/.test(table)) continue;
        assert.equal(after.rows[table], rows, `${name}: ${table}`);
      }
      assert.equal(alembic(path('memory.db'), 'current'), '001 (head)');
      alembic(path('memory.db'), 'downgrade', 'base');
      alembic(path('memory.db'), 'upgrade', 'head');
      assert.deepEqual(json('upgrade', 'head', ...URL).applied, ['002']);
      assert.equal(look(path('memory.db')).integrity, 'ok');
    }
  });

  test('is stamped if its schema matches the revision', (t) => {
    const { ok, run, json, fixture, path } = start(t);
    fixture('synth-mind-alembic.db');
    assert.equal(JSON.parse(run(['--json', 'stamp', 'head', ...URL]).stderr).error.code, 'schema_mismatch');
    assert.equal(json('stamp', '001', ...URL).changed, true, 'what was applied elsewhere was not written down');
    assert.equal(json('stamp', '001', ...URL).changed, false);
    assert.match(ok('stamp', 'head', '--force', ...URL), /stamped at 002/);
    assert.deepEqual(json('stamp', '001', '--purge', ...URL).revisions, ['001']);
    runPython([
      '-c',
      `import sqlite3; c = sqlite3.connect('${path('memory.db')}'); c.execute("UPDATE alembic_version SET version_num = 'gone'"); c.commit()`,
    ]);
    assert.equal(ok('current', ...URL), 'gone (not known here)\n');
    assert.equal(run(['upgrade', 'head', ...URL]).status, 1);
    ok('stamp', '001', '--purge', ...URL);
    assert.equal(ok('current', ...URL), '001\n');
    assert.match(ok('ensure_version', '--url', 'sqlite:///new.db'), /Created the table alembic_version/);
    assert.deepEqual(look(path('new.db')).versions, []);
    assert.match(ok('ensure-version', '--url', 'sqlite:///new.db'), /Nothing to do/);
  });

  test('is planned without being touched', (t) => {
    const { ok, json, path, fixture } = start(t);
    fixture('synth-mind-alembic.db');
    const before = readFileSync(path('memory.db'));
    const plan = json('plan', 'head', ...URL);
    assert.deepEqual(
      plan.steps.map(({ revision: id }) => id),
      ['002'],
    );
    assert.ok(plan.tables.some(({ table, before: rows, after }) => table === 'turns' && rows === 64 && after === 64));
    assert.match(ok('plan', 'base', '--down', ...URL), /downgrade +001 .*\n\n[^]*turns +\d+ -> - rows/);
    assert.ok(before.equals(readFileSync(path('memory.db'))));
  });

  test('keeps the newest three backups, or as many as requested', (t) => {
    const { ok, json, path, list } = start(t);
    ok('upgrade', 'head', ...URL);
    const first = ok('backup', ...URL).trim();
    assert.deepEqual([look(path(first)).versions, look(path(first)).journal], [['002'], 'delete']);
    for (const words of [
      ['downgrade', '-1'],
      ['upgrade', 'head'],
      ['downgrade', '-1'],
      ['upgrade', 'head'],
    ])
      ok(...words, ...URL);
    const kept = json('backups', ...URL);
    assert.deepEqual(
      kept.map(({ revisions }) => revisions),
      [['001'], ['002'], ['001']],
    );
    assert.equal(
      ok('backups', ...URL)
        .trim()
        .split('\n').length,
      3,
    );
    ok('downgrade', '-1', '--keep', '1', ...URL);
    assert.equal(json('backups', ...URL).length, 1);
    assert.equal(json('upgrade', 'head', '--no-backup', ...URL).backup, null);
    assert.equal(list().length, 2);
  });
});

test('--sql prints scripts that another program can run', (t) => {
  const { ok, run, json, path, list } = start(t);
  const execute = (file, sql) =>
    runPython(
      ['-c', 'import pysqlite3, sys; pysqlite3.connect(sys.argv[1]).executescript(sys.stdin.read())', path(file)],
      {
        input: sql,
      },
    );
  const up = ok('upgrade', 'head', '--sql');
  assert.deepEqual(list(), [], '--sql made something');
  execute('theirs.db', up);
  ok('upgrade', 'head', '--url', 'sqlite:///ours.db');
  assert.deepEqual(look(path('theirs.db')).schema, look(path('ours.db')).schema);
  execute('theirs.db', json('downgrade', '002:001', '--sql').sql);
  ok('downgrade', '001', '--url', 'sqlite:///ours.db');
  assert.deepEqual(look(path('theirs.db')).schema, look(path('ours.db')).schema);
  assert.deepEqual(look(path('theirs.db')).versions, ['001']);
  execute('theirs.db', ok('upgrade', '001:head', '--sql'));
  assert.deepEqual(look(path('theirs.db')).versions, ['002']);
  assert.match(run(['downgrade', '001', '--sql']).stderr, /requires <from>:<to>/);
});

test('--json: every command answers in JSON', (t) => {
  const { json, run } = start(t, { 'schema.sql': 'CREATE TABLE x (y);' });
  json('upgrade', 'head');
  const ids = (words) => json(...words).map(({ id }) => id);
  assert.deepEqual(ids(['history']), ['002', '001']);
  assert.deepEqual(ids(['heads']), ['002']);
  assert.deepEqual(ids(['branches']), []);
  const [shown] = json('show', 'current');
  assert.deepEqual([shown.id, shown.isCurrent, shown.isApplied, shown.path], ['002', true, true, null]);
  assert.ok(Math.abs(Date.parse(shown.appliedAt) - Date.now()) < 600_000);
  assert.equal('isCurrent' in json('show', 'head')[0], false, 'told without looking');
  assert.deepEqual(
    json('verify').map(({ revision: id, standing }) => [id, standing]),
    [
      ['001', 'ok'],
      ['002', 'ok'],
    ],
  );
  const { id } = json('backup');
  assert.deepEqual(
    json('backups').map((backup) => backup.id),
    [id],
  );
  assert.deepEqual(JSON.parse(run(['check', '--json']).stdout).operations, ['add table x']);
  assert.equal(json('--version').version, version);
  assert.match(json('help').help, /Commands/);
});
