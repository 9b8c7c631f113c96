import { asFailure, causeOf, crashedAt, type FailureMessage } from '../wire/errors.js';
import { buffersOf, prepare } from './crossing.js';
import { byClient, Clients, type Body, type Client, type Peer, type Waiting } from './clients.js';
import { Idle, type Outcome } from './idle.js';
import type { Held, OnProgress } from './engine.js';
import { isByItself, isKept, kindOf, limitOf, movingOf } from '../link/calls.js';
import type { Answer, FromClient, FromWorker, ToClient } from '../link/protocol.js';
import type { Changes, Engine, EngineOptions } from '../wasm/synth_memory.js';

/** What a processor needs from the place where it runs. */
export interface Host {
  /** Loads the engine and opens the memory. Rejects with a failure. */
  open(options: EngineOptions, onProgress: OnProgress): Promise<Held>;
  /** Runs the task soon, but after all messages that already wait to be received. */
  defer(task: () => void): void;
  /** Runs the task after so many ms; with 0, after all messages that already wait to be received. */
  later(task: () => void, ms: number): void;
  /** Sends a message to the page that this worker belongs to. */
  tell(message: FromWorker): void;
}

/** The most calls that share a transaction, so that the first of them does not wait long for its answer. */
const MAX_GROUP = 1000;
/**
 * When changed rows are indexed, and when the remains of deleted rows are removed from the files. Many deletions cost
 * as much as one.
 */
const INDEXING = { quiet: 50, latest: 500 };
const TIDYING = { quiet: 2000, latest: 10_000 };
/** From how many unindexed rows on their number is reported, and how often, in ms. */
const MANY = 1000;
const TOLD_EVERY = 100;

/**
 * Answers the calls that clients send, in their order.
 *
 * Calls that wait together are carried out in one transaction and made durable by one flush. Each is still answered
 * separately: a call that fails does not undo its neighbors. No answer is sent before its change is durable, and the
 * answer to a call that must not be made twice is stored in the same transaction.
 */
export class Processor {
  readonly #host: Host;
  readonly #clients = new Clients();
  /** The clients that sent `hello` and wait for their `welcome`. */
  #greeted: Client[] = [];
  #queue: Waiting[] = [];
  /** Clients that are gone, whose kept answers are removed in the next transaction. */
  #departed: string[] = [];
  /** Whether any client receives what commits change. */
  #isHeard = false;
  /** The call that is being carried out, in case the engine crashes. */
  #current: Waiting | undefined;
  #leader = '';
  #options: EngineOptions | undefined;
  #memory: Held | undefined;
  /** Whether the queue is being worked on, or is about to be. */
  #isBusy = true;
  /** How many of the waiting calls are still carried out before this worker yields. */
  #left = Infinity;
  /** The work that is done while no calls arrive. */
  readonly #idle: readonly Idle[];
  /** How many unindexed rows were last reported, and when. */
  #unindexed = { rows: 0, at: 0 };

