import { checkText } from '../wire/check.js';
import { toDate } from '../wire/codec.js';
import { embeddingLock } from '../link/channel.js';
import type { CallOptions, Connection } from '../link/connection.js';
import { takeLock } from '../link/locks.js';
import { abortLater, givenUpBy, unlessClosed } from '../wire/waiting.js';
import { askPage, reasonOf } from './asking.js';
import {
  isBundled,
  type BundledEmbedder,
  type Embedder,
  type EmbedderOption,
  type EmbeddingPurpose,
  type EmbeddingStatus,
} from './embedder.js';
import { invalidArgument, isEmbedderMissing, MemoryError } from '../wire/errors.js';
import { loadModel, modelUnavailable, MODELS } from './model.js';
import type { MemoryMapPoint, RecallQuestion } from '../wasm/synth_memory.js';

/** How long after a write texts are embedded, in ms: a burst of writes is one batch. */
const AFTER_WRITE = 50;
/** How much later a tab that does not lead looks whether anything waits, in ms: the one that leads has seen to it by then. */
const FOLLOWERS_LATER = 500;
/** How many texts the bundled model embeds in one call: so many that others hardly wait for it. */
const BUNDLED_BATCH = 256;
const DEFAULT_BATCH = 32;
/** The longest time until it is looked again, in ms: an hour, as the engine makes what failed wait. */
const LONGEST_WAIT = 3_600_000;

/** Keeps the vectors in step with the texts, and makes those of questions. */
export class EmbedderRunner {
  readonly #connection: Connection;
  readonly #embedder: EmbedderOption;
  readonly #tell: ((status: EmbeddingStatus) => void) | undefined;
  #dimensions: Promise<number> | undefined;
  /** Whether there may be texts that wait. */
  #isBehind = true;
  /** Fires when the memory is closed: what waits for an embedder waits no longer. */
  readonly #closing = new AbortController();
  /** Fires somewhat later: a model that is on its way may still come. */
  readonly #loading = new AbortController();
  #running: Promise<void> | undefined;
  #again = false;
  #isListening = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = 0;

  constructor(connection: Connection, embedder: EmbedderOption, tell?: (status: EmbeddingStatus) => void) {
    this.#connection = connection;
    this.#embedder = embedder;
    this.#tell = tell;
  }

  /** Are told when an embedder of the page's own has done all it can: what questions find may be different then. */
  readonly settled = new Set<() => void>();

