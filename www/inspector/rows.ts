import type { JsonValue } from '../package/index.js';
import { fill, make } from './dom.js';
import { absoluteTime, isEmptyJson, relativeTime } from './format.js';
import type { Measure, RowView } from './listing.js';
import { nameOf, type Reference } from './references.js';

/** A time, both relative and absolute, and in machine-readable form. */
export function timeElement(time: Date | null): HTMLElement {
  if (!time || Number.isNaN(time.getTime())) return make('span', { class: 'time' }, 'no time');
  return make(
    'time',
    { class: 'time', datetime: time.toISOString(), title: absoluteTime(time) },
    make('span', { class: 'time-relative' }, relativeTime(time)),
    make('span', { class: 'time-absolute' }, ` · ${absoluteTime(time)}`),
  );
}

/** Keeps the relative times on the page up to date. */
export function keepTimes(): void {
  setInterval(() => {
    for (const element of document.querySelectorAll<HTMLTimeElement>('time.time')) {
      const relative = element.querySelector('.time-relative');
      if (relative) relative.textContent = relativeTime(new Date(element.dateTime));
    }
  }, 30_000);
}

/** A button with the name of a row, which leads to it. */
export function rowButton(reference: Reference, goTo: () => void, text?: string): HTMLElement {
  return make(
    'button',
    { type: 'button', class: 'source', 'data-table': reference.table, title: text, onclick: goTo },
    nameOf(reference),
  );
}

/** A row with the buttons to edit and delete it. */
export function rowElement(row: RowView, edit: () => void, remove: () => void): HTMLElement {
  const { title, time, texts, tags = [], measure, json } = row;
  return make(
    'li',
    { class: 'row', 'data-key': row.key, tabindex: -1, 'aria-label': title },
    make('span', { class: 'row-key' }, typeof row.key === 'number' && `#${row.key}`),
    make(
      'div',
      { class: 'row-main' },
      ...texts.map(textElement),
      make(
        'div',
        { class: 'row-facts' },
        timeElement(time),
        ...tags.map((tag) => make('span', { class: 'tag' }, tag)),
        measure && measureElement(measure),
        ...json.map(jsonElement),
      ),
    ),
    make(
      'div',
      { class: 'row-actions' },
      make('button', { type: 'button', class: 'quiet', onclick: edit, 'aria-label': `Edit ${title}` }, 'Edit'),
      make('button', { type: 'button', class: 'quiet', onclick: remove, 'aria-label': `Delete ${title}` }, 'Delete'),
    ),
  );
}

function textElement({ who, text }: RowView['texts'][number]): HTMLElement {
  return make(
    'p',
    { class: 'row-text' },
    who !== undefined && make('span', { class: 'row-who' }, who),
    who !== undefined && ' ',
    text === null ? make('em', {}, 'null') : make('span', {}, text),
  );
}

/** A number from 0 to 1 as a bar that grows from the left, one from -1 to 1 as a bar that grows from the middle. */
function measureElement({ name, value, min }: Measure): HTMLElement {
  const bar = make('span', { class: min < 0 ? 'bar bar-centred' : 'bar', 'aria-hidden': 'true' }, make('span', {}));
  const share = Math.max(min, Math.min(1, value));
  bar.style.setProperty('--from', String(min < 0 ? Math.min(0.5, 0.5 + share / 2) : 0));
  bar.style.setProperty('--size', String(min < 0 ? Math.abs(share) / 2 : share));
  if (value < 0) bar.dataset['sign'] = 'negative';
  return make('span', { class: 'measure' }, `${name} `, bar, make('span', { class: 'number' }, value.toFixed(2)));
}

/** JSON is only pretty-printed when it is unfolded, because it may be long. */
function jsonElement({ name, value }: { name: string; value: JsonValue }): HTMLElement | false {
  if (isEmptyJson(value)) return false;
  const text = make('pre', { tabindex: 0, 'aria-label': `${name} as JSON` });
  const details = make('details', { class: 'json' }, make('summary', {}, name), text);
  details.addEventListener('toggle', () => fill(text, details.open && JSON.stringify(value, null, 2)));
  return details;
}
