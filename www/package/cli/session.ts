// The state of one run of the program: its options, the database file and the migration files.
import { resolve } from 'node:path';
import { asFailure } from '../wire/errors.js';
import type { Engine, OnNewerSchema } from '../wasm/synth_memory.js';
import type { Values } from './arguments.js';
import { type Backup, Backups, KEPT } from './backups.js';
import { DatabaseFile, DEFAULT_URL, type Snapshot } from './database.js';
import { openEngine } from './engine.js';
import { CommandError, misused } from './failures.js';
import { exclusively } from './lock.js';
import { isFolder, MigrationFolder } from './revisions.js';
import type { Terminal } from './terminal.js';

/** Changes a database. `toHead` reopens it, upgraded to head. */
type Act<T> = (engine: Engine, toHead: (onNewerSchema?: OnNewerSchema) => Promise<Engine>) => T | Promise<T>;

/** The result of a change. */
export interface Changed<T> {
  readonly result: T;
  /** The revisions that the file is at now. */
  readonly revisions: string[];
  /** The backup of the previous file; null if there was no file, nothing was changed, or with --no-backup. */
  readonly backup: Backup | null;
  readonly changed: boolean;
}

export class Session {
  readonly url: string;
  readonly #kept: number;
  /** Whether the database was named. If so, commands that only read it require that it exists. */
  readonly #isNamed: boolean;
  #database: DatabaseFile | undefined;
  #folder: MigrationFolder | undefined;

  constructor(
    readonly values: Values,
    readonly positionals: readonly string[],
    readonly terminal: Terminal,
  ) {
    // An empty variable counts as unset, as in a shell.
    const named = values.text('url') ?? (process.env['SYNTH_DATABASE_URL'] || undefined);
    this.#isNamed = named !== undefined;
    this.url = named ?? DEFAULT_URL;
    const keep = values.text('keep');
    if (keep !== undefined && !/^[1-9]\d{0,5}$/.test(keep)) throw misused('--keep takes a number from 1 to 999999.');
    this.#kept = keep === undefined ? KEPT : Number(keep);
  }

  get database(): DatabaseFile {
    return (this.#database ??= new DatabaseFile(this.url));
  }

  get backups(): Backups {
    return new Backups(this.database.path, this.#kept);
  }

  /** The bytes of the database. Throws if it was named and does not exist: the name is probably mistyped. */
  readNamed(): Uint8Array<ArrayBuffer> {
    const { bytes, stats } = this.database.read();
    if (stats || !this.#isNamed) return bytes;
    throw new CommandError(
      'not_found',
      `There is no database at ${this.database.path}.`,
      'Check --url; `synth-memory upgrade heads` creates a new one.',
    );
  }

  /** The app's revisions. A folder that was named must exist, unless it `mayBeNew`. */
  async folder(mayBeNew = false): Promise<MigrationFolder> {
    const named = this.values.text('migrations') ?? (process.env['SYNTH_MIGRATIONS'] || undefined);
    const path = resolve(named ?? 'migrations');
    if (!this.#folder && named !== undefined && !mayBeNew && !isFolder(path))
      throw misused(`There is no folder ${path}.`, 'Check --migrations; `synth-memory revision` creates a new one.');
    return (this.#folder ??= await MigrationFolder.open(path));
  }

  /** An engine with the revisions only. The database file is not read. */
  async graph(folder?: MigrationFolder): Promise<Engine> {
    return openEngine({ migrations: (folder ?? (await this.folder())).migrations });
  }

  /** An engine with the database, which is not upgraded unless `upgrade` is set. */
  async engine(
    file = this.database.read().bytes,
    upgrade = false,
    onNewerSchema: OnNewerSchema = 'error',
  ): Promise<Engine> {
    const { migrations } = await this.folder();
    const { progress: onProgress } = this.terminal;
    // To SQLite an empty file is an empty database.
    return openEngine({ migrations, upgrade, onNewerSchema, onProgress, ...(file.length > 0 ? { file } : {}) });
  }

  /** An engine that can resolve a symbol. It has the database only if the symbol depends on the database's revision. */
  async engineFor(symbol: string): Promise<Engine> {
    return countsFromFile(symbol) ? this.engine() : this.graph();
  }

  /** Runs `change` while no other run of the program changes the database. */
  alone<T>(change: () => Promise<T>): Promise<T> {
    return exclusively(this.database.path, change);
  }

  /** Changes the database, all or nothing. If the change has no effect, the file is not touched. */
  change<T>(act: Act<T>): Promise<Changed<T>> {
    return this.alone(() => this.#change(act));
  }

  async #change<T>(act: Act<T>): Promise<Changed<T>> {
    const was = this.database.read();
    let engine = await this.engine(was.bytes);
    const before = engine.export();
    const found = revisionsOf(engine);
    const result = await act(engine, async (onNewerSchema) => {
      engine.close();
      engine = await this.engine(was.bytes, true, onNewerSchema);
      return engine;
    });
    const after = engine.export();
    const revisions = revisionsOf(engine);
    engine.close();
    const changed = Buffer.compare(before, after) !== 0;
    const backup = changed ? await this.replace(was, after, found) : null;
    return { result, revisions, backup, changed };
  }

  /** Replaces the database after a backup of the previous file. */
  async replace(was: Snapshot, bytes: Uint8Array, revisions: readonly string[]): Promise<Backup | null> {
    const { backups, database } = this;
    database.prepare(was);
    const isKept = was.bytes.length > 0 && !this.values.flag('no-backup');
    const backup = isKept ? backups.take(was.bytes, revisions) : null;
    database.replace(was, bytes);
    if (backup) await backups.prune();
    return backup;
  }
}

/** Whether a symbol depends on the revision that the file is at. */
export const countsFromFile = (symbol: string) => /current|(^|[@:])[+-]\d/.test(symbol);

/** Whether a file has tables but no `alembic_version`, so that its revision is unknown. */
export function isUnversioned(engine: Engine): boolean {
  try {
    engine.schemaStatus();
    return false;
  } catch (thrown) {
    if (asFailure(thrown)?.code === 'unversioned_database') return true;
    throw thrown;
  }
}

export const revisionsOf = (engine: Engine): string[] => (isUnversioned(engine) ? [] : engine.schemaStatus().revisions);
