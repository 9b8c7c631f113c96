// The commands that change nothing.
import { existsSync, readFileSync } from 'node:fs';
import type { RevisionInfo, SchemaCheck } from '../../wasm/synth_memory.js';
import { FAILED, fromSystem, OK } from '../failures.js';
import { countsFromFile, isUnversioned, type Session } from '../session.js';
import { brief, entry, lineOf, type Marks, table, toIso, toJson } from '../shown.js';
import type { Answer } from '../terminal.js';
import { type Commands, flag, SYMBOLS, text, texts } from './command.js';

const VERBOSE = { verbose: flag('show all details', 'v') };

async function tell(
  session: Session,
  revisions: readonly RevisionInfo[],
  show: (revision: RevisionInfo) => string,
  marks: Marks = {},
): Promise<Answer> {
  const folder = await session.folder();
  const verbose = session.values.flag('verbose');
  const shown = (revision: RevisionInfo) =>
    verbose ? entry(revision, session.terminal, folder, marks) : show(revision);
  return {
    value: revisions.map((revision) => toJson(revision, folder, marks.current ?? false)),
    text: revisions.map(shown).join('\n'),
  };
}

const SCHEMA_FILE = 'schema.sql';

/** The declared schema, read from the file that `--schema` names. */
export function declaredSchema(session: Session): string {
  const path = session.values.text('schema') ?? SCHEMA_FILE;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fromSystem(error, `Reading the declared schema ${path}`);
  }
}

export const SCHEMA = {
  schema: text('file', 'the declared schema, as CREATE statements (default: schema.sql)'),
  rename: texts('old:new', 'a renamed table or, as table.old:table.new, a renamed column'),
  drop: texts('name', 'a dropped table or, as table.column, a dropped column'),
};

export const renamesOf = ({ values }: Session) => ({ renames: values.texts('rename'), drops: values.texts('drop') });

function differences({ operations, questions, failures }: SchemaCheck): string {
  const lines = (title: string, all: readonly string[]) =>
    all.length > 0 ? [title, ...all.map((line) => `  ${line}`)] : [];
  return [
    ...lines('New upgrade operations detected:', operations),
    ...lines('Questions to answer:', questions),
    ...lines('Revisions that fail:', failures),
  ].join('\n');
}

const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
const inMs = (seconds: number) => `${(seconds * 1000).toFixed(0)} ms`;

