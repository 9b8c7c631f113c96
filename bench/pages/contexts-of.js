// The time to pack a context, next to the time to read the same rows, in a page or in Node. It uses only names that
// earlier builds have too.
const FACTS = 5000;
const ROOM = 1e9;
const QUESTION = 'green tea';

/** The calls that pack a context, and those that read the same rows without packing. */
const WAYS = {
  turns: {
    pack: (memory, count) =>
      memory.context(QUESTION, { tokenBudget: ROOM, sections: { turns: 1 }, recentTurns: count }),
    read: (memory, count) => memory.turns.list({ limit: count }),
  },
  words: recalled({ meaning: 0 }),
  both: recalled({}),
};

function recalled(weights) {
  return {
    pack: (memory, count) =>
      memory.context(QUESTION, { tokenBudget: ROOM, sections: { recalled: 1 }, k: count, recall: { weights } }),
    read: (memory, count) => memory.recall(QUESTION, { k: count, weights, minSimilarity: 0.2, explain: true }),
  };
}

async function filled(Memory, url, texts) {
  const memory = await Memory.open({ url });
  // Every row has the question's words, so that as many rows are found as requested.
  const contents = texts(FACTS).map((text, at) => `${text} ${QUESTION} ${at}`);
  await memory.semantic.rememberMany(contents.map((content) => ({ content, metadata: { source: 'bench' } })));
  await memory.turns.appendMany(
    contents.slice(0, 1000).map((text, at) => ({ userInput: text, assistantResponse: `Answer ${at}: noted.` })),
  );
  await memory.embeddings.ready();
  return memory;
}

/**
 * Times in ms of each round: `pack` and `read` of each build, by way and number of rows. The builds alternate.
 *
 * @param builds - The `Memory` of each build, by name.
 * @param urlOf - Returns the URL of a build's memory.
 * @param texts - Returns the requested number of texts.
 */
export async function measureContexts(builds, urlOf, texts, { sizes, rounds }) {
  const names = Object.keys(builds);
  const memories = {};
  for (const name of names) memories[name] = await filled(builds[name], urlOf(name), texts);
  const found = [];
  for (const [way, calls] of Object.entries(WAYS)) {
    for (const size of sizes) {
      const times = Object.fromEntries(names.map((name) => [name, { pack: [], read: [] }]));
      for (let round = -1; round < rounds; round++) {
        for (const name of round % 2 ? names : names.toReversed()) {
          for (const [kind, call] of Object.entries(calls)) {
            const begun = performance.now();
            const { used, rows, length = used?.length ?? rows?.length } = await call(memories[name], size);
            // The first round warms up.
            if (round >= 0) times[name][kind].push(performance.now() - begun);
            if (length !== size) throw new Error(`${way}, ${kind}: ${length} rows instead of ${size}.`);
          }
        }
      }
      found.push({ way, size, times });
    }
  }
  for (const name of names) await memories[name].close();
  return found;
}
