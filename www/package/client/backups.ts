import type { CallOptions, Connection } from '../link/connection.js';
import { checkText } from '../wire/check.js';
import type { Backup as WireBackup, Imported } from '../wasm/synth_memory.js';

/** A verified copy that was kept before the memory was migrated or replaced. */
export interface Backup {
  /** Its name, to restore it by. */
  readonly id: string;
  /** When it was made. */
  readonly createdAt: Date;
  /** The revision it is at; null before the first. With branches, one of each, such as `002, a1b2c3`. */
  readonly revision: string | null;
}

/** What compacting did. */
export interface Compacted {
  /** How many bytes the database had. */
  readonly bytesBefore: number;
  /** How many it has. */
  readonly bytesAfter: number;
  /** The backups that are kept, newest first. What was deleted since they were made is still in them. */
  readonly backups: readonly Backup[];
}

/** The copies that are kept beside the memory, the newest three by default: `memory.backups`. A `memory:` has none. */
export class Backups {
  readonly #connection: Connection;
  readonly #changed: () => Promise<unknown>;

  /** @internal */
  constructor(connection: Connection, changed: () => Promise<unknown>) {
    this.#connection = connection;
    this.#changed = changed;
  }

  /** All of them, newest first. */
  async list(options?: CallOptions): Promise<Backup[]> {
    return (await this.#connection.call('backups', [], options)).map(fromBackup);
  }

  /** Keeps a verified copy now; the oldest beyond those that are kept goes. */
  async create(options?: CallOptions): Promise<Backup> {
    const backup = fromBackup(await this.#connection.call('backUp', [], options));
    await this.#changed();
    return backup;
  }

  /**
   * Deletes a backup, and with it the rows that were deleted from the memory since it was made; resolves to whether there was
   * one with this id.
   */
  async delete(id: string, options?: CallOptions): Promise<boolean> {
    const deleted = await this.#connection.call('deleteBackup', [checkText(id, 'id')], options);
    await this.#changed();
    return deleted;
  }

  /**
   * Replaces the whole database by a backup's, brought to head. Resolves to the revisions that were applied and to what was left
   * out, as `import` does. What was there is kept as a backup in its turn. Rejects with `not_found` where there is none with
   * this id.
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
