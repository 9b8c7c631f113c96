import { checkNoPromise, checkText } from './check.js';
import { invalidArgument } from './errors.js';
import { decodeJson, encodeJson, type JsonInput, type JsonValue } from './json.js';
import type * as wire from '../wasm/synth_memory.js';

/** The type that a field of a message has on the page: a time is a `Date`, and JSON is a value. */
type PublicField<T, Value> = T extends wire.Seconds
  ? Date
  : T extends wire.JsonText
    ? Value
    : T extends string[]
      ? readonly string[]
      : T;

/** `undefined` if the field is optional: setting it to undefined means the same as leaving it out. */
type Undefined<T, K extends keyof T> = object extends Pick<T, K> ? undefined : never;

/** The page's form of a type that is sent in messages; `Value` is the type of its JSON fields. */
export type Public<T, Value = JsonValue> = { [K in keyof T]: PublicField<T[K], Value> | Undefined<T, K> };

/** How a field is validated and converted. */
type Kind = 'time' | 'json' | 'text' | 'number' | 'flag' | 'texts';

type KindOf<T> = T extends wire.Seconds
  ? 'time'
  : T extends wire.JsonText
    ? 'json'
    : T extends string
      ? 'text'
      : T extends number
        ? 'number'
        : T extends boolean
          ? 'flag'
          : 'texts';

/** Every field of a type that is sent in messages, with its kind. The compiler checks it against Rust's declaration. */
export type Shape<T> = { readonly [K in keyof Required<T>]: KindOf<NonNullable<T[K]>> };

/** Validates an object of the page and converts it to its message form. */
export function encode<T extends object>(shape: Shape<T>, value: Public<T, JsonInput>, name: string, place = ''): T {
  checkNoPromise(value, name);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument(`${name} must be an object.`);
  }
  const encoded: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (!Object.hasOwn(shape, key)) {
      throw invalidArgument(
        `${name} has no field ${JSON.stringify(key)}.`,
        `Its fields are ${Object.keys(shape).join(', ')}.`,
      );
    }
    if (field !== undefined) encoded[key] = encodeField(shape[key as keyof T] as Kind, field, place + key);
  }
  return encoded as T;
}

/** The fields that may be null. In any other field, null would be taken for a field that is left out. */
const NULLABLE: ReadonlySet<string> = new Set([
  'assistantResponse',
  'parsedIntent',
  'context',
  'resolutionPattern',
  'cursor',
]);

function encodeField(kind: Kind, value: unknown, name: string): unknown {
  if (kind === 'json') return encodeJson(value, name);
  if (value === null) {
    if (NULLABLE.has(name.slice(name.lastIndexOf(' ') + 1))) return null;
    throw invalidArgument(`${name} must not be null.`, 'Leave it out.');
  }
  switch (kind) {
    case 'time':
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime() / 1000;
      throw invalidArgument(`${name} must be a valid Date.`);
    case 'text':
      return checkText(value, name);
    case 'texts':
      if (Array.isArray(value)) return value.map((item, at) => checkText(item, `${name}[${at}]`));
      throw invalidArgument(`${name} must be an array of strings.`);
    case 'number':
      if (typeof value === 'number' && !Number.isNaN(value)) return value;
      throw invalidArgument(`${name} must be a number.`);
    case 'flag':
      if (typeof value === 'boolean') return value;
      throw invalidArgument(`${name} must be true or false.`);
  }
}

/** Converts a row from its message form to the page's form, in place. */
export function decode<T extends object>(shape: Shape<T>, row: T): Public<T> {
  const decoded = row as Record<string, unknown>;
  for (const key in shape) {
    const kind: Kind = shape[key];
    const field = decoded[key];
    if (field === null) continue;
    if (kind === 'time') decoded[key] = toDate(field as wire.Seconds);
    else if (kind === 'json') decoded[key] = decodeJson(field as wire.JsonText);
  }
  return decoded as Public<T>;
}

export const toDate = (seconds: wire.Seconds): Date => new Date(Math.round(seconds * 1000));
