// Runs the engine in this thread, on the bytes of a file.
import { readFileSync } from 'node:fs';
import { Engine, type EngineOptions, initSync, type MigrationProgress } from '../wasm/synth_memory.js';

let loaded = false;

/** The options to open an engine with. */
export interface Opening extends Omit<EngineOptions, 'durability' | 'path'> {
  /** The bytes of the database file. */
  readonly file?: Uint8Array;
  readonly onProgress?: (progress: MigrationProgress) => void;
}

/** Opens a database in memory. It is empty without `file`, and not upgraded unless `upgrade` is set. */
export async function openEngine({ file, onProgress, ...options }: Opening): Promise<Engine> {
  if (!loaded) initSync({ module: readFileSync(new URL('./wasm/synth_memory_bg.wasm', import.meta.url)) });
  loaded = true;
  return Engine.open({ durability: 'strict', upgrade: false, ...options }, file, onProgress);
}
