import type { MemoryTable } from '../package/index.js';
import { make, svg } from './dom.js';
import { TABLE_NAMES, TABLES } from './references.js';

/** A shape for each table, about the size of a circle of radius 1, so that tables differ by more than colour. */
const SHAPES: Readonly<Record<MemoryTable, string>> = {
  turns: 'M 1 0 A 1 1 0 1 1 -1 0 A 1 1 0 1 1 1 0 Z',
  episodes: 'M 0 -1.2 L 1.15 0.85 L -1.15 0.85 Z',
  longTerm: 'M 0 -1.3 L 1.3 0 L 0 1.3 L -1.3 0 Z',
  uncertainty: 'M -0.4 -1.2 H 0.4 V -0.4 H 1.2 V 0.4 H 0.4 V 1.2 H -0.4 V 0.4 H -1.2 V -0.4 H -0.4 Z',
  semantic: 'M -0.95 -0.95 H 0.95 V 0.95 H -0.95 Z',
};

/** A table's symbol, centred on the origin. */
export const symbol = (table: MemoryTable, radius: number): SVGElement =>
  svg('path', { class: 'symbol', d: SHAPES[table], transform: `scale(${radius})` });

/** The table of each symbol, and how many points it has. */
export function legend(tables: readonly MemoryTable[]): HTMLElement[] {
  const entries = TABLE_NAMES.map((table) => ({ table, count: tables.filter((other) => other === table).length }));
  return entries
    .filter(({ count }) => count > 0)
    .map(({ table, count }) =>
      make(
        'li',
        { 'data-table': table },
        svg('svg', { viewBox: '-8 -8 16 16', width: 16, height: 16, 'aria-hidden': 'true' }, symbol(table, 5)),
        `${TABLES[table].title} `,
        make('span', { class: 'number' }, count.toLocaleString('en')),
      ),
    );
}
