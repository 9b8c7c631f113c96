// Runs other programs: starts them, shows their output, and fails with their messages.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const at = (...parts) => join(root, ...parts);

/** The folder of the tools that the set-up builds; first on the PATH of every program started here. */
export const toolsFolder = at('target', 'tools');

export function environment(extra = {}) {
  const path = [join(toolsFolder, 'bin'), at('node_modules', '.bin'), process.env.PATH].join(delimiter);
  return { ...process.env, PATH: path, ...extra };
}

/** Runs a program to its end and passes its output through; rejects if it fails. */
export function run(command, args, { env, cwd = root, quiet = false, seconds } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: environment(env),
      stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
      timeout: seconds === undefined ? undefined : seconds * 1000,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    const failed = (why) =>
      reject(new Error(`${[command, ...args].join(' ')}: ${why}${output ? `\n${output.slice(-4000)}` : ''}`));
    child.on('error', (error) => failed(error.message));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else failed(signal ? `stopped by ${signal}${seconds ? ` (limit ${seconds} s)` : ''}` : `exit code ${code}`);
    });
  });
}

/** What a program prints; undefined if it is missing or fails. */
export function ask(command, args, env) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, env: environment(env), encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** The first of these programs that exists, on the PATH or at its absolute path. */
export function findProgram(...names) {
  for (const name of names.filter(Boolean)) {
    if (name.includes('/')) {
      if (existsSync(name)) return name;
      continue;
    }
    for (const folder of environment().PATH.split(delimiter)) {
      const file = join(folder, name);
      if (folder && existsSync(file)) return file;
    }
  }
  return undefined;
}
