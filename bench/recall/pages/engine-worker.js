// A worker that holds one engine.
import './watch-memories.js';
import { answer, describe } from './hop.js';

let engine;

answer({
  async load(file) {
    engine = (await import(`/recall/engines/${file}`)).default;
    return describe(engine);
  },
  call: (name, ...given) => engine[name](...given),
});
