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

/** A dedicated worker of this page's own. */
export const openWorker: OpenTransport = (listener) => {
  // Written just so, bundlers find the files. The name shows in the browser's developer tools.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'synth-memory' });
  worker.onmessage = (event: MessageEvent<FromWorker>) => listener.receive(event.data);
  worker.onmessageerror = () => listener.fail(new Error('A message from the worker could not be read.'));
  worker.onerror = (event) => {
    event.preventDefault();
    listener.fail(new Error(event.message || 'The worker script could not be loaded.'));
  };
  const post = (message: ToWorker, transfer: Transferable[] = []) => worker.postMessage(message, transfer);
  compiled().then(
    (module) => post({ type: 'load', module }),
    (cause: unknown) => listener.fail(cause),
  );
  return { post, end: () => worker.terminate() };
};

let engine: Promise<WebAssembly.Module> | undefined;

/** The engine's code, fetched and compiled here while the worker starts, and once for all memories of the page. */
function compiled(): Promise<WebAssembly.Module> {
  engine ??= fetchAndCompile(new URL('./wasm/synth_memory_bg.wasm', import.meta.url)).catch((cause: unknown) => {
    engine = undefined;
    throw cause;
  });
  return engine;
}

async function fetchAndCompile(file: URL): Promise<WebAssembly.Module> {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
  // A server that does not know what .wasm files are makes streaming impossible, but not loading.
  const streams = response.headers.get('content-type')?.startsWith('application/wasm');
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}
