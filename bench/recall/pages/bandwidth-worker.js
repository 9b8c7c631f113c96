// Measures how fast this machine reads memory: a SIMD sum over as many bytes as 100,000 vectors have.
import { answer } from './hop.js';

const PASSES = 15;

answer({
  /** Bytes per second, the median of the passes. */
  async measure(module, bytes) {
    const { instance } = await WebAssembly.instantiate(module);
    const { memory, sum } = instance.exports;
    // Pages that were never written are all the same page of zeros, which is in the cache.
    const words = new Int32Array(memory.buffer, 0, bytes / 4).fill(1);
    const times = [];
    for (let pass = 0; pass < PASSES; pass++) {
      const begun = performance.now();
      if (sum(bytes) !== words.length) throw new Error('The sum is wrong.');
      times.push(performance.now() - begun);
    }
    times.sort((a, b) => a - b);
    return (bytes / times[PASSES >> 1]) * 1000;
  },
});