  constructor(host: Host) {
    this.#host = host;
    const later = (task: () => void, ms: number) => host.later(task, ms);
    this.#idle = [
      new Idle(() => this.#whileQuiet(() => this.#index()), later, INDEXING),
      new Idle(() => this.#whileQuiet(() => this.#engine.tidySlice()), later, TIDYING),
    ];
  }

  /** Opens the memory and leads under this name, then answers the messages that came before. */
  async lead(leader: string, options: EngineOptions): Promise<void> {
    this.#leader = leader;
    this.#options = options;
    try {
      const onProgress: OnProgress = (progress) => this.#everyone({ type: 'progress', progress });
      this.#memory = await this.#host.open(options, onProgress);
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (failure) this.#host.tell({ type: 'refused', failure });
      else this.#broke(thrown);
      return;
    }
    // Discards what opening changed: `welcome` covers it.
    this.#memory.engine.changes();
    this.#host.tell({ type: 'leads' });
    await this.#run();
  }

  /** Receives a message from a client, to be answered through this connection. */
  receive(message: FromClient, peer: Peer): void {
    switch (message.type) {
      case 'hello': {
        const client = this.#clients.greet(message, peer);
        if (!client) return;
        if (message.durability === 'strict') this.#makeStrict();
        this.#countListeners();
        this.#greeted.push(client);
        break;
      }
      case 'call': {
        const taken = this.#clients.take(message, peer, this.#queue);
        if (taken.length === 0) return;
        this.#queue.push(...taken);
        break;
      }
      case 'listen':
        this.#clients.listen(message);
        this.#countListeners();
        return;
      case 'cancel':
        this.#cancel(message.client, message.sequence);
        return;
      case 'forget':
        this.#clients.sleep(message);
        this.#countListeners();
        return;
      case 'bye':
        this.#dismiss(message.client);
        return;
    }
    if (this.#isBusy) return;
    this.#isBusy = true;
    // Reads share no transaction, so they do not wait for other calls to arrive.
    if (message.type === 'call' && message.requests.every((request) => kindOf(request) === 'read')) void this.#run();
    else this.#host.defer(() => void this.#run());
  }

  /** A client can no longer be reached; it may come back. */
  forget(client: string): void {
    this.#clients.forget(client);
    this.#countListeners();
  }

  /**
   * Carries out the calls received so far, closes the memory and lets others lead. The next leader answers later calls.
   */
  yield(): void {
    this.#left = Math.min(this.#left, this.#queue.length);
    if (this.#isBusy) return;
    this.#isBusy = true;
    void this.#run();
  }

  #countListeners(): void {
    const isHeard = [...this.#clients].some((one) => one.listens);
    // Discards what was changed while no one listened.
    if (isHeard && !this.#isHeard) this.#memory?.engine.changes();
    this.#isHeard = isHeard;
  }

  /** What commits changed since this was last read. Reading it has a cost, so it is skipped if no client listens. */
  #changes(): Changes | null {
    return this.#isHeard ? this.#engine.changes() : null;
  }

  /** A client asks for more durability than this memory was opened with: from then on it applies to all clients. */
  #makeStrict(): void {
    if (this.#options?.durability !== 'relaxed') return;
    this.#options = { ...this.#options, durability: 'strict' };
    this.#memory?.engine.setDurability('strict');
  }

  #cancel(id: string, sequence: number): void {
    const at = this.#queue.findIndex(({ client, request }) => client.id === id && request.sequence === sequence);
    const found = this.#queue[at];
    // A call that may have been carried out already gets its real answer.
    if (!found || found.isAgain) return;
    this.#queue.splice(at, 1);
    post(found.client, [{ sequence, cancelled: true }]);
  }

  /** A client is gone: its answers no longer have to be kept. */
  #dismiss(id: string): void {
    const client = this.#clients.get(id);
    this.#clients.dismiss(id);
    if (client && client.kept >= 0) this.#departed.push(id);
    this.#countListeners();
  }

  /** Carries out everything that waits. */
  async #run(): Promise<void> {
    try {
      for (;;) {
        this.#welcome();
        if (this.#left <= 0) return await this.#close();
        if (this.#queue.length === 0) break;
        const group = this.#takeGroup();
        this.#left -= group.length;
        await this.#carryOut(group);
      }
      this.#isBusy = false;
      for (const idle of this.#idle) idle.stir();
    } catch (thrown) {
      this.#broke(thrown);
    }
  }

  #welcome(): void {
    const greeted = this.#greeted;
    this.#greeted = [];
    if (greeted.length === 0) return;
    const status = this.#engine.schemaStatus();
    this.#unindexed.rows = status.unindexed;
    for (const { peer } of greeted) peer.post({ type: 'welcome', leader: this.#leader, status }, []);
  }

  get #engine(): Engine {
    return this.#memory!.engine;
  }

  /** Does a slice of idle work. */
  #whileQuiet(slice: () => boolean): Outcome {
    if (this.#left !== Infinity) return 'done';
    if (this.#isBusy) return 'busy';
    try {
      return slice() ? 'more' : 'done';
    } catch (thrown) {
      // If the disk is full, the next call fails too and reports it. The rest of the work is retried after that call.
      if (!asFailure(thrown)) this.#broke(thrown);
      return 'done';
    }
  }

  #index(): boolean {
    const more = this.#engine.indexSlice();
    this.#tellUnindexed(more);
    return more;
  }

  /**
   * Reports to all clients how many rows are not indexed yet, if there are many; not too often, because it counts rows.
   */
  #tellUnindexed(more: boolean): void {
    const now = performance.now();
    const { rows: told, at } = this.#unindexed;
    if (more ? now - at < TOLD_EVERY : told === 0) return;
    const rows = more ? this.#engine.schemaStatus().unindexed : 0;
    this.#unindexed.at = now;
    if (more && rows < MANY) return;
    this.#unindexed.rows = rows;
    this.#everyone({ type: 'unindexed', rows });
  }

  async #close(): Promise<void> {
    let failure: FailureMessage | undefined;
    try {
      this.#engine.close();
    } catch (thrown) {
      failure = asFailure(thrown);
      if (!failure) throw thrown;
    }
    await this.#memory!.release();
    this.#host.tell({ type: 'yielded', failure });
  }

  #takeGroup(): Waiting[] {
    const most = Math.min(MAX_GROUP, this.#left);
    const end = this.#queue.findIndex(({ request }, at) => isByItself(kindOf(request)) || at === most);
    return this.#queue.splice(0, end === 0 ? 1 : end < 0 ? this.#queue.length : end);
  }

  async #carryOut(group: Waiting[]): Promise<void> {
    const items = group.some(({ isAgain }) => isAgain) ? this.#answerAgain(group) : group;
    const [first] = items;
    if (!first) return;
    if (isByItself(kindOf(first.request))) {
      await this.#byItself(first);
    } else if (items.every(({ request }) => kindOf(request) === 'read')) {
      this.#answer(
        items,
        items.map((item) => this.#call(item)),
      );
    } else if (!this.#together(items)) {
      // Nothing of the batch was committed, so each call is made again in a transaction of its own.
      for (const item of items) this.#together([item], true);
    }
  }

