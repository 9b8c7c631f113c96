// How the command line treats files: logs, journals, permissions, other programs, and being killed at any instant.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { suite, test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { python } from '../../scripts/setup.mjs';
import { look, runPython, start } from './cli/program.mjs';

const URL = ['--url', 'sqlite:///memory.db'];
const STOP = pathToFileURL(at('tests', 'node', 'cli', 'stop-at.mjs')).href;
const LOG = at('tests', 'node', 'cli', 'log.py');
const copy = (one, path, as, ends = ['', '-wal', '-shm']) => {
  for (const end of ends) {
    rmSync(path(`${as}${end}`), { force: true });
    if (statSync(path(`${one}${end}`), { throwIfNoEntry: false })) cpSync(path(`${one}${end}`), path(`${as}${end}`));
  }
};
const rows = (found) => [found.versions, found.rows.turns, found.integrity];

suite('a log next to the file', () => {
  for (const shape of ['plain', 'begun anew', 'cut off', 'shrunk', 'torn'])
    test(`${shape}: commits are read, and kept`, (t) => {
      const { ok, path, list } = start(t);
      ok('upgrade', '001', ...URL);
      runPython([LOG, path('memory.db'), shape]);
      assert.ok(statSync(path('memory.db-wal')).size > 0, 'nothing is in the log');
      const before = look(path('memory.db'));
      // A backup holds in one file what was read.
      const id = ok('backup', ...URL).trim();
      assert.deepEqual(look(path(id)), { ...before, journal: 'delete' });
      ok('upgrade', 'head', ...URL);
      const after = look(path('memory.db'));
      assert.deepEqual([after.versions, after.rows.turns, after.integrity], [['002'], before.rows.turns, 'ok']);
      assert.equal(after.journal, 'wal', 'it is used with a log no more');
      assert.deepEqual(
        list().filter((name) => !name.includes('-backup-')),
        ['memory.db'],
      );
    });

  test('that is not a valid log is ignored', (t) => {
    const { ok, path, write } = start(t);
    ok('upgrade', '001', ...URL);
    const before = look(path('memory.db'));
    write('memory.db-wal', 'x'.repeat(5000));
    ok('downgrade', 'base', ...URL);
    ok('upgrade', '001', ...URL);
    assert.deepEqual(look(path('memory.db')).schema, before.schema);
  });

  test('that is in use is not removed', async (t) => {
    const { ok, run, path } = start(t);
    ok('upgrade', '001', ...URL);
    const program = spawn(python, [LOG, path('memory.db'), 'open'], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => program.kill());
    await once(program.stdout, 'data');
    assert.equal(ok('current', ...URL), '001\n', 'reading does no harm');
    const { status, stderr } = run(['upgrade', 'head', ...URL]);
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`open in another program \\(process ${program.pid}\\)`));
    assert.deepEqual(look(path('memory.db')).versions, ['001']);
    program.kill();
    await once(program, 'exit');
    ok('upgrade', 'head', ...URL);
    assert.equal(look(path('memory.db')).rows.turns.match(/first/g).length, 3);
  });
});

test('a journal of an interrupted change is left for SQLite to roll back', (t) => {
  const { ok, run, path } = start(t);
  ok('upgrade', 'head', ...URL);
  const cutOff = `import os, sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("PRAGMA cache_size = 10")
c.execute("BEGIN")
for n in range(50): c.execute("INSERT INTO turns (user_input) VALUES (?)", ["x" * 9000])
os._exit(0)`;
  runPython(['-c', cutOff, path('memory.db')]);
  assert.ok(statSync(path('memory.db-journal')).size > 0);
  for (const words of [['current'], ['downgrade', '-1']]) {
    const { status, stderr } = run([...words, ...URL]);
    assert.equal(status, 1);
    assert.match(stderr, /memory\.db-journal holds a change/);
  }
  runPython([
    '-c',
    'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("SELECT * FROM turns")',
    path('memory.db'),
  ]);
  ok('downgrade', '-1', ...URL);
  // A journal whose header is zeroed does not count.
  writeFileSync(path('memory.db-journal'), Buffer.alloc(600));
  ok('upgrade', 'head', ...URL);
});

