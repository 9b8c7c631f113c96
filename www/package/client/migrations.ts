import { checkFields, checkText, defined } from '../wire/check.js';
import { toDate } from '../wire/codec.js';
import type { CallOptions, Connection } from '../link/connection.js';
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

/** One migration, and what the memory knows of it. */
export interface RevisionInfo extends Omit<WireRevision, 'appliedAt'> {
  /** When it was applied; null where it is not, or another program did it. */
  readonly appliedAt: Date | null;
}

/** What has become of an applied revision. */
export interface VerifiedRevision extends Omit<WireVerified, 'appliedAt'> {
  /** When it was applied; null where another program did it. */
  readonly appliedAt: Date | null;
}

/** What `plan` and `sql` may be told. */
export interface DirectionOptions extends CallOptions {
  /** Whether it is for `upgrade`, the default, or for `downgrade`. */
  readonly direction?: MigrationDirection | undefined;
}

/** What `stamp` may be told. */
export interface StampOptions extends CallOptions {
  /** Whether not to look at what the memory says now: the way out of a revision that nobody knows. */
  readonly purge?: boolean | undefined;
  /** Whether not to compare the schema with the revision first. */
  readonly force?: boolean | undefined;
}

/** What only the author of a schema knows: what became of a table or a column that is gone. */
export interface SchemaRenames extends WireRenames {}

/** A new revision; with a `schema` that declares all tables, both of its scripts are written. */
export interface NewRevision extends WireRevisionFile, SchemaRenames {
  /** A declared schema, as `CREATE` statements. */
  readonly schema?: string | undefined;
}

/** What `check` may be told. */
export interface CheckOptions extends CallOptions, SchemaRenames {}

/**
 * Where the schema is, and how to move it, in Alembic's words: `memory.migrations`.
 *
 * A revision is named by its id, a unique prefix of it (of four characters or more), or a symbol: `head`, `heads`,
 * `base`, `current`, `+1`, `-1`, `<id>+1`, `<label>@head`. One that means nothing rejects with `unknown_symbol`, one that
 * means several with `ambiguous_revision`. While the file is at a revision that nobody knows, calls reject with
 * `unknown_revision`; `stamp` with `purge` puts that right.
 *
 * @example
 * ```ts
 * const plan = await memory.migrations.plan('001', { direction: 'downgrade' });
 * console.log(plan.steps.map(({ title }) => title), plan.tables);
 * await memory.migrations.downgrade('001');
 * ```
 */
export class Migrations {
  readonly #connection: Connection;
  readonly #changed: () => Promise<unknown>;

  /** @internal */
  constructor(connection: Connection, changed: () => Promise<unknown>) {
    this.#connection = connection;
    this.#changed = changed;
  }