export const LOOK: Commands = {
  current: {
    does: 'show the revisions that the database is at',
    more: 'Prints nothing if the database is at its base, or if the default database does not exist.',
    options: {
      'check-heads': flag('fail unless all heads are applied', 'c'),
      ...VERBOSE,
    },
    async run(session) {
      const { values, terminal } = session;
      const engine = await session.engine(session.readNamed());
      const graph = await session.graph();
      const known = new Map(graph.history().map((revision) => [revision.id, revision]));
      const isForeign = isUnversioned(engine);
      const { heads } = graph.schemaStatus();
      const revisions = isForeign ? [] : engine.schemaStatus().revisions;
      const folder = await session.folder();
      const verbose = values.flag('verbose');
      const lines = revisions.map((id) => {
        const revision = known.get(id);
        if (!revision) return `${terminal.strong(id)} (not known here)`;
        return verbose ? entry(revision, terminal, folder, {}) : brief(revision, terminal, { tree: false });
      });
      if (verbose) lines.unshift(`Current revision(s) for ${session.url}:`);
      const atHeads = !isForeign && revisions.join() === heads.join();
      const isBehind = values.flag('check-heads') && !atHeads;
      const news = [
        isForeign && 'The database has tables but no alembic_version.',
        isBehind && `Database is not on all head revisions: ${heads.join(', ')}.`,
      ];
      return {
        value: { revisions, heads, atHeads },
        text: lines.join('\n'),
        news: news.filter(Boolean).join('\n'),
        status: isBehind ? FAILED : OK,
      };
    },
  },

  history: {
    does: 'list the revisions, newest first',
    options: {
      'rev-range': text('a:b', 'only the revisions from a to b, both included; one side may be empty', 'r'),
      'indicate-current': flag('mark the revisions that the database is at', 'i'),
      ...VERBOSE,
    },
    async run(session) {
      const range = session.values.text('rev-range');
      const current = session.values.flag('indicate-current') || countsFromFile(range ?? '');
      const engine = await (current ? session.engine() : session.graph());
      const marks = { current };
      return tell(session, engine.history(range), (revision) => lineOf(revision, session.terminal, marks), marks);
    },
  },

  heads: {
    does: 'list the revisions that no other builds on',
    options: VERBOSE,
    async run(session) {
      const heads = (await session.graph()).heads();
      return tell(session, heads, (revision) => brief(revision, session.terminal, { tree: false }));
    },
  },

  branches: {
    does: 'list the revisions that several others build on',
    options: VERBOSE,
    async run(session) {
      const engine = await session.graph();
      const known = new Map(engine.history().map((revision) => [revision.id, revision]));
      const { terminal } = session;
      const points = engine.branches();
      const folder = await session.folder();
      const verbose = session.values.flag('verbose');
      const shown = points.map((point) => {
        const into = point.children.map((id) => known.get(id)).filter((child) => child !== undefined);
        const indent = ' '.repeat(point.id.length);
        const lines = into.map((child) => `${indent} -> ${brief(child, terminal)}${verbose ? `, ${child.title}` : ''}`);
        return [verbose ? entry(point, terminal, folder, {}) : brief(point, terminal), ...lines].join('\n');
      });
      return { value: points.map((point) => toJson(point, folder, false)), text: shown.join('\n') };
    },
  },

  show: {
    takes: '<revision>',
    count: [1, 1],
    does: 'show all details of a revision',
    more: SYMBOLS,
    async run(session) {
      const symbol = session.positionals[0]!;
      const current = countsFromFile(symbol);
      const engine = await session.engineFor(symbol);
      const folder = await session.folder();
      const found = engine.show(symbol);
      return {
        value: found.map((revision) => toJson(revision, folder, current)),
        text: found.map((revision) => entry(revision, session.terminal, folder, { current })).join('\n'),
      };
    },
  },

  plan: {
    takes: '[<revision>]',
    count: [0, 1],
    does: 'run an upgrade on a copy in memory and report steps, rows and time',
    more: `The default revision is heads, or -1 with --down. ${SYMBOLS}`,
    options: { down: flag('run a downgrade instead') },
    async run(session) {
      const down = session.values.flag('down');
      const engine = await session.engine();
      const plan = engine.plan(session.positionals[0] ?? (down ? '-1' : 'heads'), down);
      const steps = plan.steps.map(({ direction, revision, title, duration }) => [
        direction,
        revision,
        title,
        inMs(duration),
      ]);
      const rows = (count: number | null) => (count === null ? '-' : String(count));
      const changed = plan.tables.filter(({ before, after }) => before !== after);
      const unchanged = plan.tables.length - changed.length;
      const tables = changed.map(({ table: name, before, after }) => [name, `${rows(before)} -> ${rows(after)} rows`]);
      const lines = [
        steps.length > 0 ? table(steps) : 'Nothing to do.',
        tables.length > 0 && `\n${table(tables)}`,
        steps.length > 0 && unchanged > 0 && `${plural(unchanged, 'table')} with as many rows as before`,
        steps.length > 0 && `${inMs(plan.duration)} in all`,
      ];
      return { value: plan, text: lines.filter(Boolean).join('\n') };
    },
  },

  verify: {
    does: 'compare the revisions with the texts that were applied',
    more: 'Fails if a revision was edited after it was applied.',
    async run(session) {
      const all = (await session.engine(session.readNamed())).verify();
      const edited = all.filter(({ standing }) => standing === 'edited').map(({ revision }) => revision);
      const rows = all.map(({ revision, standing, file, appliedAt }) => [
        revision,
        standing,
        toIso(appliedAt) ?? '-',
        file ?? '',
      ]);
      return {
        value: all.map((one) => ({ ...one, appliedAt: toIso(one.appliedAt) })),
        text: table(rows),
        news: edited.length > 0 ? `Edited after it was applied: ${edited.join(', ')}.` : '',
        status: edited.length > 0 ? FAILED : OK,
      };
    },
  },

  check: {
    does: 'compare the declared schema with the schema that the revisions make, and try each revision',
    more: `Fails if the schemas differ, or if one of the app's revisions cannot be applied, downgraded exactly and applied
again. This is tried in memory, on tables without rows; the database is not read. Without --schema and schema.sql, only
the revisions are tried.`,
    options: SCHEMA,
    async run(session) {
      const { own } = await session.folder();
      const isDeclared = session.values.text('schema') !== undefined || existsSync(SCHEMA_FILE) || own.length === 0;
      const schema = isDeclared ? declaredSchema(session) : undefined;
      const found = (await session.graph()).check(schema, renamesOf(session));
      const isSame = [found.operations, found.questions, found.failures].every((all) => all.length === 0);
      return {
        value: found,
        text: isSame ? '' : differences(found),
        news: !isSame ? '' : isDeclared ? 'No new upgrade operations detected.' : 'All revisions can be downgraded.',
        status: isSame ? OK : FAILED,
      };
    },
  },
};
