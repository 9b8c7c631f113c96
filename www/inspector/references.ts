import type { MemoryReference, MemoryTable } from '../package/index.js';

/** A row of one of the tables. */
export interface Reference {
  readonly table: MemoryTable;
  readonly key: string | number;
}

/** The tables in the order of the page, with the name of a row of each. */
export const TABLES: Readonly<Record<MemoryTable, { readonly title: string; readonly row: string }>> = {
  turns: { title: 'Turns', row: 'turn' },
  episodes: { title: 'Episodes', row: 'episode' },
  longTerm: { title: 'Long-term', row: 'long-term' },
  uncertainty: { title: 'Uncertainty', row: 'doubt' },
  semantic: { title: 'Semantic', row: 'fact' },
};
export const TABLE_NAMES = Object.keys(TABLES) as MemoryTable[];

/** Converts the package's reference to the page's form, which is the same for all tables. */
export const fromPackage = (reference: MemoryReference): Reference => ({
  table: reference.table,
  key: reference.table === 'longTerm' ? reference.key : reference.id,
});

/** The name of a row: `fact #3`, `long-term user.name`. */
export const nameOf = ({ table, key }: Reference): string =>
  `${TABLES[table].row} ${typeof key === 'number' ? `#${key}` : key || '(empty key)'}`;

/** A string that is unique to the row. */
export const identity = ({ table, key }: Reference): string => `${table} ${key}`;
