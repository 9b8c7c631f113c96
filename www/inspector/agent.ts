import type { JsonValue, Memory, Turn } from '../package/index.js';
import { USER_NAME, type Draft, type Doubt, type NewDoubt } from './draft.js';
import { fieldsOf, plural } from './format.js';
import { understand } from './language.js';
import type { Source } from './recall.js';
import { TABLE_NAMES } from './references.js';
import { reply } from './replies.js';

/** What the agent said, and the rows behind it. */
export interface Answer {
  readonly text: string;
  /** The rows that the answer is based on. */
  readonly used: readonly Source[];
  /** The rows that it stored. */
  readonly kept: readonly Source[];
}

/** A message and its answer, as stored in `turns`. */
export interface Exchange extends Answer {
  readonly id: number;
  readonly message: string;
  readonly time: Date | null;
}

/**
 * A small agent with rules and no model. It stores everything it knows in a memory and keeps nothing of the
 * conversation here, so a reload forgets nothing.
 */
export class Agent {
  readonly #memory: Memory;
  #arrived: string | undefined;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** What the agent says when it is opened. */
  async greeting(): Promise<string> {
    const [name, facts] = await Promise.all([this.#userName(), this.#memory.semantic.count()]);
    if (name) return `Welcome back, ${name}. I remember ${plural(facts, 'fact')} and our last conversation.`;
    if (facts > 0) return `Hello. I remember ${plural(facts, 'fact')}, but not your name.`;
    return 'Hello, I do not know you yet. Tell me your name or something to remember.';
  }

  /** The last exchanges, oldest first, and the cursor of the page before them. */
  async history(
    limit: number,
    cursor: string | null = null,
  ): Promise<{ exchanges: Exchange[]; cursor: string | null }> {
    const page = await this.#memory.turns.list({ limit, cursor });
    return { exchanges: page.rows.map(exchangeOf).reverse(), cursor: page.cursor };
  }

  /**
   * Notes that a file has replaced the memory. The agent records that when it next speaks, so that right after an
   * import the memory contains only what the file held.
   */
  arrived(fileName: string): void {
    this.#arrived = fileName;
  }

  /** Answers a message, and stores the exchange and what it learned from it. */
  async respond(input: string): Promise<void> {
    const message = input.trim();
    const [[last], userName, metBefore] = await Promise.all([
      this.#memory.turns.recent(1),
      this.#userName(),
      this.#memory.episodes.count({ eventTypes: ['first_meeting'] }),
    ]);
    const doubt = await this.#openDoubt(last);
    const meaning = understand(message);
    const draft = await reply(this.#memory, meaning, { message, userName, doubt });
    const { text, used = [], kept = [] } = draft;

    const context = last ? `${last.userInput ?? ''}\n${last.assistantResponse ?? ''}` : null;
    const [logged] = await Promise.all([
      draft.doubt && this.#log(draft.doubt, message, context),
      draft.settled !== undefined && doubt && this.#memory.uncertainty.resolve(doubt.id, draft.settled),
    ]);
    const doubtSource: Source[] =
      draft.settled !== undefined && doubt ? [{ table: 'uncertainty', key: doubt.id, text: doubt.message }] : [];
    const allUsed = [...used, ...doubtSource];
    const allKept: Source[] = logged ? [...kept, { table: 'uncertainty', key: logged, text: message }] : [...kept];
    const waiting = logged &&
      draft.doubt && { id: logged, about: draft.doubt.about, proposed: draft.doubt.proposed ?? null };

    await Promise.all([
      this.#memory.turns.append({
        userInput: message,
        assistantResponse: text,
        metadata: {
          meaning: meaning.kind,
          used: allUsed.map(plainSource),
          kept: allKept.map(plainSource),
          ...(waiting && { doubt: waiting }),
        },
      }),
      this.#recordEpisodes(draft, message, !last && metBefore === 0),
    ]);
  }

  async #userName(): Promise<string | undefined> {
    const name = await this.#memory.longTerm.get(USER_NAME);
    return typeof name === 'string' && name !== '' ? name : undefined;
  }

  /** The doubt that the agent asked about last time, if it did and the doubt is still open. */
  async #openDoubt(last: Turn | undefined): Promise<Doubt | undefined> {
    const waiting = fieldsOf(last?.metadata)['doubt'];
    const { id, about, proposed } = fieldsOf(waiting);
    if (typeof id !== 'number') return undefined;
    const doubt = await this.#memory.uncertainty.get(id);
    if (!doubt || doubt.resolved) return undefined;
    return {
      id,
      about: about as Doubt['about'],
      message: doubt.userMessage ?? '',
      proposed: typeof proposed === 'string' ? proposed : undefined,
    };
  }

  #log({ intent, confidence, signals }: NewDoubt, message: string, context: string | null): Promise<number> {
    return this.#memory.uncertainty.log({
      userMessage: message,
      parsedIntent: intent,
      confidenceScore: confidence,
      context,
      signals,
    });
  }

  async #recordEpisodes({ episode, settled }: Draft, message: string, isFirst: boolean): Promise<void> {
    const happened: (readonly [eventType: string, valence: number, content: JsonValue])[] = [];
    if (this.#arrived !== undefined) happened.push(['file_imported', 0.1, { file: this.#arrived }]);
    if (isFirst) happened.push(['first_meeting', 0.6, { message }]);
    if (settled !== undefined) happened.push(['doubt_resolved', 0.3, { message, how: settled }]);
    if (episode) happened.push([...episode, { message }]);
    this.#arrived = undefined;
    if (happened.length === 0) return;
    await this.#memory.episodes.recordMany(
      happened.map(([eventType, valence, content]) => ({ eventType, valence, content })),
    );
  }
}

/** A turn as an exchange. A turn from an imported file does not list the rows behind it. */
function exchangeOf({ id, timestamp, userInput, assistantResponse, metadata }: Turn): Exchange {
  const { used, kept } = fieldsOf(metadata);
  return {
    id,
    message: userInput ?? '',
    text: assistantResponse ?? '',
    used: sourcesOf(used),
    kept: sourcesOf(kept),
    time: timestamp,
  };
}

function sourcesOf(value: JsonValue | undefined): Source[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item): Source[] => {
    const { table, key, text } = fieldsOf(item);
    const known = TABLE_NAMES.find((name) => name === table);
    const isKey = typeof key === 'number' || typeof key === 'string';
    return known && isKey && typeof text === 'string' ? [{ table: known, key, text }] : [];
  });
}

const plainSource = ({ table, key, text }: Source): JsonValue => ({ table, key, text });
