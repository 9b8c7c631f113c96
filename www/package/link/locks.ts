// Web Locks that are held until they are let go of.
import { denied } from '../wire/errors.js';

/** Lets go of a lock; resolves when others can have it. */
export type Release = () => Promise<unknown>;

/** Where there are no locks, OPFS alone keeps two workers apart. */
const NOT_LOCKED: Release = () => Promise.resolve();

/**
 * Takes a lock. Resolves to undefined where it is not available and is not to be waited for.
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
