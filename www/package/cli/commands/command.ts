import type { Option, Options } from '../arguments.js';
import type { Session } from '../session.js';
import type { Answer } from '../terminal.js';

/** One command. */
export interface Command {
  /** Its arguments, as the help shows them. */
  readonly takes?: string;
  /** How many arguments it takes, at least and at most; none by default. */
  readonly count?: readonly [least: number, most: number];
  /** What it does, in one line. */
  readonly does: string;
  /** What else is to be known of it. */
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

/** What all commands that change a file take. */
export const CHANGES: Options = {
  keep: text('n', 'how many backups are kept beside the file, 3 by default'),
  'no-backup': flag('keep no copy of what was there'),
};

export const SYMBOLS =
  'A revision is an id, a unique beginning of one, head, heads, base, current, +1, -1, <id>+1, <label>@head.';
