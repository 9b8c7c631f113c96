// Every call of the benchmarks to a bare engine. If the engine renames one, only this file changes.

/** The engine's class, from the folder that wasm-bindgen wrote. */
export async function loadEngine(folder) {
  const glue = await import(`${folder}synth_memory.js`);
  await glue.default({ module_or_path: `${folder}synth_memory_bg.wasm` });
  return glue.Engine;
}

/** Opens a memory file; without `path`, it is kept in RAM. */
export const open = (Engine, options = {}) => Engine.open({ durability: 'strict', ...options });

export const close = (engine) => engine.close();

/** The rows of a query, as objects. */
export function query(engine, sql) {
  const { columns, rows } = engine.query(sql, [], undefined);
  return rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]])));
}

/** Indexes all changed rows. */
export function index(engine) {
  while (engine.indexSlice());
}

export const addFacts = (engine, facts) => engine.semanticAdd(facts);

/** Adds rows to each of the five tables. */
export function addEverywhere(engine, texts) {
  engine.turnsAdd(texts.map((text) => ({ userInput: text, assistantResponse: text })));
  engine.episodesAdd(texts.map((text) => ({ eventType: 'task', content: JSON.stringify({ text }) })));
  engine.longTermAdd(texts.map((text, at) => ({ key: `key ${at}`, value: JSON.stringify(text) })));
  engine.uncertaintyAdd(texts.map((text) => ({ userMessage: text, confidenceScore: 0.5 })));
  engine.semanticAdd(texts.map((text) => ({ content: text })));
}

export const addTurns = (engine, texts) =>
  engine.turnsAdd(texts.map((text) => ({ userInput: text, assistantResponse: text })));

export const page = (engine, limit) => engine.turnsList({}, { limit });

export const upgrade = (engine, target) => engine.upgrade(target);

export const recallByWords = (engine, text, k) => engine.recall({ text, k, weights: { meaning: 0 } });

export const recallByMeaning = (engine, vector, k) => engine.semanticSearch({ text: '', k }, vector);

const MODEL = 'bench';
const BATCH = 1000;

/** Stores the vector of each waiting text, in the order of the rows. */
export function embed(engine, vectors, dimensions) {
  engine.embeddingsUse(MODEL, dimensions);
  let from = 0;
  for (;;) {
    const keys = engine.embeddingsPending(BATCH).map(({ key }) => key);
    if (keys.length === 0) return from;
    const some = vectors.subarray(from * dimensions, (from + keys.length) * dimensions);
    engine.embeddingsKeep(keys, some, dimensions, MODEL);
    from += keys.length;
  }
}
