import { MemoryError, type Memory, type MemoryTable, type RecallHit, type RecallOptions } from '../package/index.js';
import { busy, byId, fill, make } from './dom.js';
import { plural } from './format.js';
import { hitElements } from './hits.js';
import { inTurn } from './in-turn.js';
import { MemoryMap } from './map.js';
import { attempt, errorParagraph } from './notices.js';
import { TABLE_NAMES, TABLES, type Reference } from './references.js';
import type { Session } from './session.js';
import { Vectors } from './vectors.js';

const HITS = 10;
/** The tables that the package searches by default. */
const ASKED_BY_DEFAULT: readonly MemoryTable[] = ['turns', 'episodes', 'longTerm', 'semantic'];

interface Answer {
  readonly hits: readonly RecallHit[];
  /** The error because of which only words were searched; undefined if there was none. */
  readonly without: unknown;
}

/** Shows recall: the question, its hits, why each ranks where it does, and where it is on the map. */
export function showRecall(session: Session, goTo: (row: Reference) => Promise<void>): void {
  const { memory } = session;
  const question = byId('recall-question', HTMLInputElement);
  const button = byId('recall-ask', HTMLButtonElement);
  const found = byId('recall-found', HTMLElement);
  const problem = byId('recall-problem', HTMLElement);
  const list = byId('hits', HTMLElement);
  const tables = TABLE_NAMES.map((table) => ({ table, box: tableBox(table) }));
  byId('recall-tables', HTMLElement).append(...tables.map(({ table, box }) => tableLabel(table, box)));

  const show = (row: Reference) => void attempt(() => goTo(row));
  const map = new MemoryMap(byId('map', HTMLElement), show);
  const vectors = new Vectors(session, (status) => map.load(memory, status?.embedded));

  const say = (text: string, hits: readonly RecallHit[] = [], without?: unknown) => {
    fill(found, text);
    fill(problem, without !== undefined && withoutMeaning(without));
    fill(list, ...hitElements(hits, show));
    map.mark(hits);
  };
  const ask = async () => {
    const asked = question.value.trim();
    const chosen = tables.filter(({ box }) => box.checked).map(({ table }) => table);
    if (asked === '' || chosen.length === 0) {
      say(asked === '' ? 'Type a question first.' : 'Choose at least one table to search.');
      (asked === '' ? question : tables[0]!.box).focus();
      return;
    }
    const started = performance.now();
    try {
      const { hits, without } = await recall(memory, asked, { k: HITS, tables: chosen, explain: true });
      const took = Math.max(1, Math.round(performance.now() - started));
      say(hits.length > 0 ? `${plural(hits.length, 'hit')} in ${took} ms` : nothing(without), hits, without);
    } catch (error) {
      say('');
      fill(problem, make('div', { role: 'alert' }, errorParagraph(error)));
    }
    // The first question may have embedded rows, or failed to.
    await vectors.refresh();
  };
  // A question that is asked while another one runs is asked after it.
  const askSoon = inTurn(() => busy(button, () => attempt(ask)));
  byId('recall-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void askSoon();
  });

  session.onChange((change) => {
    if (change === 'replaced') say('');
    // Not awaited, so that the rest of the page does not wait until everything is embedded.
    void vectors.refresh();
  });
  void vectors.refresh();
}

/** Recalls; falls back to words alone if the embedder fails, and then returns the error too. */
async function recall(memory: Memory, question: string, options: RecallOptions): Promise<Answer> {
  try {
    return { hits: await memory.recall(question, options), without: undefined };
  } catch (error) {
    if (!(error instanceof MemoryError && /^embedder_(unavailable|failed)$/.test(error.code))) throw error;
    return { hits: await memory.recall(question, { ...options, weights: { meaning: 0 } }), without: error };
  }
}

const nothing = (without: unknown): string =>
  without === undefined
    ? 'Nothing in these tables matches this question.'
    : 'Nothing in these tables contains a word of this question.';

function withoutMeaning(error: unknown): HTMLElement {
  return make(
    'div',
    { class: 'recall-without', role: 'alert' },
    make('p', {}, 'Searched by words alone, because the question could not be embedded.'),
    errorParagraph(error),
  );
}

function tableBox(table: MemoryTable): HTMLInputElement {
  return make('input', { type: 'checkbox', name: 'table', value: table, checked: ASKED_BY_DEFAULT.includes(table) });
}

function tableLabel(table: MemoryTable, box: HTMLInputElement): HTMLElement {
  return make('label', { 'data-table': table }, box, TABLES[table].title);
}
