import type { Place } from './url.js';
import { checkFields, checkText, defined } from '../wire/check.js';
import type { CallOptions } from '../link/connection.js';
import type { EmbedderOption, EmbeddingStatus } from '../recall/embedder.js';
import { invalidArgument } from '../wire/errors.js';
import type { Durability, EngineOptions, MigrationProgress, OnNewerSchema } from '../wasm/synth_memory.js';

/** How to open a memory. */
export interface OpenOptions extends CallOptions {
  /**
   * Where the memory is stored: `opfs:///name.db`, by default `opfs:///memory.db`; or `memory:`, which keeps nothing.
   */
  readonly url?: string | undefined;
  /**
   * What an answered write survives. `strict`, the default: a power cut. `relaxed`: a killed tab or browser, at less
   * cost.
   */
  readonly durability?: Durability | undefined;
  /**
   * The app's own migrations, in addition to the package's: an object of file names, or paths, and the texts of the
   * files, such as `import.meta.glob('./migrations/*.sql', { query: '?raw', import: 'default', eager: true })` returns.
   */
  readonly migrations?: Readonly<Record<string, string>> | undefined;
  /**
   * What to do with a file that a newer version of the app has migrated. `error`, the default, rejects with
   * `newer_schema`. `readonly` opens it and rejects every change. `downgrade` makes a backup and downgrades it with the
   * scripts stored in it.
   */
  readonly onNewerSchema?: OnNewerSchema | undefined;
  /**
   * Whether to migrate the schema to head; true by default. With false the memory is opened as it is, to inspect it, to
   * `stamp` it, or to `redo` or `accept` an edited revision. Its tables may then lack what the calls on them need.
   */
  readonly upgrade?: boolean | undefined;
  /** The backups that are made before the memory is migrated or replaced. */
  readonly backups?: BackupOptions | undefined;
  /** Receives the progress of a migration and of the backup before it. */
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined;
  /**
   * What embeds texts for search by meaning. `bundled`, the default, knows English best, and downloads 2.3 MB when it
   * is first needed. `multilingual` knows many languages, and downloads 8.9 MB. `none` leaves recall to words. An
   * object is an embedder of your own.
   *
   * If it is named here, the texts that wait for a vector are embedded from the opening on; otherwise from the first
   * question on. Vectors of different embedders cannot be compared, so changing it re-embeds every row, and tabs that
   * share a memory should use the same one. An unknown name rejects with `invalid_argument`.
   */
  readonly embedder?: EmbedderOption | undefined;
  /** Receives the progress of embedding, whenever some texts have received their vectors. */
  readonly onEmbedding?: ((status: EmbeddingStatus) => void) | undefined;
  /** Whether to ask the browser not to evict this site's data; true by default. Some browsers ask the user. */
  readonly persist?: boolean | undefined;
}

/** How backups are kept. */
export interface BackupOptions {
  /**
   * How many are kept, 1 to 20; the newest 3 by default. If none of them has a row, the newest one that has some is kept
   * too.
   */
  readonly keep?: number | undefined;
  /**
   * Whether a migration needs a backup; true by default. With false, a migration or an import goes on without one if
   * the browser grants no space for it.
   */
  readonly required?: boolean | undefined;
}

/** Options of `export`. */
export interface ExportOptions extends CallOptions {
  /**
   * The revision of the exported file, such as `001` for Synth Mind; by default the memory's own. The file has that
   * revision, those that it builds on, and no others.
   */
  readonly revision?: string | undefined;
}

/** Options of `import`. */
export interface ImportOptions extends CallOptions {
  /**
   * What to do with triggers, views, virtual tables and declarations of other programs that would act in the tables of
   * the memory. `leave-out`, the default, imports the file without them and lists them. `refuse` rejects the file with
   * `schema_mismatch`.
   */
  readonly foreign?: 'leave-out' | 'refuse' | undefined;
}

/** Options of `query`, `execute` and `transaction`. */
export interface QueryOptions extends CallOptions {
  /** How long it may run, in ms; 10,000 by default. Nothing else stops a query that has begun. */
  readonly timeoutMs?: number | undefined;
}

/** Validates the app's own migrations; returns names and texts. */
function checkMigrations(
  migrations: Readonly<Record<string, string>> | undefined,
): (readonly [name: string, text: string])[] | undefined {
  if (migrations === undefined) return undefined;
  if (typeof migrations !== 'object' || migrations === null || Array.isArray(migrations))
    throw invalidArgument(
      "migrations must be an object of file names and texts, such as import.meta.glob returns with '?raw'.",
    );
  return Object.entries(migrations).map(([path, text]) => {
    if (typeof text !== 'string')
      throw invalidArgument(
        `migrations: ${path} must be the text of a file, not ${typeof text}.`,
        "With import.meta.glob, use { query: '?raw', import: 'default', eager: true }.",
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

/** Rejects unknown options: a misspelt one would otherwise be ignored silently. */
export function checkOpenOptions(options: OpenOptions): void {
  if (typeof (options as unknown) === 'string')
    throw invalidArgument('The options must be an object.', "Write Memory.open({ url: 'opfs:///memory.db' }).");
  checkFields(options, Object.keys(OPEN_OPTIONS));
}

/** Validates the options that the engine needs, and converts them to its own. */
export function engineOptionsOf(options: OpenOptions, place: Place): EngineOptions {
  const { durability = 'strict', onNewerSchema, upgrade, backups = {} } = options;
  if (durability !== 'strict' && durability !== 'relaxed')
    throw invalidArgument("durability must be 'strict' or 'relaxed'.");
  const migrations = checkMigrations(options.migrations);
  checkFields(backups, ['keep', 'required'], 'backups');
  const { keep, required } = backups;
  if (keep !== undefined && !(Number.isInteger(keep) && keep >= 1 && keep <= 20))
    throw invalidArgument('backups.keep must be a whole number from 1 to 20.');
  return {
    durability,
    ...(place.storage === 'opfs' && { path: place.path }),
    ...defined({ migrations, onNewerSchema, keep, backupRequired: required, upgrade }),
  };
}
