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

/** How long after a write its texts are embedded, in ms: a burst of writes becomes one batch. */
const AFTER_WRITE = 50;
/** How much later a follower checks for texts that wait, in ms: by then the leader has embedded them. */
const FOLLOWERS_LATER = 500;
/** How many texts the bundled model embeds in one call: few enough to hardly delay other calls. */
const BUNDLED_BATCH = 256;
const DEFAULT_BATCH = 32;
/** The longest time until the next check, in ms: an hour, as long as the engine makes failed texts wait at most. */
const LONGEST_WAIT = 3_600_000;

/** Keeps the vectors up to date with the texts, and embeds questions. */
export class EmbedderRunner {
  readonly #connection: Connection;
  readonly #embedder: EmbedderOption;
  readonly #tell: ((status: EmbeddingStatus) => void) | undefined;
  #dimensions: Promise<number> | undefined;
  /** Whether texts may be waiting. */
  #isBehind = true;
  /** Fires when the memory is closed: calls that wait for an embedder stop waiting. */
  readonly #closing = new AbortController();
  /** Fires somewhat later: a model that is being loaded may still arrive. */
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

  /** Called when an embedder of the page's own has done all it can: questions may then have other results. */
  readonly settled = new Set<() => void>();

  /** Fires when the memory is closed: a function of the page's own is then not awaited. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Stops embedding, and waiting for an embedder of the page's own. */
  close(): void {
    clearTimeout(this.#timer);
    this.#closing.abort();
    abortLater(this.#loading);
  }

  /** Throws if there is no embedder, for calls that need a vector. */
  require(): void {
    if (this.#embedder === 'none') throw noEmbedder();
  }

  /** Notes that the engine has lost the embedder. */
  forget(): void {
    this.#dimensions = undefined;
    this.#isBehind = true;
  }

  /** Returns the vector of a question; `embed: true` if the engine makes it with the bundled model; or neither. */
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

  /**
   * Embeds the texts that were written before a question, so that they are found by meaning too: in slices, so that
   * other calls pass in between.
   */
  async #catchUpBefore(signal: AbortSignal | undefined): Promise<void> {
    try {
      if ((await this.#catchUp(signal)) < BUNDLED_BATCH) return;
      // Texts that are written meanwhile are not awaited.
      const { pending } = await this.#connection.call('embeddingsStatus', [], { signal });
      for (let left = pending; left > 0; left -= BUNDLED_BATCH)
        if ((await this.#catchUp(signal)) < BUNDLED_BATCH) return;
    } catch (error) {
      // A full disk does not prevent an answer: texts whose vectors could not be stored are found by their words.
      const isOfDisk = error instanceof MemoryError && /^(?:quota_exceeded|io_failed)$/.test(error.code);
      if (!isOfDisk) throw error;
    }
  }

  /** Embeds texts as questions or as rows. */
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

  /** Embeds all texts that wait and may be tried now. */
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

  /** Starts embedding the texts that wait, without waiting for it. */
  begin(): void {
    if (this.#embedder !== 'none') this.#runIn(0);
  }

  /** Embeds the texts that wait after `ms`, or sooner if that is already scheduled. */
  #runIn(ms: number): void {
    const later = this.#connection.role === 'follower' ? FOLLOWERS_LATER : 0;
    const due = Date.now() + Math.min(ms + later, LONGEST_WAIT);
    if (this.#closing.signal.aborted || (this.#timer !== undefined && this.#due <= due)) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => void this.#inTurn().catch(() => undefined), due - Date.now());
    // The timer does not keep Node running.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /**
   * Embeds the texts that wait, unless another tab is doing so: an embedder of the page's own may cost money, and is
   * asked once for each text.
   */
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

  /** Reports the status. A listener that throws does not stop the embedding. */
  #told(status: EmbeddingStatus): void {
    try {
      this.#tell?.(status);
    } catch (error) {
      console.error(error);
    }
  }

  /** Embeds until no text waits. Requests that arrive meanwhile are served by the same run. */
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
    // With the bundled model, vectors are made before a question is answered.
    if (!isBundled(this.#embedder)) for (const report of this.settled) report();
    if (status.retryAt) this.#runIn(Math.max(AFTER_WRITE, status.retryAt.getTime() - Date.now()));
  }

  /** Starts again if the memory's file was replaced meanwhile, and the new one does not know the embedder. */
  #anew(error: unknown): false {
    if (!isEmbedderMissing(error)) throw error;
    this.#dimensions = undefined;
    this.#again = true;
    return false;
  }

  /**
   * If an embedder of the page's own fails when asked for its dimensions, marks a batch of the waiting texts as failed.
   */
  async #failed(error: unknown): Promise<undefined> {
    const ofEmbedder = error instanceof MemoryError && /^(?:embedder_failed|invalid_embedding)$/.test(error.code);
    if (!ofEmbedder) throw error;
    const waiting = await this.#connection.call('embeddingsPending', [DEFAULT_BATCH]);
    const keys = waiting.map(({ key }) => key);
    await this.#connection.call('embeddingsFail', [keys, error.message.slice(0, 1000)]);
  }

  /** Embeds some of the texts that wait; resolves to whether there were any. */
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
        // Either some of the texts fail or the embedder does not work at all. If the first two fail one by one, the
        // rest would too.
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

  /** Whether texts may be waiting: a commit reported some, they are being embedded, or they are being written. */
  #mayWait(): boolean {
    return this.#isBehind || this.#running !== undefined || this.#connection.isWriting;
  }

  /** Embeds a slice of the texts that wait with the bundled model; resolves to how many there were. */
  #catchUp(signal?: AbortSignal): Promise<number> {
    return this.#withModel(() => this.#connection.call('embeddingsCatchUp', [BUNDLED_BATCH], { signal }));
  }

  /** Calls an embedder, and validates the vectors that it returns. */
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
      throw failed(`The embedder ${embedder.name} did not return a vector for each of ${texts.length} texts.`);
    // `Array.from` reads a hole in the array as undefined.
    return Array.from(vectors, (given) => {
      if (!(given instanceof Float32Array || Array.isArray(given)))
        throw invalid(`The embedder ${embedder.name} returned a value that is not a vector.`);
      const vector = given instanceof Float32Array ? given : Float32Array.from(given, Number);
      const wanted = dimensions ?? vector.length;
      if (vector.length !== wanted || vector.length === 0)
        throw invalid(`A vector has ${vector.length} numbers; those of ${embedder.name} have ${wanted}.`);
      if (!vector.every(Number.isFinite)) throw invalid(`A vector of ${embedder.name} has a non-finite number.`);
      if (vector.every((value) => value === 0)) throw invalid(`A vector of ${embedder.name} is all zeros.`);
      return vector;
    });
  }

  /** Sets the engine's model, once; resolves to its dimensions. From then on texts are embedded. */
  #use(): Promise<number> {
    this.#listen();
    this.#dimensions ??= this.#begin().catch((error: unknown) => {
      this.#dimensions = undefined;
      throw error;
    });
    return this.#dimensions;
  }

