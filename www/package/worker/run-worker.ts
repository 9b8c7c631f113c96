import { openEngine, type EngineClass, type Held } from './engine.js';
import { Processor } from './processor.js';
import type { FromWorker, ToWorker } from '../link/protocol.js';

/** What the glue of an engine gives. */
export interface Glue {
  readonly Engine: EngineClass;
  initSync(source: { module: WebAssembly.Module }): unknown;
}

/** Wires the messages of this worker to a Processor over an engine. */
export function runWorker({ Engine, initSync }: Glue): void {
  let loaded: () => void;
  const loading = new Promise<void>((resolve) => (loaded = resolve));

  // A task that is posted to oneself comes after every message that is already waiting.
  const { port1, port2 } = new MessageChannel();
  const tasks: (() => void)[] = [];
  port1.onmessage = () => tasks.shift()?.();

  const post = (message: FromWorker, transfer: Transferable[]) => self.postMessage(message, { transfer });
  const processor = new Processor({
    open: (options): Promise<Held | undefined> => openEngine(Engine, loading, options),
    defer: (task) => {
      tasks.push(task);
      port2.postMessage(null);
    },
    post,
  });

  self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data.type !== 'load') return processor.receive(data);
    initSync({ module: data.module });
    loaded();
  };
}
