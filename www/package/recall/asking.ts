// Functions of the page's own, such as an embedder: they may fail or never answer.
import { checkSignal } from '../wire/check.js';
import { aborted, closed, type MemoryError } from '../wire/errors.js';
import { givenUpBy } from '../wire/waiting.js';

/** How to call a function of the page's own. */
export interface Asking {
  /** The caller's signal. */
  readonly signal: AbortSignal | undefined;
  /** Fires when the memory is closed. */
  readonly closing: AbortSignal;
  /** Makes the error for what the function throws or rejects with. */
  readonly failed: (cause: unknown) => MemoryError;
}

/**
 * Calls a function of the page's own. It is not awaited once the signal fires or the memory is closed: the call then
 * rejects with `aborted` or `closed`, whatever the function does with the signal that it receives.
 */
export async function askPage<T>(
  ask: (signal: AbortSignal) => T | Promise<T>,
  { signal, closing, failed }: Asking,
): Promise<T> {
  checkSignal(signal);
  const either = signal ? AbortSignal.any([signal, closing]) : closing;
  try {
    if (either.aborted) throw either.reason;
    // In a promise, so that a function that throws synchronously rejects too.
    return await givenUpBy(
      either,
      Promise.resolve().then(() => ask(either)),
    );
  } catch (cause) {
    if (closing.aborted) throw closed();
    if (signal?.aborted) throw aborted(signal);
    throw failed(cause);
  }
}

/** The message of what was thrown. */
export const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
