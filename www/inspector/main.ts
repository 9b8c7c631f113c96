import { Memory } from '../package/index.js';
import { showBackups } from './backups.js';
import { showChat } from './chat.js';
import { ClientWatch } from './clients.js';
import { busy, byId } from './dom.js';
import { exampleOptions } from './example.js';
import { showMigrations } from './migrations.js';
import { explain } from './notices.js';
import { showRecall } from './recall-view.js';
import { keepTimes } from './rows.js';
import { Session } from './session.js';
import { showSharing } from './sharing.js';
import { showSql } from './sql.js';
import { showStatus } from './status.js';
import { showTables } from './tables.js';
import { connectThemeToggle } from './theme.js';
import { showTransfer } from './transfer.js';

type Part = 'opening' | 'failure' | 'inspector';

/** Shows one of the three states of the page: opening, failed or open. */
function showPart(part: Part): void {
  for (const id of ['opening', 'failure', 'inspector'] satisfies Part[]) byId(id, HTMLElement).hidden = id !== part;
  for (const id of ['to-tables', 'contents']) byId(id, HTMLElement).hidden = part !== 'inspector';
}

async function start(): Promise<void> {
  let memory: Memory;
  let session: Session | undefined;
  const options = exampleOptions();
  try {
    memory = await Memory.open({
      ...options,
      onProgress: (progress) => session?.onProgress?.(progress),
      onEmbedding: (status) => session?.onEmbedding?.(status),
    });
  } catch (error) {
    showFailure(error);
    return;
  }
  showPart('inspector');
  session = new Session(memory);
  const watch = new ClientWatch(options.url);
  showStatus(session, watch);
  const goTo = showTables(session);
  showTransfer(session, showChat(session, goTo));
  showRecall(session, goTo);
  showMigrations(session);
  showBackups(session);
  showSql(session);
  showSharing(session, watch);
  await watch.look();
}

function showFailure(error: unknown): void {
  const { what, hint, code } = explain(error);
  byId('failure-what', HTMLElement).textContent = what;
  byId('failure-hint', HTMLElement).textContent = hint;
  byId('failure-code', HTMLElement).textContent = code;
  showPart('failure');
  byId('failure-title', HTMLElement).focus();
}

const retry = byId('retry', HTMLButtonElement);
retry.addEventListener('click', () => void busy(retry, start));
keepTimes();
connectThemeToggle(byId('theme-toggle', HTMLButtonElement));
await start();
