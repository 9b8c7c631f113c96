import type { EmbeddingStatus, Memory, MigrationProgress } from '../package/index.js';
import { inTurn } from './in-turn.js';
import { attempt } from './notices.js';

/** What a change was: some rows, or the whole database. */
export type Change = 'rows' | 'replaced';

type ProgressListener = (progress: MigrationProgress) => void;
type Listener = (change: Change) => void | Promise<void>;

/** The open memory, and the parts of the page that follow it: what any tab commits, each of them reads again. */
export class Session {
  readonly memory: Memory;
  /** Is told how far a migration has come, while somebody wants to know. */
  onProgress: ProgressListener | undefined;
  /** Is told how far embedding has come. */
  onEmbedding: ((status: EmbeddingStatus) => void) | undefined;
  readonly #listeners: Listener[] = [];
  readonly #readSoon = inTurn(() => this.#readAgain());
  #reading = Promise.resolve();
  #due: Change = 'rows';
  #revision: string | null;

  constructor(memory: Memory) {
    this.memory = memory;
    this.#revision = memory.status.revision;
    memory.onChange(({ kind }) => {
      if (kind === 'replaced') this.#due = 'replaced';
      this.#reading = this.#readSoon();
    });
  }

  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Resolves once the page shows all that was committed up to now. An answered write of this tab is. */
  shown(): Promise<void> {
    return this.#reading;
  }

  async #readAgain(): Promise<void> {
    // Before the status is read, so that what changes meanwhile is read once more.
    let change = this.#due;
    this.#due = 'rows';
    await attempt(async () => void (await this.memory.refreshStatus()));
    // A newer tab may have migrated when it came to lead, which is reported as rows that were missed.
    const { revision } = this.memory.status;
    if (revision !== this.#revision) change = 'replaced';
    this.#revision = revision;
    await Promise.all(this.#listeners.map((listener) => attempt(async () => listener(change))));
  }
}
