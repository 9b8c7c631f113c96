import { fromBackup, type Backup } from './backups.js';
import { notify } from './changes.js';
import { isSame } from './same.js';
import { invalidArgument } from '../wire/errors.js';
import type { Moving } from '../link/protocol.js';
import type { Role } from '../link/tab.js';
import type { Durability, SchemaStatus } from '../wasm/synth_memory.js';

/** The state of a memory. */
export interface MemoryStatus {
  /** Where the rows are stored. */
  readonly storage: 'opfs' | 'memory';
  /** What an answered write survives. */
  readonly durability: Durability;
  /**
   * This client's role among the tabs of its origin: `leader` if its own worker runs SQLite, `follower` if that of
   * another tab does.
   */
  readonly role: Role;
  /** The operation that any tab is carrying out on the whole memory; null if there is none. */
  readonly moving: Moving | null;
  /**
   * Whether the leader has a newer version of the package that this page cannot talk to. The page has to be reloaded.
   */
  readonly outdated: boolean;
  /**
   * Whether the memory is at a revision that this page's `migrations` do not have: another tab runs a newer release of
   * the app. Calls go on, but a query may name a column that the newer release removed. Reload the page.
   */
  readonly newerSchema: boolean;
  /** Whether the browser promised not to evict this site's data. */
  readonly persisted: boolean;
  /** Bytes that this site uses; null if the browser does not report it. */
  readonly usage: number | null;
  /** Bytes that this site may use; null if the browser does not report it. */
  readonly quota: number | null;
  /** The revision of the schema; null before the first. With branches, one of each, such as `002, a1b2c3`. */
  readonly revision: string | null;
  /** The same as a list. */
  readonly revisions: readonly string[];
  /** The last known revision; with branches, that of each. */
  readonly head: string | null;
  /** The same as a list. */
  readonly heads: readonly string[];
  /** The revisions that this opening applied; empty in a follower. */
  readonly migrated: readonly string[];
  /** The last backup made since the memory was opened; null if there was none. */
  readonly backup: Backup | null;
  /** Whether the file is newer than the app and was opened read-only (`onNewerSchema: 'readonly'`). */
  readonly readOnly: boolean;
  /**
   * How many changed rows are not indexed yet. They are indexed before the next question is answered, so nothing is
   * missed. Only a read-only memory is searched without them.
   */
  readonly unindexed: number;
}

/** The part of the status that the browser reports. */
export type StorageStatus = Pick<MemoryStatus, 'persisted' | 'usage' | 'quota'>;

/** The same for a `memory:`. */
export const NO_STORAGE: StorageStatus = { persisted: false, usage: null, quota: null };

/** Reads the status of this site's storage. A value that the browser does not report is false or null. */
export async function readStorage(): Promise<StorageStatus> {
  const storage = navigator.storage as StorageManager | undefined;
  const [persisted, estimate] = await Promise.all([
    ifAnswered(() => storage?.persisted?.()),
    ifAnswered(() => storage?.estimate?.()),
  ]);
  return { persisted: persisted ?? false, usage: estimate?.usage ?? null, quota: estimate?.quota ?? null };
}

/** How long to wait for the browser's answer, in ms. */
const PATIENCE = 1000;

/** The browser's answer; undefined if it fails or does not arrive in time. */
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

/** The last known status, and the listeners for its changes. */
export class KnownStatus {
  #status: MemoryStatus;
  readonly #listeners = new Set<{ readonly tell: (status: MemoryStatus) => void }>();

  constructor(status: MemoryStatus) {
    this.#status = status;
  }

  get current(): MemoryStatus {
    return this.#status;
  }

  /** Updates a part of the status; notifies the listeners if it is different. */
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

/** The part of the status that the engine reports. */
export type Schema = Pick<
  MemoryStatus,
  'revision' | 'revisions' | 'head' | 'heads' | 'newerSchema' | 'backup' | 'readOnly' | 'unindexed'
>;

/** Converts what the engine reports of the schema to fields of the status. `known` are the revisions of this page. */
export function fromSchema(schema: SchemaStatus, known: readonly string[]): Schema {
  const { revisions, heads, backup, readOnly, unindexed } = schema;
  const name = (ids: readonly string[]) => (ids.length > 0 ? ids.join(', ') : null);
  return {
    revision: name(revisions),
    revisions,
    head: name(heads),
    heads,
    newerSchema: revisions.some((id) => !known.includes(id)),
    backup: backup && fromBackup(backup),
    readOnly,
    unindexed,
  };
}
