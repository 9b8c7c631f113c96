import { checkFields, checkText } from '../wire/check.js';
import type { CallOptions } from '../link/connection.js';
import type { EmbedderOption, EmbeddingStatus } from '../recall/embedder.js';
import { invalidArgument } from '../wire/errors.js';
import type { Durability, MigrationProgress, OnNewerSchema } from '../wasm/synth_memory.js';

/** How to open a memory. */
export interface OpenOptions extends CallOptions {
  /** Where it is: `opfs:///name.db`, by default `opfs:///memory.db`; or `memory:`, which keeps nothing. */
  readonly url?: string | undefined;
  /**
   * What a write has survived when it is answered: `strict`, the default, a power cut; `relaxed` a killed tab or
   * browser, at less cost.
   */
  readonly durability?: Durability | undefined;
  /**
   * The app's own migrations, beside the package's: file names, or paths, with the files' texts. What
   * `import.meta.glob('./migrations/*.sql', { query: '?raw', import: 'default', eager: true })` gives.
   */
  readonly migrations?: Readonly<Record<string, string>> | undefined;
  /**
   * What to do with a file that a newer version of the app has migrated: `error`, the default, refuses it; `readonly` opens
   * it and refuses every change; `downgrade` takes it back with the downgrades that are stored in it, after a backup.
   */
  readonly onNewerSchema?: OnNewerSchema | undefined;
  /**
   * Whether to bring the schema to head; true by default. With false the memory is opened as it is, to look at it, to
   * `stamp` it, or to `redo` or `accept` an edited revision; its tables may lack what the calls on them need.
   */
  readonly upgrade?: boolean | undefined;
  /** The copies that are kept before the memory is migrated or replaced. */
  readonly backups?: BackupOptions | undefined;
  /** Is told where a migration, and the backup before it, are. */
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined;
  /**
   * What makes vectors of texts, for search by meaning: `bundled`, the default, knows English best, and is a download of
   * 2.3 MB when it is first needed; `multilingual` knows many languages, in 8.9 MB; `none` leaves recall to words; or
   * one of your own. Where it is named here, what waits for its vector is embedded from the opening on; otherwise from the
   * first question on. Vectors of different embedders cannot be compared, so after a change every row is embedded again;
   * tabs that share a memory should name the same one. An unknown name is refused with `invalid_argument`.
   */
  readonly embedder?: EmbedderOption | undefined;
  /** Is told how far embedding is, whenever some texts have their vectors. */
  readonly onEmbedding?: ((status: EmbeddingStatus) => void) | undefined;
  /** Whether to ask the browser not to evict this site's data; true by default. Some browsers ask the user. */
  readonly persist?: boolean | undefined;
}

/** How backups are kept. */
export interface BackupOptions {
  /** How many, 1 to 20; the newest 3 by default. */
  readonly keep?: number | undefined;
  /**
   * Whether there is no migration without one; true by default. With false, a migration for whose backup the browser
   * grants no space goes on without it; an import does too.
   */
  readonly required?: boolean | undefined;
}

/** What `export` may be told. */
export interface ExportOptions extends CallOptions {
  /**
   * The revision the file shall be at, as `001` for Synth Mind, with what it builds on and nothing beside it; the memory's
   * own by default.
   */
  readonly revision?: string | undefined;
}

/** What `import` may be told. */
export interface ImportOptions extends CallOptions {
  /**
   * What to do with triggers, views, virtual tables and declarations of another program's that would act in the tables of the
   * memory: `leave-out`, the default, imports the file without them and lists them; `refuse` rejects it with `schema_mismatch`.
   */
  readonly foreign?: 'leave-out' | 'refuse' | undefined;
}

/** What `query` may be told. */
export interface QueryOptions extends CallOptions {
  /** How long it may run, in ms; 10,000 by default. Nothing else stops a query that has begun. */
  readonly timeoutMs?: number | undefined;
}

/** The app's own migrations, checked: names and texts. */
export function checkMigrations(
  migrations: Readonly<Record<string, string>> | undefined,
): (readonly [name: string, text: string])[] | undefined {
  if (migrations === undefined) return undefined;
  if (typeof migrations !== 'object' || migrations === null || Array.isArray(migrations))
    throw invalidArgument(
      "migrations must be an object of file names and texts, as import.meta.glob gives with '?raw'.",
    );
  return Object.entries(migrations).map(([path, text]) => {
    if (typeof text !== 'string')
      throw invalidArgument(
        `migrations: ${path} must be the text of a file, not ${typeof text}.`,
        "With import.meta.glob say { query: '?raw', import: 'default', eager: true }.",
      );
    return [checkText(path, 'migrations').split('/').at(-1)!, checkText(text, `migrations: ${path}`)] as const;
  });
}

const OPEN_OPTIONS: Record<keyof OpenOptions, true> = {
  url: true,
  durability: true,
  migrations: true,
  onNewerSchema: true,
  upgrade: true,
  backups: true,
  onProgress: true,
  embedder: true,
  onEmbedding: true,
  persist: true,
  signal: true,
};

/** Refuses what is no option: a misspelt one would be left out in silence. */
export function checkOpenOptions(options: OpenOptions): void {
  checkFields(options, Object.keys(OPEN_OPTIONS));
}
