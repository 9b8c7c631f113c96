import { fill, make } from '../dom.js';
import type { FromTab, ToTab } from './messages.js';

/** The state of a tab. */
export type TabState = 'open' | 'closing' | 'closed' | 'killed';

const GONE: Readonly<Record<'closed' | 'killed', string>> = {
  closed: 'Closed: it finished its calls, then let other tabs lead.',
  killed: 'Killed: its worker ended with it, even in the middle of a call.',
};

/** One of the four tabs on the page: its frame, and the buttons that close it, kill it and open it again. */
export class TabCard {
  readonly name: string;
  readonly element: HTMLElement;
  readonly #changed: (card: TabCard) => void;
  readonly #heard: (card: TabCard, message: FromTab) => void;
  readonly #place = make('div', { class: 'tab-place' });
  readonly #open: HTMLButtonElement;
  readonly #close: HTMLButtonElement;
  readonly #kill: HTMLButtonElement;
  #frame: HTMLIFrameElement | undefined;
  #state: TabState = 'closed';

  /** `changed` is called when the tab's state changes, `heard` with each message from the tab. */
  constructor(name: string, changed: (card: TabCard) => void, heard: (card: TabCard, message: FromTab) => void) {
    this.name = name;
    this.#changed = changed;
    this.#heard = heard;
    const button = (label: string, act: () => void) =>
      make('button', { type: 'button', 'aria-label': `${label} tab ${name}`, onclick: act }, label);
    this.#open = button('Open', () => this.open());
    this.#close = button('Close', () => this.close());
    this.#kill = button('Kill', () => this.kill());
    this.#kill.classList.add('danger');
    this.element = make(
      'section',
      { class: 'tab-card', 'data-tab': name, 'aria-labelledby': `name-${name}` },
      make(
        'div',
        { class: 'tab-head' },
        make('h2', { id: `name-${name}` }, `Tab ${name}`),
        this.#close,
        this.#kill,
        this.#open,
      ),
      this.#place,
    );
    this.#show();
    addEventListener('message', ({ data, source, origin }: MessageEvent<FromTab>) => {
      if (!this.#frame || source !== this.#frame.contentWindow || origin !== location.origin) return;
      if (data.type === 'closed') this.#end('closed');
      else this.#heard(this, data);
    });
  }

  get state(): TabState {
    return this.#state;
  }

  get isOpen(): boolean {
    return this.#frame !== undefined;
  }

  /** Opens the tab; with `isEmpty`, it clears the memory first. */
  open(isEmpty = false): void {
    if (this.#frame) return;
    const src = `tab.html?tab=${this.name}${isEmpty ? '&empty' : ''}`;
    this.#frame = make('iframe', { src, title: `Tab ${this.name}` });
    this.#set('open');
  }

  /** Makes the tab close its memory, as a page does that has time to. */
  close(): void {
    if (this.#state !== 'open') return;
    this.#set('closing');
    this.tell({ type: 'close' });
  }

  /** Removes the tab's page, and with it its worker, without notice. */
  kill(): void {
    if (this.#frame) this.#end('killed');
  }

  tell(message: ToTab): void {
    this.#frame?.contentWindow?.postMessage(message, location.origin);
  }

  #end(state: 'closed' | 'killed'): void {
    this.#frame = undefined;
    this.#set(state);
  }

  #set(state: TabState): void {
    this.#state = state;
    this.#show();
    this.#changed(this);
  }

  #show(): void {
    const hadFocus = this.element.contains(document.activeElement);
    const state = this.#state;
    this.#close.hidden = this.#kill.hidden = !this.#frame;
    // Not disabled, because it would lose the focus.
    this.#close.setAttribute('aria-busy', String(state === 'closing'));
    this.#open.hidden = this.#frame !== undefined;
    if (state === 'open') fill(this.#place, this.#frame);
    if (state === 'closed' || state === 'killed')
      fill(this.#place, make('p', { class: 'tab-gone', role: 'status' }, GONE[state]));
    if (hadFocus && !this.element.contains(document.activeElement)) (this.#frame ? this.#kill : this.#open).focus();
  }
}
