// Shared by the tests of questions: the questions, how they are asked, and how to check that an answer saw the data.

/** Options without meaning. */
export const WORDS = { weights: { meaning: 0 } };
/** The files of the model. */
export const MODEL = '**/package/models/*';
export const CELLO = 'Ada plays the cello';

/**
 * Questions by words and by meaning, and how to check that each saw the fact about the cello. Those by meaning wait for
 * the embedder.
 */
export const QUESTIONS = [
  { path: 'recall', asked: 'cello', options: { k: 1, ...WORDS }, sees: ([hit]) => hit.text === CELLO },
  {
    path: 'recall',
    asked: 'a musical instrument',
    options: { k: 1 },
    sees: ([hit]) => hit.text === CELLO && hit.similarity > 0.2,
    waits: true,
  },
  { path: 'context', asked: 'cello', options: { recall: WORDS }, sees: ({ text }) => text.includes(CELLO) },
  {
    path: 'context',
    asked: 'a musical instrument',
    options: { sections: { recalled: 1 } },
    sees: ({ text }) => text.includes(CELLO),
    waits: true,
  },
  {
    path: 'semantic.search',
    asked: 'cello',
    options: { k: 1 },
    sees: ([fact]) => fact.content === CELLO,
    embedder: 'none',
  },
  {
    path: 'semantic.search',
    asked: 'a musical instrument',
    options: { k: 1 },
    sees: ([fact]) => fact.content === CELLO && fact.similarity > 0.2,
    waits: true,
  },
  { path: 'related', asked: 'cello', options: { k: 1 }, sees: ([{ row }]) => row.content === CELLO, embedder: 'none' },
  {
    path: 'related',
    asked: 'a musical instrument',
    options: { k: 1 },
    sees: ([{ row, similarity }]) => row.content === CELLO && similarity > 0.2,
    waits: true,
  },
  {
    path: 'groundingConfidence',
    asked: CELLO,
    // 0.5 if nothing is known. The cosine of the same text is 1.
    sees: (confidence) => Math.abs(confidence - 1) < 1e-3,
    waits: true,
  },
];
export const WAITING = QUESTIONS.filter(({ waits }) => waits);

/** The properties of a question that are passed to the page. */
export const plain = ({ path, asked, options = {}, embedder }) => ({ path, asked, options, embedder });

/** Adds to `window` a function that asks a question with any method. */
export const prepare = (page) =>
  page.evaluate(() => {
    window.ask = (memory, { path, asked, options }) => {
      const names = path.split('.');
      const method = names.pop();
      const target = names.reduce((object, name) => object[name], memory);
      return target[method](...(asked === undefined ? [] : [asked]), options);
    };
  });

/** A message with the question and its answer. */
export const say = (question, answer) => `${JSON.stringify(plain(question))} is answered ${JSON.stringify(answer)}`;

/** Holds back a file of the package until `release` is called. */
export async function hold(context, pattern) {
  let release;
  let reached;
  const held = new Promise((resolve) => (release = resolve));
  const asked = new Promise((resolve) => (reached = resolve));
  await context.route(pattern, async (route) => {
    reached();
    await held;
    await route.continue().catch(() => undefined);
  });
  return { release, asked };
}
