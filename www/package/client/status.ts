import { fromBackup, type Backup } from './backups.js';
import { notify } from './changes.js';
import { isSame } from './same.js';
import { invalidArgument } from '../wire/errors.js';
import type { Moving } from '../link/protocol.js';
import type { Role } from '../link/tab.js';
import type { Durability, SchemaStatus } from '../wasm/synth_memory.js';

/** The state of a memory. */
export interface MemoryStatus {
  /** Where the rows are. */
  readonly storage: 'opfs' | 'memory';
  /** What an answered write has survived. */
  readonly durability: Durability;
  /** This client's part among the tabs of its origin: its own worker runs SQLite (`leader`), or that of another (`follower`). */
  readonly role: Role;
  /** What is being done to the whole memory just now, by whichever tab; null where nothing is. */
  readonly moving: Moving | null;
  /** Whether another tab leads with a newer version of the package, which this page is too old for: it has to be reloaded. */
  readonly outdated: boolean;
  /** Whether the browser promised not to evict this site's data. */
  readonly persisted: boolean;
  /** Bytes this site uses; null where the browser does not tell. */
  readonly usage: number | null;
  /** Bytes this site may use; null where the browser does not tell. */
  readonly quota: number | null;
  /** The revision of the schema; null before the first. With branches, one of each, such as `002, a1b2c3`. */
  readonly revision: string | null;
  /** The same, one by one. */
  readonly revisions: readonly string[];
  /** The last revision that is known; with branches, of each. */
  readonly head: string | null;
  /** The same, one by one. */
  readonly heads: readonly string[];
  /** The revisions that opening applied. */
  readonly migrated: readonly string[];
  /** The backup last made since it was opened, if one had to be. */
  readonly backup: Backup | null;
  /** Whether the file is newer than the app, and was opened to be read only (`onNewerSchema: 'readonly'`). */
  readonly readOnly: boolean;
  /**
   * How many rows changed and are not indexed yet. They are before the next question is answered, so nothing is missed; only
   * a memory that is read only is searched without them.
   */
  readonly unindexed: number;
}

/** The part of the state that the browser tells. */
export type StorageStatus = Pick<MemoryStatus, 'persisted' | 'usage' | 'quota'>;

/** Of what is in memory only. */
export const NO_STORAGE: StorageStatus = { persisted: false, usage: null, quota: null };

/** What the browser says of this site's storage; a page that may not ask is not told. */
export async function readStorage(): Promise<StorageStatus> {
  const storage = navigator.storage as StorageManager | undefined;
  const [persisted, estimate] = await Promise.all([
    ifAnswered(() => storage?.persisted?.()),
    ifAnswered(() => storage?.estimate?.()),
  ]);
  return { persisted: persisted ?? false, usage: estimate?.usage ?? null, quota: estimate?.quota ?? null };
}

/** How long a browser is waited for that only has to say something, in ms. */
const PATIENCE = 1000;

/** What the browser answers; undefined if it fails, or does not answer soon. */
async function ifAnswered<T>(ask: () => Promise<T> | undefined): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, PATIENCE, undefined)));
  try {
    return await Promise.race([ask(), late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** The state as it is known, and who is told when it is another one. */
export class KnownStatus {
  #status: MemoryStatus;
  readonly #listeners = new Set<{ readonly tell: (status: MemoryStatus) => void }>();

  constructor(status: MemoryStatus) {
    this.#status = status;
  }

  get current(): MemoryStatus {
    return this.#status;
  }

  /** Takes over what is known anew. */
  change(part: Partial<MemoryStatus>): void {
    const status = { ...this.#status, ...part };
    if (isSame(status, this.#status)) return;
    this.#status = status;
    for (const { tell } of [...this.#listeners]) notify(tell, status);
  }

  listen(tell: (status: MemoryStatus) => void): () => void {
    if (typeof tell !== 'function') throw invalidArgument('listener must be a function.');
    const listener = { tell };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The part of the state that the engine tells. */
export type Schema = Pick<
  MemoryStatus,
  'revision' | 'revisions' | 'head' | 'heads' | 'backup' | 'readOnly' | 'unindexed'
>;

/** What the engine tells of the schema, as the state has it. */
export function fromSchema({ revisions, heads, backup, readOnly, unindexed }: SchemaStatus): Schema {
  const name = (ids: readonly string[]) => (ids.length > 0 ? ids.join(', ') : null);
  return {
    revision: name(revisions),
    revisions,
    head: name(heads),
    heads,
    backup: backup && fromBackup(backup),
    readOnly,
    unindexed,
  };
}
