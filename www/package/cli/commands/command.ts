import type { Option, Options } from '../arguments.js';
import type { Session } from '../session.js';
import type { Answer } from '../terminal.js';

/** One command. */
export interface Command {
  /** Its arguments, as the help shows them. */
  readonly takes?: string;
  /** The least and the greatest number of its arguments; none by default. */
  readonly count?: readonly [least: number, most: number];
  /** What it does, in one line. */
  readonly does: string;
  /** A longer description. */
  readonly more?: string;
  readonly options?: Options;
  run(session: Session): Answer | Promise<Answer>;
}

export type Commands = Readonly<Record<string, Command>>;

export const flag = (help: string, short?: string): Option => ({ type: 'boolean', help, ...(short && { short }) });

export const text = (value: string, help: string, short?: string): Option => ({
  type: 'string',
  value,
  help,
  ...(short && { short }),
});

export const texts = (value: string, help: string): Option => ({ ...text(value, help), multiple: true });

/** The options of every command that changes the database. */
export const CHANGES: Options = {
  keep: text('n', 'how many backups to keep next to the file (default: 3)'),
  'no-backup': flag('keep no backup of the previous file'),
};

export const SYMBOLS =
  'A revision is an id, a unique prefix of an id, head, heads, base, current, +1, -1, <id>+1 or <label>@head.';
