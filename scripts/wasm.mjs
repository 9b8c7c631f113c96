// Makes the engine that a page downloads from the compiler's output: glue code, declarations and optimised WebAssembly.
import { join } from 'node:path';
import { run } from './process.mjs';

/** The WebAssembly features that every browser with OPFS supports. */
const FEATURES = [
  'bulk-memory',
  'bulk-memory-opt',
  'nontrapping-float-to-int',
  'sign-ext',
  'mutable-globals',
  'reference-types',
  'multivalue',
  'simd',
];

/**
 * The arguments of wasm-opt, at one of its levels. They were chosen by the compressed size: -Os with these settings
 * writes more bytes than -Oz, but gzip compresses them to fewer.
 */
export const passes = (level = '-Os') => [
  level,
  '--converge',
  // The lowest kilobyte is the far end of the stack, so no pointer in the program is that low.
  '--low-memory-unused',
  '--skip-pass=memory-packing',
  '--skip-pass=local-cse',
  // Functions whose names begin alike are of the same module and similar, so they compress better next to each other.
  '--reorder-functions-by-name',
  '--strip-debug',
  '--strip-producers',
  '--strip-target-features',
  ...FEATURES.map((feature) => `--enable-${feature}`),
];

/** Writes the engine into a folder. */
export async function finishWasm(compiled, folder, level) {
  const finished = join(folder, 'synth_memory_bg.wasm');
  const names = ['--out-dir', folder, '--out-name', 'synth_memory'];
  await run('wasm-bindgen', ['--target', 'web', '--omit-default-module-path', ...names, compiled], { quiet: true });
  await run('wasm-opt', [...passes(level), finished, '-o', finished], { quiet: true });
}
