// One of the four tabs: a normal client of the memory, in a frame.
import { Memory, type MemoryReader, type MemoryStatus, type Turn } from '../../package/index.js';
import { arrange, byId, fill, Kept, make } from '../dom.js';
import { clockTime, fieldsOf, plural } from '../format.js';
import { errorParagraph } from '../notices.js';
import { URL_OF_TABS, type Count, type FromTab, type Role, type ToTab, type Writer as Rows } from './messages.js';
import { Writer } from './writer.js';
import '../theme.js';

const LATEST = 20;
const COUNT = `
  SELECT writer, count(*) AS rows, count(DISTINCT number) AS numbers, min(number) AS first, max(number) AS last
  FROM (SELECT metadata ->> 'writer' AS writer, metadata ->> 'number' AS number FROM turns)
  GROUP BY writer`;

const asked = new URLSearchParams(location.search);
const name = asked.get('tab') ?? 'A';
const write = byId('write', HTMLButtonElement);
const run = byId('run', HTMLInputElement);

/** A tab that is opened outside a frame has no page to send to. */
const tell = (message: FromTab) => parent !== window && parent.postMessage(message, location.origin);

/** Shows an error, until a later attempt succeeds. */
async function attempt(work: () => Promise<unknown>): Promise<void> {
  const problem = byId('problem', HTMLElement);
  try {
    await work();
    fill(problem);
  } catch (error) {
    fill(problem, errorParagraph(error));
  }
}

async function start(): Promise<void> {
  const memory = await Memory.open({ url: URL_OF_TABS, persist: false });
  if (asked.has('empty')) await memory.turns.clear();
  const writer = new Writer(memory, name, (written) => tell({ type: 'written', written }));

  const runOrStop = () =>
    void attempt(async () => {
      if (!run.checked) return writer.stop();
      await writer.run().finally(() => (run.checked = false));
    });
  run.addEventListener('change', runOrStop);
  write.addEventListener('click', () => void attempt(() => writer.write()));
  write.disabled = run.disabled = false;

  showRole(memory.status);
  memory.onStatus(showRole);
  showRows(memory);

  addEventListener('message', ({ data, source, origin }: MessageEvent<ToTab>) => {
    if (source !== parent || origin !== location.origin) return;
    if (data.type === 'run') {
      if (run.checked === data.isOn) return;
      run.checked = data.isOn;
      runOrStop();
    } else {
      writer.stop();
      void attempt(async () => {
        await memory.close();
        tell({ type: 'closed' });
      });
    }
  });
  tell({ type: 'opened' });
}

function showRole({ role, moving }: MemoryStatus): void {
  const element = byId('role', HTMLElement);
  element.dataset['role'] = role;
  fill(element, role);
  fill(byId('role-note', HTMLElement), moving === null ? noteOf(role) : `${moving} under way`);
  tell({ type: 'role', role });
}

const noteOf = (role: Role): string => (role === 'leader' ? 'runs SQLite' : 'asks the leader');

/** Shows the latest rows and the number of all rows, whichever tab wrote them. */
function showRows(memory: Memory): void {
  const list = byId('latest', HTMLElement);
  const kept = new Kept<Turn>(({ id }) => id, rowElement);
  const live = memory.live(async (reader) => {
    const [count, { rows }] = await Promise.all([countAll(reader), reader.turns.list({ limit: LATEST })]);
    return { count, rows };
  });
  live.subscribe(({ value, error }) => {
    if (error) fill(byId('problem', HTMLElement), errorParagraph(error));
    if (!value) return;
    fill(byId('count', HTMLElement), plural(value.count.rows, 'row'));
    arrange(list, kept.elements(value.rows));
    tell({ type: 'read', count: value.count });
  });
}

async function countAll(memory: MemoryReader): Promise<Count> {
  const readAt = Date.now();
  const writers = await memory.query<Rows>(COUNT);
  return { readAt, writers, rows: writers.reduce((sum, { rows }) => sum + rows, 0) };
}

function rowElement({ id, userInput, timestamp, metadata }: Turn): HTMLElement {
  return make(
    'li',
    { 'data-tab': String(fieldsOf(metadata)['tab'] ?? '') },
    make('span', { class: 'number' }, `#${id}`),
    make('span', { class: 'tag' }, userInput),
    timestamp && make('time', { class: 'number', datetime: timestamp.toISOString() }, clockTime(timestamp)),
  );
}

document.title = byId('name', HTMLElement).textContent = `Tab ${name}`;
await attempt(start);
