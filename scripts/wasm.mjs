// Makes of what the compiler wrote the engine that a page downloads: its glue and declarations, and optimised WebAssembly.
import { join } from 'node:path';
import { run } from './process.mjs';

/** What every browser that has OPFS knows. */
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
 * What wasm-opt is told, at one of its levels. It is judged by the size compressed: -Os and these settings give more bytes
 * than -Oz, but such as gzip makes fewer of.
 */
export const passes = (level = '-Os') => [
  level,
  '--converge',
  // The lowest kilobyte is the far end of the stack, so no pointer of ours is that low.
  '--low-memory-unused',
  '--skip-pass=memory-packing',
  '--skip-pass=local-cse',
  // Functions of one name's beginning are of one module and alike, so that they compress better side by side.
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
