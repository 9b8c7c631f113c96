import type { Agent } from './agent.js';
import { confirmation } from './dialogs.js';
import { busy, byId, fill, make } from './dom.js';
import { bytes } from './format.js';
import { announce, attempt } from './notices.js';
import type { Session } from './session.js';

/** Synth Mind's own last revision. */
const SYNTH_MIND = '001';

/** The memory as a file: out and in. */
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
      `This file (${bytes(file.size)}) takes the place of the whole present memory.`,
      'The present memory is kept as a backup, which you can restore.',
    ],
    confirm: 'Import',
  });
  if (!agreed) return;
  await attempt(async () => {
    const { applied, leftOut } = await session.memory.import(file);
    agent.arrived(file.name);
    await session.shown();
    const migrated = applied.length > 0 ? ` and brought to revision ${applied.at(-1)}` : '';
    const without = leftOut.map(({ type, name }) => `the ${type} ${name}`).join(', ');
    const told = without ? ` Left out, as it would act in the memory: ${without}.` : '';
    announce(`Imported ${file.name}${migrated}.${told} What was there before is kept as a backup.`);
  });
}

async function exportFile({ memory }: Session): Promise<void> {
  const chosen = byId('export-revision', HTMLSelectElement).value;
  const content = await memory.export(chosen === '' ? {} : { revision: chosen });
  const url = URL.createObjectURL(new Blob([content], { type: 'application/vnd.sqlite3' }));
  const revision = chosen || (memory.status.revision ?? 'none');
  make('a', { href: url, download: `synth-memory-${revision}.db` }).click();
  // The browser has to have begun to read it.
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

/** A file may be let fall anywhere on the page. */
function acceptDrops(take: (file: File) => void): void {
  const hint = byId('drop-hint', HTMLElement);
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  // Each element that the file is dragged over is entered before the one around it is left.
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
