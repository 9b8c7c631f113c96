import { checkFields, checkText, defined } from '../wire/check.js';
import { toDate } from '../wire/codec.js';
import type { Caller } from './query.js';
import type { CallOptions } from '../link/connection.js';
import { invalidArgument } from '../wire/errors.js';
import type {
  MigrationDirection,
  MigrationFile,
  MigrationPlan,
  NewRevision as WireRevisionFile,
  RevisionInfo as WireRevision,
  SchemaCheck,
  SchemaRenames as WireRenames,
  VerifiedRevision as WireVerified,
} from '../wasm/synth_memory.js';

/** One revision, and what the memory knows about it. */
export interface RevisionInfo extends Omit<WireRevision, 'appliedAt'> {
  /** When it was applied; null if it is not applied, or another program applied it. */
  readonly appliedAt: Date | null;
}

/** An applied revision, and whether it is still as it was when it was applied. */
export interface VerifiedRevision extends Omit<WireVerified, 'appliedAt'> {
  /** When it was applied; null if another program applied it. */
  readonly appliedAt: Date | null;
}

/** Options of `plan` and `sql`. */
export interface DirectionOptions extends CallOptions {
  /** Either `upgrade`, the default, or `downgrade`. */
  readonly direction?: MigrationDirection | undefined;
}

/** Options of `stamp`. */
export interface StampOptions extends CallOptions {
  /** Whether to ignore the revision that is stored now. This is the way out of a revision that is unknown. */
  readonly purge?: boolean | undefined;
  /** Whether to skip comparing the schema with the revision. */
  readonly force?: boolean | undefined;
}

/** What only the author of a schema knows: whether a table or a column that is gone was renamed or dropped. */
export interface SchemaRenames extends WireRenames {}

/** A new revision. With a `schema` that declares all tables, both of its scripts are written. */
export interface NewRevision extends WireRevisionFile, SchemaRenames {
  /** A declared schema, as `CREATE` statements. */
  readonly schema?: string | undefined;
}

/** Options of `check`. */
export interface CheckOptions extends CallOptions, SchemaRenames {}

/**
 * The revision of the schema, and how to upgrade or downgrade it, in Alembic's terms: `memory.migrations`.
 *
 * A revision is named by its id, by a unique prefix of it (four characters or more), or by a symbol: `head`, `heads`,
 * `base`, `current`, `+1`, `-1`, `<id>+1`, `<label>@head`. A name that matches nothing rejects with `unknown_symbol`,
 * and one that matches several revisions with `ambiguous_revision`. While the file is at an unknown revision, calls
 * reject with `unknown_revision`; `stamp` with `purge` corrects that.
 *
 * @example
 * ```ts
 * const plan = await memory.migrations.plan('001', { direction: 'downgrade' });
 * console.log(plan.steps.map(({ title }) => title), plan.tables);
 * await memory.migrations.downgrade('001');
 * ```
 */
export class Migrations {
  readonly #connection: Caller;
  readonly #changed: () => Promise<unknown>;

  /** @internal */
  constructor(connection: Caller, changed: () => Promise<unknown>) {
    this.#connection = connection;
    this.#changed = changed;
  }