  /** Listens for commits, after which rows may wait for their vectors. */
  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    const again = () => {
      this.#isBehind = true;
      this.#runIn(AFTER_WRITE);
    };
    this.#connection.listen(({ replaced }) => {
      // Another file, or another schema, does not know a page's own embedder; the bundled one is in the engine.
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

  /** Loads the bundled model into the engine, unless another tab has; resolves to its dimensions. */
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
        // The server sent a truncated file, or a different one.
        if (error instanceof MemoryError && error.code === 'invalid_argument') throw modelUnavailable(embedder, error);
        // The worker ended meanwhile, and the transferred bytes with it.
        if (!isEmbedderMissing(error)) throw error;
      }
    }
  }

  /**
   * Makes a call that needs the bundled model. If the engine lost it, for instance in a crash, loads it again and
   * retries.
   */
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

/** Whether no text caused the error: the memory was closed, or its file was replaced meanwhile. */
function isOver(error: unknown): boolean {
  return error instanceof MemoryError && /^(?:closed|embedder_missing)$/.test(error.code);
}

function failed(what: string, cause?: unknown): MemoryError {
  const hint = 'Rows stay searchable by their words and are retried; look at the cause.';
  return new MemoryError('embedder_failed', what, hint, cause);
}

function invalid(what: string): MemoryError {
  const hint = "Give one vector of the model's dimensions for each text, of finite numbers, not all zero.";
  return new MemoryError('invalid_embedding', what, hint);
}

function noEmbedder(): MemoryError {
  return invalidArgument("The memory was opened with embedder: 'none'.", 'Open it with an embedder.');
}
