import { clientsNote, countOf, type Clients, type ClientWatch } from './clients.js';
import { byId, fill, make } from './dom.js';
import { clockTime, duration, plural } from './format.js';
import { Handovers, type Handover } from './handovers.js';
import type { Session } from './session.js';

/** How many hand-overs are shown. */
const MOST = 20;

const LEADERS: Readonly<Record<Handover['leader'], string>> = {
  'this tab': 'This tab leads now.',
  'this tab again': 'This tab leads again, with another worker.',
  'another tab': 'Another tab leads now.',
};

/** Shows this tab's role, how many other clients there are, and each hand-over. */
export function showSharing(session: Session, watch: ClientWatch): void {
  const { memory } = session;
  const now = byId('sharing-now', HTMLElement);
  const list = byId('handovers', HTMLElement);
  let clients: Clients | undefined;

  const render = () => clients && fill(now, sharingNow(memory.status.role, clients));
  watch.onLook((seen) => {
    clients = seen;
    render();
  });
  memory.onStatus(render);

  const none = make('li', { class: 'row-none' }, 'None since this page was opened.');
  fill(list, none);
  new Handovers(memory, watch, (handover) => {
    none.remove();
    list.prepend(handoverItem(handover));
    for (const old of [...list.children].slice(MOST)) old.remove();
  });
}

function sharingNow(role: 'leader' | 'follower', clients: Clients): string {
  const others = countOf(clients) - 1;
  const part = role === 'leader' ? 'leads: it runs SQLite for all clients' : 'follows: SQLite runs in another tab';
  if (others <= 0) return `This tab ${part}. No other client has the memory open.`;
  return `This tab ${part}. ${plural(others, 'other client')} ${others === 1 ? 'has' : 'have'} the memory open: ${clientsNote(clients)} in all.`;
}

function handoverItem({ time, leader, waited }: Handover): HTMLElement {
  return make(
    'li',
    { class: 'handover' },
    make('time', { class: 'number', datetime: time.toISOString() }, clockTime(time)),
    make(
      'span',
      {},
      LEADERS[leader],
      waited !== undefined && ` A call made at that moment was answered after ${duration(waited)}.`,
    ),
  );
}
