// `builtin.js` must be imported first, because the engine's glue code needs what it adds.
// Node has no OPFS: the engine runs in this thread, in memory, and files are imported and exported as bytes.
import { readFileSync } from './builtin.js';
import { openEngine } from './engine.js';
import { unavailable } from '../wire/errors.js';
import { Processor } from './processor.js';
import type { OpenWorker } from '../link/transport.js';
import { initSync } from '../wasm/synth_memory.js';

let loaded: Promise<void> | undefined;

async function load(): Promise<void> {
  initSync({ module: readFileSync(new URL('./wasm/synth_memory_bg.wasm', import.meta.url)) });
}

const fail = (cause: unknown) => {
  throw unavailable(cause);
};

/** Runs the engine in this thread. */
export const openInThread: OpenWorker = (listener) => {
  const peer = { post: listener.receive };
  const processor = new Processor({
    open: (options, onProgress) => openEngine((loaded ??= load().catch(fail)), options, onProgress),
    defer: (task) => queueMicrotask(task),
    // The timer does not keep the process from exiting.
    later: (task, ms) => (setTimeout(task, ms) as { unref?: () => void }).unref?.(),
    tell: listener.receive,
  });
  return {
    post(message) {
      if (message.type === 'lead') void processor.lead(message.leader, message.options);
      else if (message.type === 'yield') processor.yield();
      else if (message.type !== 'load' && message.type !== 'broker' && message.type !== 'ping')
        processor.receive(message, peer);
    },
    end: () => undefined,
  };
};
