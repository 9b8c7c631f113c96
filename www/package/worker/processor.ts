import { asFailure, causeOf, unreadable, type FailureMessage } from '../wire/errors.js';
import type { Held, OnProgress } from './engine.js';
import { CALLS, type Kind } from '../link/calls.js';
import type { Answer, FromWorker, Method, Request, ToWorker } from '../link/protocol.js';
import type { Changes, Engine, EngineOptions } from '../wasm/synth_memory.js';

/** What a processor needs of where it runs. */
export interface Host {
  /** Loads the engine and opens it. Rejects with a failure. */
  open(options: EngineOptions, onProgress: OnProgress): Promise<Held>;
  /** Does the task soon, but after all that is already waiting to be received. */
  defer(task: () => void): void;
  /** Sends a message to the clients; what is named in `transfer` is moved. */
  post(message: FromWorker, transfer: Transferable[]): void;
}

/** The most calls of one shared transaction, so that the first of them is not kept waiting for long. */
const MAX_GROUP = 1000;

const CLOSED: FailureMessage = {
  code: 'closed',
  message: 'The memory is closed.',
  hint: 'Open it again with Memory.open().',
  cause: null,
};

/**
 * Answers the requests that clients send, in their order.
 *
 * Requests that wait together are carried out in one transaction and made durable by one flush, each still answered by
 * itself: one that fails takes nothing of its neighbors with it. No answer is sent before its change is durable.
 */
export class Processor {
  readonly #host: Host;
  readonly #queue: Request[] = [];
  #memory: Held | FailureMessage = CLOSED;
  /** A turn is coming that will take up the queue, or is under way. */
  #busy = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Takes a message from a client. */
  receive(message: Exclude<ToWorker, { type: 'load' }>): void {
    if (message.type === 'cancel') {
      this.#cancel(message.client, message.sequence);
      return;
    }
    for (const request of message.requests) this.#queue.push(request);
    if (this.#busy) return;
    this.#busy = true;
    if (message.requests.every(({ method }) => kindOf(method) === 'read')) void this.#run();
    else this.#host.defer(() => void this.#run());
  }

  #cancel(client: string, sequence: number): void {
    const at = this.#queue.findIndex((request) => request.client === client && request.sequence === sequence);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#answer([{ client, sequence, cancelled: true }]);
  }

  /** Takes up all that waits. */
  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const first = this.#queue[0]!;
        if (first.method === 'open') {
          this.#queue.shift();
          this.#answer([await this.#open(first)]);
        } else {
          await this.#carryOut(this.#takeGroup());
        }
      }
      this.#busy = false;
    } catch (thrown) {
      // Not a failure of a call but of the engine: a panic or a trap. It stays busy, for nothing works from here on.
      const { name, message } = causeOf(thrown);
      this.#host.post({ type: 'crashed', name, message }, []);
    }
  }

  #takeGroup(): Request[] {
    const end = this.#queue.findIndex(({ method }, at) => isAlone(kindOf(method)) || at === MAX_GROUP);
    return this.#queue.splice(0, end === 0 ? 1 : end < 0 ? this.#queue.length : end);
  }

  async #open(request: Request & { method: 'open' }): Promise<Answer> {
    const { client, sequence } = request;
    try {
      const onProgress: OnProgress = (progress) => this.#host.post({ type: 'progress', progress }, []);
      const memory = await this.#host.open(request.arguments[0], onProgress);
      this.#memory = memory;
      // What opening changed is told by the answer itself.
      memory.engine.changes();
      return { client, sequence, value: memory.engine.schemaStatus() };
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (!failure) throw thrown;
      this.#memory = failure;
      return { client, sequence, failure };
    }
  }

  async #carryOut(group: Request[]): Promise<void> {
    const memory = this.#memory;
    if ('code' in memory) {
      this.#answer(group.map(({ client, sequence }) => ({ client, sequence, failure: memory })));
      return;
    }
    const { engine, release } = memory;
    if (group.length > 1) {
      engine.beginBatch();
      const answers = group.map((request) => call(engine, request));
      if (committed(engine)) {
        this.#answer(answers, engine.changes());
        return;
      }
      // Nothing of the batch was kept, so each call is made again by itself, to succeed or fail by itself.
    }
    for (const request of group) {
      const { client, sequence, method } = request;
      const failure = await prepare(engine, request);
      const answer = failure ? { client, sequence, failure } : call(engine, request);
      const changes = kindOf(method) === 'read' || method === 'close' ? null : engine.changes();
      if (method === 'close') {
        await release();
        this.#memory = CLOSED;
      }
      this.#answer([answer], changes);
    }
  }

  #answer(answers: Answer[], changes: Changes | null = null): void {
    this.#host.post({ type: 'answer', answers, ...(changes && { changes }) }, answers.flatMap(buffersOf));
  }
}

function kindOf(method: Method): Kind {
  return CALLS[method];
}

function isAlone(kind: Kind): boolean {
  return kind === 'alone' || kind === 'backedUp';
}

function committed(engine: Engine): boolean {
  try {
    engine.endBatch();
    return true;
  } catch (thrown) {
    if (asFailure(thrown)) return false;
    throw thrown;
  }
}

/** Does what a call has to wait for: room for a backup, a file to be read. Returns the failure if it cannot be had. */
async function prepare(engine: Engine, request: Request): Promise<FailureMessage | undefined> {
  try {
    if (kindOf(request.method) === 'backedUp') await engine.reserve();
    if (request.method === 'import' && request.arguments[0] instanceof Blob) {
      (request.arguments as [Uint8Array | Blob])[0] = await readBlob(request.arguments[0]);
    }
    return undefined;
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (!failure) throw thrown;
    return failure;
  }
}

async function readBlob(file: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (thrown) {
    throw unreadable(causeOf(thrown));
  }
}

function call(engine: Engine, { client, sequence, method, arguments: given }: Request): Answer {
  try {
    const made = engine[method as keyof Engine] as (...given: unknown[]) => unknown;
    return { client, sequence, value: made.apply(engine, given) };
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (!failure) throw thrown;
    return { client, sequence, failure };
  }
}

/** The buffers of an answer's bytes: a file, or the blobs of a query. No one else references them, so they can be moved. */
function buffersOf(answer: Answer): ArrayBuffer[] {
  if (!('value' in answer)) return [];
  const { value } = answer;
  if (value instanceof Uint8Array) return [value.buffer as ArrayBuffer];
  if (typeof value === 'object' && value !== null && 'columns' in value && 'rows' in value) {
    const cells = (value.rows as unknown[][]).flat();
    return cells.filter((cell) => cell instanceof Uint8Array).map((cell) => cell.buffer as ArrayBuffer);
  }
  return [];
}
