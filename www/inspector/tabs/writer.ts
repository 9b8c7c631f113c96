import type { Memory } from '../../package/index.js';
import type { Written } from './messages.js';

/** How long a tab that writes continuously waits after each answer, in ms. */
const PAUSE = 100;

/** Writes numbered turns. */
export class Writer {
  readonly #memory: Memory;
  readonly #tab: string;
  readonly #tell: (written: Written) => void;
  /** A tab that is opened again is another writer, because it cannot know the last number of the one before. */
  readonly #name: string;
  #number = 0;
  #isRunning = false;

  constructor(memory: Memory, tab: string, tell: (written: Written) => void) {
    this.#memory = memory;
    this.#tab = tab;
    this.#tell = tell;
    this.#name = `${tab} ${crypto.randomUUID()}`;
  }

  async write(): Promise<void> {
    const number = ++this.#number;
    const began = Date.now();
    await this.#memory.turns.append({
      userInput: `Tab ${this.#tab}, number ${number}`,
      metadata: { tab: this.#tab, writer: this.#name, number },
    });
    this.#tell({ writer: this.#name, number, began, ended: Date.now() });
  }

  /** Writes one turn after another until it is stopped or a write fails. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#isRunning) {
        await this.write();
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    } finally {
      this.#isRunning = false;
    }
  }

  stop(): void {
    this.#isRunning = false;
  }
}
