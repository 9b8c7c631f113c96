// The parts that the descriptions of the tables share.
import type { JsonValue, Match } from '../package/index.js';
import type { Field } from './dialogs.js';
import type { Asked, Filter, Measure } from './listing.js';

/** The filters that several tables share, and how their values are read. */
export const search: readonly Filter[] = [
  { kind: 'search', name: 'search', label: 'Search words' },
  {
    kind: 'choice',
    name: 'matching',
    label: 'Match',
    choices: [
      ['all', 'every word'],
      ['any', 'any word'],
    ],
  },
];
export const period: readonly Filter[] = [
  { kind: 'date', name: 'since', label: 'Since' },
  { kind: 'date', name: 'until', label: 'Until' },
];

export const searched = (asked: Asked) => {
  const matching: Match | undefined = asked.text('matching') === 'any' ? 'any' : undefined;
  return { search: asked.text('search'), matching };
};
export const dated = (asked: Asked) => ({ since: asked.day('since'), until: asked.day('until', 1) });

type Values = ReadonlyMap<string, string>;

/** The values of the fields of a form. */
export const numberOf = (values: Values, name: string): number | undefined => {
  const value = values.get(name);
  if (value === undefined) return undefined;
  if (value.trim() === '') throw new Error(`${name} must be a number.`);
  return Number(value);
};

export function jsonOf(values: Values, name: string): JsonValue | undefined {
  const text = values.get(name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new Error(`${name} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Fields of a form. */
export const text = (name: string, label: string, value: string | null): Field => ({
  name,
  label,
  kind: 'text',
  value: value ?? '',
});
export const json = (name: string, label: string, value: JsonValue): Field => ({
  name,
  label,
  kind: 'json',
  value: JSON.stringify(value, null, 2),
});
export const number = (name: string, label: string, value: number | null, min: -1 | 0): Field => ({
  name,
  label,
  kind: 'number',
  value: value === null ? '' : String(value),
  min,
  max: 1,
});
export const measure = (name: string, value: number | null, min: -1 | 0): Measure | undefined =>
  value === null ? undefined : { name, value, min };
