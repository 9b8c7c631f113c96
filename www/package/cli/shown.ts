// Formats revisions as Alembic does.
import type { RevisionInfo } from '../wasm/synth_memory.js';
import type { MigrationFolder } from './revisions.js';
import type { Terminal } from './terminal.js';

const orBase = (ids: readonly string[]) => ids.join(', ') || '<base>';

export interface Marks {
  /** Whether to mark the revisions that the file is at. */
  readonly current?: boolean;
  /** Whether to mark the revisions at which branches begin or merge. */
  readonly tree?: boolean;
}

function marks({ branchLabels, isHead, isCurrent, children, revises }: RevisionInfo, shown: Marks): string {
  const { current = false, tree = true } = shown;
  return [
    branchLabels.length > 0 && ` (${branchLabels.join(', ')})`,
    isHead && ' (head)',
    current && isCurrent && ' (current)',
    tree && children.length > 1 && ' (branchpoint)',
    tree && revises.length > 1 && ' (mergepoint)',
  ]
    .filter(Boolean)
    .join('');
}

/** `002 (head)` */
export function brief(revision: RevisionInfo, { strong, faint }: Terminal, shown: Marks = {}): string {
  return strong(revision.id) + faint(marks(revision, shown));
}

/** `001 -> 002 (head), Recall` */
export function lineOf(revision: RevisionInfo, terminal: Terminal, shown: Marks): string {
  const { revises, dependsOn, title } = revision;
  const needs = dependsOn.length > 0 ? ` (${dependsOn.join(', ')})` : '';
  return `${orBase(revises)}${needs} -> ${brief(revision, terminal, shown)}, ${title}`;
}

/** All details of a revision, on several lines. */
export function entry(revision: RevisionInfo, terminal: Terminal, folder: MigrationFolder, shown: Marks): string {
  const { id, file, revises, dependsOn, branchLabels, children, title, createDate } = revision;
  const isMerge = revises.length > 1;
  return [
    `Rev: ${brief({ ...revision, branchLabels: [] }, terminal, shown)}`,
    `${isMerge ? 'Merges' : 'Parent'}: ${orBase(revises)}`,
    dependsOn.length > 0 && `Also depends on: ${dependsOn.join(', ')}`,
    children.length > 1 && `Branches into: ${children.join(', ')}`,
    branchLabels.length > 0 && `Branch names: ${branchLabels.join(', ')}`,
    `Path: ${folder.of(id)?.path ?? `${file}, which comes with the package`}`,
    '',
    `    ${title}`,
    '',
    `    Revision ID: ${id}`,
    `    Revises: ${revises.join(', ')}`,
    createDate !== '' && `    Create Date: ${createDate}`,
    '',
  ]
    .filter((line) => line !== false)
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A time of the engine, in Unix seconds, as ISO 8601 text. */
export const toIso = (seconds: number | null) => (seconds === null ? null : new Date(seconds * 1000).toISOString());

/** A revision for a program. What the database records about it is included only if the database was read. */
export function toJson(revision: RevisionInfo, folder: MigrationFolder, hasFile: boolean): object {
  const { isCurrent, isApplied, appliedAt, duration, version, ...rest } = revision;
  const path = folder.of(rest.id)?.path ?? null;
  const applied = { isCurrent, isApplied, appliedAt: toIso(appliedAt), duration, version };
  return { ...rest, path, ...(hasFile ? applied : {}) };
}

/** Rows of cells as text, with aligned columns. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
