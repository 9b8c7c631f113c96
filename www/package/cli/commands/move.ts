// The commands that change the database.
import type { Engine } from '../../wasm/synth_memory.js';
import { CommandError, misused } from '../failures.js';
import { type Changed, isUnversioned, revisionsOf, type Session } from '../session.js';
import { table } from '../shown.js';
import type { Answer } from '../terminal.js';
import { CHANGES, type Commands, flag, SYMBOLS } from './command.js';

const SQL = { sql: flag('print the scripts, and change nothing') };

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
    changed && steps.length === 0 && `The database is at ${at(revisions)}; what was applied to it is written down.`,
    backup && terminal.faint(`What was there is kept as ${backup.id}`),
  ];
  return {
    value: { [word === 'upgrade' ? 'applied' : 'takenBack']: result, revisions, backup: backup?.id ?? null },
    news: lines.filter(Boolean).join('\n'),
  };
}

/** What a command that moves nothing has done. */
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
    does: 'take the database up to a revision, all or nothing',
    more: `A file with tables but without alembic_version is completed first, if its tables are those of a revision; that goes
with head and heads. With --sql, <from>:<to> begins elsewhere than at the base.
${SYMBOLS}`,
    options: {
      ...SQL,
      'downgrade-newer': flag('first take back what no file here has, by the scripts kept in the database; with heads'),
      ...CHANGES,
    },
    async run(session) {
      const target = session.positionals[0]!;
      const isToHead = ['head', 'heads'].includes(target);
      const downgradesNewer = session.values.flag('downgrade-newer');
      if (downgradesNewer && !isToHead) throw misused('--downgrade-newer goes with heads.');
      if (session.values.flag('sql')) {
        const [from, to] = target.includes(':') ? target.split(':', 2) : ['', target];
        const sql = (await session.graph()).sql(from || 'base', to || 'heads', false);
        return { value: { sql }, text: sql };
      }
      const graph = await session.graph();
      const done = await session.change(async (engine, toHead) => {
        if (!isToHead || !(downgradesNewer || isUnversioned(engine))) return engine.upgrade(target);
        // Whether it means one.
        graph.show(target);
        return (await toHead(downgradesNewer ? 'downgrade' : 'error')).schemaStatus().migrated;
      });
      return moved(session, 'upgrade', graph, done);
    },
  },

  downgrade: {
    takes: '<revision>',
    count: [1, 1],
    does: 'take the database down to a revision, which stays applied',
    more: `What a revision added goes with it; \`restore\` brings it back. --sql takes <from>:<to>.
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
    does: 'take a revision of the app back as it was applied, and apply it again as it is now',
    more: `The last one applied by default; what builds on it is redone too. For a migration that only this database has: one
that others have applied is corrected by a new revision. What it added goes with it; \`restore\` brings it back. ${SYMBOLS}`,
    options: CHANGES,
    async run(session) {
      const done = await session.change((engine) => engine.redo(session.positionals[0]));
      return moved(session, 'upgrade', await session.graph(), done);
    },
  },

  stamp: {
    takes: '<revision>...',
    count: [1, Infinity],
    does: 'write down that the database is at revisions, and change nothing else',
    more: `Fails, saying what is missing, where that is not so. ${SYMBOLS}`,
    options: {
      purge: flag('do not look at what it says now'),
      force: flag('do not look whether it is so'),
      ...CHANGES,
    },
    async run(session) {
      const { values, positionals } = session;
      const done = await session.change((engine) => {
        // A file that says nothing has nothing to be purged.
        const purge = values.flag('purge') || isUnversioned(engine);
        engine.stamp([...positionals], purge, values.flag('force'));
      });
      return noted(`The database is stamped as at ${at(done.revisions)}.`, done);
    },
  },

  'ensure-version': {
    does: 'make the table alembic_version where it is missing',
    options: CHANGES,
    async run(session) {
      return noted('The table alembic_version is made.', await session.change((engine) => void engine.ensureVersion()));
    },
  },

  accept: {
    takes: '<revision>',
    count: [1, 1],
    does: 'take the present text of an applied revision for what was applied',
    more: SYMBOLS,
    options: CHANGES,
    async run(session) {
      const symbol = session.positionals[0]!;
      return noted(`${symbol} is accepted as it is.`, await session.change((engine) => void engine.accept(symbol)));
    },
  },

  backup: {
    does: 'keep a verified copy beside the database',
    options: { keep: CHANGES['keep']! },
    async run(session) {
      const { bytes } = session.database.read();
      if (bytes.length === 0)
        throw new CommandError('not_found', `There is no database at ${session.database.path}.`, 'Check --url.');
      const engine = await session.engine(bytes);
      const backup = session.backups.take(bytes, revisionsOf(engine));
      session.backups.prune();
      return { value: backup, text: backup.id };
    },
  },

  backups: {
    does: 'list the copies beside the database, newest first',
    run(session) {
      const { backups } = session;
      const all = backups.list();
      // Of a database that is gone they are the way back.
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
    does: 'put a backup in the place of the database, as it is',
    more: 'What is there is kept as a backup in its turn.',
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
        news: `The database is at ${at(revisions)}, as in ${id}.${backup ? `\nWhat was there is kept as ${backup.id}` : ''}`,
      };
    },
  },
};

/** Where a file is that is to be replaced; it may be that because it is damaged. */
async function placeOf(session: Session, bytes: Uint8Array<ArrayBuffer>): Promise<string[]> {
  try {
    return revisionsOf(await session.engine(bytes));
  } catch {
    return ['damaged'];
  }
}