  /** Fires when the memory is closed: a function of the page's own is not waited for then. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** From here on nothing is embedded, and an embedder of the page's own is not waited for. */
  close(): void {
    clearTimeout(this.#timer);
    this.#closing.abort();
    abortLater(this.#loading);
  }

  /** Rejects what means nothing without a vector, if there is no embedder. */
  require(): void {
    if (this.#embedder === 'none') throw noEmbedder();
  }

  /** The engine knows nothing of the embedder any more. */
  forget(): void {
    this.#dimensions = undefined;
    this.#isBehind = true;
  }

  /** The vector of a question; or that the engine makes it, with the bundled model; or neither. */
  async vectorOf(
    question: RecallQuestion,
    given: Float32Array | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly embed?: true; readonly vector?: Float32Array | undefined; readonly model?: string }> {
    if (this.#embedder === 'none' || question.weights?.meaning === 0) return { vector: given };
    const dimensions = await givenUpBy(signal, this.#use());
    if (this.#isBehind) this.#runIn(AFTER_WRITE);
    if (isBundled(this.#embedder)) {
      if (this.#mayWait()) await this.#catchUpBefore(signal);
      return given ? { vector: given } : { embed: true };
    }
    if (given || question.text?.trim() === '') return { vector: given };
    const [vector] = await this.#embed(this.#embedder, [question.text ?? ''], 'question', dimensions, signal);
    return { vector, model: this.#embedder.name };
  }

  /** Lets what was written before a question be found by meaning too: in slices that other calls pass between. */
  async #catchUpBefore(signal: AbortSignal | undefined): Promise<void> {
    try {
      if ((await this.#catchUp(signal)) < BUNDLED_BATCH) return;
      // What is written meanwhile is not waited for.
      const { pending } = await this.#connection.call('embeddingsStatus', [], { signal });
      for (let left = pending; left > 0; left -= BUNDLED_BATCH)
        if ((await this.#catchUp(signal)) < BUNDLED_BATCH) return;
    } catch (error) {
      // A full disk is no reason not to answer: what could not be stored is found by its words.
      const isOfDisk = error instanceof MemoryError && /^(?:quota_exceeded|io_failed)$/.test(error.code);
      if (!isOfDisk) throw error;
    }
  }

  /** Vectors of texts, as questions or rows would have them. */
  async embed(
    texts: readonly string[],
    purpose: EmbeddingPurpose,
    { signal }: CallOptions = {},
  ): Promise<Float32Array[]> {
    if (!Array.isArray(texts)) throw invalidArgument('texts must be an array of strings.');
    const checked = texts.map((text, at) => checkText(text, `texts[${at}]`));
    const embedder = this.#embedder;
    if (embedder === 'none') throw noEmbedder();
    const dimensions = await givenUpBy(signal, this.#use());
    if (isBundled(embedder)) return this.#withModel(() => this.#connection.call('embed', [checked], { signal }));
    return this.#embed(embedder, checked, purpose, dimensions, signal);
  }

  /** Embeds all that waits and may be tried now. */
  async settle(options: CallOptions = {}): Promise<EmbeddingStatus> {
    if (this.#embedder !== 'none') {
      this.#again = true;
      await givenUpBy(options.signal, (this.#running ??= this.#run()));
    }
    return this.status(options);
  }

  async status(options: CallOptions = {}): Promise<EmbeddingStatus> {
    const status = await this.#connection.call('embeddingsStatus', [], options);
    return { ...status, retryAt: status.retryAt === null ? null : toDate(status.retryAt) };
  }

  async retry(options: CallOptions = {}): Promise<EmbeddingStatus> {
    await this.#connection.call('embeddingsRetry', [], options);
    return this.settle(options);
  }

  async map(limit: number, options: CallOptions = {}): Promise<MemoryMapPoint[]> {
    return this.#connection.call('embeddingsMap', [limit], options);
  }

  /** Begins with what waits, without being waited for. */
  begin(): void {
    if (this.#embedder !== 'none') this.#runIn(0);
  }

  /** Sees to what waits in so many ms, or sooner where that is meant already. */
  #runIn(ms: number): void {
    const later = this.#connection.role === 'follower' ? FOLLOWERS_LATER : 0;
    const due = Date.now() + Math.min(ms + later, LONGEST_WAIT);
    if (this.#closing.signal.aborted || (this.#timer !== undefined && this.#due <= due)) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => void this.#inTurn().catch(() => undefined), due - Date.now());
    // Node is not kept from ending by it.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** Sees to what waits, unless another tab is at it: a page's own embedder may cost money, and is asked once for a text. */
  async #inTurn(): Promise<void> {
    this.#timer = undefined;
    const { path } = this.#connection;
    if (path === undefined) return void (await this.settle());
    const release = await takeLock(embeddingLock(path), { ifAvailable: true });
    if (!release) return this.#runIn(FOLLOWERS_LATER);
    try {
      await this.settle();
    } finally {
      await release();
    }
  }

  /** Whoever listens may fail; embedding does not fail with it. */
  #told(status: EmbeddingStatus): void {
    try {
      this.#tell?.(status);
    } catch (error) {
      console.error(error);
    }
  }

  /** Goes on until nothing waits. What is asked for meanwhile is done in the same run. */
  async #run(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        this.#isBehind = false;
        clearTimeout(this.#timer);
        this.#timer = undefined;
        const dimensions = await this.#use().catch((error: unknown) => this.#failed(error));
        while (
          dimensions !== undefined &&
          !this.#again &&
          (await this.#batch(dimensions).catch((error: unknown) => this.#anew(error)))
        ) {
          if (this.#tell) this.#told(await this.status());
        }
      }
    } catch (error) {
      this.#isBehind = true;
      throw error;
    } finally {
      this.#running = undefined;
    }
    const status = await this.status();
    this.#told(status);
    // The bundled model's vectors are there before the question is.
    if (!isBundled(this.#embedder)) for (const report of this.settled) report();
    if (status.retryAt) this.#runIn(Math.max(AFTER_WRITE, status.retryAt.getTime() - Date.now()));
  }

  /** Begins anew where another file took the memory's place meanwhile, which knows nothing of the embedder. */
  #anew(error: unknown): false {
    if (!isEmbedderMissing(error)) throw error;
    this.#dimensions = undefined;
    this.#again = true;
    return false;
  }

  /** Notes of an embedder of the page's own, which does not even tell its dimensions, that what waits failed. */
  async #failed(error: unknown): Promise<undefined> {
    const ofEmbedder = error instanceof MemoryError && /^(?:embedder_failed|invalid_embedding)$/.test(error.code);
    if (!ofEmbedder) throw error;
    const waiting = await this.#connection.call('embeddingsPending', [DEFAULT_BATCH]);
    const keys = waiting.map(({ key }) => key);
    await this.#connection.call('embeddingsFail', [keys, error.message.slice(0, 1000)]);
  }

  /** Embeds some of what waits; tells whether there was anything. */
  async #batch(dimensions: number): Promise<boolean> {
    const embedder = this.#embedder as Embedder | BundledEmbedder;
    if (isBundled(embedder)) {
      return (await this.#catchUp()) > 0;
    }
    const waiting = await this.#connection.call('embeddingsPending', [embedder.batchSize ?? DEFAULT_BATCH]);
    if (waiting.length === 0) return false;
    const empty = waiting.filter(({ text }) => text === '').map(({ key }) => key);
    if (empty.length > 0) await this.#connection.call('embeddingsSkip', [empty]);
    const texts = waiting.filter(({ text }) => text !== '');
    const failed: { keys: string[]; why: string }[] = [];
    const keep = async (some: typeof texts): Promise<void> => {
      const vectors = await this.#embed(
        embedder,
        some.map(({ text }) => text),
        'memory',
        dimensions,
      );
      const all = new Float32Array(vectors.length * dimensions);
      vectors.forEach((vector, at) => all.set(vector, at * dimensions));
      const keys = some.map(({ key }) => key);
      await this.#connection.call('embeddingsKeep', [keys, all, dimensions, embedder.name]);
    };
    const fails = (some: typeof texts, error: unknown) =>
      failed.push({ keys: some.map(({ key }) => key), why: reasonOf(error) });
    if (texts.length > 0) {
      await keep(texts).catch(async (error: unknown) => {
        if (isOver(error)) throw error;
        if (texts.length === 1) return void fails(texts, error);
        // Some of them may be at fault, or nothing works at all: where two by themselves fail, so would the rest.
        let kept = 0;
        for (const [at, text] of texts.entries()) {
          const alone = await keep([text]).then(
            () => void kept++,
            (error: unknown) => error,
          );
          if (alone === undefined) continue;
          if (isOver(alone)) throw alone;
          const isDown = kept === 0 && at > 0;
          fails(isDown ? texts.slice(at) : [text], alone);
          if (isDown) break;
        }
      });
    }
    for (const { keys, why } of failed) await this.#connection.call('embeddingsFail', [keys, why.slice(0, 1000)]);
    return true;
  }

  /** Whether there may be texts that wait: a commit told of some, they are being embedded, or they are just being written. */
  #mayWait(): boolean {
    return this.#isBehind || this.#running !== undefined || this.#connection.isWriting;
  }

  /** Embeds a slice of what waits with the bundled model; resolves to how many texts that were. */
  #catchUp(signal?: AbortSignal): Promise<number> {
    return this.#withModel(() => this.#connection.call('embeddingsCatchUp', [BUNDLED_BATCH], { signal }));
  }

  /** Asks an embedder, and holds what it gives against what it said. */
  async #embed(
    embedder: Embedder,
    texts: string[],
    purpose: EmbeddingPurpose,
    dimensions: number | undefined,
    signal?: AbortSignal,
  ): Promise<Float32Array[]> {
    const vectors = await askPage<readonly (Float32Array | readonly number[])[]>(
      (given) => embedder.embed(texts, { purpose, signal: given }),
      {
        signal,
        closing: this.closing,
        failed: (cause) => failed(`The embedder ${embedder.name} failed (${reasonOf(cause)}).`, cause),
      },
    );
    if (!Array.isArray(vectors) || vectors.length !== texts.length)
      throw failed(`The embedder ${embedder.name} gave no vector for each of ${texts.length} texts.`);
    // A hole in the array is met as the undefined that it reads as.
    return Array.from(vectors, (given) => {
      if (!(given instanceof Float32Array || Array.isArray(given)))
        throw invalid(`${embedder.name} gave what is no vector.`);
      const vector = given instanceof Float32Array ? given : Float32Array.from(given, Number);
      const wanted = dimensions ?? vector.length;
      if (vector.length !== wanted || vector.length === 0)
        throw invalid(`A vector has ${vector.length} numbers; those of ${embedder.name} have ${wanted}.`);
      if (!vector.every(Number.isFinite)) throw invalid(`A vector of ${embedder.name} has a non-finite number.`);
      if (vector.every((value) => value === 0)) throw invalid(`A vector of ${embedder.name} is all zeros.`);
      return vector;
    });
  }

  /** Tells the engine which model's vectors are kept, once; resolves to their dimensions. From then on texts are embedded. */
  #use(): Promise<number> {
    this.#listen();
    this.#dimensions ??= this.#begin().catch((error: unknown) => {
      this.#dimensions = undefined;
      throw error;
    });
    return this.#dimensions;
  }

  /** Follows what commits change: rows may then wait for their vectors. */
  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    const again = () => {
      this.#isBehind = true;
      this.#runIn(AFTER_WRITE);
    };
    this.#connection.listen(({ replaced }) => {
      // Another file, or another schema, knows nothing of a page's own embedder; the bundled one is in the engine.
      if (replaced && !isBundled(this.#embedder)) this.forget();
      again();
    });
    this.#connection.reopened.add(() => {
      this.forget();
      again();
    });
  }

  async #begin(): Promise<number> {
    const embedder = this.#embedder;
    if (embedder === 'none') throw noEmbedder();
    if (isBundled(embedder)) return this.#load(embedder);
    const dimensions =
      embedder.dimensions ?? (await this.#embed(embedder, ['dimensions'], 'memory', undefined))[0]!.length;
    await this.#connection.call('embeddingsUse', [embedder.name, dimensions]);
    return dimensions;
  }

  /** Gives the engine the bundled model, unless another tab has; resolves to its dimensions. */
  async #load(embedder: BundledEmbedder): Promise<number> {
    if (this.#connection.role === 'follower') {
      const { dimensions, model } = await this.#connection.call('embeddingsStatus', []);
      const isThere = await this.#connection.call('embed', [['']]).then(
        () => true,
        (error: unknown) => {
          if (isEmbedderMissing(error)) return false;
          throw error;
        },
      );
      if (isThere && dimensions !== null && model === MODELS[embedder].name) return dimensions;
    }
    for (;;) {
      const bytes = await unlessClosed(this.#loading.signal, loadModel(embedder, this.#loading.signal));
      try {
        return await this.#connection.call('embedderLoad', [bytes], {}, [bytes.buffer]);
      } catch (error) {
        // What was served is cut off, or something else.
        if (error instanceof MemoryError && error.code === 'invalid_argument') throw modelUnavailable(embedder, error);
        // The worker ended on the way, and the bytes with it.
        if (!isEmbedderMissing(error)) throw error;
      }
    }
  }

  /** Makes a call that needs the bundled model; where the engine lost it, as after a crash, it is given it again. */
  async #withModel<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!isEmbedderMissing(error)) throw error;
      this.#dimensions = undefined;
      await this.#use();
      return call();
    }
  }
}

/** Whether it is no text's fault: the memory was closed, or another file took its place meanwhile. */
function isOver(error: unknown): boolean {
  return error instanceof MemoryError && /^(?:closed|embedder_missing)$/.test(error.code);
}

function failed(what: string, cause?: unknown): MemoryError {
  const hint = 'Rows stay searchable by their words and are tried again; look at the cause.';
  return new MemoryError('embedder_failed', what, hint, cause);
}

function invalid(what: string): MemoryError {
  const hint = "Give one vector of the model's dimensions for each text, of finite numbers, not all zero.";
  return new MemoryError('invalid_embedding', what, hint);
}

function noEmbedder(): MemoryError {
  return invalidArgument("The memory was opened with embedder: 'none'.", 'Open it with an embedder.');
}
