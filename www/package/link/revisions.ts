// Which revisions a tab knows, told without the engine, which a follower has not loaded.
import type { EngineOptions } from '../wasm/synth_memory.js';

/** Those of the package, as `migrations/versions` has them; a test holds the two together. */
export const BUNDLED: readonly string[] = ['001', '002'];

const ID = /^--\s*Revision ID:\s*(\S+)/m;

/** The ids of all revisions that a memory opened with these options knows. */
export function revisionsOf({ migrations = [] }: EngineOptions): readonly string[] {
  return [...BUNDLED, ...migrations.flatMap(([, text]) => ID.exec(text)?.[1] ?? [])];
}
