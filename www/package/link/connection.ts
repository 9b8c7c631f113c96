import {
  aborted,
  asFailure,
  causeOf,
  closed,
  MemoryError,
  toMemoryError,
  unavailable,
  type FailureMessage,
} from '../wire/errors.js';
import { checkSignal } from '../wire/check.js';
import { CALLS } from './calls.js';
import type { Answer, Arguments, FromWorker, Method, Request, Value } from './protocol.js';
import type { Listener, OpenTransport, Transport } from './transport.js';
import type { Changes, EngineOptions, MigrationProgress, SchemaStatus } from '../wasm/synth_memory.js';

/** What every call may be given. */
export interface CallOptions {
  /**
   * Gives the call up. It rejects with `aborted` only where it had not begun and so changed nothing; one that was
   * already being carried out is answered as usual.
   */
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  readonly method: Method;
  readonly signal: AbortSignal | undefined;
  readonly stopListening: () => void;
  resolve(value: unknown): void;
  reject(error: MemoryError): void;
}

interface Outgoing {
  readonly request: Request;
  readonly transfer: Transferable[];
}

/**
 * The requests of one client: sent without waiting for each other, answered in order.
 *
 * Calls of the same turn of the event loop leave in one message. When the other side breaks, what waits is rejected and
 * the next call opens the memory again.
 */
export class Connection {
  readonly #client = crypto.randomUUID();
  readonly #openTransport: OpenTransport;
  readonly #tell: ((progress: MigrationProgress) => void) | undefined;
  readonly #options: EngineOptions;
  readonly #pending = new Map<number, Pending>();
  #transport: Transport | undefined;
  #sequence = 0;
  #outbox: Outgoing[] = [];
  #opened = false;
  #closing: Promise<void> | undefined;

  constructor(openTransport: OpenTransport, options: EngineOptions, tell?: (progress: MigrationProgress) => void) {
    this.#openTransport = openTransport;
    this.#options = options;
    this.#tell = tell;
  }

  /** Opens the memory; the answer is where its schema is. */
  open(options: CallOptions = {}): Promise<SchemaStatus> {
    return this.#connect(options);
  }

  /** Are told what each commit changed, once, after it. */
  readonly changes = new Set<(changes: Changes) => void>();
  /** Are told that the engine is another one, which opened the memory again. */
  readonly reopened = new Set<() => void>();

  /** Whether calls that change rows are not answered yet. */
  get isWriting(): boolean {
    return [...this.#pending.values()].some(({ method }) => CALLS[method] !== 'read');
  }

  /** Makes a call. */
  async call<M extends Method>(
    method: M,
    given: Arguments<M>,
    { signal }: CallOptions = {},
    transfer: Transferable[] = [],
  ): Promise<Awaited<Value<M>>> {
    if (this.#closing) throw closed();
    if (!this.#transport) {
      // What was only in memory is gone with the worker: to begin anew with nothing would be to lose it silently.
      if (this.#options.path === undefined) throw lost();
      // The file is opened again before anything else is asked of it. What comes of that, this call is told.
      const reopened = this.#connect({});
      reopened.catch(() => undefined);
      if (!this.#transport) await reopened;
      for (const report of this.reopened) report();
    }
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
      this.#end(closed);
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
    let transport: Transport;
    try {
      transport = this.#openTransport(listener);
    } catch (cause) {
      // A page may be forbidden the worker: one of another origin, say.
      throw toMemoryError(unavailable(cause));
    }
    this.#transport = transport;
    try {
      const status = await this.#send('open', [this.#options], options, []);
      this.#opened = true;
      return status;
    } catch (error) {
      // What was sent behind it is answered with the same.
      if (this.#transport === transport) this.#end(() => error as MemoryError);
      throw error;
    }
  }

  #send<M extends Method>(
    method: M,
    given: Arguments<M>,
    { signal }: CallOptions,
    transfer: Transferable[],
  ): Promise<Awaited<Value<M>>> {
    return new Promise((resolve, reject: (error: MemoryError) => void) => {
      // What it throws rejects the promise.
      checkSignal(signal);
      if (signal?.aborted) {
        reject(aborted(signal));
        return;
      }
      const sequence = this.#sequence++;
      const onAbort = () => this.#abort(sequence, method);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(sequence, {
        method,
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
    this.#post(outbox);
  }

  #post(outgoing: readonly Outgoing[]): void {
    if (outgoing.length === 0) return;
    const requests = outgoing.map(({ request }) => request);
    const transfer = outgoing.flatMap((item) => item.transfer);
    try {
      this.#transport?.post({ type: 'call', requests }, transfer);
    } catch (cause) {
      // One of them holds what no message can: each goes by itself, and that one is told.
      if (outgoing.length > 1) {
        for (const item of outgoing) this.#post([item]);
        return;
      }
      const { sequence } = requests[0]!;
      const failure: FailureMessage = {
        code: 'invalid_argument',
        message: 'An argument cannot be sent to the worker.',
        hint: 'Give plain values only.',
        cause: causeOf(cause),
      };
      this.#settle({ client: this.#client, sequence, failure });
    }
  }

  #abort(sequence: number, method: Method): void {
    if (method === 'open') {
      // Nothing of the caller's is at stake yet, so it need not be waited for.
      this.#settle({ client: this.#client, sequence, cancelled: true });
      return;
    }
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
      // The engine itself says so: it was loaded, also where the memory was just being opened.
      this.#end(() => crashed(cause));
      return;
    }
    if (message.type === 'progress') {
      this.#tell?.(message.progress);
      return;
    }
    if (message.changes) for (const report of this.changes) report(message.changes);
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
    const error = () => (this.#opened ? crashed(cause) : toMemoryError(asFailure(cause) ?? unavailable(cause)));
    this.#end(error);
  }

  /** Lets go of the other side; whoever still waits for it is told why. */
  #end(why: () => MemoryError): void {
    this.#transport?.end();
    this.#transport = undefined;
    this.#outbox = [];
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of waiting) {
      pending.stopListening();
      pending.reject(why());
    }
  }
}

function crashed(cause: unknown): MemoryError {
  const hint =
    'The file is at its last committed state and is opened again by the next call; look before you repeat a write.';
  return new MemoryError('worker_crashed', 'The worker stopped before it answered.', hint, cause);
}

function lost(): MemoryError {
  const hint = 'Open a new one and import what you exported; a memory in OPFS would have kept its rows.';
  return new MemoryError('worker_crashed', 'The memory was kept by the worker alone, and is gone with it.', hint);
}
