import type { EngineErrorCode, Failure, FailureCause } from '../wasm/synth_memory.js';

/** The kinds of failure that only the page's side can raise. */
export type ClientErrorCode =
  /** The `AbortSignal` fired before the call began. It was not carried out. */
  | 'aborted'
  /** Another tab leads with a newer version of the package, which this one cannot speak to. */
  | 'client_outdated'
  /** The memory was closed. */
  | 'closed'
  /** The embedder that was given failed, or gave something else than vectors. Rows are tried again later. */
  | 'embedder_failed'
  /** The bundled embedder could not be loaded. */
  | 'embedder_unavailable'
  /** A text that is not well-formed Unicode: it has a lone surrogate. */
  | 'invalid_text'
  /** A URL that is neither `opfs:///name.db` nor `memory:`. */
  | 'invalid_url'
  /** A part of the package that is loaded when it is first needed could not be: offline, or another version was deployed. */
  | 'module_unavailable'
  /** The function given to `live` threw an error of its own, which is the cause. */
  | 'read_failed'
  /** The reranker that was given failed, or did not return a finite number for each text. Nothing was changed. */
  | 'reranker_failed'
  /** A call kept the worker longer than it may, and was ended with it; or nobody answered. */
  | 'timed_out'
  /** The engine broke at this call; or a memory that was in the worker alone is gone with it. */
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
  /** Which kind of failure. */
  readonly code: ErrorCode;
  /** What to do about it, in one sentence. */
  readonly hint: string;

  /**
   * @param code - Which kind of failure.
   * @param what - What was wrong, in one sentence; with the hint it becomes the `message`.
   * @param hint - What to do about it.
   * @param cause - What it came from: an error of SQLite's, a DOMException, the signal's reason.
   */
  constructor(code: ErrorCode, what: string, hint: string, cause?: unknown) {
    super(`${what} ${hint}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** What an error of the engine came from: SQLite's own words, or the browser's exception. */
export class EngineCause extends Error {
  /** The statement that failed, where there was one. */
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

/** The failure in what the engine threw; undefined where it threw anything else, which means that it broke. */
export function asFailure(thrown: unknown): FailureMessage | undefined {
  const isFailure = typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'hint' in thrown;
  return isFailure ? (thrown as FailureMessage) : undefined;
}

/** Whether the bundled embedder has to be given to the engine, again or for the first time. */
export function isEmbedderMissing(error: unknown): boolean {
  return error instanceof MemoryError && error.code === 'embedder_missing';
}

/** What was thrown, as the cause of a failure. */
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
    "Check that worker.js and the .wasm are served and that the Content-Security-Policy has 'wasm-unsafe-eval'; on a server, leave the package out of the bundle.",
    cause,
  );
}

/** The lock that keeps tabs apart is refused. */
export function denied(thrown: unknown): FailureMessage {
  const message = 'The browser refuses this page the lock that keeps other tabs out.';
  return failure(
    'storage_denied',
    message,
    'Allow this site to store data, leave private browsing, then reload.',
    causeOf(thrown),
  );
}

/** An engine that broke while it opened a memory. */
export function crashedOpening(cause: FailureCause): FailureMessage {
  const hint = 'The file is at its last committed state; try again, and report the cause.';
  return failure('worker_crashed', 'The engine broke while it opened the memory.', hint, cause);
}

/** The call at which the engine broke. */
export function crashedAt(cause: FailureCause): FailureMessage {
  const hint =
    'The file is at its last committed state and is opened again; look before you repeat a write, and report the cause.';
  return failure('worker_crashed', 'The engine broke while it carried out this call.', hint, cause);
}

/** A memory that was in memory only. */
export function lost(cause: FailureCause): FailureMessage {
  const hint = 'Open a new one and import what you exported; a memory in OPFS would have kept its rows.';
  return failure('worker_crashed', 'The memory was kept by the worker alone, and is gone with it.', hint, cause);
}

/** A call of which it cannot be found out what became. */
export function unknown(): FailureMessage {
  const message =
    'It is not known whether the call was carried out: each worker that was at it ended, or it is too long ago.';
  return failure('worker_crashed', message, 'The file is whole; look before you repeat a write.');
}

/** A call that kept its worker for longer than it may. */
export function timedOut(): FailureMessage {
  const message = 'The call took longer than it may, and the worker that was at it was ended.';
  const hint = 'Ask for less at a time; what was not committed is as it was, so look before you repeat a write.';
  return failure('timed_out', message, hint);
}

/** A client to which nobody who leads answers. */
export function unheard(): FailureMessage {
  const hint = 'Close or reload the other tabs of this site; look before you repeat a write.';
  return failure('timed_out', 'The tab that leads does not answer.', hint);
}

/** A client that is too old to be led. */
export function outdated(): FailureMessage {
  const message = 'Another tab uses a newer version of this app, and leads.';
  return failure('client_outdated', message, 'Reload this page; nothing was changed.');
}

/** An argument that no message can hold. */
export function unsendable(cause: unknown): FailureMessage {
  const message = 'An argument cannot be sent to the worker.';
  return failure('invalid_argument', message, 'Give plain values only.', causeOf(cause));
}

/** The bytes of the bundled model went with the worker; it is loaded again. */
export function missing(): FailureMessage {
  return failure('embedder_missing', 'The worker that was given the embedder is gone.', 'Give it again.');
}

/** A file that could not be read. */
export function unreadable(cause: FailureCause | null): FailureMessage {
  return failure('invalid_argument', 'The file could not be read.', 'Choose it again; nothing was changed.', cause);
}

/** An argument of the wrong type, or with a field that does not exist. */
export function invalidArgument(what: string, hint = 'Correct it; nothing was changed.'): MemoryError {
  return new MemoryError('invalid_argument', what, hint);
}

/** A call that its caller gave up. */
export function aborted(signal: AbortSignal | undefined): MemoryError {
  const hint = 'Nothing was changed; make the call again if it is still wanted.';
  return new MemoryError('aborted', 'The call was given up.', hint, signal?.reason);
}

/** A call on a memory that was closed. */
export function closed(): MemoryError {
  return new MemoryError('closed', 'The memory is closed.', 'Open it again with Memory.open().');
}
