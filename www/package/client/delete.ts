// Deletes a memory and its backups: its files in OPFS.
import { heirLock, leaderLock } from '../link/channel.js';
import { takeLock, type Release } from '../link/locks.js';
import { asFailure, causeOf, MemoryError, toMemoryError } from '../wire/errors.js';

/**
 * What the pool keeps in the folder of a memory; the first holds its files. Any other folder in it may be that of
 * another memory.
 */
const POOL = ['.opaque', '.lock'];
/**
 * How long to retry while a worker that is ending may still hold its lock or its files, and the time between attempts,
 * in ms.
 */
const PATIENCE = 1000;
const RETRY_AFTER = 20;

/** Deletes the files of the memory at this path, which no tab has open; resolves to whether there were any. */
export async function deleteFiles(path: string): Promise<boolean> {
  const locks: Release[] = [];
  try {
    // In the order in which a tab that is about to lead takes them.
    for (const name of [heirLock(path), leaderLock(path)]) locks.push(await takeSoon(name));
    return await remove(path);
  } catch (thrown) {
    throw thrown instanceof MemoryError ? thrown : toMemoryError(asFailure(thrown) ?? unavailable(thrown));
  } finally {
    await Promise.all(locks.map((release) => release()));
  }
}

/** Takes a lock that may be free in a moment: a memory releases its lock shortly after `close` resolves. */
const takeSoon = (name: string): Promise<Release> =>
  soon(async () => {
    const release = await takeLock(name, { ifAvailable: true });
    if (!release) throw isOpen();
    return release;
  });

/** Retries an attempt that fails while the memory is still open, until it succeeds or `PATIENCE` is over. */
async function soon<T>(attempt: () => Promise<T>): Promise<T> {
  for (const giveUp = performance.now() + PATIENCE; ;) {
    try {
      return await attempt();
    } catch (thrown) {
      if (!(thrown instanceof MemoryError) || performance.now() > giveUp) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER));
    }
  }
}

async function remove(path: string): Promise<boolean> {
  const names = ['synth-memory', ...path.split('/').filter(Boolean)];
  const folders = [await navigator.storage.getDirectory()];
  for (const name of names) {
    const folder = await ifThere(folders.at(-1)!.getDirectoryHandle(name));
    if (!folder) return false;
    folders.push(folder);
  }
  const [isThere] = await Promise.all(POOL.map((name) => removeHeld(folders.at(-1)!, name)));
  // Removes its own folder and the folders around it, up to the first one that is not empty.
  for (let at = names.length; at > 0; at--) {
    const isEmpty = await folders[at - 1]!.removeEntry(names[at - 1]!).then(
      () => true,
      () => false,
    );
    if (!isEmpty) break;
  }
  return isThere ?? false;
}

const removeHeld = (folder: FileSystemDirectoryHandle, name: string): Promise<boolean> =>
  soon(async () => {
    const removed = folder.removeEntry(name, { recursive: true }).then(
      () => true,
      (thrown: unknown) => {
        throw causeOf(thrown).name === 'NoModificationAllowedError' ? isOpen(thrown) : thrown;
      },
    );
    return (await ifThere(removed)) ?? false;
  });

const ifThere = <T>(found: Promise<T>): Promise<T | undefined> =>
  found.catch((thrown: unknown) => {
    if (causeOf(thrown).name === 'NotFoundError') return undefined;
    throw thrown;
  });

const isOpen = (cause?: unknown) =>
  new MemoryError('locked', 'The memory is open.', 'Close it in every tab, then delete it.', cause);

const unavailable = (thrown: unknown) => ({
  code: 'opfs_unavailable' as const,
  message: 'The files of the memory cannot be reached.',
  hint: 'Use a secure context (https or localhost) and a browser with OPFS.',
  cause: causeOf(thrown),
});
