// The commands that change the database.
import type { Engine } from '../../wasm/synth_memory.js';
import { CommandError, misused } from '../failures.js';
import { type Changed, isUnversioned, revisionsOf, type Session } from '../session.js';
import { table } from '../shown.js';
import type { Answer } from '../terminal.js';
import { CHANGES, type Commands, flag, SYMBOLS } from './command.js';

const SQL = { sql: flag('print the SQL scripts and change nothing') };

const at = (revisions: readonly string[]) => revisions.join(', ') || 'its base';

function moved(
  { terminal }: Session,
  word: string,
  graph: Engine,
  { result, revisions, backup, changed }: Changed<string[]>,
): Answer {
  const titles = new Map(graph.history().map(({ id, title }) => [id, title]));
  const steps = result.map((id) => [word, id, titles.get(id) ?? '']);
  const lines = [
    steps.length > 0 && table(steps),
    !changed && `Nothing to do: the database is at ${at(revisions)}.`,
    changed && steps.length === 0 && `The database is at ${at(revisions)}; its applied revisions are now recorded.`,
    backup && terminal.faint(`The previous file is kept as ${backup.id}`),
  ];
  return {
    value: { [word === 'upgrade' ? 'applied' : 'takenBack']: result, revisions, backup: backup?.id ?? null },
    news: lines.filter(Boolean).join('\n'),
  };
}

/** The answer of a command that runs no migration. */
function noted(what: string, { revisions, backup, changed }: Changed<unknown>): Answer {
  return {
    value: { changed, revisions, backup: backup?.id ?? null },
    news: changed ? what : 'Nothing to do.',
  };
}

