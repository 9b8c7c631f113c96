import { invalidArgument, MemoryError } from './errors.js';
import { decodeJson, encodeJson, type JsonValue } from './json.js';
import type * as wire from './wasm/synth_memory.js';

/** What a field that crosses is on the page: times are `Date`s and JSON is a value. */
type PublicField<T> = T extends wire.Seconds
  ? Date
  : T extends wire.JsonText
    ? JsonValue
    : T extends string[]
      ? readonly string[]
      : T;

/** undefined, where the field may be left out: it means the same. */
type Undefined<T, K extends keyof T> = object extends Pick<T, K> ? undefined : never;

/** A type that crosses, as the page has it. */
export type Public<T> = { [K in keyof T]: PublicField<T[K]> | Undefined<T, K> };

/** How a field is checked and converted. */
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

/** Every field of a type that crosses, and its kind. The compiler holds it against Rust's declaration. */
export type Shape<T> = { readonly [K in keyof Required<T>]: KindOf<NonNullable<T[K]>> };

/** An object of the page's as it crosses. */
export function encode<T extends object>(shape: Shape<T>, value: Public<T>, name: string, place = ''): T {
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

function encodeField(kind: Kind, value: unknown, name: string): unknown {
  if (kind === 'json') return encodeJson(value, name);
  if (value === null) return null;
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

/** A string that can be written down as UTF-8. */
export function checkText(value: unknown, name: string): string {
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

/** A row that crossed as the page has it. */
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

// --- The shapes ---------------------------------------------------------------------------------------------------

const paging = { orderBy: 'text', direction: 'text', limit: 'number', cursor: 'text' } as const;
const period = { since: 'time', until: 'time' } as const;
const search = { search: 'text', matching: 'text' } as const;

const turn = { timestamp: 'time', userInput: 'text', assistantResponse: 'text', metadata: 'json' } as const;
const episode = { timestamp: 'time', eventType: 'text', content: 'json', valence: 'number', metadata: 'json' } as const;
const memory = {
  timestamp: 'time',
  content: 'text',
  category: 'text',
  importance: 'number',
  metadata: 'json',
} as const;
const doubt = {
  timestamp: 'time',
  userMessage: 'text',
  parsedIntent: 'text',
  confidenceScore: 'number',
  context: 'text',
  signals: 'json',
} as const;
const resolution = { resolved: 'flag', resolutionPattern: 'text' } as const;

/** What a table's rows, additions, changes and filters are made of. */
export interface Shapes<Row, New, Patch, Filter, Order> {
  readonly row: Shape<Row>;
  readonly added: Shape<New>;
  readonly patch: Shape<Patch>;
  readonly filter: Shape<Filter>;
  readonly listing: Shape<Filter & wire.Paging<Order>>;
}

export const turns: Shapes<wire.Turn, wire.NewTurn, wire.TurnPatch, wire.TurnFilter, wire.TurnOrder> = {
  row: { id: 'number', ...turn },
  added: turn,
  patch: turn,
  filter: { ...period, ...search },
  listing: { ...period, ...search, ...paging },
};

const episodeFilter = {
  eventTypes: 'texts',
  minValence: 'number',
  maxValence: 'number',
  ...period,
  ...search,
} as const;

export const episodes: Shapes<wire.Episode, wire.NewEpisode, wire.EpisodePatch, wire.EpisodeFilter, wire.EpisodeOrder> =
  {
    row: { id: 'number', ...episode },
    added: episode,
    patch: episode,
    filter: episodeFilter,
    listing: { ...episodeFilter, ...paging },
  };

const entryFilter = { prefix: 'text', ...period, ...search } as const;

export const longTerm: Shapes<wire.Entry, wire.NewEntry, wire.EntryPatch, wire.EntryFilter, wire.EntryOrder> = {
  row: { key: 'text', value: 'json', updatedAt: 'time' },
  added: { key: 'text', value: 'json', updatedAt: 'time' },
  patch: { value: 'json', updatedAt: 'time' },
  filter: entryFilter,
  listing: { ...entryFilter, ...paging },
};

const doubtFilter = {
  resolved: 'flag',
  minConfidence: 'number',
  maxConfidence: 'number',
  ...period,
  ...search,
} as const;

export const uncertainty: Shapes<
  wire.Uncertainty,
  wire.NewUncertainty,
  wire.UncertaintyPatch,
  wire.UncertaintyFilter,
  wire.UncertaintyOrder
> = {
  row: { id: 'number', ...doubt, ...resolution },
  added: doubt,
  patch: { ...doubt, ...resolution },
  filter: doubtFilter,
  listing: { ...doubtFilter, ...paging },
};

const memoryFilter = {
  categories: 'texts',
  minImportance: 'number',
  maxImportance: 'number',
  ...period,
  ...search,
} as const;

export const semantic: Shapes<
  wire.SemanticMemory,
  wire.NewSemanticMemory,
  wire.SemanticMemoryPatch,
  wire.SemanticMemoryFilter,
  wire.SemanticMemoryOrder
> = {
  row: { id: 'number', ...memory },
  added: memory,
  patch: memory,
  filter: memoryFilter,
  listing: { ...memoryFilter, ...paging },
};
