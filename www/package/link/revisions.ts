// The revisions that a tab knows, found without the engine, which a follower does not load.
import type { EngineOptions } from '../wasm/synth_memory.js';

/** The revisions of the package, the same as in `migrations/versions`; a test compares the two. */
export const BUNDLED: readonly string[] = ['001', '002'];

const ID = /^--\s*Revision ID:\s*(\S+)/m;

/** The ids of all revisions that a memory opened with these options knows. */
export function revisionsOf({ migrations = [] }: EngineOptions): readonly string[] {
  return [...BUNDLED, ...migrations.flatMap(([, text]) => ID.exec(text)?.[1] ?? [])];
}
