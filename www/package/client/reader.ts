import { TABLES } from './changes.js';
import type { LoadedRecall } from './embeddings.js';
import type { Memory } from './memory.js';
import { runQuery, type Caller } from './query.js';
import { Episodes, LongTerm, SemanticMemories, Turns, UncertaintyLog } from './tables.js';
import { CALLS } from '../link/calls.js';
import { invalidArgument } from '../wire/errors.js';
import type { RecallFilter } from '../recall/questions.js';
import type { MemoryTable } from '../wasm/synth_memory.js';

/** What reads from a table. */
type Reads<Table, More extends keyof Table = never> = Pick<
  Table,
  Extract<keyof Table, 'get' | 'list' | 'recent' | 'count'> | More
>;

/** A memory as a live query has it: what reads and depends on rows alone. */
export interface MemoryReader extends Pick<Memory, 'query' | 'recall' | 'context' | 'related' | 'groundingConfidence'> {
  /** The conversation. */
  readonly turns: Reads<Turns>;
  /** What happened. */
  readonly episodes: Reads<Episodes>;
  /** What is known, by key. */
  readonly longTerm: Reads<LongTerm, 'entry'>;
  /** What the agent was unsure of, and how it was settled. */
  readonly uncertainty: Reads<UncertaintyLog, 'statistics'>;
  /** Facts. */
  readonly semantic: Reads<SemanticMemories, 'search'>;
}

/** What an answer depends on: rows of a table, or vectors of a page's own embedder, which come after their rows. */
export type Source = MemoryTable | 'vectors' | 'own';

/** Everything that an answer can depend on. */
export const SOURCES: readonly Source[] = [...TABLES, 'vectors', 'own'];

/** Makes a reader that notes what is read through it. */
export type OpenReader = (note: (sources: readonly Source[]) => void) => MemoryReader;

/** The tables as SQL knows them. */
const BY_NAME: Readonly<Record<string, MemoryTable>> = {
  turns: 'turns',
  episodes: 'episodes',
  semantic_memories: 'semantic',
  long_term: 'longTerm',
  uncertainty_log: 'uncertainty',
};

/** What makes readers of a memory; `embedded` is called when rows may have got vectors. */
export function readers(connection: Caller, recall: LoadedRecall, embedded: () => void): OpenReader {
  return (note) => {
    /** Makes the calls that read, and notes this table at each. */
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

/** What a table in SQL depends on: an app's own, or what is derived, on any of the memory's, by a trigger or otherwise. */
function sourcesOf(table: string): readonly Source[] {
  const own = BY_NAME[table];
  return own ? [own] : SOURCES;
}

/** What a recall depends on: the tables that it looks in, and what settled doubts taught. */
function recalled({ tables = TABLES }: RecallFilter = {}): readonly MemoryTable[] {
  return [...tables, 'uncertainty'];
}
