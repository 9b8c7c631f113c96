import type { MemoryStatus, MigrationDirection } from '../package/index.js';
import { confirmation } from './dialogs.js';
import { busy, byId, fill, make } from './dom.js';
import { aboutMigrations } from './example.js';
import { listed, plural } from './format.js';
import { layOut } from './graph.js';
import { announce, attempt } from './notices.js';
import { proposeRun } from './plan.js';
import { revisionItem, strangerItem, type RevisionActions } from './revision-item.js';
import type { Session } from './session.js';

/** Shows the revisions as a graph, the revision of the file, and the ways to upgrade and downgrade. */
export function showMigrations(session: Session): void {
  const { memory } = session;
  const list = byId('revisions', HTMLElement);
  const where = byId('migrations-where', HTMLElement);
  const upgradeAll = byId('upgrade-all', HTMLButtonElement);
  const downgradeAll = byId('downgrade-all', HTMLButtonElement);
  const unfolded = new Set<string>();

  const refresh = async () => {
    const [history, verified] = await Promise.all([memory.migrations.history(), memory.migrations.verify()]);
    const { rows, lanes } = layOut(history);
    const missing = history.filter(({ isApplied }) => !isApplied).length;
    fill(where, whereItIs(memory.status, missing));
    upgradeAll.disabled = missing === 0 || memory.status.readOnly;
    downgradeAll.disabled = missing === history.length || memory.status.readOnly;
    fill(
      list,
      ...verified.filter(({ standing }) => standing === 'unknown').map(strangerItem),
      ...rows.map((row) => {
        const { id } = row.revision;
        const standing = verified.find(({ revision }) => revision === id);
        return revisionItem(row, lanes, standing, unfolded.has(id), actions);
      }),
    );
  };

  const run = (direction: MigrationDirection, target: string) =>
    attempt(async () => {
      if (!(await proposeRun(session, direction, target))) return;
      await session.shown();
      announce(`Now at ${memory.status.revision ?? 'base'}; a backup was made.`);
      const button = direction === 'upgrade' ? upgradeAll : downgradeAll;
      const [id = target] = target.split('@');
      focusOn(list.querySelector(`[data-revision="${CSS.escape(id)}"] button`) ?? button);
    });

  const actions: RevisionActions = {
    upgrade: (id) => run('upgrade', id),
    downgrade: (id) => run('downgrade', id),
    accept: async (id) => {
      const question = {
        title: `Accept the edited ${id}?`,
        text: [
          'Its current text then counts as the text that was applied. Nothing is run, so accept it only if the edit leaves the schema the same.',
        ],
        confirm: 'Accept',
      };
      if (!(await confirmation(question))) return;
      await attempt(async () => {
        await memory.migrations.accept(id);
        await refresh();
        announce(`Accepted ${id} as it is now.`);
        focusOn(list.querySelector(`[data-revision="${CSS.escape(id)}"] button`));
      });
    },
    unfolded: (id, isOpen) => void (isOpen ? unfolded.add(id) : unfolded.delete(id)),
  };

  upgradeAll.addEventListener('click', () => void busy(upgradeAll, () => run('upgrade', 'heads')));
  downgradeAll.addEventListener('click', () => void busy(downgradeAll, () => run('downgrade', 'base')));
  fill(byId('migrations-about', HTMLElement), ...aboutMigrations());
  session.onChange((change) => (change === 'replaced' ? refresh() : undefined));
  void attempt(refresh);
}

function whereItIs({ revisions, readOnly }: MemoryStatus, missing: number): HTMLElement {
  const named = revisions.length > 0 ? `The file is at ${listed(revisions)}` : 'The file is at base: it has no tables';
  const rest = readOnly
    ? 'newer than this page, and therefore read-only'
    : missing === 0
      ? 'with every revision applied'
      : `${plural(missing, 'revision')} not applied`;
  return make('span', {}, make('strong', {}, named), `, ${rest}.`);
}

/** Moves the focus: the refresh removed the element that had it, or disabled its button. */
function focusOn(element: Element | null): void {
  if (element instanceof HTMLButtonElement && !element.disabled) element.focus();
  else byId('migrations-title', HTMLElement).focus();
}
