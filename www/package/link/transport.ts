import type { FromWorker, ToWorker } from './protocol.js';

/** Receives the events of a worker. */
export interface WorkerListener {
  /** The worker sent a message. */
  receive(message: FromWorker): void;
  /** The worker could not be loaded, or an error ended it. */
  fail(cause: unknown): void;
}

/** A worker that can run SQLite, or this thread in its place. */
export interface OwnWorker {
  /** Sends a message; what `transfer` lists is moved, not copied. */
  post(message: ToWorker, transfer: Transferable[]): void;
  /** Ends the worker at once. */
  end(): void;
}

/** Starts a worker that sends its messages to a listener. */
export type OpenWorker = (listener: WorkerListener) => OwnWorker;

/** Starts a dedicated worker of this page. */
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
  // webpack puts a `file:` URL there, which does not show where the script is served.
  if (/^https?:/.test(url) && !url.startsWith(`${location.origin}/`)) return importWorker(url);
  // Bundlers find the files only if this is written in exactly this form. Developer tools show the name.
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'synth-memory' });
}

/**
 * A script of another origin, such as a CDN, cannot be started as a worker, but a script of this origin can import it.
 */
function importWorker(beside: string): Worker {
  // Written differently from above, or bundlers would make a second file of it.
  const script = beside.replace(/[^/]*$/, 'worker.js');
  const url = URL.createObjectURL(new Blob([`import ${JSON.stringify(script)};`], { type: 'text/javascript' }));
  const worker = new Worker(url, { type: 'module', name: 'synth-memory' });
  // By then it has been read, successfully or not.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return worker;
}

/**
 * Returns a port to the broker of this origin; undefined if there are no shared workers, as inside a worker. If the
 * broker does not load, the port stays silent: tabs keep using the channel, which is slower and works everywhere.
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

/** The engine's code, fetched and compiled on the page while the worker starts, once for all memories of the page. */
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
  // If the server sends another content type, streaming compilation is impossible, but loading is not.
  const isWasm = response.headers.get('content-type')?.startsWith('application/wasm');
  return isWasm && 'compileStreaming' in WebAssembly
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}
