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
  // Written just so, bundlers find the file. The name shows in the browser's developer tools.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'synth-memory' });
  worker.onmessage = (event: MessageEvent<FromWorker>) => listener.receive(event.data);
  worker.onmessageerror = () => listener.fail(new Error('A message from the worker could not be read.'));
  worker.onerror = (event) => {
    event.preventDefault();
    listener.fail(new Error(event.message || 'The worker script could not be loaded.'));
  };
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    end: () => worker.terminate(),
  };
};
