// Validates arguments when a call is made: a value that a message cannot carry or a row cannot store is an error.
import { causeOf, invalidArgument, MemoryError, toMemoryError, unreadable } from './errors.js';

/** Rejects a promise, which most often lacks an `await`. */
export function checkNoPromise(value: unknown, name: string): void {
  if (value instanceof Promise)
    throw invalidArgument(`${name} is a promise.`, 'Await it: its value is what is needed.');
}

/** Validates a string that can be encoded as UTF-8. */
export function checkText(value: unknown, name: string): string {
  checkNoPromise(value, name);
  if (typeof value !== 'string') throw invalidArgument(`${name} must be a string.`);
  if (!value.isWellFormed()) {
    throw new MemoryError(
      'invalid_text',
      `${name} has a lone surrogate, which no UTF-8 text can hold.`,
      'Clean it with toWellFormed() before you store it.',
    );
  }
  return value;
}

/** Rejects unknown fields. */
export function checkFields(options: object, known: readonly string[], name = 'The options'): void {
  checkNoPromise(options, name);
  if (typeof options !== 'object' || options === null) throw invalidArgument(`${name} must be an object.`);
  const other = Object.keys(options).find((field) => !known.includes(field));
  if (other !== undefined)
    throw invalidArgument(`${name} have no field ${JSON.stringify(other)}.`, `The fields are ${known.join(', ')}.`);
}

/** Validates that each of these fields is a number or not set. */
export function checkNumbers<T extends object>(options: T, names: readonly (keyof T)[]): void {
  for (const name of names) {
    const value: unknown = options[name];
    if (value !== undefined && (typeof value !== 'number' || Number.isNaN(value)))
      throw invalidArgument(`${String(name)} must be a number.`);
  }
}

/** Validates a primary key. */
export function checkKey<Key extends string | number>(key: Key): Key {
  if (typeof key === 'string') return checkText(key, 'key') as Key;
  if (Number.isSafeInteger(key)) return key;
  checkNoPromise(key, 'The key');
  const what = typeof key === 'object' ? 'object' : String(key);
  throw invalidArgument(`The key ${what} is neither a string nor a whole number.`);
}

/** The fields that are set. A field that is `undefined` counts as left out. */
export function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

/** Validates the signal that can abort a call. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidArgument('signal must be an AbortSignal.');
}

/** Returns the validated signal of a call's options. */
export function signalOf(options: { readonly signal?: AbortSignal | undefined }): AbortSignal | undefined {
  if (typeof options !== 'object' || options === null) throw invalidArgument('The options must be an object.');
  checkSignal(options.signal);
  return options.signal;
}

/** Validates a number of rows, if it is set: a whole number from 1 to `most`. */
export function checkCount(count: number | undefined, name: string, most = 1000): number | undefined {
  if (count === undefined || (Number.isInteger(count) && count >= 1 && count <= most)) return count;
  throw invalidArgument(
    `${name} is ${typeof count === 'object' ? 'an object' : String(count)}; it must be a whole number from 1 to ${most}.`,
  );
}

/** A copy of the bytes, which can be moved to the worker; the caller keeps the original. */
export function copyBytes(file: ArrayBuffer | Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    if (file instanceof Uint8Array || file instanceof ArrayBuffer) return new Uint8Array(file).slice();
  } catch (cause) {
    throw toMemoryError(unreadable(causeOf(cause)));
  }
  checkNoPromise(file, 'file');
  throw invalidArgument('file must be a File, a Blob, an ArrayBuffer or a Uint8Array.');
}
