// What a page downloads to open a memory, gzipped, and the limit it may not pass.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { at } from './process.mjs';

export const LIMIT = 450_000;
const FILES = ['index.js', 'worker.js', 'wasm/synth_memory_bg.wasm'];

/** The size of each file in bytes, gzipped, and the sum. */
export function measure() {
  const sizes = FILES.map((file) => [file, gzipSync(readFileSync(at('dist', file)), { level: 9 }).length]);
  return { sizes, total: sizes.reduce((sum, [, size]) => sum + size, 0) };
}
