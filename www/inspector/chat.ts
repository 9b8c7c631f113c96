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
/** As many rows as one list can hold. */
const MOST = 1000;
/** How near to its end the log is scrolled along with what is said, in pixels. */
const AT_END = 40;

/** The conversation with the demo agent. Answers the agent, for it must know when a file takes the memory's place. */
export function showChat(session: Session, goTo: (source: Source) => Promise<void>): Agent {
  const agent = new Agent(session.memory);
  const log = byId('chat-log', HTMLElement);
  const input = byId('chat-input', HTMLInputElement);
  const send = byId('chat-send', HTMLButtonElement);
  const earlier = make('button', { type: 'button', class: 'quiet earlier' }, 'Show earlier');
  const list = make('ol', { class: 'exchanges', role: 'list' });
  const hello = make('li', { class: 'exchange' });
  /** What is in view, oldest first, and up to which of them the agent greets. */
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

  /** Reads what is in view again, and what was said since, in whichever tab. */
  const follow = async () => {
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < AT_END;
    const first = before === null ? 0 : (shown[0]?.id ?? 0);
    const { exchanges, cursor } = await agent.history(Math.min(shown.length + PAGE_SIZE, MOST));
    const inView = exchanges.filter(({ id }) => id >= first);
    render(inView, inView.length < exchanges.length ? before : cursor);
    if (isAtEnd) toEnd();
  };

  const loaded = attempt(load);

  /** The messages are answered one after the other, so that the next can be written and sent meanwhile. */
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
      // What was not answered can be sent again, unless something else is being written.
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
    // Nothing of the memory before stays, even where there is nothing to be read in this one.
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

/** Which memories an answer drew on, or made; each leads to its row. */
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
