import type { MemoryStatus } from '../package/index.js';
import { clientsNote, countOf, type Clients, type ClientWatch } from './clients.js';
import { byId, fill, make } from './dom.js';
import { bytes } from './format.js';
import type { Session } from './session.js';

/** Shows the strip below the title: where the memory is, what it guarantees, and who has it open. */
export function showStatus({ memory }: Session, watch: ClientWatch): void {
  let clients: Clients | undefined;
  const render = () => renderStatus(memory.status, clients);
  watch.onLook((seen) => {
    if (seen.leader === clients?.leader && seen.followers === clients?.followers) return;
    clients = seen;
    render();
  });
  memory.onStatus(render);
  render();
}

function renderStatus(status: MemoryStatus, clients: Clients | undefined): void {
  const { storage, durability, persisted, usage, quota, revision, role } = status;
  fill(
    byId('status', HTMLElement),
    item('Storage', storage === 'opfs' ? 'OPFS' : 'memory only', storage === 'opfs' ? 'on this device' : 'not stored'),
    item('Durability', durability, durability === 'strict' ? 'survives a power cut' : 'survives a killed tab'),
    item(
      'Persisted',
      persisted ? 'yes' : 'no',
      persisted ? 'the browser will not evict it' : 'the browser may evict it',
    ),
    item('Schema', `revision ${revision ?? 'none'}`, schemaNote(status)),
    item('Role', role, roleNote(status)),
    item('Clients', clients ? String(countOf(clients)) : '–', clients ? clientsNote(clients) : 'not counted yet'),
    item('Space used', usage === null ? 'unknown' : bytes(usage), quotaNote(usage, quota)),
  );
}

function roleNote({ role, moving, outdated }: MemoryStatus): string {
  if (outdated) return 'another tab is newer: reload';
  if (moving !== null) return `${moving} under way`;
  return role === 'leader' ? 'this tab runs SQLite' : 'another tab runs SQLite';
}

function schemaNote({ revision, head, heads, readOnly }: MemoryStatus): string {
  if (readOnly) return 'newer than this page: read-only';
  const named = `${heads.length > 1 ? 'heads' : 'head'} ${head ?? 'none'}`;
  if (revision !== head) return `behind ${named}`;
  return heads.length > 1 ? 'its branches are at their heads' : `head is ${head ?? 'none'}`;
}

function item(name: string, value: string, note: string | HTMLElement): HTMLElement {
  return make(
    'div',
    { class: 'status-item' },
    make('dt', {}, name),
    make('dd', {}, make('span', { class: 'status-value' }, value), ' ', make('span', { class: 'status-note' }, note)),
  );
}

function quotaNote(usage: number | null, quota: number | null): string | HTMLElement {
  if (usage === null || !quota) return 'the browser does not report it';
  const share = (usage / quota) * 100;
  const percent = share >= 0.1 ? share.toFixed(1) : share.toFixed(2);
  return make(
    'span',
    { class: 'quota' },
    make(
      'meter',
      { min: 0, max: quota, high: quota * 0.8, value: usage, 'aria-label': 'Share of the quota in use' },
      `${percent} %`,
    ),
    ` ${percent} % of ${bytes(quota)}`,
  );
}
