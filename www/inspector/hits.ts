import type { RecallEvidence, RecallHit, RecallParts } from '../package/index.js';
import { make } from './dom.js';
import { age } from './format.js';
import { fromPackage, type Reference } from './references.js';
import { rowButton, timeElement } from './rows.js';

const PARTS = [
  'words',
  'meaning',
  'recency',
  'importance',
  'valence',
  'lessons',
  'conversation',
  'diversity',
] as const satisfies readonly (keyof RecallParts)[];

/** The range of the bars of an answer. All bars have one scale, so that hits can be compared. */
interface Scale {
  readonly from: number;
  readonly to: number;
}

/** The hits of an answer, the best first. */
export function hitElements(hits: readonly RecallHit[], goTo: (row: Reference) => void): HTMLElement[] {
  const values = hits.flatMap(({ explanation }) => (explanation ? PARTS.map((part) => explanation.parts[part]) : []));
  const scale: Scale = { from: Math.min(0, ...values), to: Math.max(0, ...values) };
  return hits.map((hit, index) => hitElement(hit, index + 1, scale, goTo));
}

function hitElement(hit: RecallHit, rank: number, scale: Scale, goTo: (row: Reference) => void): HTMLElement {
  const { text, score, explanation, duplicates } = hit;
  const reference = fromPackage(hit);
  return make(
    'li',
    { class: 'hit', 'data-table': reference.table },
    make('span', { class: 'hit-rank' }, make('span', { class: 'unseen' }, 'Hit '), String(rank)),
    make(
      'div',
      { class: 'hit-main' },
      make(
        'div',
        { class: 'hit-head' },
        rowButton(reference, () => goTo(reference)),
        timeElement(hit.table === 'longTerm' ? hit.row.updatedAt : hit.row.timestamp),
        make('span', { class: 'hit-score' }, 'score ', numberElement(score)),
      ),
      make('p', { class: 'hit-text' }, text.trim() === '' ? make('em', {}, 'no text') : text.trim()),
      duplicates.length > 0 &&
        make(
          'div',
          { class: 'sources' },
          make('span', { class: 'sources-word' }, 'the same text:'),
          ...duplicates.map(fromPackage).map((other) => rowButton(other, () => goTo(other))),
        ),
      explanation && partsElement(explanation.parts, scale),
      explanation && evidenceElement(explanation.evidence),
    ),
  );
}

/** What each part added to the score: its name, a bar to the left or right of zero, and the value. */
function partsElement(parts: RecallParts, scale: Scale): HTMLElement {
  return make(
    'dl',
    { class: 'parts', 'aria-label': 'What the score is made of' },
    ...PARTS.map((part) => partElement(part, parts[part], scale)),
  );
}

function partElement(name: string, value: number, { from, to }: Scale): HTMLElement {
  const bar = make('span', { class: 'part-bar', 'aria-hidden': 'true' }, make('span', {}));
  const range = to - from || 1;
  bar.style.setProperty('--zero', String(-from / range));
  bar.style.setProperty('--from', String((Math.min(0, value) - from) / range));
  bar.style.setProperty('--size', String(Math.abs(value) / range));
  return make(
    'div',
    { class: 'part', 'data-part': name, 'data-sign': value < 0 ? 'negative' : value > 0 ? 'positive' : 'none' },
    make('dt', {}, name),
    make('dd', {}, bar, numberElement(value)),
  );
}

/** A number to two decimal places, with its full value in a tooltip and in the element's `value`. */
function numberElement(value: number): HTMLElement {
  const rounded = value.toFixed(2);
  const shown = Number(rounded) === 0 ? '0.00' : rounded.replace('-', '−');
  return make('data', { class: 'number', value: String(value), title: String(value) }, shown);
}

/** The figures behind the parts, and the whole text when unfolded. */
function evidenceElement(evidence: RecallEvidence): HTMLElement {
  const { words, similarity, ageHours, importance, valence, settled, misled } = evidence;
  const facts: readonly (readonly [name: string, value: string])[] = [
    ['BM25', words === 0 ? 'shares no word' : words.toFixed(3)],
    ['Cosine', similarity === null ? 'no vector yet' : similarity.toFixed(3)],
    ['Age', ageHours === null ? 'no time' : age(ageHours)],
    ['Importance', importance?.toFixed(2) ?? 'has none'],
    ['Valence', valence?.toFixed(2) ?? 'has none'],
    ['Doubts it settled', String(settled)],
    ['Doubts it misled in', String(misled)],
  ];
  return make(
    'details',
    { class: 'evidence' },
    make('summary', {}, 'Evidence and whole text'),
    make('dl', {}, ...facts.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value)))),
  );
}
