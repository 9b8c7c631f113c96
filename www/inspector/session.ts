import type { EmbeddingStatus, Memory, MigrationProgress } from '../package/index.js';
import { attempt } from './notices.js';

/** What a change was: some rows, or the whole database. */
export type Change = 'rows' | 'replaced';

type ProgressListener = (progress: MigrationProgress) => void;
type Listener = (change: Change) => void | Promise<void>;

/** The open memory, and who must know when it changes. */
export class Session {
  readonly memory: Memory;
  /** Is told how far a migration has come, while somebody wants to know. */
  onProgress: ProgressListener | undefined;
  /** Is told how far embedding has come. */
  onEmbedding: ((status: EmbeddingStatus) => void) | undefined;
  readonly #listeners: Listener[] = [];

  constructor(memory: Memory) {
    this.memory = memory;
  }

  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** To be called after every write: each part of the page then reads again what it shows. */
  async changed(change: Change): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => attempt(async () => listener(change))));
  }
}
