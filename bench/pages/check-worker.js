// Opens the same file with the check whether there is something to migrate, and without it, in turns.
import * as glue from '../engine/synth_memory.js';

const FILE = { path: '/check.db', durability: 'strict' };

self.onmessage = async ({ data: openings }) => {
  await glue.default({ module_or_path: new URL('../engine/synth_memory_bg.wasm', import.meta.url) });
  const open = async (options) => {
    const begun = performance.now();
    const engine = await glue.Engine.open({ ...FILE, ...options });
    const time = performance.now() - begun;
    engine.close();
    return time;
  };
  await open({});
  const times = { checked: [], unchecked: [] };
  for (let opening = 0; opening < openings; opening++) {
    for (const side of opening % 2 ? ['checked', 'unchecked'] : ['unchecked', 'checked'])
      times[side].push(await open({ upgrade: side === 'checked' }));
  }
  self.postMessage(times);
};
