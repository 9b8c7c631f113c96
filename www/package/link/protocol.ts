// What is said between a client and the worker that runs SQLite. Types only.
import type { FailureMessage } from '../wire/errors.js';
import type { Changes, Engine, EngineOptions, MigrationProgress, SchemaStatus } from '../wasm/synth_memory.js';

/** The engine's calls that a client may make. */
type EngineCalls = Omit<
  Engine,
  'free' | 'close' | 'import' | 'reserve' | 'beginBatch' | 'endBatch' | 'changes' | typeof Symbol.dispose
>;

/** All that a worker can be asked for. Derived from the engine, so that there is one declaration of it: Rust's. */
export interface WorkerApi extends EngineCalls {
  /** Loads the engine and opens the memory. */
  open(options: EngineOptions): SchemaStatus;
  /** Replaces the database by a file's. A `Blob` is read by the worker, so that the import keeps its place. */
  import(file: Uint8Array | Blob): string[];
  /** Closes the memory and releases its files. */
  close(): null;
}

/** The name of a call. */
export type Method = keyof WorkerApi;
/** The arguments of a call. */
export type Arguments<M extends Method> = Parameters<WorkerApi[M]>;
/** The answer of a call. */
export type Value<M extends Method> = ReturnType<WorkerApi[M]>;

/** One call. Client and sequence number together are its name, wherever it is sent. */
export type Request = {
  [M in Method]: {
    readonly client: string;
    readonly sequence: number;
    readonly method: M;
    readonly arguments: Arguments<M>;
  };
}[Method];

/** What a client says. */
export type ToWorker =
  /** The engine's code, which a worker of the page's own is given before anything else. */
  | { readonly type: 'load'; readonly module: WebAssembly.Module }
  | { readonly type: 'call'; readonly requests: readonly Request[] }
  /** Drop this request if it has not begun. It is answered either way. */
  | { readonly type: 'cancel'; readonly client: string; readonly sequence: number };

/** The answer to a request. */
export type Answer = { readonly client: string; readonly sequence: number } & (
  { readonly value: unknown } | { readonly failure: FailureMessage } | { readonly cancelled: true }
);

/** What the worker says. */
export type FromWorker =
  /** Answers, and what the calls behind them changed, which is committed. */
  | { readonly type: 'answer'; readonly answers: readonly Answer[]; readonly changes?: Changes | undefined }
  /** A migration goes on. */
  | { readonly type: 'progress'; readonly progress: MigrationProgress }
  /** The engine broke; nothing more will be answered. */
  | { readonly type: 'crashed'; readonly name: string; readonly message: string };
