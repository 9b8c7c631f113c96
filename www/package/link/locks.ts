// Web Locks that are held until they are released.
import { denied } from '../wire/errors.js';

/** Releases a lock; resolves when others can take it. */
export type Release = () => Promise<unknown>;

/** Without Web Locks, OPFS alone keeps two workers from opening the same memory. */
const NOT_LOCKED: Release = () => Promise.resolve();

/**
 * Takes a lock. Resolves to undefined if the lock is not available and `ifAvailable` is set.
 *
 * @throws The signal's reason, or `storage_denied` as a failure.
 */
export function takeLock(name: string, options: LockOptions = {}): Promise<Release | undefined> {
  if (!('locks' in navigator)) return Promise.resolve(NOT_LOCKED);
  return new Promise((resolve, reject) => {
    const held: Promise<unknown> = navigator.locks.request(name, options, (lock) => {
      if (!lock) return resolve(undefined);
      return new Promise<void>((letGo) =>
        resolve(() => {
          letGo();
          return held;
        }),
      );
    });
    held.catch((thrown: unknown) => reject(options.signal?.aborted ? thrown : denied(thrown)));
  });
}
