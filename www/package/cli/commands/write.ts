// The commands that write migration files.
import { spawnSync } from 'node:child_process';
import type { Engine, MigrationFile } from '../../wasm/synth_memory.js';
import { CommandError, misused } from '../failures.js';
import { remove } from '../files.js';
import { MigrationFolder } from '../revisions.js';
import type { Session } from '../session.js';
import type { Answer } from '../terminal.js';
import { type Commands, flag, SYMBOLS, text, texts } from './command.js';
import { declaredSchema, renamesOf, SCHEMA } from './look.js';

const MESSAGE = text('text', 'what the revision does, in one line', 'm');
const ID = text('id', 'its id; twelve random hexadecimal digits by default');

async function write(session: Session, file: MigrationFile): Promise<Answer> {
  const path = (await session.folder()).add(file);
  return { value: { ...file, path }, text: path };
}

/**
 * What a new revision builds on by default: the head of the folder's own revisions, though the package has one of its own;
 * the first one is a base, as an app's tables stand beside the package's.
 */
function defaultHeads(engine: Engine, { all }: MigrationFolder): string[] {
  if (all.length === 0) return ['base'];
  const own = engine.heads().filter(({ id }) => all.some((file) => file.id === id));
  return own.length === 1 ? [own[0]!.id] : ['head'];
}

export const WRITE: Commands = {
  revision: {
    does: 'write the file of a new revision',
    more: `It builds on the head of the folder's own revisions; the first one is the base of a branch beside the package's and
depends on the newest of the package's revisions. With --autogenerate its scripts make what is declared and no revision makes. ${SYMBOLS}`,
    options: {
      message: MESSAGE,
      'rev-id': ID,
      head: texts('revision', 'what it builds on, base for a base of its own'),
      splice: flag('let it build on a revision that is no head'),
      'branch-label': texts('label', 'a name of the branch that it begins'),
      'depends-on': texts('revision', 'what else must be applied before it'),
      autogenerate: flag('write its scripts from the declared schema'),
      ...SCHEMA,
    },
    async run(session) {
      const { values } = session;
      const message = values.text('message');
      if (!message?.trim()) throw misused('revision needs -m "what it does".', 'See synth-memory help revision.');
      const isGenerated = values.flag('autogenerate');
      for (const name of Object.keys(SCHEMA))
        if (!isGenerated && (values.text(name) ?? values.texts(name)[0]) !== undefined)
          throw misused(`--${name} goes with --autogenerate.`);
      const folder = await session.folder(true);
      const engine = await session.graph();
      const heads = values.texts('head');
      const revision = {
        message,
        id: values.text('rev-id'),
        heads: heads.length > 0 ? heads : defaultHeads(engine, folder),
        splice: values.flag('splice'),
        branchLabels: values.texts('branch-label'),
        dependsOn: values.texts('depends-on'),
      };
      const schema = isGenerated ? declaredSchema(session) : undefined;
      const file = engine.revision(revision, schema, isGenerated ? renamesOf(session) : {});
      if (file) return write(session, file);
      return { value: null, news: 'No new upgrade operations detected; nothing was written.' };
    },
  },

  merge: {
    takes: '<revision>...',
    count: [1, Infinity],
    does: 'write the file of a revision that makes one head of several',
    more: `The package's own head is one of them if it is named by its id. ${SYMBOLS}`,
    options: { message: MESSAGE, 'rev-id': ID },
    async run(session) {
      const { values, positionals } = session;
      const engine = await session.graph();
      return write(session, engine.merge([...positionals], values.text('message') ?? '', values.text('rev-id')));
    },
  },

  squash: {
    takes: '<from>:<to>',
    count: [1, 1],
    does: 'write one revision for those after <from> up to <to>, whose id it keeps',
    more: `It takes their place, so their files have to go. A database at a revision between can then no longer go on.
${SYMBOLS}`,
    options: { message: MESSAGE, delete: flag('remove the files that it stands for') },
    async run(session) {
      const [from, to] = session.positionals[0]!.split(':', 2);
      if (!from || !to) throw misused('squash takes <from>:<to>.');
      const engine = await session.graph();
      const folder = await session.folder();
      const file = engine.squash(from, to, session.values.text('message') ?? '');
      const [, squashed = ''] = /^-- Squashes: (.*)$/m.exec(file.text) ?? [];
      const ids = squashed.split(', ');
      const bundled = engine.history().find(({ id }) => ids.includes(id) && !folder.of(id));
      if (bundled)
        throw new CommandError(
          'invalid_argument',
          `Revision ${bundled.id} (${bundled.file}) comes with the package.`,
          "Squash the app's own revisions only.",
        );
      const replaced = ids.map((id) => folder.of(id)?.path).filter((path) => path !== undefined);
      const path = folder.add(file);
      const isDone = session.values.flag('delete');
      if (isDone) for (const old of replaced) if (old !== path) remove(old);
      const news = isDone ? 'Removed' : 'It cannot stand beside those it is for. To be removed';
      return {
        value: { ...file, path, replaced, removed: isDone },
        text: path,
        news: `${news}:\n${replaced.map((old) => `  ${old}`).join('\n')}`,
      };
    },
  },

  edit: {
    takes: '<revision>',
    count: [1, 1],
    does: "open a revision's file in $VISUAL or $EDITOR",
    more: SYMBOLS,
    async run(session) {
      const symbol = session.positionals[0]!;
      const engine = await session.engineFor(symbol);
      const folder = await session.folder();
      const paths = engine.show(symbol).map(({ id, file }) => {
        const path = folder.of(id)?.path;
        if (path) return path;
        const message = `Revision ${id} (${file}) comes with the package and has no file in ${folder.path}.`;
        throw new CommandError('not_found', message, "Only the app's own revisions can be edited.");
      });
      if (paths.length === 0)
        throw new CommandError('not_found', `${symbol} is before the first revision.`, 'Name a revision.');
      const editor = process.env['VISUAL'] || process.env['EDITOR'];
      if (!editor)
        throw new CommandError('not_found', 'Neither $VISUAL nor $EDITOR names an editor.', 'Set one of them.');
      const isWindows = process.platform === 'win32';
      const quoted = paths.map((path) => (isWindows ? `"${path}"` : `'${path.replaceAll("'", "'\\''")}'`));
      // Through a shell, as what is named may have options: `code --wait`. With --json nothing else may stand on stdout.
      const stdout = session.terminal.manner.json ? 2 : 'inherit';
      const { status, signal } = spawnSync(`${editor} ${quoted.join(' ')}`, {
        shell: true,
        stdio: ['inherit', stdout, 'inherit'],
      });
      if (status !== 0)
        throw new CommandError(
          'edit_failed',
          `The editor ${editor} ended with ${signal ?? `exit code ${status}`}.`,
          'Check $VISUAL and $EDITOR.',
        );
      // What was written must still be a graph.
      await session.graph(await MigrationFolder.open(folder.path));
      return { value: { paths }, news: paths.map((path) => `Edited ${path}`).join('\n') };
    },
  },
};
