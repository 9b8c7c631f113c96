import { asFailure, causeOf, crashedAt, type FailureMessage } from '../wire/errors.js';
import { buffersOf, prepare } from './crossing.js';
import { byClient, Clients, type Body, type Client, type Peer, type Waiting } from './clients.js';
import { Idle, type Outcome } from './idle.js';
import type { Held, OnProgress } from './engine.js';
import { isByItself, isKept, kindOf, limitOf, movingOf } from '../link/calls.js';
import type { Answer, FromClient, FromWorker, ToClient } from '../link/protocol.js';
import type { Changes, Engine, EngineOptions } from '../wasm/synth_memory.js';

/** What a processor needs of where it runs. */
export interface Host {
  /** Loads the engine and opens it. Rejects with a failure. */
  open(options: EngineOptions, onProgress: OnProgress): Promise<Held>;
  /** Does the task soon, but after all that is already waiting to be received. */
  defer(task: () => void): void;
  /** Does the task in so many ms; in 0, behind all that is already waiting to be received. */
  later(task: () => void, ms: number): void;
  /** Tells the page that this worker belongs to. */
  tell(message: FromWorker): void;
}

/** The most calls of one shared transaction, so that the first of them is not kept waiting for long. */
const MAX_GROUP = 1000;
/** When what calls changed is indexed, and when what they deleted is removed from the files: many deletions cost as much as one. */
const INDEXING = { quiet: 50, latest: 500 };
const TIDYING = { quiet: 2000, latest: 10_000 };
/** From how many rows on it is told that they are not indexed yet, and how often, in ms. */
const MANY = 1000;
const TOLD_EVERY = 100;

/**
 * Answers the requests that clients send, in their order.
 *
 * Requests that wait together are carried out in one transaction and made durable by one flush, each still answered by
 * itself: one that fails takes nothing of its neighbors with it. No answer is sent before its change is durable, and the
 * answer to what must not be made twice is kept in the same transaction.
 */
export class Processor {
  readonly #host: Host;
  readonly #clients = new Clients();
  /** Those who greeted and are not welcomed yet. */
  #greeted: Client[] = [];
  #queue: Waiting[] = [];
  /** Clients that went, whose kept answers go with the next transaction. */
  #departed: string[] = [];
  /** Whether any client is told what commits change. */
  #isHeard = false;
  /** What is being carried out, if the engine breaks. */
  #current: Waiting | undefined;
  #leader = '';
  #options: EngineOptions | undefined;
  #memory: Held | undefined;
  /** A turn is coming that will take up the queue, or is under way. */
  #isBusy = true;
  /** How many of those that wait are still carried out before this yields. */
  #left = Infinity;
  /** What is done when nobody asks. */
  readonly #idle: readonly Idle[];
  /** How many rows were told to be unindexed, and when. */
  #unindexed = { rows: 0, at: 0 };

  constructor(host: Host) {
    this.#host = host;
    const later = (task: () => void, ms: number) => host.later(task, ms);
    this.#idle = [
      new Idle(() => this.#whileQuiet(() => this.#index()), later, INDEXING),
      new Idle(() => this.#whileQuiet(() => this.#engine.tidySlice()), later, TIDYING),
    ];
  }

  /** Opens the memory and leads under this name. What came before is answered then. */
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
    // What opening changed is told by the welcome itself.
    this.#memory.engine.changes();
    this.#host.tell({ type: 'leads' });
    await this.#run();
  }