  /** The revisions the memory is at: one for each branch, none before the first. */
  async current(options?: CallOptions): Promise<string[]> {
    return (await this.#connection.call('schemaStatus', [], options)).revisions;
  }

  /**
   * The revisions, newest first.
   *
   * @param range - Which: `<from>:<to>`, `<from>:` or `:<to>`, ends included; all by default.
   */
  async history(range?: string, options?: CallOptions): Promise<RevisionInfo[]> {
    const given = range === undefined ? undefined : checkText(range, 'range');
    return (await this.#connection.call('history', [given], options)).map(fromRevision);
  }

  /** The revisions that none builds on: one for each branch. */
  async heads(options?: CallOptions): Promise<RevisionInfo[]> {
    return (await this.#connection.call('heads', [], options)).map(fromRevision);
  }

  /** The revisions that several build on. */
  async branches(options?: CallOptions): Promise<RevisionInfo[]> {
    return (await this.#connection.call('branches', [], options)).map(fromRevision);
  }

  /** The revisions that a symbol means. */
  async show(symbol: string, options?: CallOptions): Promise<RevisionInfo[]> {
    return (await this.#connection.call('show', [checkText(symbol, 'symbol')], options)).map(fromRevision);
  }

  /**
   * Takes the schema up, all or nothing, after a backup; resolves to the revisions applied.
   *
   * @param target - `heads` by default.
   */
  async upgrade(target = 'heads', options?: CallOptions): Promise<string[]> {
    const applied = await this.#connection.call('upgrade', [checkText(target, 'target')], options);
    await this.#changed();
    return applied;
  }

  /**
   * Takes the schema down, all or nothing, after a backup; resolves to the revisions taken back. What a revision added
   * goes with it: `base` drops every table, and their rows come back only by `backups.restore`, in a `memory:` not at
   * all. The next opening goes to head again.
   */
  async downgrade(target: string, options?: CallOptions): Promise<string[]> {
    const takenBack = await this.#connection.call('downgrade', [checkText(target, 'target')], options);
    await this.#changed();
    return takenBack;
  }

  /**
   * Takes a revision of the app back by the script it was applied from, and what builds on it, and applies them again by the
   * scripts they have now, all or nothing, after a backup; resolves to the revisions applied. For a migration that is still
   * being written: one that others have applied is corrected by a new revision. What it added goes with it.
   *
   * A memory with an edited revision opens with `Memory.open({ upgrade: false })` only.
   *
   * @param revision - The last one applied by default.
   */
  async redo(revision?: string, options?: CallOptions): Promise<string[]> {
    const given = revision === undefined ? undefined : checkText(revision, 'revision');
    const applied = await this.#connection.call('redo', [given], options);
    await this.#changed();
    return applied;
  }

  /**
   * What an upgrade, or a downgrade, would do: run on a copy in memory, so that it tells rows and time; the memory itself
   * is not touched. Rejects with what the run would reject with.
   */
  async plan(target = 'heads', { direction, signal }: DirectionOptions = {}): Promise<MigrationPlan> {
    return this.#connection.call('plan', [checkText(target, 'target'), isDown(direction)], { signal });
  }

  /**
   * The scripts from a revision to another as SQL for another program, without BEGIN and COMMIT; the memory is not looked
   * at. Alembic's `--sql`.
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
   * Writes down that the schema is at a revision, and changes nothing else. Rejects with `schema_mismatch`, saying what is
   * missing, where that is not true.
   */
  async stamp(target: string | readonly string[], { purge, force, signal }: StampOptions = {}): Promise<void> {
    const targets = typeof target === 'string' ? [checkText(target, 'target')] : checkTexts(target, 'target');
    await this.#connection.call('stamp', [targets, Boolean(purge), Boolean(force)], { signal });
    await this.#changed();
  }

  /** Makes Alembic's table `alembic_version` where it is missing. */
  async ensureVersion(options?: CallOptions): Promise<void> {
    await this.#connection.call('ensureVersion', [], options);
  }

  /** Every applied revision, and whether it is still what was applied. */
  async verify(options?: CallOptions): Promise<VerifiedRevision[]> {
    return (await this.#connection.call('verify', [], options)).map((row) => ({ ...row, appliedAt: fromTime(row) }));
  }

  /** Takes the present text of an applied revision for what was applied, where the change of it is meant. */
  async accept(revision: string, options?: CallOptions): Promise<void> {
    await this.#connection.call('accept', [checkText(revision, 'revision')], options);
  }

  /**
   * How a declared schema, as `CREATE` statements, differs from what the revisions make: Alembic's `check`. And, with or
   * without a schema, which of the app's revisions cannot be taken back and applied again. The rows and the file of this
   * memory have no part in it.
   */
  async check(schema?: string, { renames, drops, signal }: CheckOptions = {}): Promise<SchemaCheck> {
    const given = schema === undefined ? undefined : checkText(schema, 'schema');
    return this.#connection.call('check', [given, renamesOf({ renames, drops })], { signal });
  }

  /**
   * The file of a new revision, to be kept with the app's others; with a `schema` that declares all tables, its scripts are
   * written too, and it is null where there is no difference. Nothing is applied.
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

  /** The file of a revision that makes one head of several. */
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
   * The file of one revision that stands for a line of them, from the one after `from` to `to`, whose id it keeps. It
   * replaces their files; memories that are at a revision between can then no longer go on.
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
