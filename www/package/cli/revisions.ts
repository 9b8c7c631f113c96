// The app's own migration files, in a folder.
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { MigrationFile } from '../wasm/synth_memory.js';
import { openEngine } from './engine.js';
import { CommandError, fromSystem } from './failures.js';
import { makeFolder, read, writeWhole } from './files.js';

/** A migration file of the folder. */
export interface OwnFile {
  readonly id: string | undefined;
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

export class MigrationFolder {
  /** The files that do not come with the package, by name. */
  readonly own: readonly OwnFile[];
  /** All files, including those that come with the package. */
  readonly all: readonly OwnFile[];

  private constructor(
    readonly path: string,
    all: readonly OwnFile[],
    bundled: ReadonlySet<OwnFile>,
  ) {
    this.all = all;
    this.own = all.filter((file) => !bundled.has(file));
  }

  /** Reads the folder. A folder that does not exist counts as empty. */
  static async open(path: string): Promise<MigrationFolder> {
    const all = [path, join(path, VERSIONS)].flatMap(filesIn);
    return new MigrationFolder(path, all, await bundledAmong(all));
  }

  /** The app's own files as the engine accepts them. */
  get migrations(): (readonly [name: string, text: string])[] {
    return this.own.map(({ name, text }) => [name, text] as const);
  }

  /** The file of a revision; undefined if the folder has none. */
  of(id: string): OwnFile | undefined {
    return this.all.find((file) => file.id === id);
  }

  /** Writes a new file and returns its path. */
  add({ name, text }: MigrationFile): string {
    const versions = join(this.path, VERSIONS);
    const folder = isFolder(versions) ? versions : this.path;
    makeFolder(folder);
    const path = join(folder, name);
    if (read(path))
      throw new CommandError('invalid_argument', `${path} already exists.`, 'Use another message or --rev-id.');
    writeWhole(path, new TextEncoder().encode(text));
    return path;
  }
}

const VERSIONS = 'versions';

export const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function filesIn(folder: string): OwnFile[] {
  if (!isFolder(folder)) return [];
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.sql') && !name.startsWith('.'))
      .sort()
      .map((name) => {
        const path = join(folder, name);
        const text = new TextDecoder().decode(read(path));
        return { id: /^\s*--\s*revision id\s*:\s*(\S+)/im.exec(text)?.[1], name, path, text };
      });
  } catch (error) {
    throw fromSystem(error, `Reading ${folder}`);
  }
}

/** The files with the id and the text of a revision that comes with the package. */
async function bundledAmong(files: readonly OwnFile[]): Promise<Set<OwnFile>> {
  if (files.length === 0) return new Set();
  const engine = await openEngine({ migrations: [] });
  const ids = new Set(engine.history().map(({ id }) => id));
  if (!files.some(({ id }) => id !== undefined && ids.has(id))) return new Set();
  // The engine reports only the checksums of applied revisions, so they are applied to an empty database.
  engine.upgrade('heads');
  const checksums = new Map(engine.verify().map(({ revision, checksum }) => [revision, checksum]));
  engine.close();
  // As the engine reads them: without a byte order mark, which decoding removed, and with LF line endings.
  const sha256 = (text: string) => createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
  return new Set(files.filter(({ id, text }) => id !== undefined && checksums.get(id) === sha256(text)));
}
