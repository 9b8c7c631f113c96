// Four tabs of one memory on one page, which can be closed, killed and opened again. The page itself opens no memory:
// it records which writes of the tabs were answered, and checks the tabs' counts against that.
import { ClientWatch, type Clients } from '../clients.js';
import { busy, byId, fill } from '../dom.js';
import { connectThemeToggle } from '../theme.js';
import { TabCard } from './card.js';
import { Ledger, type Verdict } from './ledger.js';
import { HandoverLog } from './log.js';
import { URL_OF_TABS, type FromTab, type Role } from './messages.js';
import { showSummary } from './summary.js';

const handovers = byId('handovers', HTMLElement);
const runAll = byId('run-all', HTMLButtonElement);
const startOver = byId('start-over', HTMLButtonElement);
const watch = new ClientWatch(URL_OF_TABS);
const cards = ['A', 'B', 'C', 'D'].map((name) => new TabCard(name, changed, heard));

/** What is recorded since the page was opened or started over. */
interface Account {
  readonly ledger: Ledger;
  readonly log: HandoverLog;
  /** The number of rows that each tab counted last. */
  readonly counts: Map<TabCard, number>;
  verdict: Verdict | undefined;
  leader: TabCard | undefined;
  /** Whether any tab has led: the first leader is no hand-over. */
  hasLed: boolean;
}

let account = newAccount();
let clients: Clients | undefined;

function newAccount(): Account {
  const log = new HandoverLog(handovers);
  return { ledger: new Ledger(), log, counts: new Map(), verdict: undefined, leader: undefined, hasLed: false };
}

function render(): void {
  const { ledger, counts, verdict, leader } = account;
  for (const card of cards) card.element.classList.toggle('tab-leads', card === leader);
  showSummary({
    clients,
    answered: ledger.answered,
    counts: cards.filter(({ isOpen }) => isOpen).map((card) => [card.name, counts.get(card)]),
    verdict,
  });
}

/** A tab was opened, closed or killed. */
function changed(card: TabCard): void {
  if (card === account.leader && card.state === 'closing') account.log.left(card.name, 'closed');
  if (card === account.leader && card.state === 'killed') account.log.left(card.name, 'killed');
  if (!card.isOpen) {
    account.counts.delete(card);
    if (card === account.leader) account.leader = undefined;
  }
  void watch.look();
  render();
}

/** Receives a message from a tab. */
function heard(card: TabCard, message: FromTab): void {
  switch (message.type) {
    case 'opened':
      card.tell({ type: 'run', isOn: isRunning() });
      opened.get(card)?.();
      break;
    case 'role':
      takeRole(card, message.role);
      break;
    case 'read':
      account.counts.set(card, message.count.rows);
      account.verdict = account.ledger.check(message.count);
      break;
    case 'written':
      account.ledger.add(message.written);
      account.log.written(message.written);
  }
  render();
}

function takeRole(card: TabCard, role: Role): void {
  if (role === 'follower') {
    if (card === account.leader) account.leader = undefined;
    return;
  }
  if (account.hasLed && card !== account.leader) account.log.took(card.name);
  account.leader = card;
  account.hasLed = true;
}

const isRunning = () => runAll.getAttribute('aria-pressed') === 'true';

function setRunning(isOn: boolean): void {
  runAll.setAttribute('aria-pressed', String(isOn));
  for (const card of cards) card.tell({ type: 'run', isOn });
}
runAll.addEventListener('click', () => setRunning(!isRunning()));
byId('kill-leader', HTMLButtonElement).addEventListener('click', () => account.leader?.kill());

/** Callbacks that wait until a tab is opened. */
const opened = new Map<TabCard, () => void>();

/** Starts over with an empty memory and four new tabs. No call is running when the memory is emptied. */
async function beginAgain(): Promise<void> {
  setRunning(false);
  for (const card of cards) card.kill();
  account = newAccount();
  const [first, ...others] = cards as [TabCard, ...TabCard[]];
  const isEmptied = new Promise<void>((resolve) => opened.set(first, resolve));
  first.open(true);
  await isEmptied;
  opened.delete(first);
  for (const card of others) card.open();
}
startOver.addEventListener('click', () => void busy(startOver, beginAgain));

watch.onLook((seen) => {
  clients = seen;
  render();
});
connectThemeToggle(byId('theme-toggle', HTMLButtonElement));
fill(byId('tabs', HTMLElement), ...cards.map(({ element }) => element));
for (const card of cards) card.open();
