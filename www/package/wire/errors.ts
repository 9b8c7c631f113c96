import type { EngineErrorCode, Failure, FailureCause } from '../wasm/synth_memory.js';

/** The kinds of failure that only the page's side can raise. */
export type ClientErrorCode =
  /** The `AbortSignal` fired before the call began. It was not carried out. */
  | 'aborted'
  /** The leader is another tab with a newer version of the package, which this version cannot talk to. */
  | 'client_outdated'
  /** The memory was closed. */
  | 'closed'
  /** The app's embedder failed, or returned something other than vectors. Rows are retried later. */
  | 'embedder_failed'
  /** The bundled embedder could not be loaded. */
  | 'embedder_unavailable'
  /** A text that is not well-formed Unicode: it has a lone surrogate. */
  | 'invalid_text'
  /** A URL that is neither `opfs:///name.db` nor `memory:`. */
  | 'invalid_url'
  /** A part of the package that loads on first use could not be loaded: offline, or another version was deployed. */
  | 'module_unavailable'
  /** The function passed to `live` threw an error of its own, which is the cause. */
  | 'read_failed'
  /** The app's reranker failed, or did not return a finite number for each text. Nothing was changed. */
  | 'reranker_failed'
  /** A call exceeded its time limit and its worker was ended; or no leader answered. */
  | 'timed_out'
  /** The engine crashed at this call; or the worker of a `memory:` ended, and the memory with it. */
  | 'worker_crashed'
  /** The worker or its WebAssembly could not be loaded. */
  | 'worker_unavailable';

/** The kinds of failure. They are stable: a program can branch on them. */
export type ErrorCode = EngineErrorCode | ClientErrorCode;

/** A failure as it crosses between threads, where an `Error` would lose its fields. */
export interface FailureMessage extends Omit<Failure, 'code'> {
  code: ErrorCode;
}

/**
 * Every error that this package throws or rejects with.
 *
 * @example
 * ```ts
 * try {
 *   await memory.turns.append({ userInput: text });
 * } catch (error) {
 *   if (error instanceof MemoryError && error.code === 'quota_exceeded') askToFreeSpace(error.hint);
 *   else throw error;
 * }
 * ```
 */
export class MemoryError extends Error {
  override readonly name = 'MemoryError';
  /** The kind of failure. */
  readonly code: ErrorCode;
  /** What to do about it, in one sentence. */
  readonly hint: string;

