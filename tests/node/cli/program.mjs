// The command line as a user runs it: dist/cli.js, in its own folder.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at } from '../../../scripts/process.mjs';
import { python } from '../../../scripts/setup.mjs';

const PROGRAM = at('dist', 'cli.js');

const env = (extra) => {
  const { SYNTH_DATABASE_URL, SYNTH_MIGRATIONS, VISUAL, EDITOR, NO_COLOR, ...rest } = process.env;
  return { ...rest, PYTHONDONTWRITEBYTECODE: '1', ...extra };
};

/** A folder that is removed after the test, and functions to run the program in it. */
export function start(t, files = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'synth-memory-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = (...parts) => join(folder, ...parts);
  const write = (name, text) => writeFileSync(path(name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  const run = (words, options = {}) => {
    const { program = PROGRAM, ...rest } = options;
    const given = [program, ...words];
    const node = options.preload ? ['--import', options.preload, ...given] : given;
    return spawnSync(process.execPath, node, { cwd: folder, encoding: 'utf8', ...rest, env: env(options.env) });
  };
  /** Runs the program, which must succeed, and returns its output. */
  const ok = (...words) => {
    const { status, stdout, stderr } = run(words);
    if (status !== 0) throw new Error(`synth-memory ${words.join(' ')}: exit code ${status}\n${stdout}${stderr}`);
    return stdout;
  };
  const json = (...words) => JSON.parse(ok('--json', ...words));
  const begin = (words) => spawn(process.execPath, [PROGRAM, ...words], { cwd: folder, env: env(), stdio: 'ignore' });
  const fixture = (name, as = 'memory.db') => cpSync(at('tests', 'fixtures', name), path(as));
  return { folder, path, write, run, ok, json, begin, fixture, list: (...parts) => readdirSync(path(...parts)).sort() };
}

/** Runs Python with its sqlite3 and Alembic, and returns its output. */
export function runPython(words, options = {}) {
  const { status, signal, stdout, stderr } = spawnSync(python, words, { encoding: 'utf8', env: env(), ...options });
  if (status !== 0)
    throw new Error(`python ${words.join(' ')}: ${signal ?? status}\n${`${stdout}${stderr}`.slice(-2000)}`);
  return stdout;
}

/**
 * What SQLite finds in a copy of a file and of its log or journal: revisions, integrity, schema and rows. The history
 * is left out because it contains times.
 */
export function look(file) {
  return JSON.parse(runPython([at('tests', 'node', 'cli', 'look.py'), file]));
}
