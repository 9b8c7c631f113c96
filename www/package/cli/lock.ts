// Only one run of the program at a time changes a file. The others wait.
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError, fromSystem } from './failures.js';
import { isRunning } from './files.js';

/** In ms: how long a run waits for another, how often it checks, and how long an owner may take to write its id. */
const PATIENCE = 10_000;
const PAUSE = 50;
const WRITING = 5_000;

/** No lock is taken: without these rights the first write fails anyway; without a folder there is no database. */
const NO_LOCK = ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR'];

/** Runs `change` while no other run changes the file at `path`. Waits up to 10 s, then throws `locked`. */
export async function exclusively<T>(path: string, change: () => Promise<T>): Promise<T> {
  const lock = join(dirname(path), `.${basename(path)}-lock`);
  const isTaken = await take(path, lock);
  try {
    return await change();
  } finally {
    if (isTaken) release(lock);
  }
}

async function take(path: string, lock: string): Promise<boolean> {
  for (const until = Date.now() + PATIENCE; ; await pause(PAUSE)) {
    try {
      return create(lock);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (NO_LOCK.includes(code)) return false;
      if (code !== 'EEXIST') throw fromSystem(error, `Writing ${lock}`);
    }
    const owner = readOwner(lock);
    if (owner === undefined) continue;
    if (!isAlive(owner, lock)) removeStale(lock, owner);
    else if (Date.now() > until)
      throw new CommandError(
        'locked',
        `${path} is being changed by another synth-memory (process ${owner.trim()}).`,
        `Try again when it has finished. If there is no such process, delete ${lock}. Nothing was changed.`,
      );
  }
}

/** Creates the lock file with this process's id in it. Throws `EEXIST` if another process has it. */
function create(lock: string): true {
  const file = openSync(lock, 'wx');
  try {
    writeSync(file, Buffer.from(`${process.pid}\n`));
    return true;
  } catch (error) {
    release(lock);
    throw error;
  } finally {
    closeSync(file);
  }
}

/** Removes the lock. If that fails, it is stale as soon as this process ends. */
function release(lock: string): void {
  try {
    rmSync(lock, { force: true });
  } catch {
    // The change itself is complete, and its result is what counts.
  }
}

/** The text of the lock file; undefined if it is gone. */
function readOwner(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fromSystem(error, `Reading ${lock}`);
  }
}

/** Whether the owner of a lock can still be running. If the id is missing, it is not written yet, or never will be. */
function isAlive(owner: string, lock: string): boolean {
  if (/^\d+\n$/.test(owner)) return isRunning(Number(owner));
  const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  return Date.now() - made < WRITING;
}

/** Removes the lock of a killed process. It is renamed first, so that only one of several runs removes it. */
function removeStale(lock: string, owner: string): void {
  const moved = `${lock}-new-${process.pid}`;
  try {
    renameSync(lock, moved);
    // Another run was faster and has taken the lock, so it is moved back.
    if (readFileSync(moved, 'utf8') === owner) rmSync(moved, { force: true });
    else renameSync(moved, lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fromSystem(error, `Removing ${lock}`);
  }
}
