// The messages between a client and the worker that runs SQLite, in the same tab or in another. Types only.
import type { FailureMessage } from '../wire/errors.js';
import type {
  Changes,
  Durability,
  Engine,
  EngineOptions,
  Imported,
  MigrationProgress,
  SchemaStatus,
} from '../wasm/synth_memory.js';

/** The engine's methods that only the worker itself calls. */
type Internal =
  | 'free'
  | 'close'
  | 'import'
  | 'reserve'
  | 'beginBatch'
  | 'endBatch'
  | 'changes'
  | 'answers'
  | 'keepAnswers'
  | 'acknowledge'
  | 'enter'
  | 'setDurability'
  | 'indexSlice'
  | 'tidySlice'
  | 'hasRows'
  | typeof Symbol.dispose;

/** All calls that a client can make. Derived from the engine, so that Rust has the only declaration. */
export interface WorkerApi extends Omit<Engine, Internal> {
  /** Replaces the database with a file's. The worker reads a `Blob`, so that the import keeps its place among calls. */
  import(file: Uint8Array | Blob, refuse: boolean): Imported;
}

/** The name of a call. */
export type Method = keyof WorkerApi;
/** The arguments of a call. */
export type Arguments<M extends Method> = Parameters<WorkerApi[M]>;
/** The answer of a call. */
export type Value<M extends Method> = ReturnType<WorkerApi[M]>;

/**
 * One call. A client numbers its calls without gaps; client and number identify a call, whichever leader receives it.
 */
export type Request = {
  [M in Method]: {
    readonly sequence: number;
    readonly method: M;
    readonly arguments: Arguments<M>;
  };
}[Method];

/** A message from a client to the leader. */
export type FromClient = {
  readonly client: string;
  /**
   * The place of the message among the client's messages: through another connection, a message may arrive after later
   * ones. Older versions do not send it.
   */
  readonly order?: number | undefined;
} & (
  | {
      /** The first message to each leader. Calls without an answer are sent again after it. */
      readonly type: 'hello';
      readonly durability: Durability;
      /** Whether the client wants to receive what commits change. */
      readonly listens: boolean;
      /** The client has received the answers to all calls before this number. */
      readonly acknowledged: number;
      /** All calls before this number were sent already, so an earlier leader may have carried them out. */
      readonly sent: number;
    }
  | { readonly type: 'call'; readonly acknowledged: number; readonly requests: readonly Request[] }
  /** The client wants to receive what commits change, or no longer wants to. */
  | { readonly type: 'listen'; readonly listens: boolean }
  /** Drop this call if it has not begun. It is answered either way. */
  | { readonly type: 'cancel'; readonly sequence: number }
  /** The client sleeps; it sends `hello` again if it wakes up. */
  | { readonly type: 'forget' }
  /** The client is gone and sends nothing more. */
  | { readonly type: 'bye' }
);

/** A message from a page to its own worker. */
export type ToWorker =
  | FromClient
  /** The engine's code. */
  | { readonly type: 'load'; readonly module: WebAssembly.Module }
  /** Open the memory, and lead under this name. */
  | { readonly type: 'lead'; readonly leader: string; readonly options: EngineOptions }
  /** A port to the broker, through which other tabs connect. */
  | { readonly type: 'broker'; readonly port: MessagePort }
  /** Finish the calls received so far, close the memory, and let others lead. */
  | { readonly type: 'yield' }
  /** Answer with `pong`, to show that the worker still responds. */
  | { readonly type: 'ping' };

/** The answer to a call. */
export type Answer = { readonly sequence: number } & (
  { readonly value: unknown } | { readonly failure: FailureMessage } | { readonly cancelled: true }
);

/** A change to the schema or the whole database, of which all tabs are notified before and after. */
export type Moving = 'upgrade' | 'downgrade' | 'redo' | 'import' | 'restore';

/** A message from the leader to a client. */
export type ToClient =
  | { readonly type: 'welcome'; readonly leader: string; readonly status: SchemaStatus }
  /** Answers, and what any client's commits changed since the last message. */
  | { readonly type: 'answer'; readonly answers: readonly Answer[]; readonly changes?: Changes | undefined }
  /**
   * The client sent `hello` through another connection than before. Sent through both, as the last message of the old
   * one and the first of the new one, with the `order` of that `hello`.
   */
  | { readonly type: 'moved'; readonly order: number }
  /** The leader misses some of this client's calls: send all calls without an answer again. */
  | { readonly type: 'again' }
  /** The progress of a migration. */
  | { readonly type: 'progress'; readonly progress: MigrationProgress }
  /** The schema or the whole database is about to be changed, or was. */
  | { readonly type: 'moving'; readonly what: Moving | null }
  /** How many rows are not indexed yet. */
  | { readonly type: 'unindexed'; readonly rows: number };

/** A message from a worker to its page. */
export type FromWorker =
  | ToClient
  /** The worker leads. */
  | { readonly type: 'leads' }
  /** The worker could not lead. */
  | { readonly type: 'refused'; readonly failure: FailureMessage }
  /** The worker has yielded. */
  | { readonly type: 'yielded'; readonly failure?: FailureMessage | undefined }
  /** The worker begins a call during which it may be silent for up to `limit` ms; null if the call has ended. */
  | { readonly type: 'busy'; readonly limit: number | null; readonly client: string; readonly sequence: number }
  | { readonly type: 'pong' }
  /** The engine crashed; the worker answers nothing more. */
  | { readonly type: 'crashed'; readonly name: string; readonly message: string };
