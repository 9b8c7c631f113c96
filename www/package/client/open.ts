import { LoadedRecall } from './embeddings.js';
import { checkOpenOptions, engineOptionsOf, type OpenOptions } from './options.js';
import { fromSchema, NO_STORAGE, readStorage, type MemoryStatus } from './status.js';
import { checkReachable, parseUrl } from './url.js';
import { Connection } from '../link/connection.js';
import { isNode } from '../link/platform.js';
import { openWorker } from '../link/transport.js';

/** What an open memory consists of. */
export interface Opened {
  readonly connection: Connection;
  readonly recall: LoadedRecall;
  readonly status: MemoryStatus;
}

/** Validates the options, and opens a memory. */
export async function open(options: OpenOptions): Promise<Opened> {
  checkOpenOptions(options);
  const place = parseUrl(options.url ?? 'opfs:///memory.db');
  const engineOptions = engineOptionsOf(options, place);
  checkReachable(place);
  const { embedder, signal, onProgress, onEmbedding } = options;
  const openHere = isNode() ? (await import('../worker/node.js')).openInThread : openWorker;
  const connection = new Connection(openHere, engineOptions, onProgress);
  const recall = new LoadedRecall(connection, embedder, onEmbedding);
  // Reports an invalid embedder before anything is opened.
  const eager = embedder === undefined ? undefined : await recall.load(options);
  const [schema, storage] = await Promise.all([
    connection.open({ signal }),
    place.storage === 'opfs' ? readStorage() : NO_STORAGE,
  ]);
  const status = {
    storage: place.storage,
    durability: engineOptions.durability,
    role: connection.role,
    moving: null,
    outdated: false,
    ...storage,
    ...fromSchema(schema, connection.revisions),
    // If another tab applied revisions when it opened the memory, that tab reports them.
    migrated: connection.role === 'leader' ? schema.migrated : [],
  };
  eager?.runner.begin();
  return { connection, recall, status };
}

/** Asks the browser not to evict this site's data, which may ask the user first. */
export async function persist(): Promise<void> {
  await (navigator.storage as StorageManager | undefined)?.persist?.();
}
