// What goes wrong, as one line for a person or one object for a program.
import { asFailure, type FailureMessage } from '../wire/errors.js';

/** What a program ends with: all was well; it failed, or found what it was to look for; it was called wrongly. */
export const OK = 0;
export const FAILED = 1;
export const MISUSED = 2;

/** A failure of the command line itself. */
export class CommandError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint: string,
    readonly status = FAILED,
  ) {
    super(message);
  }
}

/** A call that no command understands. */
export function misused(message: string, hint = 'See synth-memory help.'): CommandError {
  return new CommandError('usage', message, hint, MISUSED);
}

/** A failure of the file system, in the words of this package. */
export function fromSystem(thrown: unknown, doing: string): CommandError {
  const { code = '', message } = thrown as NodeJS.ErrnoException;
  const said = code === '' ? message : (SYSTEM[code]?.[1] ?? `${code}: ${message}`);
  const [kind, , hint] = SYSTEM[code] ?? ['io_failed', '', 'Nothing was changed.'];
  return new CommandError(kind, `${doing} failed: ${said}.`, hint);
}

const DENIED = 'Allow this user to read and write the file and its folder; nothing was changed.';
const FULL = 'Free space; nothing was changed.';
const SYSTEM: Record<string, [code: string, said: string, hint: string]> = {
  EACCES: ['storage_denied', 'permission denied', DENIED],
  EPERM: ['storage_denied', 'not permitted', DENIED],
  EROFS: ['storage_denied', 'the file system is read-only', DENIED],
  ENOSPC: ['quota_exceeded', 'no space is left', FULL],
  EDQUOT: ['quota_exceeded', 'the quota is used up', FULL],
  ENOENT: ['not_found', 'there is no such file', 'Check the path.'],
  EISDIR: ['invalid_argument', 'it is a folder', 'Name a file.'],
  ENOTDIR: ['invalid_argument', 'a part of the path is not a folder', 'Check the path.'],
};

export interface Told {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly status: number;
}

/** What was thrown, whatever it was. */
export function toTold(thrown: unknown): Told {
  if (thrown instanceof CommandError) {
    const { code, message, hint, status } = thrown;
    return { code, message, hint, status };
  }
  const failure = asFailure(thrown);
  if (failure) return { ...failure, hint: hintHere(failure), status: FAILED };
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'internal', message, hint: 'Please report it with this message.', status: FAILED };
}

/** The hints of the engine are for the page's API where they name calls; here there are commands. */
function hintHere({ code, message, hint }: FailureMessage): string {
  switch (code) {
    case 'unversioned_database':
      return `${message.includes('no known revision') ? 'Correct its tables' : 'Adopt it with `synth-memory upgrade head`'}, or say where it is with \`synth-memory stamp\`.`;
    case 'edited_revision':
      return 'Put its text back and add a new revision; if the change is meant, `synth-memory accept <revision>`.';
    case 'unknown_revision':
      return message.startsWith('The memory is at')
        ? 'Check --migrations, or take the newest version of the app; `synth-memory stamp --purge` can put a file right.'
        : 'See `synth-memory history`.';
    case 'corrupt_database':
      return 'Put a backup back: `synth-memory backups`, then `synth-memory restore <id>`.';
    case 'schema_mismatch':
      return 'Correct the schema, or name the revision that it is of; --force stamps all the same.';
    case 'not_a_database':
      return /\b(import|export)\b/.test(hint) ? 'Check --url.' : hint;
    default:
      return hint
        .replace(/\b(upgrade|downgrade)\('([^']*)'\)/g, '`synth-memory $1 $2`')
        .replace(/^Say splice/, 'Say --splice');
  }
}
