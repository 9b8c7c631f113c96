import { randomId } from './id.js';
import { MemoryError } from './errors.js';

/**
 * Any JSON value, as it is read. A whole number that a `number` cannot hold exactly, such as a 64-bit id, is a
 * `bigint`. Use `Array.isArray` to find out whether it is an array.
 */
export type JsonValue = string | number | bigint | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Any JSON value, as it is written: read-only arrays and objects are accepted too. */
export type JsonInput =
  string | number | bigint | boolean | null | readonly JsonInput[] | { readonly [key: string]: JsonInput };

type AnyFunction = ((...given: never) => unknown) | (abstract new (...given: never) => unknown);

/**
 * A type as far as JSON can hold it, interfaces included, although they have no index signature. A type that JSON
 * cannot hold becomes `never`: functions, symbols, undefined, and objects with methods, such as a `Date` or a `Map`.
 */
export type Json<T> = T extends JsonInput
  ? T
  : T extends AnyFunction
    ? never
    : T extends readonly unknown[]
      ? JsonFields<T>
      : T extends object
        ? [Extract<T[keyof T], AnyFunction>] extends [never]
          ? JsonFields<T>
          : never
        : never;

/** Each field of a type as far as JSON can hold it. */
export type JsonFields<T> = { [K in keyof T]: Json<T[K]> };

/** An object that is not a function. */
interface NoFunction {
  readonly [Symbol.hasInstance]?: never;
}

/** The constraint of a type that JSON can hold: `<Value extends JsonType<Value>>`. */
export type JsonType<Value> = JsonInput | (JsonFields<Value> & object & NoFunction);

/** The type of a field that does not exist: no value has it. */
export interface UnknownField {
  readonly unknownField: never;
}

/** A row that a caller passes, whose JSON fields may be interfaces. */
export type GivenRow<Row, Given> = Given & {
  [K in keyof Row]: JsonInput extends Row[K] ? Json<Given[K & keyof Given]> | Extract<Row[K], undefined> : Row[K];
} & { readonly [K in Exclude<keyof Given, keyof Row>]: UnknownField };

/** How deeply arrays and objects may be nested: the limit of SQLite's JSON functions. */
const MAX_DEPTH = 1000;

/**
 * Encodes a JSON value as text, exactly. A value that `JSON.stringify` would leave out or change is an error.
 *
 * @param name - The caller's name of the value, for the error.
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
      case 'bigint':
        return String(value);
      case 'number':
        if (!Number.isFinite(value)) return refuse(String(value));
        if (Object.is(value, -0)) return '-0';
        // All digits are written, so that a reader with 64-bit integers gets the exact number.
        return Number.isInteger(value) && Math.abs(value) < 1e21 ? String(BigInt(value)) : String(value);
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

  // By index, so that a hole in the array is found as the `undefined` that it reads as.
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
      `${name} as JSON exceeds the maximum length of a string.`,
      'Store it in parts.',
      cause,
    );
  }
}

function encodeString(text: string, malformed: () => never): string {
  return text.isWellFormed() ? JSON.stringify(text) : malformed();
}

/**
 * The value of a JSON column. Whole numbers that a `number` cannot hold exactly are bigints. Two kinds of text are
 * returned unchanged: one that is not JSON, which another program may have stored, and one with a number beyond the
 * range of `number`.
 */
export function decodeJson(text: string): JsonValue {
  try {
    return LONG_NUMBER.test(text) ? decodeExactly(text) : (JSON.parse(text) as JsonValue);
  } catch {
    return text;
  }
}

/** Matches what a number has that a `number` may not hold exactly, or at all. A match inside a string is harmless. */
const LONG_NUMBER = /\d{16}|[eE]\+?\d{3}/;
/** Strings and numbers; nothing else in JSON begins as they do. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** @throws A `SyntaxError` if the text is not JSON, a `RangeError` if a number is too large. */
function decodeExactly(text: string): JsonValue {
  // Each number that becomes a bigint is replaced by a unique string, which no stored text can contain.
  const mark = randomId();
  const bigints = new Map<string, bigint>();
  const marked = text.replace(TOKEN, (token) => {
    if (token.startsWith('"')) return token;
    const number = Number(token);
    if (!Number.isFinite(number)) throw new RangeError(`${token} is too large.`);
    if (!/^-?\d+$/.test(token) || Number.isSafeInteger(number)) return token;
    const exact = BigInt(token);
    if (BigInt(number) === exact) return token;
    const name = `${mark}:${bigints.size}`;
    bigints.set(name, exact);
    return `"${name}"`;
  });
  if (bigints.size === 0) return JSON.parse(text) as JsonValue;
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' ? (bigints.get(value) ?? value) : value,
  ) as JsonValue;
}
