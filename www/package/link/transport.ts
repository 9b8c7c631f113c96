import type { FromWorker, ToWorker } from './protocol.js';

/** What a client is told by its transport. */
export interface Listener {
  /** A message came. */
  receive(message: FromWorker): void;
  /** The other side is gone, and will not answer. */
  fail(cause: unknown): void;
}

/** A way to whoever runs SQLite: a worker of this page's, the same thread, or another tab's worker. */
export interface Transport {
  /** Sends a message; what is named in `transfer` is moved, not copied. */
  post(message: ToWorker, transfer: Transferable[]): void;
  /** Lets go of the other side. */
  end(): void;
}

/** Makes a transport that speaks to a listener. */
export type OpenTransport = (listener: Listener) => Transport;

/** A dedicated worker of this page's own, for a memory that is at head or new. */
export const openWorker: OpenTransport = (listener) =>
  // Written just so, bundlers find the files. The name shows in the browser's developer tools.
  connect(
    new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'synth-memory' }),
    compiled(new URL('./wasm/synth_memory_at_head_bg.wasm', import.meta.url)),
    listener,
  );

/** The same with the engine that can do everything. */
export const openWholeWorker: OpenTransport = (listener) =>
  connect(
    // A name of its own: webpack makes one file of all the workers that have the same.
    new Worker(new URL('./worker-whole.js', import.meta.url), {
      type: 'module',
      name: 'synth-memory-whole',
    }),
    compiled(new URL('./wasm/synth_memory_bg.wasm', import.meta.url)),
    listener,
  );

function connect(worker: Worker, code: Promise<WebAssembly.Module>, listener: Listener): Transport {
  worker.onmessage = (event: MessageEvent<FromWorker>) => listener.receive(event.data);
  worker.onmessageerror = () => listener.fail(new Error('A message from the worker could not be read.'));
  worker.onerror = (event) => {
    event.preventDefault();
    listener.fail(new Error(event.message || 'The worker script could not be loaded.'));
  };
  const post = (message: ToWorker, transfer: Transferable[] = []) => worker.postMessage(message, transfer);
  code.then(
    (module) => post({ type: 'load', module }),
    (cause: unknown) => listener.fail(cause),
  );
  return { post, end: () => worker.terminate() };
}

const modules = new Map<string, Promise<WebAssembly.Module>>();

/** An engine's code, fetched and compiled here while the worker starts, and once for all memories of the page. */
function compiled({ href }: URL): Promise<WebAssembly.Module> {
  let module = modules.get(href);
  if (!module) {
    module = fetchAndCompile(href).catch((cause: unknown) => {
      modules.delete(href);
      throw cause;
    });
    modules.set(href, module);
  }
  return module;
}

async function fetchAndCompile(href: string): Promise<WebAssembly.Module> {
  const response = await fetch(href);
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
  // A server that does not know what .wasm files are makes streaming impossible, but not loading.
  const streams = response.headers.get('content-type')?.startsWith('application/wasm');
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}
