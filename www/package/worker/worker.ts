// The dedicated worker: wires its messages to a Processor over the engine.
import { openEngine } from './engine.js';
import { Processor } from './processor.js';
import type { FromWorker, ToWorker } from '../link/protocol.js';
import { initSync } from '../wasm/synth_memory.js';

let loaded: () => void;
const loading = new Promise<void>((resolve) => (loaded = resolve));

// A task that is posted to oneself comes after every message that is already waiting.
const { port1, port2 } = new MessageChannel();
const tasks: (() => void)[] = [];
port1.onmessage = () => tasks.shift()?.();

const processor = new Processor({
  open: (options, onProgress) => openEngine(loading, options, onProgress),
  defer: (task) => {
    tasks.push(task);
    port2.postMessage(null);
  },
  post: (message: FromWorker, transfer: Transferable[]) => self.postMessage(message, { transfer }),
});

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.type !== 'load') return processor.receive(data);
  initSync({ module: data.module });
  loaded();
};
