import type { MigrationDirection, MigrationPlan, MigrationProgress, TableRows } from '../package/index.js';
import { proposal } from './dialogs.js';
import { fill, make, type Child } from './dom.js';
import { duration, listed, plural } from './format.js';
import { announce } from './notices.js';
import { sqlElement } from './revision-item.js';
import type { Session } from './session.js';

/**
 * Shows what an upgrade or a downgrade would do, as tried on a copy, and carries it out if the user agrees; resolves to
 * whether it was carried out.
 */
export async function proposeRun(session: Session, direction: MigrationDirection, target: string): Promise<boolean> {
  const { migrations } = session.memory;
  const plan = await migrations.plan(target, { direction });
  if (plan.steps.length === 0) {
    announce(`There is nothing to ${direction}: the memory is already at ${target}.`);
    return false;
  }
  const isDown = direction === 'downgrade';
  const lost = losses(plan.tables);
  const bar = make('progress', { 'aria-label': 'Progress', max: 1 });
  const stage = make('p', { role: 'status' });
  const running = make('div', { class: 'run', hidden: true }, bar, stage);

  const carryOut = async () => {
    running.hidden = false;
    session.onProgress = (progress) => showProgress(progress, bar, stage);
    try {
      await migrations[direction](target);
    } finally {
      session.onProgress = undefined;
      running.hidden = true;
    }
  };
  const shown = make('div', { class: 'plan', role: 'region', 'aria-label': 'Plan', tabindex: 0 });
  fill(shown, ...planElements(plan, lost, isDown));
  const body = [shown, running];
  const button = { label: isDown ? 'Downgrade' : 'Upgrade', danger: lost.length > 0 };
  return proposal(`${button.label} to ${target}?`, body, button, carryOut);
}

function planElements({ steps, tables, duration: took }: MigrationPlan, lost: string[], isDown: boolean): Child[] {
  const changed = tables.filter(({ before, after }) => before !== after);
  const same = tables.length - changed.length;
  const others =
    changed.length > 0
      ? 'other table keeps its rows|other tables keep their rows'
      : 'table keeps its rows|tables keep their rows';
  return [
    make(
      'div',
      { class: lost.length > 0 ? 'losses losses-some' : 'losses' },
      ...(lost.length > 0 ? lost : ['No table loses a row.']).map((words) => make('p', {}, words)),
      isDown && make('p', {}, 'The values in a dropped column are lost with it.'),
    ),
    make(
      'p',
      {},
      `${plural(steps.length, 'step')}, ${duration(took)} on a copy in memory; nothing is changed yet. `,
      'A verified backup is made first.',
      isDown && ' The next time this page is opened, the memory is upgraded to the heads again.',
    ),
    make(
      'ol',
      { class: 'steps', role: 'list', 'aria-label': 'Steps' },
      ...steps.map(({ revision, title, file, direction, script, duration: took }) =>
        make(
          'li',
          { class: 'step' },
          make(
            'p',
            {},
            make('strong', {}, direction === 'upgrade' ? 'Apply ' : 'Revert ', make('code', {}, revision)),
            ` ${title}`,
          ),
          make('p', { class: 'revision-line' }, `${file} · ${duration(took)}`),
          sqlElement(`SQL ${direction === 'upgrade' ? 'up' : 'down'} of ${revision}`, script),
        ),
      ),
    ),
    changed.length > 0 && rowsTable(changed),
    same > 0 && make('p', { class: 'revision-line' }, `${plural(same, others)}.`),
  ];
}

function rowsTable(tables: readonly TableRows[]): HTMLElement {
  const cell = (rows: number | null) =>
    rows === null
      ? make('td', { class: 'null' }, 'no table')
      : make('td', { class: 'number' }, rows.toLocaleString('en'));
  const heads = ['Table', 'Rows before', 'Rows after'].map((name) => make('th', { scope: 'col' }, name));
  return make(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': 'Rows by table', tabindex: 0 },
    make(
      'table',
      {},
      make('thead', {}, make('tr', {}, ...heads)),
      make(
        'tbody',
        {},
        ...tables.map(({ table, before, after }) =>
          make('tr', {}, make('th', { scope: 'row' }, table), cell(before), cell(after)),
        ),
      ),
    ),
  );
}

/** Which tables lose how many rows, in words. */
function losses(tables: readonly TableRows[]): string[] {
  const gone = tables.filter(({ before, after }) => before && after === null);
  const names = gone.map(({ table, before }) => `${table} (${plural(before ?? 0, 'row')})`);
  const fewer = tables.flatMap(({ table, before, after }) =>
    before !== null && after !== null && after < before
      ? [`The table ${table} loses ${plural(before - after, 'row')} of ${before.toLocaleString('en')}.`]
      : [],
  );
  if (gone.length === 0) return fewer;
  return [`Dropped with all rows: ${listed(names)}.`, ...fewer];
}

function showProgress(progress: MigrationProgress, bar: HTMLProgressElement, stage: HTMLElement): void {
  const { phase, revision, step, steps, done, total } = progress;
  const name = revision ?? '';
  const words: Child = {
    backup: 'Making a backup',
    upgrade: `Applying ${name}`,
    downgrade: `Reverting ${name}`,
    check: 'Checking',
  }[phase];
  const within = total > 0 ? done / total : 0;
  const unit = phase === 'backup' ? 'page' : 'row';
  const counted = total > 0 ? `: ${done.toLocaleString('en')} of ${plural(total, unit)}` : '';
  bar.value = phase === 'backup' ? within : Math.min(1, (step + within) / Math.max(1, steps));
  fill(stage, `${words}${counted}…`);
}
