import type { Agent } from './agent.js';
import { confirmation } from './dialogs.js';
import { busy, byId, fill, make } from './dom.js';
import { bytes } from './format.js';
import { announce, attempt } from './notices.js';
import type { Session } from './session.js';

/** The last revision that Synth Mind knows. */
const SYNTH_MIND = '001';

/** Exports the memory as a file, and imports one. */
export function showTransfer(session: Session, agent: Agent): void {
  const input = byId('import-file', HTMLInputElement);
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    // Otherwise choosing the same file again would change nothing.
    input.value = '';
    if (file) void importFile(session, agent, file);
  });
  const button = byId('export', HTMLButtonElement);
  button.addEventListener('click', () => void busy(button, () => attempt(() => exportFile(session))));
  acceptDrops((file) => void importFile(session, agent, file));

  const refresh = () => offerRevisions(session);
  session.onChange((change) => (change === 'replaced' ? refresh() : undefined));
  void attempt(refresh);
}

async function importFile(session: Session, agent: Agent, file: File): Promise<void> {
  const agreed = await confirmation({
    title: `Import ${file.name}?`,
    text: [
      `This file (${bytes(file.size)}) replaces the whole current memory.`,
      'The current memory is kept as a backup, which you can restore.',
    ],
    confirm: 'Import',
  });
  if (!agreed) return;
  await attempt(async () => {
    const { applied, leftOut } = await session.memory.import(file);
    agent.arrived(file.name);
    await session.shown();
    const migrated = applied.length > 0 ? ` and migrated to revision ${applied.at(-1)}` : '';
    const without = leftOut.map(({ type, name }) => `the ${type} ${name}`).join(', ');
    const told = without ? ` Left out, because it would act in the memory: ${without}.` : '';
    announce(`Imported ${file.name}${migrated}.${told} The previous memory is kept as a backup.`);
  });
}

async function exportFile({ memory }: Session): Promise<void> {
  const chosen = byId('export-revision', HTMLSelectElement).value;
  const content = await memory.export(chosen === '' ? {} : { revision: chosen });
  const url = URL.createObjectURL(new Blob([content], { type: 'application/vnd.sqlite3' }));
  const revision = chosen || (memory.status.revision ?? 'none');
  make('a', { href: url, download: `synth-memory-${revision}.db` }).click();
  // By then the browser has begun to read it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  announce(`Exported ${bytes(content.byteLength)} at revision ${revision}.`);
}

async function offerRevisions({ memory }: Session): Promise<void> {
  const select = byId('export-revision', HTMLSelectElement);
  const chosen = select.value;
  const history = await memory.migrations.history();
  const others = history.filter(({ isCurrent }) => !isCurrent);
  fill(
    select,
    make('option', { value: '' }, `current (${memory.status.revision ?? 'none'})`),
    ...others.map(({ id, title }) =>
      make('option', { value: id }, id === SYNTH_MIND ? `${id}, for Synth Mind` : `${id}, ${title}`),
    ),
  );
  select.value = others.some(({ id }) => id === chosen) ? chosen : '';
}

/** Accepts a file that is dropped anywhere on the page. */
function acceptDrops(take: (file: File) => void): void {
  const hint = byId('drop-hint', HTMLElement);
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  // The browser reports that a file enters an element before it reports that the file leaves the previous one.
  let depth = 0;
  const show = (entered: number) => {
    depth = Math.max(0, entered);
    hint.hidden = depth === 0;
  };
  document.addEventListener('dragenter', (event) => hasFiles(event) && show(depth + 1));
  document.addEventListener('dragleave', (event) => hasFiles(event) && show(depth - 1));
  document.addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault());
  document.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    show(0);
    const [file] = event.dataTransfer?.files ?? [];
    if (file && !byId('dialog', HTMLDialogElement).open) take(file);
  });
}
