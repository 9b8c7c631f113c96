// What a page downloads to open a memory, gzipped, and the limit it may not pass.
import { execFileSync } from 'node:child_process';
import { at } from './process.mjs';

/** In bytes: 450 KB. */
export const LIMIT = 450_000;
const FILES = ['index.js', 'worker.js', 'wasm/synth_memory_at_head_bg.wasm'];

/** The size of each file in bytes, by `gzip -9`, and their sum. */
export function measure() {
  const gzipped = (file) => execFileSync('gzip', ['-9', '-n', '-c', at('dist', file)], { maxBuffer: 1 << 26 }).length;
  const sizes = FILES.map((file) => [file, gzipped(file)]);
  return { sizes, total: sizes.reduce((sum, [, size]) => sum + size, 0) };
}
