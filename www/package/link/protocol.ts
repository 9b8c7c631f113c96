// What is said between a client and the worker that runs SQLite, in the same tab or in another. Types only.
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

/** The engine's calls that are the worker's own affair. */
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
  | typeof Symbol.dispose;

/** All that a worker can be asked for. Derived from the engine, so that there is one declaration of it: Rust's. */
export interface WorkerApi extends Omit<Engine, Internal> {
  /** Replaces the database by a file's. A `Blob` is read by the worker, so that the import keeps its place. */
  import(file: Uint8Array | Blob, refuse: boolean): Imported;
}

/** The name of a call. */
export type Method = keyof WorkerApi;
/** The arguments of a call. */
export type Arguments<M extends Method> = Parameters<WorkerApi[M]>;
/** The answer of a call. */
export type Value<M extends Method> = ReturnType<WorkerApi[M]>;

/** One call. A client's calls are numbered without gaps; client and number together are a call's name, wherever it is sent. */
export type Request = {
  [M in Method]: {
    readonly sequence: number;
    readonly method: M;
    readonly arguments: Arguments<M>;
  };
}[Method];

/** What a client says to whoever leads. */
export type FromClient = {
  readonly client: string;
  /** When it was said: what takes another way may come later than what was said after it. Older versions say none. */
  readonly order?: number | undefined;
} & (
  | {
      /** Before anything else, to each leader. What was not answered yet is sent again behind it. */
      readonly type: 'hello';
      readonly durability: Durability;
      /** Whether it wants to be told what commits change. */
      readonly listens: boolean;
      /** All before this number is answered, and this client knows it. */
      readonly acknowledged: number;
      /** All before this number were sent already, so that a leader may have carried them out. */
      readonly sent: number;
    }
  | { readonly type: 'call'; readonly acknowledged: number; readonly requests: readonly Request[] }
  /** It wants to be told what commits change, or no more. */
  | { readonly type: 'listen'; readonly listens: boolean }
  /** Drop this request if it has not begun. It is answered either way. */
  | { readonly type: 'cancel'; readonly sequence: number }
  /** This client sleeps; it greets again if it wakes up. */
  | { readonly type: 'forget' }
  /** Nothing more will come of this client. */
  | { readonly type: 'bye' }
);

/** What the page that a worker belongs to says to it. */
export type ToWorker =
  | FromClient
  /** The engine's code. */
  | { readonly type: 'load'; readonly module: WebAssembly.Module }
  /** Open the memory, and lead under this name. */
  | { readonly type: 'lead'; readonly leader: string; readonly options: EngineOptions }
  /** A port to the broker, for other tabs to come by. */
  | { readonly type: 'broker'; readonly port: MessagePort }
  /** End what is under way, close the memory, let others have it. */
  | { readonly type: 'yield' }
  /** Say that you can still hear. */
  | { readonly type: 'ping' };

/** The answer to a request. */
export type Answer = { readonly sequence: number } & (
  { readonly value: unknown } | { readonly failure: FailureMessage } | { readonly cancelled: true }
);

/** What is going on that all tabs are told of, before and after. */
export type Moving = 'upgrade' | 'downgrade' | 'redo' | 'import' | 'restore';

/** What the leader says to a client. */
export type ToClient =
  | { readonly type: 'welcome'; readonly leader: string; readonly status: SchemaStatus }
  /** Answers, and what was committed since the last message, by whomever. */
  | { readonly type: 'answer'; readonly answers: readonly Answer[]; readonly changes?: Changes | undefined }
  /**
   * It greeted by another way than before. Said by both, as the last of the old way and the first of the new one, with the
   * greeting's `order`.
   */
  | { readonly type: 'moved'; readonly order: number }
  /** Some of this client's calls are missing here: send again what is not answered. */
  | { readonly type: 'again' }
  /** A migration goes on. */
  | { readonly type: 'progress'; readonly progress: MigrationProgress }
  /** The schema or the whole database is about to be changed, or was. */
  | { readonly type: 'moving'; readonly what: Moving | null }
  /** How many rows are not indexed yet. */
  | { readonly type: 'unindexed'; readonly rows: number };

/** What a worker says to its page. */
export type FromWorker =
  | ToClient
  /** It leads. */
  | { readonly type: 'leads' }
  /** It could not. */
  | { readonly type: 'refused'; readonly failure: FailureMessage }
  /** It yielded. */
  | { readonly type: 'yielded'; readonly failure?: FailureMessage | undefined }
  /** It begins a call that may take so long, in ms, until it says anything; or, with null, it ended it. */
  | { readonly type: 'busy'; readonly limit: number | null; readonly client: string; readonly sequence: number }
  | { readonly type: 'pong' }
  /** The engine broke; nothing more will be answered. */
  | { readonly type: 'crashed'; readonly name: string; readonly message: string };
