// The database file. It is read whole, with its write-ahead log, and replaced whole.
import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CommandError, fromSystem } from './failures.js';
import { makeFolder, read, remove, removeLeftovers, writeWhole } from './files.js';
import { withLog } from './wal.js';

export const DEFAULT_URL = 'sqlite:///state/memory.db';

/** A database as it was read, with its state at that time, from which a later change is detected. */
export interface Snapshot {
  /** Its content, including the commits in its log; empty if there is no file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the log held commits that were not in the file yet. */
  readonly logged: boolean;
  readonly stats: Stats | undefined;
  readonly state: string;
}

/** The path in a database URL. The URL has SQLAlchemy's format. */
export function pathOf(url: string): string {
  const [, path] = /^sqlite(?:\+\w+)?:\/\/\/([^?]*)/.exec(url) ?? [];
  if (!path || path === ':memory:')
    throw new CommandError(
      'invalid_url',
      `"${url}" is not the URL of an SQLite file.`,
      'Write sqlite:///folder/file.db for a relative path, sqlite:////folder/file.db for an absolute one.',
    );
  return target(resolve(path));
}

/** The file that symbolic links lead to. SQLite keeps the log next to that file, and that file is replaced. */
function target(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fromSystem(error, `Opening ${path}`);
    const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink();
    return isLink ? resolve(dirname(path), readlinkSync(path)) : path;
  }
}

export class DatabaseFile {
  readonly path: string;
  readonly #log: string;
  readonly #shared: string;
  readonly #journal: string;

  constructor(readonly url: string) {
    this.path = pathOf(url);
    this.#log = `${this.path}-wal`;
    this.#shared = `${this.path}-shm`;
    this.#journal = `${this.path}-journal`;
  }

  read(): Snapshot {
    // Another program can change one of the files while they are read. Most writes end soon, so the read is retried.
    for (let attempt = 0; attempt < 5; attempt++) {
      const state = this.#state();
      const stats = statSync(this.path, { throwIfNoEntry: false });
      if (stats && !stats.isFile())
        throw new CommandError('invalid_argument', `${this.path} is not a file.`, 'Check --url.');
      const file = read(this.path) ?? new Uint8Array();
      const log = read(this.#log);
      const journal = read(this.#journal);
      if (this.#state() !== state) continue;
      // SQLite ignores a log or a journal next to an empty file.
      if (file.length === 0) return { bytes: file, logged: false, stats, state };
      if (journal?.[0])
        throw new CommandError(
          'locked',
          `${this.#journal} holds a change that was interrupted or is still being made.`,
          'To roll it back, open the file once with the program that wrote it, or with sqlite3; nothing was changed.',
        );
      const bytes = (log ? withLog(file, log) : file) as Uint8Array<ArrayBuffer>;
      return { bytes, logged: bytes !== file, stats, state };
    }
    throw this.#busy('is being written by another program');
  }

  /** Prepares the folder, and throws if the file cannot be replaced. Called before anything is written next to it. */
  prepare(was: Snapshot): void {
    makeFolder(dirname(this.path));
    try {
      if (was.stats) accessSync(this.path, constants.W_OK);
      accessSync(dirname(this.path), constants.W_OK);
      removeLeftovers(this.path);
    } catch (error) {
      throw fromSystem(error, `Writing ${this.path}`);
    }
    this.#checkUnchanged(was);
  }

  /**
   * Replaces the database. Whenever this is interrupted, the whole old or the whole new database is there.
   *
   * SQLite applies a log to whatever file has its name. So the log must never be next to the new file, and it must not
   * be removed while it holds commits that the old file lacks. Hence three steps: First, the old file is replaced by a
   * copy that includes the commits of the log; applying the log to this copy changes nothing. Then the log is removed.
   * Then the copy is replaced by the new file. The shared memory file, which only indexes the log, is removed last.
   */
  replace(was: Snapshot, bytes: Uint8Array): void {
    const { stats: like } = was;
    const check = () => this.#checkUnchanged(was);
    const next = inModeOf(was.bytes, bytes);
    if (was.logged || read(this.#log) || (was.bytes.length === 0 && read(this.#journal))) {
      if (was.logged) writeWhole(this.path, was.bytes, { like, check });
      else check();
      remove(this.#log);
      if (was.bytes.length === 0) remove(this.#journal);
      writeWhole(this.path, next, { like });
    } else {
      writeWhole(this.path, next, { like, check });
    }
    remove(this.#shared);
  }

  #checkUnchanged(was: Snapshot): void {
    if (this.#state() !== was.state) throw this.#busy('was changed by another program meanwhile');
    const holder = holderOf(this.path);
    if (holder !== undefined) throw this.#busy(`is open in another program (process ${holder})`);
  }

  #busy(what: string): CommandError {
    return new CommandError('locked', `${this.path} ${what}.`, 'Close it there and try again; nothing was changed.');
  }

  /** Changes with the file, its log or its journal: made of their times, sizes and the counters in their headers. */
  #state(): string {
    try {
      return this.#stateNow();
    } catch (error) {
      throw fromSystem(error, `Reading ${this.path}`);
    }
  }

  #stateNow(): string {
    return [this.path, this.#log, this.#journal]
      .map((path) => {
        const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
        if (!stat?.isFile()) return 'none';
        const header = path === this.#journal ? '' : headerOf(path);
        return `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${header}`;
      })
      .join('\n');
  }
}

function headerOf(path: string): string {
  const header = Buffer.alloc(100);
  const file = openSync(path, 'r');
  try {
    readSync(file, header);
  } finally {
    closeSync(file);
  }
  return header.toString('hex');
}

/** The positions of the two bytes that are 2 if the file is in WAL mode (used with a log), and 1 if not. */
const MODE = [18, 19] as const;

/** The new file in WAL mode if the old one is in WAL mode. */
function inModeOf(old: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (!MODE.every((at) => old[at] === 2)) return bytes;
  const next = bytes.slice();
  for (const at of MODE) next[at] = 2;
  return next;
}

/** The same database in a single file: without WAL mode it needs no log next to it. */
export function alone(bytes: Uint8Array): Uint8Array {
  if (!MODE.every((at) => bytes[at] === 2)) return bytes;
  const copy = bytes.slice();
  for (const at of MODE) copy[at] = 1;
  return copy;
}

/**
 * The process that holds SQLite's locks on a file, if the operating system reports it: only Linux does. In WAL mode a
 * connection holds a lock as long as it is open; otherwise only while it reads or writes.
 */
function holderOf(path: string): string | undefined {
  const FIRST_BYTE = 0x40000000;
  const LAST_BYTE = FIRST_BYTE + 511;
  const inode = statSync(path, { throwIfNoEntry: false })?.ino;
  let locks = '';
  try {
    locks = readFileSync('/proc/locks', 'utf8');
  } catch {
    return undefined;
  }
  // `1: POSIX  ADVISORY  READ 4711 08:01:1234 1073741826 1073742335`
  for (const line of locks.split('\n')) {
    const [, , , , process, file = '', start] = line.replace(/-> /, '').trim().split(/\s+/);
    const isSqlite = Number(start) >= FIRST_BYTE && Number(start) <= LAST_BYTE;
    if (isSqlite && file.split(':')[2] === String(inode)) return process;
  }
  return undefined;
}