  /** Takes a message from a client, to be answered by this way. */
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
    // What only reads need not wait for what may share its transaction.
    if (message.type === 'call' && message.requests.every((request) => kindOf(request) === 'read')) void this.#run();
    else this.#host.defer(() => void this.#run());
  }

  /** A client can be reached no more; it may come back. */
  forget(client: string): void {
    this.#clients.forget(client);
    this.#countListeners();
  }

  /** Carries out what has come, closes the memory and lets others have it. What comes later is theirs to answer. */
  yield(): void {
    this.#left = Math.min(this.#left, this.#queue.length);
    if (this.#isBusy) return;
    this.#isBusy = true;
    void this.#run();
  }

  #countListeners(): void {
    const isHeard = [...this.#clients].some((one) => one.listens);
    // What was changed while nobody listened is nobody's.
    if (isHeard && !this.#isHeard) this.#memory?.engine.changes();
    this.#isHeard = isHeard;
  }

  /** What was committed since it was last asked for; to know costs as much as telling it, so it is not asked for nobody. */
  #changes(): Changes | null {
    return this.#isHeard ? this.#engine.changes() : null;
  }

  /** A client asks for more than this memory was opened with: then all have it. */
  #makeStrict(): void {
    if (this.#options?.durability !== 'relaxed') return;
    this.#options = { ...this.#options, durability: 'strict' };
    this.#memory?.engine.setDurability('strict');
  }

  #cancel(id: string, sequence: number): void {
    const at = this.#queue.findIndex(({ client, request }) => client.id === id && request.sequence === sequence);
    const found = this.#queue[at];
    // What may have been carried out already is answered truly.
    if (!found || found.isAgain) return;
    this.#queue.splice(at, 1);
    post(found.client, [{ sequence, cancelled: true }]);
  }

  /** A client has all its answers: none has to be kept for it. */
  #dismiss(id: string): void {
    const client = this.#clients.get(id);
    this.#clients.dismiss(id);
    if (client && client.kept >= 0) this.#departed.push(id);
    this.#countListeners();
  }

  /** Takes up all that waits. */
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

  /** Does a slice of work that can wait. */
  #whileQuiet(slice: () => boolean): Outcome {
    if (this.#left !== Infinity) return 'done';
    if (this.#isBusy) return 'busy';
    try {
      return slice() ? 'more' : 'done';
    } catch (thrown) {
      // A disk that is full fails the next call too, and that is told. What is left is tried again after it.
      if (!asFailure(thrown)) this.#broke(thrown);
      return 'done';
    }
  }

  #index(): boolean {
    const more = this.#engine.indexSlice();
    this.#tellUnindexed(more);
    return more;
  }

  /** Tells all how many rows are not indexed yet where they are many; now and then, as each row is counted. */
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
      // Nothing of the batch was kept, so each call is made again by itself, to succeed or fail by itself.
      for (const item of items) this.#together([item], true);
    }
  }

  /** Answers what was carried out before; gives what was not. */
  #answerAgain(group: readonly Waiting[]): Waiting[] {
    const known = new Map<Client, Map<number, Body>>();
    return group.filter(({ client, request, isAgain }) => {
      const { sequence } = request;
      // It has been answered since it came, and the answer is kept no more.
      if (sequence < client.acknowledged) return false;
      if (!isAgain || !isKept(kindOf(request))) return true;
      let answers = known.get(client);
      if (!answers) known.set(client, (answers = this.#answersOf(client)));
      const body = answers.get(sequence);
      if (body) post(client, [{ sequence, ...body }]);
      return body === undefined;
    });
  }

  /** What a client was answered and may ask again, by number. */
  #answersOf(client: Client): Map<number, Body> {
    const entered = this.#engine.answers(client.id).flatMap((answers) => JSON.parse(answers) as [number, Body][]);
    for (const [sequence] of entered) client.kept = Math.max(client.kept, sequence);
    return new Map([...entered, ...client.failures]);
  }

  /** Carries out calls in one transaction; tells whether it was kept. The last attempt is answered either way. */
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

  /** Writes down the answers to what must not be made twice, as a part of the transaction that makes it. */
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

  /** What is in memory only is gone with this worker, and so is whoever could ask again. */
  get #keepsAnswers(): boolean {
    return this.#options?.path !== undefined;
  }

  /** Enters what a client was answered, as a part of the batch that is open. */
  #enter(client: Client, answers: Client['failures']): void {
    // What is sent again may come behind what was sent later.
    const last = answers.reduce((last, [sequence]) => Math.max(last, sequence), -1);
    client.kept = last;
    this.#engine.keepAnswers(client.id, client.acknowledged, last, JSON.stringify(answers));
  }

  /** Enters what failed before; gives the failure where the disk does not even take that. */
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
    // What failed before is entered first, for this call has room for its own answer only; without it, that would be made again
    // after this one.
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

  /** Tells the page how long the worker may be silent, in ms: should it be for longer, the page ends it. */
  #tellBusy({ client, request }: Waiting, limit: number | null): void {
    this.#host.tell({ type: 'busy', limit, client: client.id, sequence: request.sequence });
  }

  /** Sends each client its answers, and all of them what changed. */
  #answer(items: readonly Waiting[], answers: readonly Answer[], changes: Changes | null = null): void {
    const [first] = items;
    // Most often one client asks, and nothing has to be sorted.
    if (!changes && first && items.every(({ client }) => client === first.client)) return post(first.client, answers);
    const groups = byClient(items, answers);
    for (const [client, { answers: own }] of groups) post(client, own, client.listens ? changes : null);
    if (!changes) return;
    for (const client of this.#clients) if (client.listens && !groups.has(client)) post(client, [], changes);
  }

  #everyone(message: ToClient): void {
    for (const { peer } of this.#clients) peer.post(message, []);
  }

  /** Not a failure of a call but of the engine: a panic or a trap. It stays busy, for nothing works from here on. */
  #broke(thrown: unknown): void {
    this.#isBusy = true;
    const cause = causeOf(thrown);
    const { name, message } = cause;
    // The call that did it would do it again; all others are made by whoever leads next.
    if (this.#current)
      post(this.#current.client, [{ sequence: this.#current.request.sequence, failure: crashedAt(cause) }]);
    this.#host.tell({ type: 'crashed', name, message });
  }
}

function post({ peer }: Client, answers: readonly Answer[], changes: Changes | null = null): void {
  peer.post({ type: 'answer', answers, ...(changes && { changes }) }, answers.flatMap(buffersOf));
}
