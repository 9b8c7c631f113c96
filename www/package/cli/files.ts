// Files written whole or not at all.
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

/** The file's bytes; undefined where there is none. */
export function read(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return readFileSync(path) as Uint8Array<ArrayBuffer>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fromSystem(error, `Reading ${path}`);
  }
}

export interface How {
  /** Whose permissions and owner it gets. */
  readonly like?: Stats | undefined;
  /** Is called before the file takes its place; what it throws keeps it from that. */
  readonly check?: (() => void) | undefined;
}

/**
 * Writes a file so that, whenever the machine stops, there is the whole new one under its name or what was there before:
 * beside it first, flushed and read back, then renamed over it.
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
      throw new CommandError('io_failed', `What was written to ${path} is not what is read.`, 'Check the disk.');
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
    // Only root may give files away.
  }
  fchmodSync(file, mode & 0o7777);
}

/** Removes a file, and that it is gone is on the disk when this returns. */
export function remove(path: string): void {
  if (!existsSync(path)) return;
  try {
    rmSync(path);
    flushFolder(path);
  } catch (error) {
    throw fromSystem(error, `Removing ${path}`);
  }
}

/** Names are on the disk when their folder is. */
function flushFolder(path: string): void {
  // Windows opens no folders, and writes names down by itself.
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
    throw fromSystem(error, `Making the folder ${path}`);
  }
}

/** Removes what runs that were killed have left beside a file. */
export function removeLeftovers(path: string): void {
  const begins = `.${basename(path)}-`;
  for (const name of readdirSync(dirname(path))) {
    const [, process] = (name.startsWith(begins) && /-new-(\d+)$/.exec(name)) || [];
    if (process !== undefined && !isRunning(Number(process))) rmSync(join(dirname(path), name), { force: true });
  }
}

/** Whether there is such a process. One of another user counts. */
export function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
