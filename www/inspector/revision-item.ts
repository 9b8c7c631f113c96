import type { Standing, VerifiedRevision } from '../package/index.js';
import { busy, make, type Child } from './dom.js';
import { duration, listed } from './format.js';
import { drawRow, type GraphRow } from './graph.js';
import { timeElement } from './rows.js';

/** The actions on a revision. */
export interface RevisionActions {
  readonly upgrade: (id: string) => Promise<void>;
  /** Receives a symbol: an id, or `<id>@base` for the base below it. */
  readonly downgrade: (target: string) => Promise<void>;
  readonly accept: (id: string) => Promise<void>;
  /** Called when the user unfolds or folds a revision. */
  readonly unfolded: (id: string, isOpen: boolean) => void;
}

const STANDINGS: Readonly<Record<Exclude<Standing, 'ok'>, string>> = {
  edited: 'Its text differs from the text that was applied.',
  unknown: 'The file is newer: this page does not know this revision.',
  unrecorded: 'Another program applied it and did not record its text.',
};

/** One revision: its place in the graph, its name as a button, and, when unfolded, its details. */
export function revisionItem(
  row: GraphRow,
  lanes: number,
  verified: VerifiedRevision | undefined,
  isOpen: boolean,
  actions: RevisionActions,
): HTMLElement {
  const { id, title, isCurrent, isHead, revises, branchLabels } = row.revision;
  const more = make(
    'div',
    { id: `revision-${id}`, class: 'revision-more', hidden: !isOpen },
    ...details(row, verified, actions),
  );
  const name = make(
    'button',
    {
      type: 'button',
      class: 'revision-name',
      'aria-expanded': String(isOpen),
      'aria-controls': more.id,
      onclick: () => {
        more.hidden = !more.hidden;
        name.setAttribute('aria-expanded', String(!more.hidden));
        actions.unfolded(id, !more.hidden);
      },
    },
    make('span', { class: 'revision-title' }, title),
    ' ',
    make('code', {}, id),
  );
  return make(
    'li',
    { class: 'revision', 'data-revision': id, 'aria-current': isCurrent && 'step' },
    drawRow(row, lanes),
    make(
      'div',
      { class: 'revision-body' },
      make(
        'div',
        { class: 'revision-head' },
        name,
        isCurrent && make('span', { class: 'tag tag-current' }, 'current'),
        isHead && make('span', { class: 'tag' }, 'head'),
        revises.length > 1 && make('span', { class: 'tag' }, 'merge'),
        ...branchLabels.map((label) => make('span', { class: 'tag tag-branch' }, `branch ${label}`)),
        standingTag(verified),
      ),
      make('p', { class: 'revision-line' }, ...inShort(row)),
      more,
    ),
  );
}

/** A revision that the file has but the page does not know, and that therefore has no place in the graph. */
export function strangerItem(verified: VerifiedRevision): HTMLElement {
  return make(
    'li',
    { class: 'revision revision-stranger', 'data-revision': verified.revision },
    make(
      'div',
      { class: 'revision-body' },
      make('div', { class: 'revision-head' }, make('code', {}, verified.revision), standingTag(verified)),
      make('p', { class: 'revision-line' }, STANDINGS.unknown),
      factList([
        ['Applied', verified.appliedAt && timeElement(verified.appliedAt)],
        ['By version', verified.version],
        ['File', verified.file],
      ]),
    ),
  );
}

function standingTag(verified: VerifiedRevision | undefined): Child {
  if (!verified || verified.standing === 'ok') return null;
  const { standing } = verified;
  return make('span', { class: `tag tag-${standing}`, title: STANDINGS[standing] }, standing);
}

/** What the graph shows of a revision, in words. */
function inShort({ revision: { isApplied, appliedAt, revises, dependsOn } }: GraphRow): Child[] {
  const builds = revises.length > 0 ? `builds on ${listed(revises)}` : 'a base';
  const depends = dependsOn.length > 0 && `, depends on ${listed(dependsOn)}`;
  const applied = appliedAt ? timeElement(appliedAt) : isApplied ? 'applied' : 'not applied';
  return [appliedAt ? 'applied ' : null, applied, ' · ', builds, depends];
}

function details({ revision }: GraphRow, verified: VerifiedRevision | undefined, actions: RevisionActions): Child[] {
  const { id, isApplied, isCurrent, revises, up, down } = revision;
  const act = (label: string, work: (id: string) => Promise<void>) => {
    const button = make(
      'button',
      { type: 'button', 'aria-label': `${label} ${id}…`, onclick: () => void busy(button, () => work(id)) },
      `${label} ${id}…`,
    );
    return button;
  };
  const standing = verified && verified.standing !== 'ok' && STANDINGS[verified.standing];
  return [
    factList([
      ['Written', revision.createDate],
      ['Applied', revision.appliedAt ? timeElement(revision.appliedAt) : isApplied ? 'by another program' : 'no'],
      ['It took', revision.duration === null ? null : duration(revision.duration)],
      ['By version', revision.version],
      ['File', revision.file],
    ]),
    standing && make('p', { class: 'revision-standing' }, standing),
    make(
      'div',
      { class: 'revision-actions' },
      !isApplied && act('Upgrade to', actions.upgrade),
      isApplied && !isCurrent && act('Downgrade to', actions.downgrade),
      isApplied && revises.length === 0 && act('Downgrade below', () => actions.downgrade(`${id}@base`)),
      verified?.standing === 'edited' && act('Accept the edited', actions.accept),
    ),
    sqlElement('SQL up', up),
    sqlElement('SQL down', down),
  ];
}

function factList(facts: readonly (readonly [name: string, value: string | HTMLElement | null])[]): HTMLElement {
  const given = facts.filter(([, value]) => value !== null && value !== '');
  return make(
    'dl',
    { class: 'facts' },
    ...given.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))),
  );
}

/** A script that can be unfolded. */
export function sqlElement(name: string, script: string, isOpen = false): HTMLElement {
  const text = make('pre', { tabindex: 0, role: 'region', 'aria-label': name }, script || '-- nothing');
  return make('details', { class: 'json', open: isOpen }, make('summary', {}, name), text);
}
