// Node has no OPFS: the engine runs here in this thread, in memory, and files go in and out as bytes.
import { openEngine } from './engine.js';
import { Processor } from './processor.js';
import type { OpenTransport } from './transport.js';
import { initSync } from './wasm/synth_memory.js';

/** What is used of Node; asked for at run time, so that no bundler meets an import it cannot resolve. */
interface NodeProcess {
  readonly versions?: { readonly node?: string };
  getBuiltinModule?(name: 'node:fs'): { readFileSync(file: URL): Uint8Array<ArrayBuffer> };
}

const node = (globalThis as { process?: NodeProcess }).process;

/** Whether this is Node, as opposed to a browser or a worker of one. */
export const isNode = Boolean(node?.versions?.node && node.getBuiltinModule) && typeof window === 'undefined';

let loaded: Promise<void> | undefined;

async function load(): Promise<void> {
  const module = node
    ?.getBuiltinModule?.('node:fs')
    .readFileSync(new URL('./wasm/synth_memory_bg.wasm', import.meta.url));
  initSync({ module: module! });
}

/** An engine in this thread. */
export const openInThread: OpenTransport = (listener) => {
  const processor = new Processor({
    open: (options) => openEngine(() => (loaded ??= load()), options),
    defer: (task) => queueMicrotask(task),
    post: (message) => listener.receive(message),
  });
  return { post: (message) => processor.receive(message), end: () => undefined };
};
