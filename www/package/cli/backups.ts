// Copies of a database that stand beside it, named as the engine names them.
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { alone } from './database.js';
import { CommandError } from './failures.js';
import { read, remove, writeWhole } from './files.js';

export const KEPT = 3;

export interface Backup {
  readonly id: string;
  readonly createdAt: Date;
  /** The revisions it is at; none for the base. */
  readonly revisions: string[];
  readonly bytes: number;
}

export class Backups {
  constructor(
    readonly database: string,
    readonly kept: number,
  ) {}

  /** All of them, newest first. */
  list(): Backup[] {
    const folder = dirname(this.database);
    if (!statSync(folder, { throwIfNoEntry: false })) return [];
    return readdirSync(folder)
      .map((name) => this.#parse(name))
      .filter((backup) => backup !== undefined)
      .sort((one, other) => other.createdAt.getTime() - one.createdAt.getTime());
  }

  /** Keeps a copy, flushed and read back. */
  take(bytes: Uint8Array, revisions: readonly string[]): Backup {
    const newest = this.list()[0]?.createdAt.getTime() ?? 0;
    const time = Math.max(Date.now(), newest + 1);
    const id = `${basename(this.database)}-backup-${time}-${place(revisions)}`;
    const stats = statSync(this.database, { throwIfNoEntry: false });
    writeWhole(this.#path(id), alone(bytes), { like: stats });
    return this.#parse(id)!;
  }

  /** Lets go of the oldest beyond those that are kept. Done last, so that a run that fails takes no way back. */
  prune(): void {
    for (const { id } of this.list().slice(this.kept)) remove(this.#path(id));
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

/** The revisions as a part of a file's name, which has room for some 200 characters and none for slashes. */
function place(revisions: readonly string[]): string {
  const names = revisions.map((revision) => revision.replace(/[%/\\]/g, encodeURIComponent));
  let shown = names.length;
  while (shown > 1 && names.slice(0, shown).join('+').length > 150) shown--;
  return names.slice(0, shown).join('+') || 'base';
}

const unescaped = (revision: string) => revision.replace(/%(25|2F|5C)/g, decodeURIComponent);
