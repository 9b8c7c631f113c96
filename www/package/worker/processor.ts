import { asFailure, causeOf, type FailureMessage } from '../wire/errors.js';
import type { Held } from './engine.js';
import type { Answer, FromWorker, Method, Request, ToWorker } from '../link/protocol.js';
import type { Engine, EngineOptions } from '../wasm/synth_memory.js';

/** What a processor needs of where it runs. */
export interface Host {
  /** Loads the engine and opens it. Rejects with a failure. */
  open(options: EngineOptions): Promise<Held>;
  /** Does the task soon, but after all that is already waiting to be received. */
  defer(task: () => void): void;
  /** Sends a message to the clients; what is named in `transfer` is moved. */
  post(message: FromWorker, transfer: Transferable[]): void;
}

/** Calls that keep a backup first, for which there has to be room. */
const BACKED_UP: ReadonlySet<Method> = new Set<Method>(['import', 'restore', 'upgrade', 'downgrade', 'backUp']);

/** Calls that are transactions of their own, or none, and so cannot share one. */
const ALONE: ReadonlySet<Method> = new Set<Method>([
  'open',
  'close',
  'export',
  'exportAt',
  'plan',
  'stamp',
  'ensureVersion',
  'accept',
  ...BACKED_UP,
]);

/** Calls that only read, by how they end: they share nothing with those behind them, and so need not wait for them. */
const READS =
  /(?:Get|List|Count|Statistics|query|schemaStatus|backups|history|heads|branches|show|verify|check|offline|revision|merge|squash|recall|Search|related|Confidence|Context|Drift|embed|Pending|Status|Map|consolidations)$/;

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
 * itself: one that fails takes nothing of its neighbours with it. No answer is sent before its change is durable.
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
    if (message.requests.every(({ method }) => READS.test(method))) void this.#run();
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
    const end = this.#queue.findIndex((request, at) => ALONE.has(request.method) || at === MAX_GROUP);
    return this.#queue.splice(0, end === 0 ? 1 : end < 0 ? this.#queue.length : end);
  }

  async #open(request: Request & { method: 'open' }): Promise<Answer> {
    const { client, sequence } = request;
    try {
      const onProgress: EngineOptions['onProgress'] = (progress) => this.#host.post({ type: 'progress', progress }, []);
      const memory = await this.#host.open({ ...request.arguments[0], onProgress });
      this.#memory = memory;
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
        this.#answer(answers);
        return;
      }
      // Nothing of the batch was kept, so each call is made again by itself, to succeed or fail by itself.
    }
    for (const request of group) {
      const failure = BACKED_UP.has(request.method) ? await reserve(engine) : undefined;
      const { client, sequence } = request;
      const answer = failure ? { client, sequence, failure } : call(engine, request);
      if (request.method === 'close') {
        await release();
        this.#memory = CLOSED;
      }
      this.#answer([answer]);
    }
  }

  #answer(answers: Answer[]): void {
    this.#host.post({ type: 'answer', answers }, answers.flatMap(buffersOf));
  }
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

/** Makes room for a backup; gives the failure where there is none. */
async function reserve(engine: Engine): Promise<FailureMessage | undefined> {
  try {
    await engine.reserve();
    return undefined;
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (!failure) throw thrown;
    return failure;
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

/** The buffers of an answer's bytes: a file, or the blobs of a query. They are nobody's else, so they can be moved. */
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
