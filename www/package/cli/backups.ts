// The backups of a database: copies next to it, named as the engine names its own.
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { alone } from './database.js';
import { openEngine } from './engine.js';
import { CommandError } from './failures.js';
import { read, remove, writeWhole } from './files.js';

export const KEPT = 3;

export interface Backup {
  readonly id: string;
  readonly createdAt: Date;
  /** The revisions that it is at; empty at the base. */
  readonly revisions: string[];
  readonly bytes: number;
}

export class Backups {
  constructor(
    readonly database: string,
    readonly kept: number,
  ) {}

  /** All backups, newest first. */
  list(): Backup[] {
    const folder = dirname(this.database);
    if (!statSync(folder, { throwIfNoEntry: false })) return [];
    return readdirSync(folder)
      .map((name) => this.#parse(name))
      .filter((backup) => backup !== undefined)
      .sort((one, other) => other.createdAt.getTime() - one.createdAt.getTime());
  }

  /** Writes a backup, flushes it and reads it back. */
  take(bytes: Uint8Array, revisions: readonly string[]): Backup {
    const newest = this.list()[0]?.createdAt.getTime() ?? 0;
    const time = Math.max(Date.now(), newest + 1);
    const id = `${basename(this.database)}-backup-${time}-${place(revisions)}`;
    const stats = statSync(this.database, { throwIfNoEntry: false });
    writeWhole(this.#path(id), alone(bytes), { like: stats });
    return this.#parse(id)!;
  }

  /**
   * Deletes the oldest backups beyond `kept`. If none of the others has a row, the newest one that has some is kept too:
   * after a downgrade to the base it is the only copy. Called last, so that a failed run deletes none.
   */
  async prune(): Promise<void> {
    const all = this.list();
    const older = all.slice(this.kept);
    const only = older.length > 0 && !(await this.#firstWithRows(all.slice(0, this.kept)));
    const kept = only ? await this.#firstWithRows(older) : undefined;
    for (const backup of older) if (backup !== kept) remove(this.#path(backup.id));
  }

  async #firstWithRows(backups: readonly Backup[]): Promise<Backup | undefined> {
    for (const backup of backups) if (await this.#hasRows(backup)) return backup;
    return undefined;
  }

  /** Whether a backup has rows. One that cannot be read has none that could be restored. */
  async #hasRows({ id }: Backup): Promise<boolean> {
    try {
      const engine = await openEngine({ file: this.read(id) });
      try {
        return engine.hasRows();
      } finally {
        engine.close();
      }
    } catch {
      return false;
    }
  }

  read(id: string): Uint8Array<ArrayBuffer> {
    const bytes = this.list().some((backup) => backup.id === id) ? read(this.#path(id)) : undefined;
    if (bytes) return bytes;
    throw new CommandError('not_found', `There is no backup "${id}".`, 'List them with `synth-memory backups`.');
  }

  #path(id: string): string {
    return join(dirname(this.database), id);
  }

  #parse(id: string): Backup | undefined {
    const start = `${basename(this.database)}-backup-`;
    const [, time, where] = (id.startsWith(start) && /^(\d+)-([^-]+)$/.exec(id.slice(start.length))) || [];
    if (time === undefined || where === undefined) return undefined;
    const revisions = where.split('+').filter((revision) => revision !== 'base');
    const size = statSync(this.#path(id), { throwIfNoEntry: false })?.size ?? 0;
    return { id, createdAt: new Date(Number(time)), revisions: revisions.map(unescaped), bytes: size };
  }
}

/** The revisions as part of a file name, which can hold about 200 characters and no slashes. */
function place(revisions: readonly string[]): string {
  const names = revisions.map((revision) => revision.replace(/[%/\\]/g, encodeURIComponent));
  let shown = names.length;
  while (shown > 1 && names.slice(0, shown).join('+').length > 150) shown--;
  return names.slice(0, shown).join('+') || 'base';
}

const unescaped = (revision: string) => revision.replace(/%(25|2F|5C)/g, decodeURIComponent);
