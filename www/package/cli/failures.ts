// Failures: one line for a person, or one object for a program.
import { asFailure, type ErrorCode } from '../wire/errors.js';

/** Exit status: 0 success, 1 failure or differences found, 2 usage error. */
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

/** A usage error. */
export function misused(message: string, hint = 'See synth-memory help.'): CommandError {
  return new CommandError('usage', message, hint, MISUSED);
}

/** A failure of the file system with a code and a hint of this package. */
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

/** Converts anything that was thrown into a failure to print. */
export function toTold(thrown: unknown): Told {
  if (thrown instanceof CommandError) {
    const { code, message, hint, status } = thrown;
    return { code, message, hint, status };
  }
  const failure = asFailure(thrown);
  if (failure) return { ...failure, hint: HINTS[failure.code] ?? failure.hint, status: FAILED };
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'internal', message, hint: 'Please report it with this message.', status: FAILED };
}

/** Replaces the hints that name calls of the page's API. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  corrupt_database: 'Restore a backup: `synth-memory backups` lists them, `synth-memory restore <id>` restores one.',
  edited_revision:
    'Restore its text and add a new revision. If no one else has applied it yet, run `synth-memory redo <revision>`; if the schema is the same, `synth-memory accept <revision>`.',
  io_failed: 'Try again; nothing was changed.',
  not_a_head: 'Build on a head, or begin a branch there with --splice.',
  schema_mismatch:
    'Correct the schema, or record the revision that it matches with `synth-memory stamp --purge <revision>`; --force stamps without comparing.',
  unknown_revision:
    'Check --migrations, or use the newest version of the app. `synth-memory upgrade heads --downgrade-newer` downgrades with the scripts stored in the file; `synth-memory stamp --purge` only records another revision.',
  unversioned_database:
    'If its tables match a revision, `synth-memory upgrade heads` adopts it. If not, correct them, or record the revision with `synth-memory stamp`.',
};
