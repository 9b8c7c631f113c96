// Writes files whole or not at all.
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CommandError, fromSystem } from './failures.js';

/** The file's bytes; undefined if there is no such file. */
export function read(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return readFileSync(path) as Uint8Array<ArrayBuffer>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fromSystem(error, `Reading ${path}`);
  }
}

export interface How {
  /** The permissions and the owner that the file gets. */
  readonly like?: Stats | undefined;
  /** Called before the file is renamed into place. If it throws, the file is not replaced. */
  readonly check?: (() => void) | undefined;
}

/**
 * Writes a file atomically: whenever the machine stops, the path holds the whole new file or the previous one. The new
 * file is written next to it, flushed, read back and then renamed over it.
 */
export function writeWhole(path: string, bytes: Uint8Array, { like, check }: How = {}): void {
  const beside = join(dirname(path), `.${basename(path)}-new-${process.pid}`);
  try {
    const file = openSync(beside, 'w', like ? 0o600 : 0o666);
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      if (like) keepOwner(file, like);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (!readFileSync(beside).equals(bytes))
      throw new CommandError('io_failed', `${path} does not read back as it was written.`, 'Check the disk.');
    check?.();
    renameSync(beside, path);
    flushFolder(path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error instanceof CommandError ? error : fromSystem(error, `Writing ${path}`);
  }
}

function keepOwner(file: number, { mode, uid, gid }: Stats): void {
  try {
    fchownSync(file, uid, gid);
  } catch {
    // Only root may change the owner.
  }
  fchmodSync(file, mode & 0o7777);
}

/** Removes a file. The removal is on the disk when this returns. */
export function remove(path: string): void {
  if (!existsSync(path)) return;
  try {
    rmSync(path);
    flushFolder(path);
  } catch (error) {
    throw fromSystem(error, `Removing ${path}`);
  }
}

/** Flushes the folder of a file: only then is a changed name on the disk. */
function flushFolder(path: string): void {
  // Windows cannot open a folder, and flushes names by itself.
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw fromSystem(error, `Creating the folder ${path}`);
  }
}

/** Removes the files that killed runs left next to a file. */
export function removeLeftovers(path: string): void {
  const begins = `.${basename(path)}-`;
  for (const name of readdirSync(dirname(path))) {
    const [, process] = (name.startsWith(begins) && /-new-(\d+)$/.exec(name)) || [];
    if (process !== undefined && !isRunning(Number(process))) rmSync(join(dirname(path), name), { force: true });
  }
}

/** Whether a process with this id is running, also as another user. */
export function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
