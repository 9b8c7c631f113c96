// A minimal WebAssembly module that reads memory as fast as possible: it sums 32-bit integers, 128 bytes per iteration.
import binaryen from 'binaryen';

const PAGE = 65_536;
const LANES = [0, 1, 2, 3, 4, 5, 6, 7];

/** The bytes of the module. It computes eight sums at once, so that no addition waits for the previous one. */
export function sumModule(bytes) {
  const sums = LANES.map((lane) => `$sum${lane}`);
  const text = `
    (module
      (memory (export "memory") ${Math.ceil(bytes / PAGE)})
      (func (export "sum") (param $end i32) (result i32)
        (local $at i32) ${sums.map((sum) => `(local ${sum} v128)`).join(' ')}
        (loop $next
          ${sums.map((sum, lane) => `(local.set ${sum} (i32x4.add (local.get ${sum}) (v128.load offset=${lane * 16} (local.get $at))))`).join('\n')}
          (local.set $at (i32.add (local.get $at) (i32.const 128)))
          (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
        ${sums
          .slice(1)
          .map((sum) => `(local.set $sum0 (i32x4.add (local.get $sum0) (local.get ${sum})))`)
          .join('\n')}
        (i32.add
          (i32.add (i32x4.extract_lane 0 (local.get $sum0)) (i32x4.extract_lane 1 (local.get $sum0)))
          (i32.add (i32x4.extract_lane 2 (local.get $sum0)) (i32x4.extract_lane 3 (local.get $sum0))))))`;
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.SIMD128);
  if (!module.validate()) throw new Error('The module that sums is invalid.');
  const binary = module.emitBinary();
  module.dispose();
  return binary;
}
