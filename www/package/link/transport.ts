import type { FromWorker, ToWorker } from './protocol.js';

/** What is told by a worker. */
export interface WorkerListener {
  /** A message came. */
  receive(message: FromWorker): void;
  /** The worker could not be loaded, or an error ended it. */
  fail(cause: unknown): void;
}

/** A worker that can run SQLite, or the same thread. */
export interface OwnWorker {
  /** Sends a message; what is named in `transfer` is moved, not copied. */
  post(message: ToWorker, transfer: Transferable[]): void;
  /** Ends it at once. */
  end(): void;
}

/** Starts a worker that speaks to a listener. */
export type OpenWorker = (listener: WorkerListener) => OwnWorker;

/** A dedicated worker of this page's own. */
export const openWorker: OpenWorker = (listener) => {
  const worker = startWorker();
  worker.onmessage = (event: MessageEvent<FromWorker>) => listener.receive(event.data);
  worker.onmessageerror = () => listener.fail(new Error('A message from the worker could not be read.'));
  worker.onerror = (event) => {
    event.preventDefault();
    listener.fail(new Error(event.message || 'The worker script could not be loaded.'));
  };
  const post = (message: ToWorker, transfer: Transferable[] = []) => {
    if (message.type === 'lead') load();
    worker.postMessage(message, transfer);
  };
  const load = () =>
    void compiled().then(
      (module) => post({ type: 'load', module }),
      (cause: unknown) => listener.fail(cause),
    );
  return { post, end: () => worker.terminate() };
};

function startWorker(): Worker {
  const { url } = import.meta;
  // webpack writes a file's address there, which tells nothing of where it is served.
  if (/^https?:/.test(url) && !url.startsWith(`${location.origin}/`)) return importWorker(url);
  // Written just so, bundlers find the files. The name shows in the browser's developer tools.
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'synth-memory' });
}

/** From another origin, as a content delivery network's, a script may not be a worker, but one of ours may import it. */
function importWorker(beside: string): Worker {
  // Not written as above, or bundlers would make a second file of it.
  const script = beside.replace(/[^/]*$/, 'worker.js');
  const url = URL.createObjectURL(new Blob([`import ${JSON.stringify(script)};`], { type: 'text/javascript' }));
  const worker = new Worker(url, { type: 'module', name: 'synth-memory' });
  // Read by then, whatever comes of it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return worker;
}

/**
 * A port to the broker of this origin; undefined where there are no shared workers, as inside a worker. Where it does not load,
 * the port is silent: tabs go on by a channel, which is slower and works everywhere.
 */
export function openBroker(): MessagePort | undefined {
  if (typeof SharedWorker === 'undefined') return undefined;
  try {
    return new SharedWorker(new URL('./broker.js', import.meta.url), { type: 'module', name: 'synth-memory' }).port;
  } catch {
    return undefined;
  }
}

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
  const isWasm = response.headers.get('content-type')?.startsWith('application/wasm');
  return isWasm && 'compileStreaming' in WebAssembly
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}
