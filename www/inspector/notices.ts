import { MemoryError } from '../package/index.js';
import { byId, fill, make } from './dom.js';

/** What went wrong and what to do about it. */
export interface Explanation {
  readonly what: string;
  readonly hint: string;
  readonly code: string;
}

export function explain(error: unknown): Explanation {
  if (error instanceof MemoryError) {
    const what = error.message.endsWith(error.hint) ? error.message.slice(0, -error.hint.length).trim() : error.message;
    return { what, hint: error.hint, code: error.code };
  }
  return { what: error instanceof Error ? error.message : String(error), hint: '', code: '' };
}

/** An error as it is shown inside a box of the page. */
export function errorParagraph(error: unknown): HTMLElement {
  const { what, hint, code } = explain(error);
  return make(
    'div',
    { class: 'error' },
    make('p', {}, make('strong', {}, what)),
    hint && make('p', {}, hint),
    code && make('p', { class: 'error-code' }, code),
  );
}

let complaints = 0;
let hiding: ReturnType<typeof setTimeout> | undefined;

/** Reports a success. The notice disappears by itself. */
export function announce(text: string): void {
  const region = byId('notice', HTMLElement);
  clearTimeout(hiding);
  fill(region, make('p', {}, text));
  hiding = setTimeout(() => fill(region), 6000);
}

/** Reports a failure. The notice stays until it is dismissed or something succeeds. */
export function complain(error: unknown): void {
  complaints += 1;
  const region = byId('alert', HTMLElement);
  const dismiss = make('button', { type: 'button', class: 'quiet', onclick: () => fill(region) }, 'Dismiss');
  fill(region, make('div', { class: 'alert-box' }, errorParagraph(error), dismiss));
}

/** Runs something, and reports its failure to the user. */
export async function attempt(work: () => Promise<void>): Promise<void> {
  const before = complaints;
  try {
    await work();
    // A failure that was reported meanwhile must stay visible.
    if (complaints === before) fill(byId('alert', HTMLElement));
  } catch (error) {
    complain(error);
  }
}
