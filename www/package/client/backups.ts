import type { Caller } from './query.js';
import type { CallOptions } from '../link/connection.js';
import { checkText } from '../wire/check.js';
import type { Backup as WireBackup, Imported } from '../wasm/synth_memory.js';

/** A verified copy of the database, made before the memory was migrated or replaced, or by `create`. */
export interface Backup {
  /** Its id, for `restore` and `delete`. */
  readonly id: string;
  /** When it was made. */
  readonly createdAt: Date;
  /** Its revision; null before the first. With branches, one of each, such as `002, a1b2c3`. */
  readonly revision: string | null;
}

/** The result of `compact`. */
export interface Compacted {
  /** The size of the database before, in bytes. */
  readonly bytesBefore: number;
  /** Its size now, in bytes. */
  readonly bytesAfter: number;
  /** The backups that are kept, newest first. They still hold rows that were deleted after they were made. */
  readonly backups: readonly Backup[];
}

/** The backups of a memory: `memory.backups`. By default the newest three are kept. A `memory:` has none. */
export class Backups {
  readonly #connection: Caller;
  readonly #changed: () => Promise<unknown>;

  /** @internal */
  constructor(connection: Caller, changed: () => Promise<unknown>) {
    this.#connection = connection;
    this.#changed = changed;
  }

  /** All backups, newest first. */
  async list(options?: CallOptions): Promise<Backup[]> {
    return (await this.#connection.call('backups', [], options)).map(fromBackup);
  }

  /** Makes a backup now. If there are then more than are to be kept, the oldest is deleted. */
  async create(options?: CallOptions): Promise<Backup> {
    const backup = fromBackup(await this.#connection.call('backUp', [], options));
    await this.#changed();
    return backup;
  }

  /**
   * Deletes a backup, and with it the rows that were deleted from the memory after it was made. Resolves to whether
   * there was one with this id.
   */
  async delete(id: string, options?: CallOptions): Promise<boolean> {
    const deleted = await this.#connection.call('deleteBackup', [checkText(id, 'id')], options);
    await this.#changed();
    return deleted;
  }

  /**
   * Replaces the whole database with that of a backup and migrates it to head. Resolves to the revisions that were
   * applied and to what was left out, as `import` does. The replaced database is kept as a backup. Rejects with
   * `not_found` if there is none with this id.
   */
  async restore(id: string, options?: CallOptions): Promise<Imported> {
    const restored = await this.#connection.call('restore', [checkText(id, 'id')], options);
    await this.#changed();
    return restored;
  }
}

export function fromBackup({ id, createdAt, revisions }: WireBackup): Backup {
  return { id, createdAt: new Date(createdAt), revision: revisions.length > 0 ? revisions.join(', ') : null };
}
