import type { EmbeddingStatus, Memory, MigrationProgress } from '../package/index.js';
import { inTurn } from './in-turn.js';
import { attempt } from './notices.js';

/** What changed: some rows, or the whole database. */
export type Change = 'rows' | 'replaced';

type ProgressListener = (progress: MigrationProgress) => void;
type Listener = (change: Change) => void | Promise<void>;

/** The open memory, and the parts of the page that follow it: each reads again when any tab commits. */
export class Session {
  readonly memory: Memory;
  /** Receives the progress of a migration, while a dialog shows it. */
  onProgress: ProgressListener | undefined;
  /** Receives the progress of embedding. */
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

  /** Resolves when the page shows everything committed so far, including every answered write of this tab. */
  shown(): Promise<void> {
    return this.#reading;
  }

  async #readAgain(): Promise<void> {
    // Reset before the status is read, so that a change meanwhile is read again.
    let change = this.#due;
    this.#due = 'rows';
    await attempt(async () => void (await this.memory.refreshStatus()));
    // A newer tab may have migrated when it became the leader, which is reported as missed changes.
    const { revision } = this.memory.status;
    if (revision !== this.#revision) change = 'replaced';
    this.#revision = revision;
    await Promise.all(this.#listeners.map((listener) => attempt(async () => listener(change))));
  }
}
