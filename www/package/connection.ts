import { asFailure, MemoryError, toMemoryError, unavailable } from './errors.js';
import type { Answer, Arguments, FromWorker, Method, Request, Value } from './protocol.js';
import type { Listener, OpenTransport, Transport } from './transport.js';
import type { EngineOptions, SchemaStatus } from './wasm/synth_memory.js';

/** What every call may be given. */
export interface CallOptions {
  /**
   * Gives the call up. It rejects with `aborted` only where it had not begun and so changed nothing; one that was
   * already being carried out is answered as usual.
   */
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  readonly signal: AbortSignal | undefined;
  readonly stopListening: () => void;
  resolve(value: unknown): void;
  reject(error: MemoryError): void;
}

/**
 * The requests of one client: sent without waiting for each other, answered in order.
 *
 * Calls of the same turn of the event loop leave in one message. When the other side breaks, what waits is rejected and
 * the next call opens the memory anew.
 */
export class Connection {
  readonly #client = crypto.randomUUID();
  readonly #openTransport: OpenTransport;
  readonly #options: EngineOptions;
  readonly #pending = new Map<number, Pending>();
  #transport: Transport | undefined;
  #sequence = 0;
  #outbox: { request: Request; transfer: Transferable[] }[] = [];
  #opened = false;
  #closing: Promise<void> | undefined;

  constructor(openTransport: OpenTransport, options: EngineOptions) {
    this.#openTransport = openTransport;
    this.#options = options;
  }

  /** Opens the memory; the answer is where its schema is. */
  async open(options: CallOptions = {}): Promise<SchemaStatus> {
    try {
      return await this.#connect(options);
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** Makes a call. */
  async call<M extends Method>(
    method: M,
    given: Arguments<M>,
    { signal }: CallOptions = {},
    transfer: Transferable[] = [],
  ): Promise<Awaited<Value<M>>> {
    if (this.#closing) throw closed();
    // After a crash the other side is gone; the file is opened again before anything else is asked of it.
    if (!this.#transport) await this.#connect({});
    return this.#send(method, given, { signal }, transfer);
  }

  /** Waits for what was asked for, then closes. Calls that come later reject with `closed`. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      if (this.#transport) await this.#send('close', [], {}, []);
    } finally {
      this.#end();
    }
  }

  async #connect(options: CallOptions): Promise<SchemaStatus> {
    this.#opened = false;
    const listener: Listener = {
      receive: (message) => {
        if (this.#transport === transport) this.#receive(message);
      },
      fail: (cause) => {
        if (this.#transport === transport) this.#fail(cause);
      },
    };
    const transport = this.#openTransport(listener);
    this.#transport = transport;
    const status = await this.#send('open', [this.#options], options, []);
    this.#opened = true;
    return status;
  }

  #send<M extends Method>(
    method: M,
    given: Arguments<M>,
    { signal }: CallOptions,
    transfer: Transferable[],
  ): Promise<Awaited<Value<M>>> {
    return new Promise((resolve, reject: (error: MemoryError) => void) => {
      if (signal?.aborted) {
        reject(aborted(signal));
        return;
      }
      const sequence = this.#sequence++;
      const onAbort = () => this.#abort(sequence);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(sequence, {
        signal,
        stopListening: () => signal?.removeEventListener('abort', onAbort),
        resolve: resolve as (value: unknown) => void,
        reject,
      });
      const request = { client: this.#client, sequence, method, arguments: given } as Request;
      if (this.#outbox.push({ request, transfer }) === 1) queueMicrotask(() => this.#flush());
    });
  }

  #flush(): void {
    const outbox = this.#outbox;
    this.#outbox = [];
    if (outbox.length === 0) return;
    const requests = outbox.map(({ request }) => request);
    const transfer = outbox.flatMap((item) => item.transfer);
    this.#transport?.post({ type: 'call', requests }, transfer);
  }

  #abort(sequence: number): void {
    const waiting = this.#outbox.findIndex(({ request }) => request.sequence === sequence);
    if (waiting < 0) {
      this.#transport?.post({ type: 'cancel', client: this.#client, sequence }, []);
      return;
    }
    this.#outbox.splice(waiting, 1);
    this.#settle({ client: this.#client, sequence, cancelled: true });
  }

  #receive(message: FromWorker): void {
    if (message.type === 'crashed') {
      const cause = new Error(message.message);
      cause.name = message.name;
      this.#fail(cause);
      return;
    }
    for (const answer of message.answers) {
      if (answer.client === this.#client) this.#settle(answer);
    }
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.sequence);
    if (!pending) return;
    this.#pending.delete(answer.sequence);
    pending.stopListening();
    if ('cancelled' in answer) pending.reject(aborted(pending.signal));
    else if ('failure' in answer) pending.reject(toMemoryError(answer.failure));
    else pending.resolve(answer.value);
  }

  #fail(cause: unknown): void {
    const error = () =>
      this.#opened
        ? new MemoryError(
            'worker_crashed',
            'The worker stopped before it answered.',
            'The file is at its last committed state and is opened again by the next call; look before you repeat a write.',
            cause,
          )
        : toMemoryError(asFailure(cause) ?? unavailable(cause));
    this.#end();
    for (const pending of this.#pending.values()) {
      pending.stopListening();
      pending.reject(error());
    }
    this.#pending.clear();
  }

  #end(): void {
    this.#transport?.end();
    this.#transport = undefined;
    this.#outbox = [];
  }
}

function aborted(signal: AbortSignal | undefined): MemoryError {
  const hint = 'Nothing was changed; make the call again if it is still wanted.';
  return new MemoryError('aborted', 'The call was given up before it began.', hint, signal?.reason);
}

function closed(): MemoryError {
  return new MemoryError('closed', 'The memory is closed.', 'Open it again with Memory.open().');
}
