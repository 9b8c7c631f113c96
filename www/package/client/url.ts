import { isNode } from '../link/platform.js';
import { MemoryError } from '../wire/errors.js';

/** Where a memory is stored: at the path of a file in OPFS, or in memory only. */
export type Place = { readonly storage: 'opfs'; readonly path: string } | { readonly storage: 'memory' };

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
const MAX_PATH = 200;

/**
 * Parses the URL of a memory: `opfs:///name.db`, folders allowed, or `memory:`.
 *
 * @throws {@link MemoryError} `invalid_url`.
 */
export function parseUrl(url: string): Place {
  if (url === 'memory:') return { storage: 'memory' };
  const path = typeof url === 'string' && url.startsWith('opfs:///') ? url.slice('opfs://'.length) : undefined;
  const segments = path?.slice(1).split('/');
  if (path && path.length <= MAX_PATH && segments?.every((segment) => SEGMENT.test(segment)))
    return { storage: 'opfs', path };
  throw new MemoryError(
    'invalid_url',
    `${typeof url === 'string' ? JSON.stringify(url) : `A ${typeof url}`} is not the URL of a memory.`,
    "Use 'opfs:///name.db' (letters, digits, _ . - and / in between) or 'memory:'.",
  );
}

/** Rejects a path in OPFS if this is Node, which has no OPFS even if it emulates a page. */
export function checkReachable(place: Place): void {
  if (place.storage === 'memory' || !isNode()) return;
  throw new MemoryError(
    'opfs_unavailable',
    'Node has no origin private file system, even if it emulates a page.',
    "Open 'memory:', and use import() and export() to load and save a file's bytes.",
  );
}
