import type { MemoryReference, RowReference } from '../wasm/synth_memory.js';

/** A reference as the page has it. */
export function toReference({ table, id, key }: RowReference): MemoryReference {
  return table === 'longTerm' ? { table, key: key! } : { table, id: id! };
}
