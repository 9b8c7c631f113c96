// The engine, in this thread, on the bytes of a file.
import { readFileSync } from 'node:fs';
import { Engine, type EngineOptions, initSync, type MigrationProgress } from '../wasm/synth_memory.js';

let loaded = false;

/** What the program opens an engine with. */
export interface Opening extends Omit<EngineOptions, 'durability' | 'path'> {
  /** The bytes of the file to begin with. */
  readonly file?: Uint8Array;
  readonly onProgress?: (progress: MigrationProgress) => void;
}

/** Opens a database in memory as it is; an empty one without a file. */
export async function openEngine({ file, onProgress, ...options }: Opening): Promise<Engine> {
  if (!loaded) initSync({ module: readFileSync(new URL('./wasm/synth_memory_bg.wasm', import.meta.url)) });
  loaded = true;
  return Engine.open({ durability: 'strict', upgrade: false, ...options }, file, onProgress);
}