test('a file that another program changes meanwhile is not replaced', (t) => {
  const { run, ok, path, write, list } = start(t);
  ok('upgrade', '001', ...URL);
  write(
    'change.mjs',
    `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module';
    const { renameSync } = fs; fs.renameSync = (one, other) => {
      if (!other.includes('-backup-')) fs.appendFileSync(other, Buffer.alloc(4096)); renameSync(one, other); };
    const { accessSync } = fs; fs.accessSync = (file, mode) => {
      if (process.env.CHANGE) fs.utimesSync('memory.db', 1, 1); accessSync(file, mode); };
    syncBuiltinESMExports();`,
  );
  const { status, stderr } = run(['upgrade', 'head', ...URL], {
    preload: pathToFileURL(path('change.mjs')).href,
    env: { CHANGE: '1' },
  });
  assert.equal(status, 1);
  assert.match(stderr, /was changed by another program meanwhile/);
  assert.deepEqual(list(), ['change.mjs', 'memory.db']);
  assert.deepEqual(look(path('memory.db')).versions, ['001']);
});

suite('several runs at once', () => {
  const ended = (program) => once(program, 'exit').then(([status]) => status);

  test('wait for each other: each does its part, and none undoes that of another', async (t) => {
    const { ok, begin, path, list } = start(t);
    const runs = Array.from({ length: 4 }, () => begin(['upgrade', 'head', ...URL]));
    assert.deepEqual(await Promise.all(runs.map(ended)), [0, 0, 0, 0]);
    assert.deepEqual(list(), ['memory.db'], 'who found it at the head wrote it again');
    const moves = ['downgrade -1', 'upgrade head', 'downgrade base', 'upgrade head', 'downgrade 001', 'upgrade head'];
    const statuses = await Promise.all(moves.map((words) => ended(begin([...words.split(' '), ...URL]))));
    // In some orders there is nothing left to downgrade.
    assert.equal(statuses[1], 0);
    ok('upgrade', 'head', ...URL);
    assert.deepEqual(look(path('memory.db')).versions, ['002']);
    assert.equal(look(path('memory.db')).integrity, 'ok');
    assert.deepEqual(
      list().filter((name) => name.startsWith('.')),
      [],
    );
  });

  test('a killed run is not waited for, and a hanging one is named', async (t) => {
    const { ok, run, path, write, list } = start(t);
    ok('upgrade', '001', ...URL);
    const other = spawn('sleep', ['600']);
    t.after(() => other.kill());
    write('.memory.db-lock', `${other.pid}\n`);
    const { status, stderr } = run(['upgrade', 'head', ...URL]);
    assert.equal(status, 1);
    assert.match(
      stderr,
      new RegExp(
        `is being changed by another synth-memory \\(process ${other.pid}\\)\\. .*delete .*\\.memory\\.db-lock`,
      ),
    );
    assert.equal(ok('current', ...URL), '001\n', 'reading needs no lock');
    assert.deepEqual(list(), ['.memory.db-lock', 'memory.db']);
    other.kill();
    await once(other, 'exit');
    ok('upgrade', 'head', ...URL);
    write('.memory.db-lock', '');
    utimesSync(path('.memory.db-lock'), 1, 1);
    ok('downgrade', '001', ...URL);
    assert.deepEqual(
      list().filter((name) => name.startsWith('.')),
      [],
    );
  });
});

