import { Agent, type Exchange } from './agent.js';
import { busy, byId, fill, make } from './dom.js';
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

/** The conversation with the demo agent. Answers the agent, for it must know when a file takes the memory's place. */
export function showChat(session: Session, goTo: (source: Source) => Promise<void>): Agent {
  const agent = new Agent(session.memory);
  const log = byId('chat-log', HTMLElement);
  const input = byId('chat-input', HTMLInputElement);
  const send = byId('chat-send', HTMLButtonElement);
  const earlier = make('button', { type: 'button', class: 'quiet earlier' }, 'Show earlier');
  const list = make('ol', { class: 'exchanges', role: 'list' });
  let before: string | null = null;

  const element = (exchange: Exchange) => exchangeElement(exchange, (source) => void attempt(() => goTo(source)));
  const toEnd = () => (log.scrollTop = log.scrollHeight);

  const load = async () => {
    const [{ exchanges, cursor }, greeting] = await Promise.all([agent.history(PAGE_SIZE), agent.greeting()]);
    before = cursor;
    earlier.hidden = cursor === null;
    const hello = make('li', { class: 'exchange' }, bubble('agent', 'Agent', greeting));
    fill(list, ...exchanges.map(element), hello);
    fill(log, earlier, list);
    toEnd();
  };

  const loaded = attempt(load);

  const say = (message: string) =>
    busy(send, () =>
      attempt(async () => {
        await loaded;
        const exchange = await agent.respond(message);
        input.value = '';
        list.append(element(exchange));
        toEnd();
        await session.changed('rows');
      }),
    );

  earlier.addEventListener('click', () => {
    void busy(earlier, () =>
      attempt(async () => {
        const { exchanges, cursor } = await agent.history(PAGE_SIZE, before);
        before = cursor;
        earlier.hidden = cursor === null;
        const height = log.scrollHeight;
        list.prepend(...exchanges.map(element));
        log.scrollTop += log.scrollHeight - height;
        if (earlier.hidden) log.focus({ preventScroll: true });
      }),
    );
  });
  byId('chat-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    if (input.value.trim() !== '') void say(input.value);
  });
  fill(
    byId('chat-examples', HTMLElement),
    ...EXAMPLES.map((example) =>
      make('li', {}, make('button', { type: 'button', class: 'example', onclick: () => void say(example) }, example)),
    ),
  );
  session.onChange(async (change) => {
    if (change !== 'replaced') return;
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
