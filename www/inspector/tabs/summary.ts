import { clientsNote, countOf, type Clients } from '../clients.js';
import { byId, fill, make } from '../dom.js';
import type { Verdict } from './ledger.js';

/** The state of all four tabs together. */
export interface Summary {
  readonly clients: Clients | undefined;
  readonly answered: number;
  /** The name of each open tab and how many rows it counts; undefined if it has not counted yet. */
  readonly counts: readonly (readonly [tab: string, rows: number | undefined])[];
  /** The last check; undefined before the first. */
  readonly verdict: Verdict | undefined;
}

/** Shows whether all tabs agree, and whether every answered write is stored exactly once. */
export function showSummary({ clients, answered, counts, verdict }: Summary): void {
  const known = counts.flatMap(([, rows]) => rows ?? []);
  const agree = known.length === counts.length && new Set(known).size <= 1;
  const each = counts.map(([tab, rows]) => `${tab} ${rows?.toLocaleString('en') ?? '–'}`).join(' · ');
  fill(
    byId('summary', HTMLElement),
    item('Writes answered', answered.toLocaleString('en'), 'since this page was opened'),
    item('Rows in each tab', known.length === 0 ? '–' : agree ? 'equal' : 'catching up', each || 'no tab is open'),
    item('Missing', number(verdict?.missing), 'answered, but not found'),
    item('Double', number(verdict?.double), 'written twice'),
    item('Clients', clients ? String(countOf(clients)) : '–', clients ? clientsNote(clients) : 'not counted yet'),
  );
  const [text, isBad] = verdictOf(verdict);
  const line = byId('verdict', HTMLElement);
  line.dataset['bad'] = String(isBad);
  // Screen readers announce a change, so it is only written if it differs.
  if (line.textContent !== text) fill(line, text);
}

function verdictOf(verdict: Verdict | undefined): readonly [text: string, isBad: boolean] {
  if (!verdict) return ['Nothing has been counted yet.', false];
  if (verdict.missing > 0 || verdict.double > 0) return ['Numbers are missing or double.', true];
  return ['No number is missing or double.', false];
}

const number = (value: number | undefined): string => value?.toLocaleString('en') ?? '–';

function item(name: string, value: string, note: string): HTMLElement {
  return make(
    'div',
    { class: 'status-item' },
    make('dt', {}, name),
    make('dd', {}, make('span', { class: 'status-value' }, value), ' ', make('span', { class: 'status-note' }, note)),
  );
}
