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
/** The package's own choice where none is made. */
const ASKED_BY_DEFAULT: readonly MemoryTable[] = ['turns', 'episodes', 'longTerm', 'semantic'];

interface Answer {
  readonly hits: readonly RecallHit[];
  /** Why they were found by their words alone; undefined where they were not. */
  readonly without: unknown;
}

/** A question to everything remembered, why each hit ranks where it does, and where it lies among the others. */
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
      say(asked === '' ? 'Type a question first.' : 'Choose at least one table to ask.');
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
    // The first question may have had rows embedded, or have found that they cannot be.
    await vectors.refresh();
  };
  // A question asked while another is under way is asked after it.
  const askSoon = inTurn(() => busy(button, () => attempt(ask)));
  byId('recall-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void askSoon();
  });

  session.onChange((change) => {
    if (change === 'replaced') say('');
    // Not waited for: the rest of the page need not wait until all is embedded.
    void vectors.refresh();
  });
  void vectors.refresh();
}

/** Asks by words alone where the embedder fails, and tells that it did. */
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
    ? 'Nothing in these tables bears on this question.'
    : 'Nothing in these tables has a word of this question.';

function withoutMeaning(error: unknown): HTMLElement {
  return make(
    'div',
    { class: 'recall-without', role: 'alert' },
    make('p', {}, 'Asked by words alone, for the question could not be embedded.'),
    errorParagraph(error),
  );
}

function tableBox(table: MemoryTable): HTMLInputElement {
  return make('input', { type: 'checkbox', name: 'table', value: table, checked: ASKED_BY_DEFAULT.includes(table) });
}

function tableLabel(table: MemoryTable, box: HTMLInputElement): HTMLElement {
  return make('label', { 'data-table': table }, box, TABLES[table].title);
}
