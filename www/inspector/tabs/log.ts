import { fill, make } from '../dom.js';
import { clockTime, duration, plural } from '../format.js';
import type { Written } from './messages.js';

/** How many hand-overs are shown. */
const MOST = 30;

/** A hand-over, with times in ms. */
interface Entry {
  readonly to: string;
  /** The tab that led before, and how it ended; undefined if this page did not see that. */
  readonly from: { readonly name: string; readonly how: 'closed' | 'killed' } | undefined;
  readonly leftAt: number;
  readonly tookAt: number;
  /** When the first write after the hand-over was answered. */
  answeredAt: number | undefined;
  /** How long each write that waited for the hand-over took, in ms. */
  readonly waits: number[];
  readonly element: HTMLElement;
}

/** Lists the hand-overs between the four tabs, and how long writes waited for each. */
export class HandoverLog {
  readonly #list: HTMLElement;
  readonly #none = make('li', { class: 'row-none' }, 'None yet: close or kill the leader.');
  #left: { readonly name: string; readonly how: 'closed' | 'killed'; readonly at: number } | undefined;
  #last: Entry | undefined;

  constructor(list: HTMLElement) {
    this.#list = list;
    fill(list, this.#none);
  }

  /** The leader is closed or killed. */
  left(name: string, how: 'closed' | 'killed'): void {
    this.#left = { name, how, at: Date.now() };
  }

  /** Another tab leads. */
  took(to: string): void {
    const tookAt = Date.now();
    const element = make('li', { class: 'handover' });
    this.#last = {
      to,
      from: this.#left,
      leftAt: this.#left?.at ?? tookAt,
      tookAt,
      answeredAt: undefined,
      waits: [],
      element,
    };
    this.#left = undefined;
    this.#none.remove();
    this.#list.prepend(element);
    for (const old of [...this.#list.children].slice(MOST)) old.remove();
    this.#render(this.#last);
  }

  /** A write was answered: it may be one that waited for the last hand-over. */
  written({ began, ended }: Written): void {
    const entry = this.#last;
    if (!entry || ended < entry.tookAt) return;
    entry.answeredAt ??= ended;
    if (began > entry.answeredAt) return;
    entry.waits.push(ended - began);
    this.#render(entry);
  }

  #render({ to, from, leftAt, waits, element }: Entry): void {
    const time = new Date(leftAt);
    const words = from ? `Tab ${from.name} was ${from.how}; tab ${to} leads.` : `Tab ${to} leads.`;
    const most = duration(Math.max(...waits) / 1000);
    const waited = `${plural(waits.length, 'write')} waited for it, ${most} at most.`;
    fill(
      element,
      make('time', { class: 'number', datetime: time.toISOString() }, clockTime(time)),
      make('span', {}, words, waits.length > 0 && ` ${waited}`),
    );
  }
}