suite('ended at any instant', () => {
  for (const withLog of [false, true]) {
    const name = withLog ? 'a file with a log' : 'a file';
    test(`${name} is the old or the new one after every call that writes`, (t) => {
      const { ok, run, path, list } = start(t);
      ok('upgrade', '001', '--url', 'sqlite:///original.db');
      if (withLog) runPython([LOG, path('original.db'), 'plain']);
      const old = look(path('original.db'));
      copy('original.db', path, 'memory.db');
      ok('upgrade', 'head', ...URL);
      const now = look(path('memory.db'));
      const seen = { old: 0, new: 0 };
      let k = 1;
      for (let isDone = false; !isDone; k++) {
        for (const file of list()) if (!file.startsWith('original.db')) rmSync(path(file));
        copy('original.db', path, 'memory.db');
        const env = { STOP_AT: String(k), STOP_WITH: 'kill' };
        const { status, signal } = run(['upgrade', 'head', ...URL], { preload: STOP, env });
        isDone = status === 0;
        if (!isDone) assert.equal(signal, 'SIGKILL');
        const found = look(path('memory.db'));
        const isOld = JSON.stringify(rows(found)) === JSON.stringify(rows(old));
        if (!isOld) assert.deepEqual(rows(found), rows(now), `call ${k}`);
        seen[isOld ? 'old' : 'new']++;
        if (isDone || k % 3 !== 0) continue;
        // The next run continues by itself and removes leftovers.
        ok('upgrade', 'head', ...URL);
        ok('downgrade', '001', ...URL);
        assert.deepEqual(look(path('memory.db')).rows.turns, old.rows.turns);
        assert.deepEqual(
          list().filter((file) => file.startsWith('.')),
          [],
        );
      }
      assert.ok(seen.old > 8 && seen.new > 1, `not enough calls to be cut off at: ${JSON.stringify(seen)}`);
    });

    test(`${name} is the old or the new one if a call fails`, (t) => {
      const { ok, run, path, list } = start(t);
      ok('upgrade', '001', '--url', 'sqlite:///original.db');
      if (withLog) runPython([LOG, path('original.db'), 'plain']);
      const old = look(path('original.db'));
      let failed = 0;
      for (let k = 1; ; k++) {
        for (const file of list()) if (!file.startsWith('original.db')) rmSync(path(file));
        copy('original.db', path, 'memory.db');
        const { status, stderr } = run(['upgrade', 'head', ...URL, '--json'], {
          preload: STOP,
          env: { STOP_AT: String(k), STOP_WITH: 'ENOSPC' },
        });
        if (status === 0 && stderr === '') break;
        if (status !== 0) {
          failed++;
          assert.equal(JSON.parse(stderr).error.code, 'quota_exceeded', `call ${k}`);
        }
        const found = look(path('memory.db'));
        assert.equal(found.rows.turns, old.rows.turns);
        assert.equal(found.integrity, 'ok');
        assert.deepEqual(
          list().filter((file) => file.startsWith('.')),
          [],
          `call ${k}`,
        );
        assert.ok(k < 100);
      }
      assert.ok(failed > 8, `only ${failed} calls failed`);
    });
  }

  test('a large file is the old or the new one after a kill', async (t) => {
    const { ok, begin, path } = start(t);
    ok('upgrade', '001', '--url', 'sqlite:///original.db');
    const fill = `import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
c.executemany("INSERT INTO turns (user_input, assistant_response) VALUES (?, ?)", ((f"word {n} " * 20, f"answer {n} " * 20) for n in range(20000)))
c.commit()`;
    runPython(['-c', fill, path('original.db')]);
    const { rows: before } = look(path('original.db'));
    copy('original.db', path, 'memory.db');
    const begun = performance.now();
    ok('upgrade', 'head', ...URL);
    const time = performance.now() - begun;
    const kills = 6;
    for (let n = 0; n < kills; n++) {
      copy('original.db', path, 'memory.db');
      const program = begin(['upgrade', 'head', ...URL]);
      const ended = once(program, 'exit');
      // The files are written in the last third of the run.
      await pause(time * (n % 2 === 0 ? Math.random() : 0.7 + 0.3 * Math.random()));
      program.kill('SIGKILL');
      await ended;
      const { versions, integrity, schema, rows: found } = look(path('memory.db'));
      assert.deepEqual([integrity, found.turns], ['ok', before.turns]);
      assert.equal(
        schema.some(([, table]) => table === 'memory_fts'),
        versions[0] === '002',
      );
    }
  });
});

