import type { SqlValue } from '../package/index.js';
import { busy, byId, fill, make } from './dom.js';
import { bytes, plural } from './format.js';
import { inTurn } from './in-turn.js';
import { errorParagraph } from './notices.js';
import type { Session } from './session.js';

const SHOWN = 200;

/** A box for SQL queries. `query` cannot write, so nothing typed here can do harm. */
export function showSql({ memory }: Session): void {
  const text = byId('sql-text', HTMLTextAreaElement);
  const result = byId('sql-result', HTMLElement);
  const run = byId('sql-run', HTMLButtonElement);

  const ask = async () => {
    const started = performance.now();
    try {
      const rows = await memory.query(text.value);
      const took = Math.max(1, Math.round(performance.now() - started));
      fill(result, ...resultElements(rows, took));
    } catch (error) {
      fill(result, make('div', { role: 'alert' }, errorParagraph(error)));
    }
  };
  const askSoon = inTurn(() => busy(run, ask));
  byId('sql-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void askSoon();
  });
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void askSoon();
  });
}

function resultElements(rows: readonly Record<string, SqlValue>[], took: number): HTMLElement[] {
  const shown = rows.slice(0, SHOWN);
  const all = `${plural(rows.length, 'row')} in ${took} ms`;
  const found = make(
    'p',
    { class: 'found', role: 'status' },
    rows.length > SHOWN ? `${all}, the first ${SHOWN} shown` : all,
  );
  if (shown.length === 0) return [found];
  const columns = Object.keys(shown[0]!);
  const table = make(
    'table',
    {},
    make('thead', {}, make('tr', {}, ...columns.map((column) => make('th', { scope: 'col' }, column)))),
    make('tbody', {}, ...shown.map((row) => make('tr', {}, ...columns.map((column) => cell(row[column] ?? null))))),
  );
  return [
    found,
    make('div', { class: 'scroll', role: 'region', 'aria-label': 'Result of the query', tabindex: 0 }, table),
  ];
}

function cell(value: SqlValue): HTMLElement {
  if (value === null) return make('td', { class: 'null' }, 'null');
  if (value instanceof Uint8Array) return make('td', { class: 'null' }, `blob of ${bytes(value.byteLength)}`);
  return make('td', { class: typeof value === 'string' ? null : 'number' }, String(value));
}
