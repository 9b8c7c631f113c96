// Promises that are not waited for any longer.
import { checkSignal } from './check.js';
import { aborted, closed, type MemoryError } from './errors.js';

/** What a promise gives, unless the signal fires before: then it is not waited for, and this rejects with `aborted`. */
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

/** The same for a memory that is closed meanwhile: this rejects with `closed`. */
export const unlessClosed = <T>(closing: AbortSignal, promise: Promise<T>): Promise<T> =>
  givenUpBy(closing, promise, closed);

/** How long a memory that is closed waits for a file that is on its way, in ms. */
const GRACE = 1000;

/** Gives up what is being loaded when a memory is closed, unless it comes soon. */
export function abortLater(closing: AbortController): void {
  const timer = setTimeout(() => closing.abort(), GRACE);
  // Node is not kept from ending by it.
  (timer as { unref?: () => void }).unref?.();
}
