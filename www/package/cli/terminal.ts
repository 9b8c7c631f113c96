// Prints answers and failures as text or as JSON, with colours and progress on a terminal.
import type { MigrationProgress } from '../wasm/synth_memory.js';
import type { Told } from './failures.js';

/** The answer of a command. */
export interface Answer {
  /** For a program: the value that `--json` prints. */
  readonly value: unknown;
  /** For a person: the requested output. */
  readonly text?: string;
  /** For a person: what was done. `--quiet` omits it. */
  readonly news?: string;
  /** The exit status, 0 by default. */
  readonly status?: number;
}

export interface Manner {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly colors: boolean;
}

const line = (text: string) => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

export class Terminal {
  #shown = false;
  #last = 0;

  constructor(readonly manner: Manner) {}

  /** A revision's id, or another text to highlight, in colour. */
  readonly strong = (text: string) => (this.manner.colors ? `\x1b[33m${text}\x1b[39m` : text);
  readonly faint = (text: string) => (this.manner.colors ? `\x1b[2m${text}\x1b[22m` : text);

  answer({ value, text = '', news = '' }: Answer): void {
    this.#clear();
    const { json, quiet } = this.manner;
    if (json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    else process.stdout.write(line(text) + (quiet ? '' : line(news)));
  }

  fail({ code, message, hint }: Told): void {
    this.#clear();
    if (this.manner.json) process.stderr.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
    else process.stderr.write(`synth-memory: ${`${message} ${hint}`.replace(/\s*\n\s*/g, ' ')}\n`);
  }

  /** Shows the progress of a run on a line that the next output clears. */
  readonly progress = ({ phase, revision, step, steps, done, total }: MigrationProgress): void => {
    const { json, quiet } = this.manner;
    if (json || quiet || !process.stderr.isTTY) return;
    const now = performance.now();
    if (now - this.#last < 100) return;
    this.#last = now;
    const rows = total > 0 ? `, ${Math.floor((100 * done) / total)} % of ${total} rows` : '';
    const which = revision === null ? '' : ` ${revision} (${step + 1} of ${steps})`;
    this.#shown = true;
    process.stderr.write(`\r\x1b[K${phase}${which}${rows}`);
  };

  #clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K');
    this.#shown = false;
  }
}
