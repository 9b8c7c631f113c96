import {
  aborted,
  asFailure,
  causeOf,
  closed,
  invalidArgument,
  MemoryError,
  toMemoryError,
  unavailable,
  type FailureMessage,
} from '../wire/errors.js';
import type { Answer, Arguments, FromWorker, Method, Request, Value } from './protocol.js';
import type { Listener, OpenTransport, Transport } from './transport.js';
import type { EngineOptions, MigrationProgress, SchemaStatus } from '../wasm/synth_memory.js';

/** What every call may be given. */
export interface CallOptions {
  /**
   * Gives the call up. It rejects with `aborted` only where it had not begun and so changed nothing; one that was
   * already being carried out is answered as usual.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Ways to the two engines; where there is but one way, it leads to the whole engine. */
export interface Transports {
  readonly atHead?: OpenTransport | undefined;
  readonly whole: OpenTransport;
}

/** The calls that the smaller engine has too: those on the tables, and a few. */
const AT_HEAD =
  /^(?:open|close|query|export|schemaStatus|[a-zA-Z]+(?:Add|Get|List|Update|Delete|Count|Clear|Resolve|Statistics))$/;
/** Calls after which a row may wait for its vector. */
const WRITES = /(?:Add|Update|import|restore|upgrade|downgrade|undoConsolidation)$/;

interface Pending {
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
 * the next call opens the memory anew. A memory that is at head is opened by the smaller engine; the first call that
 * needs the other one takes the memory over to it, in its turn among the calls.
 */
export class Connection {
  readonly #client = crypto.randomUUID();
  readonly #transports: Transports;
  readonly #tell: ((progress: MigrationProgress) => void) | undefined;
  readonly #options: EngineOptions;
  readonly #pending = new Map<number, Pending>();
  #transport: Transport | undefined;
  #sequence = 0;
  #outbox: Outgoing[] = [];
  #opened = false;
  #isWhole: boolean;
  /** What is sent waits until the memory has changed hands. */
  #held = false;
  #closing: Promise<void> | undefined;

  constructor(transports: Transports, options: EngineOptions, tell?: (progress: MigrationProgress) => void) {
    this.#transports = transports;
    this.#isWhole = !transports.atHead;
    this.#options = options;
    this.#tell = tell;
  }

  /** Opens the memory; the answer is where its schema is. */
  open(options: CallOptions = {}): Promise<SchemaStatus> {
    return this.#connect(options);
  }

  /** Is told which call wrote rows: what they say may have to be embedded. */
  onWrite: ((method: Method) => void) | undefined;

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
      void this.#connect({}).catch(() => undefined);
    }
    const value = await this.#send(method, given, { signal }, transfer);
    if (WRITES.test(method)) this.onWrite?.(method);
    return value;
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
    const { atHead, whole } = this.#transports;
    const transport = (this.#isWhole ? whole : atHead!)(listener);
    this.#transport = transport;
    try {
      // What comes behind it is sent when it is certain that this engine is the one to answer it.
      const behind = this.#outbox;
      this.#outbox = [];
      const opened = this.#send('open', [this.#options], options, []);
      this.#post(this.#outbox);
      this.#outbox = behind;
      this.#held = true;
      const status = await opened;
      if (status === NEEDS_MIGRATIONS) {
        transport.end();
        this.#isWhole = true;
        return await this.#connect(options);
      }
      this.#opened = true;
      this.#held = false;
      this.#flush();
      return status;
    } catch (error) {
      // Whoever calls next tries again, and where the larger engine could not be had, with the smaller one.
      this.#isWhole = !this.#transports.atHead;
      // What was to be sent behind this is answered with the same.
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
      if (signal?.aborted) {
        reject(aborted(signal));
        return;
      }
      if (signal !== undefined && !(signal instanceof AbortSignal)) {
        reject(invalidArgument('signal must be an AbortSignal.'));
        return;
      }
      const sequence = this.#sequence++;
      const onAbort = () => this.#abort(sequence, method);
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
    if (this.#held) return;
    const outbox = this.#outbox;
    this.#outbox = [];
    const beyond = this.#isWhole ? -1 : outbox.findIndex(({ request }) => !AT_HEAD.test(request.method));
    this.#post(beyond < 0 ? outbox : outbox.slice(0, beyond));
    if (beyond >= 0) this.#handOver(outbox.slice(beyond));
  }

  /** Lets the smaller engine finish what was asked of it, and opens the memory with the other one, for what comes next. */
  #handOver(next: Outgoing[]): void {
    const transport = this.#transport;
    this.#isWhole = true;
    const finished = this.#send('close', [], {}, []);
    this.#post(this.#outbox);
    this.#outbox = next;
    this.#held = true;
    const goOn = () => {
      // Where it broke, whoever waits was told, and there is nobody to open it for.
      if (this.#transport !== transport) return;
      transport?.end();
      void this.#connect({}).catch(() => undefined);
    };
    finished.then(goOn, goOn);
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
    else if ('needsMigrations' in answer) pending.resolve(NEEDS_MIGRATIONS);
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
    this.#held = false;
    this.#outbox = [];
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of waiting) {
      pending.stopListening();
      pending.reject(why());
    }
  }
}

/** The answer to `open` of an engine that cannot migrate and would have to. */
const NEEDS_MIGRATIONS: unknown = Symbol('needs migrations');

function crashed(cause: unknown): MemoryError {
  const hint =
    'The file is at its last committed state and is opened again by the next call; look before you repeat a write.';
  return new MemoryError('worker_crashed', 'The worker stopped before it answered.', hint, cause);
}

function lost(): MemoryError {
  const hint = 'Open a new one and import what you exported; a memory in OPFS would have kept its rows.';
  return new MemoryError('worker_crashed', 'The memory was kept by the worker alone, and is gone with it.', hint);
}