test('the only backup with rows is kept', (t) => {
  const { ok, json, fixture, path } = start(t);
  fixture('synth-mind-alembic.db');
  const { rows: before } = look(path('memory.db'));
  ok('downgrade', 'base', ...URL);
  for (let round = 0; round < 4; round++) {
    ok('upgrade', 'head', ...URL);
    ok('downgrade', 'base', ...URL);
  }
  const backups = json('backups', ...URL);
  assert.equal(backups.length, 4);
  ok('restore', backups.at(-1).id, ...URL);
  assert.equal(look(path('memory.db')).rows.turns, before.turns);
  ok('upgrade', 'head', ...URL);
  assert.equal(json('backups', ...URL).length, 3);
});

suite('permissions', () => {
  /** Runs as another user than root, because root has every permission. */
  function asAnybody(t) {
    const it = start(t);
    chmodSync(it.folder, 0o777);
    const program = it.path('program', 'dist', 'cli.js');
    mkdirSync(it.path('program', 'dist', 'wasm'), { recursive: true });
    cpSync(at('dist', 'cli.js'), program);
    cpSync(at('package.json'), it.path('program', 'package.json'));
    cpSync(at('dist', 'wasm', 'synth_memory_bg.wasm'), it.path('program', 'dist', 'wasm', 'synth_memory_bg.wasm'));
    const ids = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
    const folder = it.path('data');
    mkdirSync(folder);
    if (ids.uid) chownSync(folder, ids.uid, ids.gid);
    return { ...it, run: (words) => it.run([...words, '--url', 'sqlite:///data/memory.db'], { program, ...ids }) };
  }

  test('a read-only folder, a read-only file, an unreadable one', (t) => {
    const { run, path, list } = asAnybody(t);
    assert.equal(run(['upgrade', '001']).status, 0);
    const cases = [
      [path('data'), 0o555, 0],
      [path('data', 'memory.db'), 0o444, 0],
      [path('data', 'memory.db'), 0o000, 1],
    ];
    for (const [file, mode, reading] of cases) {
      const { mode: before } = statSync(file);
      chmodSync(file, mode);
      assert.equal(run(['current']).status, reading);
      const { status, stderr } = run(['upgrade', 'head']);
      assert.equal(status, 1);
      assert.match(stderr, /^synth-memory: (Writing|Reading) .*memory\.db failed: permission denied\. Allow/);
      chmodSync(file, before);
      assert.deepEqual(list('data'), ['memory.db']);
      assert.deepEqual(look(path('data', 'memory.db')).versions, ['001']);
    }
  });

  test('are kept, and symbolic links followed', (t) => {
    const { ok, path, list } = start(t);
    mkdirSync(path('real'));
    symlinkSync('real/data.db', path('memory.db'));
    ok('upgrade', '001', ...URL);
    chmodSync(path('real', 'data.db'), 0o640);
    ok('upgrade', 'head', ...URL);
    assert.equal(readlinkSync(path('memory.db')), 'real/data.db');
    assert.deepEqual(list(), ['memory.db', 'real']);
    const [file, backup] = list('real');
    for (const name of [file, backup]) assert.equal(statSync(path('real', name)).mode & 0o777, 0o640);
    assert.match(backup, /^data\.db-backup-\d+-001$/);
  });

  test('a damaged file is replaced by a backup, and kept', (t) => {
    const { ok, run, path, json } = start(t);
    ok('upgrade', 'head', ...URL);
    const id = ok('backup', ...URL).trim();
    const damaged = readFileSync(path('memory.db')).fill(7, 4096, 20000);
    writeFileSync(path('memory.db'), damaged);
    const { stderr } = run(['upgrade', 'head', ...URL]);
    assert.match(stderr, /synth-memory restore <id>/);
    const { backup } = json('restore', id, ...URL);
    assert.deepEqual(look(path('memory.db')).versions, ['002']);
    assert.match(backup, /-damaged$/);
    assert.ok(readFileSync(path(backup)).equals(damaged));
  });
});
