import { TABLES } from './changes.js';
import type { LoadRecall } from './embeddings.js';
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

/** Notes tables that are read. */
type Note = (tables: readonly MemoryTable[]) => void;

/** Makes a reader that notes what is read through it. */
export type OpenReader = (note: Note) => MemoryReader;

/** What makes readers of a memory. */
export function readers(connection: Caller, loadRecall: LoadRecall): OpenReader {
  return (note) => {
    /** Makes the calls that read, and notes these tables at each. */
    const noting = (...tables: MemoryTable[]): Caller => ({
      call(method, ...given) {
        if (CALLS[method] !== 'read') throw invalidArgument('A live query can only read.', 'Write outside of it.');
        note(tables);
        return connection.call(method, ...given);
      },
    });
    const recall = (...tables: MemoryTable[]) => {
      note(tables);
      return loadRecall();
    };
    return {
      turns: new Turns(noting('turns')),
      episodes: new Episodes(noting('episodes')),
      longTerm: new LongTerm(noting('longTerm')),
      uncertainty: new UncertaintyLog(noting('uncertainty')),
      semantic: new SemanticMemories(noting('semantic'), () => recall('semantic')),
      async query(sql, parameters = [], options = {}) {
        const { rows } = await runQuery<never>(connection, sql, parameters, options);
        note(TABLES);
        return rows;
      },
      recall: async (question, options) => (await recall(...recalled(options))).recall.recall(question, options),
      context: async (query, options) => (await recall(...TABLES)).context(query, options),
      related: async (query, options) => (await recall('semantic', 'episodes')).recall.related(query, options),
      groundingConfidence: async (text, options) =>
        (await recall('semantic')).recall.groundingConfidence(text, options),
    };
  };
}

/** What a recall depends on: the tables that it looks in, and what settled doubts taught. */
function recalled({ tables = TABLES }: RecallFilter = {}): MemoryTable[] {
  return [...tables, 'uncertainty'];
}
