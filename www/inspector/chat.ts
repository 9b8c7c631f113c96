import { Agent, type Exchange } from './agent.js';
import { arrange, busy, byId, fill, Kept, make } from './dom.js';
import { rowButton, timeElement } from './rows.js';
import { attempt } from './notices.js';
import type { Source } from './recall.js';
import type { Session } from './session.js';

const EXAMPLES = [
  'Call me Ada',
  'I like green tea',
  'I am allergic to peanuts',
  'What do I like?',
  'What food must I avoid?',
  'Maybe we meet on Thursday',
  'Where does Zoe live?',
];
const PAGE_SIZE = 20;
/** The most rows that one page of a listing can have. */
const MOST = 1000;
/** How close to its end the log must be to scroll with new messages, in pixels. */
const AT_END = 40;

/** Shows the conversation with the demo agent. Returns the agent, which must know when a file replaces the memory. */
export function showChat(session: Session, goTo: (source: Source) => Promise<void>): Agent {
  const agent = new Agent(session.memory);
  const log = byId('chat-log', HTMLElement);
  const input = byId('chat-input', HTMLInputElement);
  const send = byId('chat-send', HTMLButtonElement);
  const earlier = make('button', { type: 'button', class: 'quiet earlier' }, 'Show earlier');
  const list = make('ol', { class: 'exchanges', role: 'list' });
  const hello = make('li', { class: 'exchange' });
  /** The exchanges that are shown, oldest first, and the id of the last one before the agent's greeting. */
  let shown: readonly Exchange[] = [];
  let greetsAfter = 0;
  let before: string | null = null;

  const kept = new Kept<Exchange>(
    ({ id }) => id,
    (exchange) => exchangeElement(exchange, (source) => void attempt(() => goTo(source))),
  );
  const toEnd = () => (log.scrollTop = log.scrollHeight);

  const render = (exchanges: readonly Exchange[], cursor: string | null) => {
    shown = exchanges;
    before = cursor;
    earlier.hidden = cursor === null;
    const elements = kept.elements(shown);
    const at = shown.findIndex(({ id }) => id > greetsAfter);
    arrange(list, elements.toSpliced(at < 0 ? elements.length : at, 0, hello));
  };

  const load = async () => {
    const [{ exchanges, cursor }, greeting] = await Promise.all([agent.history(PAGE_SIZE), agent.greeting()]);
    greetsAfter = Math.max(0, ...exchanges.map(({ id }) => id));
    fill(hello, bubble('agent', 'Agent', greeting));
    fill(log, earlier, list);
    render(exchanges, cursor);
    toEnd();
  };

  /** Reads the shown exchanges again, and those that any tab has added since. */
  const follow = async () => {
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < AT_END;
    const first = before === null ? 0 : (shown[0]?.id ?? 0);
    const { exchanges, cursor } = await agent.history(Math.min(shown.length + PAGE_SIZE, MOST));
    const inView = exchanges.filter(({ id }) => id >= first);
    render(inView, inView.length < exchanges.length ? before : cursor);
    if (isAtEnd) toEnd();
  };

  const loaded = attempt(load);

  /** Messages are answered one after another, so that the next can be written and sent meanwhile. */
  let said = loaded;
  let waiting = 0;
  const say = (message: string) => {
    waiting += 1;
    send.setAttribute('aria-busy', 'true');
    said = said.then(async () => {
      await attempt(() => answer(message));
      waiting -= 1;
      if (waiting === 0) send.removeAttribute('aria-busy');
    });
  };
  const answer = async (message: string) => {
    try {
      await agent.respond(message);
    } catch (error) {
      // A message without an answer is put back to be sent again, unless another one is being written.
      input.value ||= message;
      throw error;
    }
    await session.shown();
    toEnd();
  };

  earlier.addEventListener('click', () => {
    void busy(earlier, () =>
      attempt(async () => {
        const { exchanges, cursor } = await agent.history(PAGE_SIZE, before);
        const height = log.scrollHeight;
        render([...exchanges, ...shown], cursor);
        log.scrollTop += log.scrollHeight - height;
        if (earlier.hidden) log.focus({ preventScroll: true });
      }),
    );
  });
  byId('chat-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const message = input.value;
    if (message.trim() === '') return;
    input.value = '';
    say(message);
  });
  fill(
    byId('chat-examples', HTMLElement),
    ...EXAMPLES.map((example) =>
      make('li', {}, make('button', { type: 'button', class: 'example', onclick: () => say(example) }, example)),
    ),
  );
  session.onChange(async (change) => {
    await loaded;
    if (change === 'rows') return follow();
    // Nothing of the previous memory stays, even if this one cannot be read.
    fill(list);
    earlier.hidden = true;
    await load();
  });
  return agent;
}

function exchangeElement({ message, text, time, used, kept }: Exchange, goTo: (source: Source) => void): HTMLElement {
  return make(
    'li',
    { class: 'exchange' },
    bubble('user', 'You', message),
    bubble('agent', 'Agent', text, sourcesElement('used', used, goTo), sourcesElement('kept', kept, goTo)),
    time && timeElement(time),
  );
}

function bubble(who: 'user' | 'agent', name: string, text: string, ...more: (HTMLElement | false)[]): HTMLElement {
  return make('div', { class: `said said-${who}` }, make('span', { class: 'who' }, name), make('p', {}, text), ...more);
}

/** The rows that an answer used or stored, as buttons that lead to them. */
function sourcesElement(
  word: 'used' | 'kept',
  sources: readonly Source[],
  goTo: (source: Source) => void,
): HTMLElement | false {
  if (sources.length === 0) return false;
  return make(
    'div',
    { class: 'sources' },
    make('span', { class: 'sources-word' }, word),
    ...sources.map((source) => rowButton(source, () => goTo(source), source.text)),
  );
}
