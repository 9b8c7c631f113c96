// Promises that are no longer awaited once a signal fires.
import { checkSignal } from './check.js';
import { aborted, closed, type MemoryError } from './errors.js';

/** Settles as the promise does, unless the signal fires first: then it rejects with `aborted` at once. */
export function givenUpBy<T>(
  signal: AbortSignal | undefined,
  promise: Promise<T>,
  error: (signal: AbortSignal) => MemoryError = aborted,
): Promise<T> {
  checkSignal(signal);
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(error(signal));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/** The same for a memory that is closed meanwhile: rejects with `closed`. */
export const unlessClosed = <T>(closing: AbortSignal, promise: Promise<T>): Promise<T> =>
  givenUpBy(closing, promise, closed);

/** How long a memory that is being closed waits for a file that is loading, in ms. */
const GRACE = 1000;

/** Aborts the files of a closed memory that are still loading after the grace period. */
export function abortLater(closing: AbortController): void {
  const timer = setTimeout(() => closing.abort(), GRACE);
  // The timer does not keep Node from exiting.
  (timer as { unref?: () => void }).unref?.();
}
