// The dedicated worker: connects its messages to a `Processor` over the engine.
import { openEngine } from './engine.js';
import { Processor } from './processor.js';
import { Tabs } from './tabs.js';
import { revisionsOf } from '../link/revisions.js';
import type { FromWorker, ToClient, ToWorker } from '../link/protocol.js';
import { initSync } from '../wasm/synth_memory.js';

let loaded: () => void;
const loading = new Promise<void>((resolve) => (loaded = resolve));

// A task that the worker posts to itself runs after every message that already waits.
const { port1, port2 } = new MessageChannel();
const tasks: (() => void)[] = [];
port1.onmessage = () => tasks.shift()?.();

const post = (message: FromWorker, transfer: Transferable[] = []) => self.postMessage(message, { transfer });
const page = { post: (message: ToClient, transfer: Transferable[]) => post(message, transfer) };
let leading: (ToWorker & { type: 'lead' }) | undefined;
let tabs: Tabs | undefined;

/** Connects other tabs. To be called after this page's own client got its `welcome`. */
function meetOthers(): void {
  const { leader, options } = leading!;
  if (options.path !== undefined) tabs = new Tabs(processor, options.path, leader, revisionsOf(options));
}

const defer = (task: () => void) => {
  tasks.push(task);
  port2.postMessage(null);
};
const processor = new Processor({
  open: (options, onProgress) => openEngine(loading, options, onProgress),
  defer,
  // Browsers soon clamp a timer of 0 ms to 4 ms.
  later: (task, ms) => (ms > 0 ? setTimeout(task, ms) : defer(task)),
  tell: (message) => {
    post(message);
    if (message.type === 'leads') queueMicrotask(meetOthers);
    if (message.type !== 'yielded') return;
    tabs?.leave();
    self.close();
  },
});

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case 'load':
      initSync({ module: data.module });
      loaded();
      break;
    case 'lead':
      leading = data;
      void processor.lead(data.leader, data.options);
      break;
    case 'broker':
      tabs?.join(data.port);
      break;
    case 'yield':
      processor.yield();
      break;
    case 'ping':
      post({ type: 'pong' });
      break;
    default:
      processor.receive(data, page);
  }
};