export const MOVE: Commands = {
  upgrade: {
    takes: '<revision>',
    count: [1, 1],
    does: 'upgrade the database to a revision, all or nothing',
    more: `With head and heads, a file that has tables but no alembic_version is adopted first, if its tables match a
revision; --downgrade-newer requires one of the two. With --sql, <from>:<to> begins at <from> instead of the base.
${SYMBOLS}`,
    options: {
      ...SQL,
      'downgrade-newer': flag('first downgrade revisions without a file, by the scripts in the database'),
      ...CHANGES,
    },
    async run(session) {
      const target = session.positionals[0]!;
      const isToHead = ['head', 'heads'].includes(target);
      const downgradesNewer = session.values.flag('downgrade-newer');
      if (downgradesNewer && !isToHead) throw misused('--downgrade-newer requires the revision head or heads.');
      if (session.values.flag('sql')) {
        const [from, to] = target.includes(':') ? target.split(':', 2) : ['', target];
        const sql = (await session.graph()).sql(from || 'base', to || 'heads', false);
        return { value: { sql }, text: sql };
      }
      const graph = await session.graph();
      const done = await session.change(async (engine, toHead) => {
        if (!isToHead || !(downgradesNewer || isUnversioned(engine))) return engine.upgrade(target);
        // Throws if it means several heads.
        graph.show(target);
        return (await toHead(downgradesNewer ? 'downgrade' : 'error')).schemaStatus().migrated;
      });
      return moved(session, 'upgrade', graph, done);
    },
  },

  downgrade: {
    takes: '<revision>',
    count: [1, 1],
    does: 'downgrade the database to a revision, which stays applied',
    more: `This drops what the downgraded revisions added; \`restore\` brings it back. With --sql, it takes <from>:<to>.
${SYMBOLS}`,
    options: { ...SQL, ...CHANGES },
    async run(session) {
      const target = session.positionals[0]!;
      if (session.values.flag('sql')) {
        const [from, to] = target.split(':', 2);
        if (!from || !to) throw misused('downgrade with --sql requires <from>:<to>.');
        const sql = (await session.graph()).sql(from, to, true);
        return { value: { sql }, text: sql };
      }
      const done = await session.change((engine) => engine.downgrade(target));
      return moved(session, 'downgrade', await session.graph(), done);
    },
  },

  redo: {
    takes: '[<revision>]',
    count: [0, 1],
    does: 'downgrade a revision of the app as it was applied, and apply it again as it is now',
    more: `The default is the last applied revision. Revisions that build on it are redone too. Use it only if no one else
has applied the revision; otherwise correct it with a new revision. It drops what the revision added; \`restore\` brings
that back. ${SYMBOLS}`,
    options: CHANGES,
    async run(session) {
      const done = await session.change((engine) => engine.redo(session.positionals[0]));
      return moved(session, 'upgrade', await session.graph(), done);
    },
  },

  stamp: {
    takes: '<revision>...',
    count: [1, Infinity],
    does: 'record that the database is at these revisions, and change nothing else',
    more: `Fails and lists what is missing if the schema does not match them. ${SYMBOLS}`,
    options: {
      purge: flag('ignore the revisions that are recorded now'),
      force: flag('do not compare the schema'),
      ...CHANGES,
    },
    async run(session) {
      const { values, positionals } = session;
      const done = await session.change((engine) => {
        // A file without alembic_version records no revisions to respect.
        const purge = values.flag('purge') || isUnversioned(engine);
        engine.stamp([...positionals], purge, values.flag('force'));
      });
      return noted(`The database is now stamped at ${at(done.revisions)}.`, done);
    },
  },

  'ensure-version': {
    does: 'create the table alembic_version if it is missing',
    options: CHANGES,
    async run(session) {
      return noted('Created the table alembic_version.', await session.change((engine) => void engine.ensureVersion()));
    },
  },

  accept: {
    takes: '<revision>',
    count: [1, 1],
    does: 'record the current text of an applied revision as the one that was applied',
    more: SYMBOLS,
    options: CHANGES,
    async run(session) {
      const symbol = session.positionals[0]!;
      return noted(`${symbol} is accepted as it is.`, await session.change((engine) => void engine.accept(symbol)));
    },
  },

  backup: {
    does: 'write a verified copy next to the database',
    options: { keep: CHANGES['keep']! },
    async run(session) {
      const { bytes } = session.database.read();
      if (bytes.length === 0)
        throw new CommandError('not_found', `There is no database at ${session.database.path}.`, 'Check --url.');
      const engine = await session.engine(bytes);
      const backup = session.backups.take(bytes, revisionsOf(engine));
      await session.backups.prune();
      return { value: backup, text: backup.id };
    },
  },

  backups: {
    does: 'list the copies next to the database, newest first',
    run(session) {
      const { backups } = session;
      const all = backups.list();
      // With backups, a missing database is no error: they can restore it.
      if (all.length === 0) session.readNamed();
      const rows = all.map(({ id, createdAt, revisions, bytes }) => [
        id,
        createdAt.toISOString(),
        at(revisions),
        `${bytes} bytes`,
      ]);
      return { value: all, text: table(rows) };
    },
  },

  restore: {
    takes: '<id>',
    count: [1, 1],
    does: 'replace the database with a backup, without an upgrade',
    more: 'The replaced file is kept as a backup too.',
    options: CHANGES,
    async run(session) {
      const id = session.positionals[0]!;
      const bytes = session.backups.read(id);
      const engine = await session.engine(bytes);
      const revisions = revisionsOf(engine);
      const backup = await session.alone(async () => {
        const was = session.database.read();
        return session.replace(was, bytes, await placeOf(session, was.bytes));
      });
      return {
        value: { revisions, backup: backup?.id ?? null },
        news: `The database is at ${at(revisions)}, as in ${id}.${backup ? `\nThe previous file is kept as ${backup.id}` : ''}`,
      };
    },
  },
};

/** The revisions of a file that is about to be replaced, perhaps because it is damaged. */
async function placeOf(session: Session, bytes: Uint8Array<ArrayBuffer>): Promise<string[]> {
  try {
    return revisionsOf(await session.engine(bytes));
  } catch {
    return ['damaged'];
  }
}
