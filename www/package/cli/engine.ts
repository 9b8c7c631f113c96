// The engine, in this thread, on the bytes of a file.
import { readFileSync } from 'node:fs';
import { Engine, type EngineOptions, initSync } from '../wasm/synth_memory.js';

let loaded = false;

/** Opens a database in memory as it is; an empty one without a file. */
export async function openEngine(options: Omit<EngineOptions, 'durability'>): Promise<Engine> {
  if (!loaded) initSync({ module: readFileSync(new URL('./wasm/synth_memory_bg.wasm', import.meta.url)) });
  loaded = true;
  return Engine.open({ durability: 'strict', upgrade: false, ...options });
}
