import type { LoadedRecall } from './embeddings.js';
import type { Caller } from './query.js';
import type { CallOptions, Connection } from '../link/connection.js';
import type { OpenRecall } from '../recall/recall.js';
import { closed, invalidArgument, type MemoryError } from '../wire/errors.js';

/** What every call of the page passes: none after `close()`, and none from inside a live query. */
export class Gate implements Caller, Pick<LoadedRecall, 'load'> {
  readonly #connection: Connection;
  readonly #recall: LoadedRecall;
  #isClosed = false;
  /** How many live queries are being started: one starts another if it subscribes to it. */
  #reading = 0;

  constructor(connection: Connection, recall: LoadedRecall) {
    this.#connection = connection;
    this.#recall = recall;
  }

  /** Makes a call of the engine. */
  readonly call: Connection['call'] = (method, given, options, transfer) => {
    const refused = this.#refused();
    return refused ? Promise.reject(refused) : this.#connection.call(method, given, options, transfer);
  };

  /** Loads the recall part for a call. */
  async load(options?: CallOptions): Promise<OpenRecall> {
    const refused = this.#refused();
    if (refused) throw refused;
    return this.#recall.load(options);
  }

  /** Lets no call of the page pass any more. */
  close(): void {
    this.#isClosed = true;
  }

  /**
   * Starts the function of a live query. A call that it makes here, and not on the memory that it receives, would be
   * read once and never again.
   */
  read<T>(read: () => T): T {
    this.#reading++;
    try {
      return read();
    } finally {
      this.#reading--;
    }
  }

  /** Why no call passes now. */
  #refused(): MemoryError | undefined {
    if (this.#isClosed) return closed();
    if (this.#reading === 0) return undefined;
    return invalidArgument(
      'A live query called the memory itself, which does not note what is read.',
      'Read through the memory that its function receives: live((memory) => memory.turns.count()).',
    );
  }
}
