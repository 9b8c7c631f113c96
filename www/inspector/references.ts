import type { MemoryReference, MemoryTable } from '../package/index.js';

/** A row of one of the tables. */
export interface Reference {
  readonly table: MemoryTable;
  readonly key: string | number;
}

/** The tables as the page orders them, with what a row of each is called. */
export const TABLES: Readonly<Record<MemoryTable, { readonly title: string; readonly row: string }>> = {
  turns: { title: 'Turns', row: 'turn' },
  episodes: { title: 'Episodes', row: 'episode' },
  longTerm: { title: 'Long-term', row: 'long-term' },
  uncertainty: { title: 'Uncertainty', row: 'doubt' },
  semantic: { title: 'Semantic', row: 'fact' },
};
export const TABLE_NAMES = Object.keys(TABLES) as MemoryTable[];

/** A reference as the package has it, in the one form that the page has for all tables. */
export const fromPackage = (reference: MemoryReference): Reference => ({
  table: reference.table,
  key: reference.table === 'longTerm' ? reference.key : reference.id,
});

/** What to call a row: `fact #3`, `long-term user.name`. */
export const nameOf = ({ table, key }: Reference): string =>
  `${TABLES[table].row} ${typeof key === 'number' ? `#${key}` : key || '(empty key)'}`;

/** The same for the same row, and for no other. */
export const identity = ({ table, key }: Reference): string => `${table} ${key}`;
