// Opens the same file alternately with and without the check whether there is something to migrate.
import * as engine from './engine.js';

const PATH = '/check.db';

self.onmessage = async ({ data: openings }) => {
  const Engine = await engine.loadEngine('/engine/');
  const open = async (options) => {
    const begun = performance.now();
    const memory = await engine.open(Engine, { path: PATH, ...options });
    const time = performance.now() - begun;
    engine.close(memory);
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
