// One run of the program at a time changes a file: the others wait for it.
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError, fromSystem } from './failures.js';
import { isRunning } from './files.js';

/** How long a run waits for another one, how often it checks, and how long an owner may take to write its number, in ms. */
const PATIENCE = 10_000;
const PAUSE = 50;
const WRITING = 5_000;

/** Without these rights nothing can be changed either; the first write reports it. Without a folder there is no database. */
const NO_LOCK = ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR'];

/** Runs `change` while no other run of the program changes the file at `path`. Waits up to 10 s, then throws `locked`. */
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

/** Creates the lock file with this process's number in it; fails with `EEXIST` if another process has it. */
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

/** What the lock file holds; undefined if it is gone. */
function readOwner(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fromSystem(error, `Reading ${lock}`);
  }
}

/** Whether the owner of a lock may still be at work. One without a number has not written it yet, or was killed before. */
function isAlive(owner: string, lock: string): boolean {
  if (/^\d+\n$/.test(owner)) return isRunning(Number(owner));
  const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  return Date.now() - made < WRITING;
}

/** Removes the lock of a process that was killed. Renamed first, so that of several runs only one removes it. */
function removeStale(lock: string, owner: string): void {
  const moved = `${lock}-new-${process.pid}`;
  try {
    renameSync(lock, moved);
    // Another run was faster and has the lock by now: it gets it back.
    if (readFileSync(moved, 'utf8') === owner) rmSync(moved, { force: true });
    else renameSync(moved, lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fromSystem(error, `Removing ${lock}`);
  }
}
