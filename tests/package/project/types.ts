// Compiled, never run. What is marked must not compile, and for the one reason that the comment gives.
import {
  Memory,
  MemoryError,
  type Change,
  type Embedder,
  type ExplainedHit,
  type ErrorCode,
  type JsonValue,
  type LeftOut,
  type LiveSnapshot,
  type MemoryContext,
  type MemoryReference,
  type NewTurn,
  type Page,
  type RecallHit,
  type RecallParts,
  type Reranker,
  type Turn,
} from 'synth-memory';
import { openAiEmbedder, transformersReranker } from 'synth-memory/embedders';

type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

/** Compiles only where a type is exactly the one that is expected. */
function exactly<Expected>() {
  return <Given>(_given: Given, _same: Same<Given, Expected>): void => undefined;
}

export async function works(file: File, signal: AbortSignal): Promise<void> {
  await using memory = await Memory.open({
    url: 'opfs:///agents/one.db',
    durability: 'relaxed',
    persist: false,
    signal,
  });
  const turn: NewTurn = { userInput: 'Hello', assistantResponse: null, metadata: { nested: [1, 'two', null] } };
  exactly<number>()(await memory.turns.append(turn, { signal }), true);
  exactly<number[]>()(await memory.turns.appendMany([turn]), true);
  const found: Turn | undefined = await memory.turns.get(1);
  exactly<string | null | undefined>()(found?.userInput, true);
  const page: Page<Turn> = await memory.turns.list({ search: 'hello', orderBy: 'timestamp', limit: 10, cursor: null });
  for (const { timestamp, metadata, userInput } of page.rows) {
    exactly<Date | null>()(timestamp, true);
    exactly<JsonValue | null>()(metadata, true);
    exactly<string | null>()(userInput, true);
  }
  await memory.episodes.record({ eventType: 'task_completed', valence: -0.5, timestamp: new Date(), content: [true] });
  await memory.longTerm.set('user', { name: 'Ada' });
  await memory.longTerm.setMany(new Map<string, JsonValue>([['one', 1]]));
  await memory.longTerm.setMany({ two: 2 });
  exactly<JsonValue | undefined>()(await memory.longTerm.get('user'), true);
  await memory.uncertainty.resolve(await memory.uncertainty.log({ userMessage: 'Hm', confidenceScore: 0.2 }), 'asked');
  await memory.semantic.list({ orderBy: 'importance', direction: 'desc', categories: ['general'] });
  exactly<{ n: number }[]>()(
    await memory.query<{ n: number }>('SELECT count(*) AS n FROM turns WHERE id > ?', [1n]),
    true,
  );
  exactly<string[]>()((await memory.import(file)).applied, true);
  exactly<LeftOut[]>()((await memory.import(file, { foreign: 'refuse' })).leftOut, true);
  const bytes: BlobPart = await memory.export({ revision: '001' });
  await memory.import(new Blob([bytes]));
  await memory.migrations.downgrade('-1');
  exactly<string | null>()(memory.status.revision, true);
}

export async function recalls(memory: Memory, signal: AbortSignal): Promise<string[]> {
  const embedder: Embedder = {
    name: 'mine',
    embed: async (texts, { purpose }) => texts.map((text) => [text.length, purpose.length]),
  };
  await using other = await Memory.open({ embedder, onEmbedding: ({ pending, retryAt }) => void [pending, retryAt] });
  exactly<boolean>()((await other.coherenceDrift()).drifting, true);
  await Memory.open({ embedder: openAiEmbedder({ model: 'small', dimensions: 3 }) });
  const hits: RecallHit[] = await memory.recall('what?', {
    k: 5,
    tables: ['turns'],
    weights: { words: 2 },
    explain: true,
    signal,
  });
  const facts = await memory.semantic.search(new Float32Array(3), { categories: ['health'], minSimilarity: 0.5 });
  exactly<number | null | undefined>()(facts.at(0)?.similarity, true);
  await memory.uncertainty.resolve(1, 'asked', {
    settledBy: hits,
    misledBy: [{ table: 'longTerm', key: 'user.name' }],
  });
  const rerank: Reranker = (question, texts, signal) => texts.map((text) => (signal?.aborted ? 0 : text.length));
  const { used, hits: packed }: MemoryContext = await memory.context('what?', {
    sections: { recalled: 1 },
    order: ['recalled'],
    countTokens: (text) => text.length,
    recall: { rerank, weights: { rerank: 2 } },
  });
  exactly<readonly MemoryReference[]>()(used, true);
  exactly<readonly ExplainedHit[]>()(packed, true);
  exactly<RecallParts | undefined>()(packed.at(0)?.explanation.parts, true);
  exactly<number | null | undefined>()(packed.at(0)?.explanation.evidence.rerank, true);
  await memory.recall('what?', { rerank: async (_, texts) => new Float32Array(texts.length), rerankCandidates: 20 });
  await memory.recall('what?', {
    rerank: transformersReranker({
      tokenizer: (texts, { text_pair }) => [texts, text_pair],
      model: async () => ({ logits: { dims: [1, 1], data: new Float32Array(1) } }),
    }),
  });
  exactly<number | null>()((await memory.consolidate({ dryRun: true })).id, true);
  // @ts-expect-error no such table
  await memory.recall('what?', { tables: ['facts'] });
  // @ts-expect-error no such part
  await memory.recall('what?', { weights: { age: 1 } });
  // @ts-expect-error seconds in place of a Date
  await memory.recall('what?', { since: 1_700_000_000 });
  // @ts-expect-error a score for each text
  await memory.recall('what?', { rerank: (_, texts) => texts });
  // @ts-expect-error no such section
  await memory.context('what?', { sections: { facts: 1, episodes: 1 } });
  // @ts-expect-error an embedder has a name
  await Memory.open({ embedder: { embed: async () => [] } });
  // @ts-expect-error an entry of long-term knowledge has a key
  await memory.uncertainty.resolve(1, 'asked', { settledBy: [{ table: 'longTerm', id: 1 }] });
  return hits.map((hit) => {
    // What a hit's table is tells what its row is.
    switch (hit.table) {
      case 'turns':
        return `${hit.row.userInput} ${hit.neighbors.length}`;
      case 'longTerm':
        return `${hit.key} ${JSON.stringify(hit.row.value)}`;
      default:
        return `${hit.id} ${hit.explanation?.parts.words}`;
    }
  });
}

