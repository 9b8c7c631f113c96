import { TABLES } from './changes.js';
import type { LoadedRecall } from './embeddings.js';
import type { Memory } from './memory.js';
import { runQuery, type Caller } from './query.js';
import { Episodes, LongTerm, SemanticMemories, Turns, UncertaintyLog } from './tables.js';
import { CALLS } from '../link/calls.js';
import { invalidArgument } from '../wire/errors.js';
import type { RecallFilter } from '../recall/questions.js';
import type { MemoryTable } from '../wasm/synth_memory.js';

/** The reading calls of a table. */
type Reads<Table, More extends keyof Table = never> = Pick<
  Table,
  Extract<keyof Table, 'get' | 'list' | 'recent' | 'count'> | More
>;

/** The memory that a live query reads: the calls that only read, and depend on rows alone. */
export interface MemoryReader extends Pick<Memory, 'query' | 'recall' | 'context' | 'related' | 'groundingConfidence'> {
  /** The conversation. */
  readonly turns: Reads<Turns>;
  /** Events. */
  readonly episodes: Reads<Episodes>;
  /** Long-term knowledge: JSON values by key. */
  readonly longTerm: Reads<LongTerm, 'entry'>;
  /** Open questions: what the agent was unsure about, and how it was resolved. */
  readonly uncertainty: Reads<UncertaintyLog, 'statistics'>;
  /** Facts. */
  readonly semantic: Reads<SemanticMemories, 'search'>;
}

/**
 * What a result depends on: rows of a table, the app's own tables, or vectors of a page's own embedder, which follow
 * their rows.
 */
export type Source = MemoryTable | 'vectors' | 'own';

/** Everything that a result can depend on. */
export const SOURCES: readonly Source[] = [...TABLES, 'vectors', 'own'];

/** Makes a reader that notes what is read through it. */
export type OpenReader = (note: (sources: readonly Source[]) => void) => MemoryReader;

/** The tables by their SQL names. */
const BY_NAME: Readonly<Record<string, MemoryTable>> = {
  turns: 'turns',
  episodes: 'episodes',
  semantic_memories: 'semantic',
  long_term: 'longTerm',
  uncertainty_log: 'uncertainty',
};

/** Returns a function that makes readers of a memory. `embedded` is called when rows may have received vectors. */
export function readers(connection: Caller, recall: LoadedRecall, embedded: () => void): OpenReader {
  return (note) => {
    /** Makes calls that read, notes this table at each, and rejects others. */
    const noting = (table: MemoryTable): Caller => ({
      call(method, ...given) {
        if (CALLS[method] !== 'read') throw invalidArgument('A live query can only read.', 'Write outside of it.');
        note([table]);
        return connection.call(method, ...given);
      },
    });
    const load = async (...tables: readonly MemoryTable[]) => {
      note([...tables, 'vectors']);
      const opened = await recall.load();
      opened.runner.settled.add(embedded);
      return opened;
    };
    return {
      turns: new Turns(noting('turns')),
      episodes: new Episodes(noting('episodes')),
      longTerm: new LongTerm(noting('longTerm')),
      uncertainty: new UncertaintyLog(noting('uncertainty')),
      semantic: new SemanticMemories(noting('semantic'), { load: () => load('semantic') }),
      async query(sql, parameters = [], options = {}) {
        const { rows, tables } = await runQuery<never>(connection, sql, parameters, options);
        note(tables.flatMap(sourcesOf));
        return rows;
      },
      recall: async (question, options) => (await load(...recalled(options))).recall.recall(question, options),
      context: async (query, options) => (await load(...TABLES)).context(query, options),
      related: async (query, options) => (await load('semantic', 'episodes')).recall.related(query, options),
      groundingConfidence: async (text, options) => (await load('semantic')).recall.groundingConfidence(text, options),
    };
  };
}

/**
 * What a table in SQL depends on: one of the memory's own on itself; any other on all of them, because a trigger or the
 * engine may fill it.
 */
function sourcesOf(table: string): readonly Source[] {
  const own = BY_NAME[table];
  return own ? [own] : SOURCES;
}

/** What a recall depends on: the tables that it searches, and what resolved open questions taught. */
function recalled({ tables = TABLES }: RecallFilter = {}): readonly MemoryTable[] {
  return [...tables, 'uncertainty'];
}