  /** Answers the calls that were carried out before; returns the others. */
  #answerAgain(group: readonly Waiting[]): Waiting[] {
    const known = new Map<Client, Map<number, Body>>();
    return group.filter(({ client, request, isAgain }) => {
      const { sequence } = request;
      // It has been answered since it arrived, and the answer is no longer kept.
      if (sequence < client.acknowledged) return false;
      if (!isAgain || !isKept(kindOf(request))) return true;
      let answers = known.get(client);
      if (!answers) known.set(client, (answers = this.#answersOf(client)));
      const body = answers.get(sequence);
      if (body) post(client, [{ sequence, ...body }]);
      return body === undefined;
    });
  }

  /** The answers to calls that a client may send again, by number. */
  #answersOf(client: Client): Map<number, Body> {
    const entered = this.#engine.answers(client.id).flatMap((answers) => JSON.parse(answers) as [number, Body][]);
    for (const [sequence] of entered) client.kept = Math.max(client.kept, sequence);
    return new Map([...entered, ...client.failures]);
  }

  /**
   * Carries out calls in one transaction; returns whether they were answered. The last attempt is answered either way.
   */
  #together(items: Waiting[], isLast = items.length === 1): boolean {
    const engine = this.#engine;
    engine.beginBatch();
    let answers = items.map((item) => this.#call(item));
    try {
      this.#keep(items, answers);
      engine.endBatch();
      for (const { client } of items) client.failures = [];
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (!failure) throw thrown;
      if (!isLast) return false;
      answers = answers.map((answer) => ('failure' in answer ? answer : { sequence: answer.sequence, failure }));
      this.#noteFailures(items, answers);
    }
    this.#answer(items, answers, this.#changes());
    return true;
  }

  /** Stores the answers to calls that must not be made twice, in the transaction of those calls. */
  #keep(items: readonly Waiting[], answers: readonly Answer[]): void {
    if (!this.#keepsAnswers) return;
    for (const [client, { requests, answers: own }] of byClient(items, answers)) {
      if (this.#clients.isGone(client.id)) continue;
      const kept = client.failures.filter(([sequence]) => sequence >= client.acknowledged);
      requests.forEach((request, at) => {
        const { sequence, ...body } = own[at]!;
        if (isKept(kindOf(request))) kept.push([sequence, body as Body]);
      });
      if (kept.length > 0) this.#enter(client, kept);
    }
    for (const id of this.#departed.splice(0)) this.#engine.acknowledge(id, Number.MAX_SAFE_INTEGER);
  }

  /** A `memory:` ends with this worker, and so does the client that could ask again. */
  get #keepsAnswers(): boolean {
    return this.#options?.path !== undefined;
  }

  /** Stores the answers of a client in the open batch. */
  #enter(client: Client, answers: Client['failures']): void {
    // Calls that are sent again may arrive after later ones.
    const last = answers.reduce((last, [sequence]) => Math.max(last, sequence), -1);
    client.kept = last;
    this.#engine.keepAnswers(client.id, client.acknowledged, last, JSON.stringify(answers));
  }