  /**
   * @param code - The kind of failure.
   * @param what - What was wrong, in one sentence; followed by the hint, it becomes the `message`.
   * @param hint - What to do about it.
   * @param cause - The cause: an error from SQLite, a DOMException or the signal's reason.
   */
  constructor(code: ErrorCode, what: string, hint: string, cause?: unknown) {
    super(`${what} ${hint}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** The cause of an error of the engine: SQLite's message, or the browser's exception. */
export class EngineCause extends Error {
  /** The statement that failed, if there was one. */
  readonly sql: string | undefined;

  constructor(name: string, message: string, sql: string | null) {
    super(message);
    this.name = name;
    this.sql = sql ?? undefined;
  }
}

export function toMemoryError({ code, message, hint, cause }: FailureMessage): MemoryError {
  return new MemoryError(
    code,
    message,
    hint,
    cause ? new EngineCause(cause.name, cause.message, cause.sql) : undefined,
  );
}

/** The failure that the engine threw; undefined if it threw anything else, which means that it crashed. */
export function asFailure(thrown: unknown): FailureMessage | undefined {
  const isFailure = typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'hint' in thrown;
  return isFailure ? (thrown as FailureMessage) : undefined;
}

/** Whether the bundled embedder has to be loaded into the engine, again or for the first time. */
export function isEmbedderMissing(error: unknown): boolean {
  return error instanceof MemoryError && error.code === 'embedder_missing';
}

/** Converts a thrown value to the cause of a failure. */
export function causeOf(thrown: unknown): FailureCause {
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { name, message, sql: null };
}

function failure(code: ErrorCode, message: string, hint: string, cause: FailureCause | null = null): FailureMessage {
  return { code, message, hint, cause };
}

/** A failure to load the worker or its WebAssembly. */
export function unavailable(thrown: unknown): FailureMessage {
  const cause = causeOf(thrown);
  return failure(
    'worker_unavailable',
    `The memory's worker or its WebAssembly could not be loaded (${cause.message}).`,
    "Check that worker.js and the .wasm file are served, and reload if another version was deployed. A Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src, and 'self' in worker-src and connect-src. On a server, leave the package out of the bundle.",
    cause,
  );
}

/** The browser denied the lock that keeps other tabs out. */
export function denied(thrown: unknown): FailureMessage {
  const message = 'The browser denied this page the Web Lock that keeps other tabs out.';
  return failure(
    'storage_denied',
    message,
    'Allow this site to store data, leave private browsing, then reload.',
    causeOf(thrown),
  );
}

/** The engine crashed while it opened a memory. */
export function crashedOpening(cause: FailureCause): FailureMessage {
  const hint = 'The file is at its last committed state; try again, and report the cause.';
  return failure('worker_crashed', 'The engine crashed while it opened the memory.', hint, cause);
}

/** The engine crashed at this call. */
export function crashedAt(cause: FailureCause): FailureMessage {
  const hint =
    'The file is at its last committed state and is opened again; check what was written before you repeat a write, and report the cause.';
  return failure('worker_crashed', 'The engine crashed while it carried out this call.', hint, cause);
}

/** The worker of a `memory:` ended, and its rows with it. */
export function lost(cause: FailureCause): FailureMessage {
  const hint = 'Open a new memory and import your last export; a memory in OPFS would have kept its rows.';
  return failure('worker_crashed', 'The memory was only in its worker and was lost with it.', hint, cause);
}

/** A call whose outcome cannot be determined. */
export function unknown(): FailureMessage {
  const message =
    'It is unknown whether the call was carried out: each worker that received it ended, or it was made too long ago.';
  return failure('worker_crashed', message, 'The file is intact; check what was written before you repeat a write.');
}

/** A call that exceeded its time limit. */
export function timedOut(): FailureMessage {
  const message = 'The call exceeded its time limit, and its worker was ended.';
  const hint =
    'Ask for less at a time; uncommitted changes were rolled back, so check what was written before you repeat a write.';
  return failure('timed_out', message, hint);
}

/** No leader answers the client. */
export function unheard(): FailureMessage {
  const hint = 'Close or reload the other tabs of this site; check what was written before you repeat a write.';
  return failure('timed_out', 'The tab that leads this memory does not answer.', hint);
}

/** The client is too old to talk to the leader. */
export function outdated(): FailureMessage {
  const message = 'Another tab leads this memory with a newer version of this app.';
  return failure('client_outdated', message, 'Reload this page; nothing was changed.');
}

/** An argument that cannot be sent in a message. */
export function unsendable(cause: unknown): FailureMessage {
  const message = 'An argument cannot be sent to the worker.';
  return failure('invalid_argument', message, 'Pass plain values only.', causeOf(cause));
}

/** The bytes of the bundled model were lost with the worker, so the model is loaded again. */
export function missing(): FailureMessage {
  return failure('embedder_missing', 'The worker that had the embedder has ended.', 'Load the embedder again.');
}

/** A file that could not be read. */
export function unreadable(cause: FailureCause | null): FailureMessage {
  return failure('invalid_argument', 'The file could not be read.', 'Choose it again; nothing was changed.', cause);
}

/** An argument of the wrong type, or with a field that does not exist. */
export function invalidArgument(what: string, hint = 'Correct it; nothing was changed.'): MemoryError {
  return new MemoryError('invalid_argument', what, hint);
}

/** A call that its caller aborted. */
export function aborted(signal: AbortSignal | undefined): MemoryError {
  const hint = 'Nothing was changed; make the call again if you still need it.';
  return new MemoryError('aborted', 'The call was aborted.', hint, signal?.reason);
}

/** A call on a memory that was closed. */
export function closed(): MemoryError {
  return new MemoryError('closed', 'The memory is closed.', 'Open it again with Memory.open().');
}
