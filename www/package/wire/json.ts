import { MemoryError } from './errors.js';

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** How deeply arrays and objects may stand in each other: as deeply as SQLite's JSON functions can follow. */
const MAX_DEPTH = 1000;

/**
 * A JSON value as text, exactly: what would be changed or lost on the way is an error, where `JSON.stringify` would
 * leave it out or make something else of it.
 *
 * @param name - What the value is to the caller, for the error.
 */
export function encodeJson(value: unknown, name: string): string {
  const inside = new Set<object>();
  const keys: (string | number)[] = [];

  const refuse = (what: string): never => {
    const path = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
    throw new MemoryError(
      'invalid_json',
      `${name}${path} is ${what}, which JSON cannot hold.`,
      'Store plain objects, arrays, strings, finite numbers, booleans and null only.',
    );
  };

  const encode = (value: unknown): string => {
    switch (typeof value) {
      case 'string':
        return encodeString(value, () => refuse('a string with a lone surrogate'));
      case 'boolean':
        return String(value);
      case 'number':
        if (!Number.isFinite(value)) return refuse(String(value));
        return Object.is(value, -0) ? '-0' : String(value);
      case 'object':
        return value === null ? 'null' : encodeObject(value);
      case 'undefined':
        return refuse('undefined');
      default:
        return refuse(`a ${typeof value}`);
    }
  };

  const encodeObject = (object: object): string => {
    if (inside.has(object)) refuse('a part of itself');
    if (inside.size >= MAX_DEPTH) refuse(`more than ${MAX_DEPTH} levels deep`);
    inside.add(object);
    const text = Array.isArray(object) ? `[${encodeArray(object)}]` : `{${encodeMembers(object)}}`;
    inside.delete(object);
    return text;
  };

  const within = (key: string | number, value: unknown): string => {
    keys.push(key);
    const text = encode(value);
    keys.pop();
    return text;
  };

  // By index, so that a hole in the array is met as the undefined that it reads as.
  const encodeArray = (array: readonly unknown[]): string => {
    const text = Array.from({ length: array.length }, (_, at) => within(at, array[at])).join(',');
    if (Reflect.ownKeys(array).length !== array.length + 1) refuse('an array with properties of its own');
    return text;
  };

  const encodeMembers = (object: object): string => {
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      refuse(`an instance of ${object.constructor?.name || 'a class'}`);
    }
    if (Object.getOwnPropertySymbols(object).length > 0) refuse('an object with symbols for keys');
    return Object.entries(object)
      .map(
        ([key, value]) =>
          `${encodeString(key, () => refuse('an object with a lone surrogate in a key'))}:${within(key, value)}`,
      )
      .join(',');
  };

  try {
    return encode(value);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new MemoryError(
      'text_too_long',
      `${name} is longer as JSON than any string may be.`,
      'Store it in parts.',
      cause,
    );
  }
}

function encodeString(text: string, malformed: () => never): string {
  return text.isWellFormed() ? JSON.stringify(text) : malformed();
}

/**
 * The value of a JSON column. A text that is not JSON, which another program may have put there, is given as it is.
 */
export function decodeJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}