  /** Stores the answers of calls that failed before; returns the failure if even that cannot be written. */
  #enterFailures(client: Client): FailureMessage | undefined {
    if (client.failures.length === 0) return undefined;
    try {
      this.#engine.beginBatch();
      this.#enter(client, client.failures);
      this.#engine.endBatch();
      client.failures = [];
      return undefined;
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (!failure) throw thrown;
      return failure;
    }
  }

  #noteFailures(items: readonly Waiting[], answers: readonly Answer[]): void {
    items.forEach(({ client, request }, at) => {
      const { sequence, ...body } = answers[at]!;
      if (this.#keepsAnswers && isKept(kindOf(request)) && 'failure' in body) client.failures.push([sequence, body]);
    });
  }

  /** Carries out a call that has a transaction of its own. */
  async #byItself(item: Waiting): Promise<void> {
    const { client, request } = item;
    const moving = movingOf(request);
    if (moving) this.#everyone({ type: 'moving', what: moving });
    let failure = await prepare(this.#engine, request);
    const isEntered = this.#keepsAnswers && isKept(kindOf(request));
    // The answers of earlier failed calls are stored first, because this call can store only its own answer. Otherwise
    // those calls would be made again after this one.
    if (isEntered) failure ??= this.#enterFailures(client);
    if (!failure && isEntered) {
      client.kept = request.sequence;
      this.#engine.enter(client.id, request.sequence);
    }
    const answer = failure ? { sequence: request.sequence, failure } : this.#call(item);
    this.#noteFailures([item], [answer]);
    this.#answer([item], [answer], this.#changes());
    if (moving) this.#everyone({ type: 'moving', what: null });
  }

  #call(item: Waiting): Answer {
    const { sequence, method, arguments: given } = item.request;
    this.#current = item;
    const limit = limitOf(item.request);
    if (limit !== undefined) this.#tellBusy(item, limit);
    let body: Body;
    try {
      const engine = this.#engine;
      const made = engine[method as keyof Engine] as (...given: unknown[]) => unknown;
      body = { value: made.apply(engine, given) };
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (!failure) throw thrown;
      body = { failure };
    }
    if (limit !== undefined) this.#tellBusy(item, null);
    this.#current = undefined;
    return { sequence, ...body };
  }

  /** Tells the page how long the worker may be silent, in ms. If it is silent for longer, the page ends it. */
  #tellBusy({ client, request }: Waiting, limit: number | null): void {
    this.#host.tell({ type: 'busy', limit, client: client.id, sequence: request.sequence });
  }

  /** Sends each client its answers, and all clients that listen what changed. */
  #answer(items: readonly Waiting[], answers: readonly Answer[], changes: Changes | null = null): void {
    const [first] = items;
    // Most often all calls are from one client, and nothing has to be grouped.
    if (!changes && first && items.every(({ client }) => client === first.client)) return post(first.client, answers);
    const groups = byClient(items, answers);
    for (const [client, { answers: own }] of groups) post(client, own, client.listens ? changes : null);
    if (!changes) return;
    for (const client of this.#clients) if (client.listens && !groups.has(client)) post(client, [], changes);
  }

  #everyone(message: ToClient): void {
    for (const { peer } of this.#clients) peer.post(message, []);
  }

  /**
   * The engine itself failed, not a call: a panic or a trap. The processor stays busy, because nothing works any more.
   */
  #broke(thrown: unknown): void {
    this.#isBusy = true;
    const cause = causeOf(thrown);
    const { name, message } = cause;
    // The call that crashed the engine would do so again; the next leader carries out all others.
    if (this.#current)
      post(this.#current.client, [{ sequence: this.#current.request.sequence, failure: crashedAt(cause) }]);
    this.#host.tell({ type: 'crashed', name, message });
  }
}

function post({ peer }: Client, answers: readonly Answer[], changes: Changes | null = null): void {
  peer.post({ type: 'answer', answers, ...(changes && { changes }) }, answers.flatMap(buffersOf));
}
