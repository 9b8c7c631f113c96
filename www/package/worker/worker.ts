// The dedicated worker: wires its messages to a Processor over the engine.
import { openEngine } from './engine.js';
import { Processor } from './processor.js';
import { Tabs } from './tabs.js';
import { revisionsOf } from '../link/revisions.js';
import type { FromWorker, ToClient, ToWorker } from '../link/protocol.js';
import { initSync } from '../wasm/synth_memory.js';

let loaded: () => void;
const loading = new Promise<void>((resolve) => (loaded = resolve));

// A task that is posted to oneself comes after every message that is already waiting.
const { port1, port2 } = new MessageChannel();
const tasks: (() => void)[] = [];
port1.onmessage = () => tasks.shift()?.();

const post = (message: FromWorker, transfer: Transferable[] = []) => self.postMessage(message, { transfer });
const page = { post: (message: ToClient, transfer: Transferable[]) => post(message, transfer) };
let leading: (ToWorker & { type: 'lead' }) | undefined;
let tabs: Tabs | undefined;

/** Other tabs come after this one, which is welcomed first. */
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
  // A timer of 0 ms soon takes 4.
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