export async function follows(memory: Memory, signal: AbortSignal): Promise<void> {
  for await (const change of memory.changes({ tables: ['turns', 'longTerm'], signal })) {
    exactly<Change>()(change, true);
    if (change.kind === 'replaced') continue;
    else if (change.kind === 'missed') exactly<readonly MemoryReference['table'][]>()(change.tables, true);
    else if (change.kind === 'own') exactly<readonly string[]>()(change.tables, true);
    else if (change.table === 'longTerm') exactly<string>()(change.key, true);
    else exactly<number>()(change.id, true);
  }
  const stop: () => void = memory.onChange(({ kind }) => void kind, { signal });
  stop();
  const live = memory.live(
    async (memory) => [await memory.turns.count(), await memory.longTerm.entry('user')] as const,
  );
  live.subscribe((snapshot) => {
    if (snapshot.status === 'ready') exactly<number>()(snapshot.value[0], true);
    else if (snapshot.status === 'error') exactly<MemoryError>()(snapshot.error, true);
  });
  const count: LiveSnapshot<number> = memory.live((memory) => memory.turns.count()).getSnapshot();
  exactly<number | undefined>()(count.value, true);
  exactly<number>()((await memory.turns.list({ search: 'tea', total: true })).total, true);
  exactly<number | undefined>()((await memory.turns.list({ search: 'tea' })).total, true);
  // @ts-expect-error no such table
  memory.changes({ tables: ['facts'] });
  // @ts-expect-error a live query reads
  memory.live((memory) => memory.turns.clear());
}

export function handles(error: unknown): string {
  if (!(error instanceof MemoryError)) throw error;
  const code: ErrorCode = error.code;
  if (code === 'quota_exceeded' || code === 'locked' || code === 'opfs_unavailable') return error.hint;
  // @ts-expect-error there is no such code
  if (error.code === 'no_such_code') return error.message;
  return error.code satisfies string;
}

export async function doesNotCompile(memory: Memory): Promise<void> {
  // @ts-expect-error no such field
  await memory.turns.append({ userInput: 'Hello', mood: 'good' });
  // @ts-expect-error a field is missing
  await memory.turns.append({ assistantResponse: 'Hello' });
  // @ts-expect-error a column's name in place of the field's
  await memory.turns.append({ user_input: 'Hello' });
  // @ts-expect-error a number as text
  await memory.episodes.record({ eventType: 'task_completed', valence: '0.5' });
  // @ts-expect-error seconds in place of a Date
  await memory.episodes.record({ eventType: 'task_completed', timestamp: 1_700_000_000 });
  // @ts-expect-error a Map is no JSON value
  await memory.longTerm.set('key', new Map());
  // @ts-expect-error a function is no JSON value
  await memory.longTerm.set('key', () => 1);
  // @ts-expect-error undefined is no JSON value
  await memory.longTerm.set('key', undefined);
  // @ts-expect-error a Date is no JSON value
  await memory.longTerm.set('key', { when: new Date() });
  // @ts-expect-error no such table
  await memory.memories.count();
  // @ts-expect-error another table's order
  await memory.turns.list({ orderBy: 'importance' });
  // @ts-expect-error another table's filter
  await memory.turns.count({ categories: ['general'] });
  // @ts-expect-error a key of the wrong type
  await memory.longTerm.get(1);
  // @ts-expect-error an id cannot be changed
  await memory.turns.update(1, { id: 2 });
  // @ts-expect-error a durability there is none of
  await Memory.open({ durability: 'none' });
  // @ts-expect-error opened, never constructed
  new Memory();
  // @ts-expect-error a boolean is no parameter of SQLite's
  await memory.query('SELECT ?', [true]);
}
