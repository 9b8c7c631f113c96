// The dedicated worker: it wires messages to a Processor, and holds no logic of its own.
import { openEngine } from './engine.js';
import { Processor } from './processor.js';
import type { ToWorker } from './protocol.js';
import init from './wasm/synth_memory.js';

// Begun before the first message is here: the download is the longest part of opening.
const loading = init();
// Who asks is told; nobody else needs to be.
loading.catch(() => undefined);

// A task that is posted to oneself comes after every message that is already waiting.
const { port1, port2 } = new MessageChannel();
const tasks: (() => void)[] = [];
port1.onmessage = () => tasks.shift()?.();

const processor = new Processor({
  open: (options) => openEngine(() => loading, options),
  defer: (task) => {
    tasks.push(task);
    port2.postMessage(null);
  },
  post: (message, transfer) => self.postMessage(message, { transfer }),
});

self.onmessage = (event: MessageEvent<ToWorker>) => processor.receive(event.data);
