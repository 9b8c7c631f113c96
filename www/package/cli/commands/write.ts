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
const ID = text('id', 'its id (default: twelve random hexadecimal digits)');

async function write(session: Session, file: MigrationFile): Promise<Answer> {
  const path = (await session.folder()).add(file);
  return { value: { ...file, path }, text: path };
}

/**
 * The revision that a new one builds on by default: the head of the folder's own revisions, even if the package has
 * another head. The first one is a base, because an app's revisions are a branch next to the package's.
 */
function defaultHeads(engine: Engine, { all }: MigrationFolder): string[] {
  if (all.length === 0) return ['base'];
  const own = engine.heads().filter(({ id }) => all.some((file) => file.id === id));
  return own.length === 1 ? [own[0]!.id] : ['head'];
}

export const WRITE: Commands = {
  revision: {
    does: 'write the file of a new revision',
    more: `It builds on the head of the folder's own revisions. The first one is the base of a branch next to the package's
and depends on the newest of the package's revisions. With --autogenerate, its scripts change the schema that the
revisions make into the declared one. ${SYMBOLS}`,
    options: {
      message: MESSAGE,
      'rev-id': ID,
      head: texts('revision', 'the revision that it builds on; base for a new branch'),
      splice: flag('allow it to build on a revision that is not a head'),
      'branch-label': texts('label', 'a name for the branch that it begins'),
      'depends-on': texts('revision', 'another revision that must be applied before it'),
      autogenerate: flag('write its scripts from the declared schema'),
      ...SCHEMA,
    },
    async run(session) {
      const { values } = session;
      const message = values.text('message');
      if (!message?.trim()) throw misused('revision requires -m "what it does".', 'See synth-memory help revision.');
      const isGenerated = values.flag('autogenerate');
      for (const name of Object.keys(SCHEMA))
        if (!isGenerated && (values.text(name) ?? values.texts(name)[0]) !== undefined)
          throw misused(`--${name} requires --autogenerate.`);
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
    does: 'write the file of a revision that merges several heads into one',
    more: `The package's own head is merged only if it is named by its id. ${SYMBOLS}`,
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
    does: 'write one revision that replaces those after <from> up to <to>, and keeps the id of <to>',
    more: `The replaced files must be removed. A database at a revision between <from> and <to> can then no longer be migrated.
${SYMBOLS}`,
    options: { message: MESSAGE, delete: flag('remove the files that it replaces') },
    async run(session) {
      const [from, to] = session.positionals[0]!.split(':', 2);
      if (!from || !to) throw misused('squash requires <from>:<to>.');
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
      const news = isDone ? 'Removed' : 'It cannot be used together with the files that it replaces. Remove them';
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
      // Through a shell, because the variable can hold options: `code --wait`. With --json, stdout is for JSON only.
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
      // Throws if the edited files are no longer a valid graph.
      await session.graph(await MigrationFolder.open(folder.path));
      return { value: { paths }, news: paths.map((path) => `Edited ${path}`).join('\n') };
    },
  },
};
