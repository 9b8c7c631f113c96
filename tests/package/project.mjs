// A user's project: a small program, with the package installed from its tarball. Its files are in project/.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { at, environment } from '../../scripts/process.mjs';

const execute = promisify(execFile);

/** The folder for everything that these tests write. */
const folder = at('target', 'package-test');
export const project = join(folder, 'project');
export const inProject = (...parts) => join(project, ...parts);
export const installed = inProject('node_modules', 'synth-memory');

/** Runs a program in the project, such as a tool of this repository. If it fails, rejects with its output. */
export async function call(command, args, { cwd = project, env, seconds = 60 } = {}) {
  const options = { cwd, env: environment(env), timeout: seconds * 1000, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 };
  try {
    return await execute(command, args, options);
  } catch (error) {
    const what = error.killed ? `not done after ${seconds} s` : `exit code ${error.code}`;
    throw new Error(`${[command, ...args].join(' ')}: ${what}\n${error.stdout ?? ''}${error.stderr ?? error.message}`);
  }
}

/** Packs the package; returns the tarball's path and the paths of the files in it. */
export async function pack() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { stdout } = await call('npm', ['pack', '--json', '--pack-destination', folder], { cwd: at() });
  const [{ filename, files }] = JSON.parse(stdout);
  return { tarball: join(folder, filename), files: files.map((file) => file.path) };
}

/** Creates the project and installs the tarball, offline: the package has no dependencies. */
export async function install(tarball) {
  cpSync(at('tests', 'package', 'project'), project, { recursive: true });
  writeFileSync(inProject('package.json'), JSON.stringify({ name: 'a-project', private: true, type: 'module' }));
  await call('npm', ['install', tarball, '--offline', '--no-audit', '--no-fund']);
}