  /** The revisions of the memory: one for each branch, none before the first. */
  async current(options?: CallOptions): Promise<string[]> {
    return (await this.#connection.call('schemaStatus', [], options)).revisions;
  }

  /**
   * The revisions, newest first.
   *
   * @param range - `<from>:<to>`, `<from>:` or `:<to>`, ends included; all by default.
   */
  async history(range?: string, options?: CallOptions): Promise<RevisionInfo[]> {
    const given = range === undefined ? undefined : checkText(range, 'range');
    return (await this.#connection.call('history', [given], options)).map(fromRevision);
  }

  /** The revisions that no other builds on: one for each branch. */
  async heads(options?: CallOptions): Promise<RevisionInfo[]> {
    return (await this.#connection.call('heads', [], options)).map(fromRevision);
  }

  /** The revisions that several others build on. */
  async branches(options?: CallOptions): Promise<RevisionInfo[]> {
    return (await this.#connection.call('branches', [], options)).map(fromRevision);
  }

  /** The revisions that a symbol names. */
  async show(symbol: string, options?: CallOptions): Promise<RevisionInfo[]> {
    return (await this.#connection.call('show', [checkText(symbol, 'symbol')], options)).map(fromRevision);
  }

  /**
   * Upgrades the schema after a backup, all or nothing. Resolves to the revisions applied.
   *
   * @param target - `heads` by default.
   */
  async upgrade(target = 'heads', options?: CallOptions): Promise<string[]> {
    const applied = await this.#connection.call('upgrade', [checkText(target, 'target')], options);
    await this.#changed();
    return applied;
  }

  /**
   * Downgrades the schema after a backup, all or nothing. Resolves to the revisions taken back. Whatever they added is
   * dropped with its content: `base` drops every table, and only `backups.restore` brings the rows back; in a `memory:`
   * nothing does. Steps stay on the branch that they start on: `<id>-N`, `head-N` and `-N` of an app's branch never take
   * back the package's tables. The next opening upgrades to head again.
   */
  async downgrade(target: string, options?: CallOptions): Promise<string[]> {
    const takenBack = await this.#connection.call('downgrade', [checkText(target, 'target')], options);
    await this.#changed();
    return takenBack;
  }

  /**
   * Takes back a revision of the app and those that build on it, by the scripts they were applied from, and applies
   * them again by the scripts they have now: all or nothing, after a backup. Resolves to the revisions applied. The
   * content of what the revision added is lost. Use it for a migration that is still being written; correct one that
   * others have applied with a new revision.
   *
   * A memory with an edited revision opens only with `Memory.open({ upgrade: false })`.
   *
   * @param revision - By default, the one applied last.
   */
  async redo(revision?: string, options?: CallOptions): Promise<string[]> {
    const given = revision === undefined ? undefined : checkText(revision, 'revision');
    const applied = await this.#connection.call('redo', [given], options);
    await this.#changed();
    return applied;
  }

  /**
   * Reports what an upgrade or a downgrade would do. It runs on a copy in memory, so it reports rows and time; the
   * memory itself is not changed. Rejects with the error of the run.
   */
  async plan(target = 'heads', { direction, signal }: DirectionOptions = {}): Promise<MigrationPlan> {
    return this.#connection.call('plan', [checkText(target, 'target'), isDown(direction)], { signal });
  }

  /**
   * The scripts from one revision to another as SQL for another program, without BEGIN and COMMIT: Alembic's `--sql`.
   * It does not read the memory.
   *
   * @example
   * ```ts
   * await memory.migrations.sql('base', 'head');
   * await memory.migrations.sql('002', '001', { direction: 'downgrade' });
   * ```
   */
  async sql(from: string, to: string, { direction, signal }: DirectionOptions = {}): Promise<string> {
    return this.#connection.call('sql', [checkText(from, 'from'), checkText(to, 'to'), isDown(direction)], {
      signal,
    });
  }

  /**
   * Records that the schema is at a revision, and changes nothing else. If the schema is not at it, rejects with
   * `schema_mismatch`, which names what is missing.
   */
  async stamp(target: string | readonly string[], { purge, force, signal }: StampOptions = {}): Promise<void> {
    const targets = typeof target === 'string' ? [checkText(target, 'target')] : checkTexts(target, 'target');
    await this.#connection.call('stamp', [targets, Boolean(purge), Boolean(force)], { signal });
    await this.#changed();
  }

  /** Creates Alembic's table `alembic_version` if it is missing. */
  async ensureVersion(options?: CallOptions): Promise<void> {
    await this.#connection.call('ensureVersion', [], options);
  }

  /** Every applied revision, and whether it is still as it was when it was applied. */
  async verify(options?: CallOptions): Promise<VerifiedRevision[]> {
    return (await this.#connection.call('verify', [], options)).map((row) => ({ ...row, appliedAt: fromTime(row) }));
  }

  /** Accepts the present text of an applied revision as the one that was applied, if the change is intended. */
  async accept(revision: string, options?: CallOptions): Promise<void> {
    await this.#connection.call('accept', [checkText(revision, 'revision')], options);
  }

  /**
   * Compares a declared schema, as `CREATE` statements, with the one that the revisions make: Alembic's `check`. With
   * or without a schema, it also reports which of the app's revisions cannot be taken back and applied again. It does
   * not use the rows and the file of this memory.
   */
  async check(schema?: string, { renames, drops, signal }: CheckOptions = {}): Promise<SchemaCheck> {
    const given = schema === undefined ? undefined : checkText(schema, 'schema');
    return this.#connection.call('check', [given, renamesOf({ renames, drops })], { signal });
  }

  /**
   * The file of a new revision, to be stored with the app's others. With a `schema` that declares all tables, its
   * scripts are written too; the result is null if there is no difference. Nothing is applied.
   */
  async revision(revision: NewRevision, options?: CallOptions): Promise<MigrationFile | null> {
    checkFields(revision, REVISION, 'The revision');
    const { schema, renames, drops, ...fields } = revision;
    const given = [
      defined(fields) as WireRevisionFile,
      schema === undefined ? undefined : checkText(schema, 'schema'),
      renamesOf({ renames, drops }),
    ] as const;
    return this.#connection.call('revision', [...given], options);
  }

  /** The file of a revision that merges several heads into one. */
  async merge(
    revisions: readonly string[],
    { message = '', id, signal }: CallOptions & { readonly message?: string; readonly id?: string } = {},
  ): Promise<MigrationFile> {
    return this.#connection.call(
      'merge',
      [
        checkTexts(revisions, 'revisions'),
        checkText(message, 'message'),
        id === undefined ? undefined : checkText(id, 'id'),
      ],
      {
        signal,
      },
    );
  }

  /**
   * The file of one revision that replaces a line of them, from the one after `from` to `to`, whose id it keeps. It
   * takes the place of their files. A memory at a revision in between can then no longer be migrated.
   */
  async squash(
    from: string,
    to: string,
    { message = '', signal }: CallOptions & { readonly message?: string } = {},
  ): Promise<MigrationFile> {
    const given = [checkText(from, 'from'), checkText(to, 'to'), checkText(message, 'message')] as const;
    return this.#connection.call('squash', [...given], { signal });
  }
}

const REVISION: (keyof NewRevision)[] = [
  ...(['message', 'id', 'heads', 'splice', 'branchLabels', 'dependsOn', 'up', 'down'] as const),
  ...(['schema', 'renames', 'drops'] as const),
];

function renamesOf({ renames, drops }: SchemaRenames): WireRenames {
  return defined({
    renames: renames && checkTexts(renames, 'renames'),
    drops: drops && checkTexts(drops, 'drops'),
  });
}

function fromRevision(revision: WireRevision): RevisionInfo {
  return { ...revision, appliedAt: fromTime(revision) };
}

function fromTime({ appliedAt }: Pick<WireRevision, 'appliedAt'>): Date | null {
  return appliedAt === null ? null : toDate(appliedAt);
}

function isDown(direction: MigrationDirection | undefined): boolean {
  if (direction !== undefined && direction !== 'upgrade' && direction !== 'downgrade')
    throw invalidArgument("direction must be 'upgrade' or 'downgrade'.");
  return direction === 'downgrade';
}

function checkTexts(texts: readonly string[], name: string): string[] {
  if (!Array.isArray(texts)) throw invalidArgument(`${name} must be an array of strings.`);
  return texts.map((text: string) => checkText(text, name));
}
