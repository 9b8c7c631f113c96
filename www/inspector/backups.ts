import type { Backup } from '../package/index.js';
import { confirmation } from './dialogs.js';
import { busy, byId, fill, make } from './dom.js';
import { plural } from './format.js';
import { announce, attempt } from './notices.js';
import { timeElement } from './rows.js';
import type { Session } from './session.js';

/** Makes, lists and restores the backups that are stored next to the memory. */
export function showBackups(session: Session): void {
  const { memory } = session;
  const list = byId('backups', HTMLElement);
  const button = byId('back-up', HTMLButtonElement);

  const refresh = async () => {
    const backups = await memory.backups.list();
    const none = make('li', { class: 'row-none' }, 'None yet.');
    fill(list, ...(backups.length > 0 ? backups.map((backup) => backupItem(session, backup)) : [none]));
  };
  button.addEventListener('click', () => {
    void busy(button, () =>
      attempt(async () => {
        const { revision } = await memory.backups.create();
        await refresh();
        announce(`Backed up at revision ${revision ?? 'none'}.`);
      }),
    );
  });
  session.onChange((change) => (change === 'replaced' ? refresh() : undefined));
  void attempt(refresh);
}

function backupItem(session: Session, { id, createdAt, revision }: Backup): HTMLElement {
  return make(
    'li',
    { class: 'backup' },
    make('div', {}, timeElement(createdAt), make('span', { class: 'tag' }, `revision ${revision ?? 'none'}`)),
    make(
      'button',
      { type: 'button', 'aria-label': `Restore the backup ${id}`, onclick: () => void restore(session, id) },
      'Restore',
    ),
  );
}

async function restore(session: Session, id: string): Promise<void> {
  const agreed = await confirmation({
    title: 'Restore this backup?',
    text: ['It replaces the whole current memory.', 'The current memory is kept as a backup, too.'],
    confirm: 'Restore',
  });
  if (!agreed) return;
  await attempt(async () => {
    const { applied } = await session.memory.backups.restore(id);
    await session.shown();
    announce(`Restored. ${applied.length > 0 ? `${plural(applied.length, 'migration')} applied.` : ''}`);
  });
}
