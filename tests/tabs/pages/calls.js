// What a writer calls. Its calls have numbers, and a number says which call it is, so that the test can tell from the rows
// alone what was carried out, how often and in which order. Read by the page and by the test.

/** Every eighth call is one of these. */
const OTHERS = ['longTerm', 'semantic'];

/** The table that the call with this number writes to. */
export const tableOf = (n) => (n % 8 === 7 ? OTHERS[(n >> 3) % OTHERS.length] : 'turns');

const textOf = (writer, n) => `${writer} ${n}`;

/** The writer and the number in a row's text. */
export function read(text) {
  const [writer, n] = text.split(' ');
  return { writer, n: Number(n) };
}

/** One key for each writer: what is set again in the wrong order shows as an old value. */
const KEY = 'writer.';
export const KEYS = `${KEY}%`;
export const writerOf = (key) => key.slice(KEY.length);

/** Makes the call with this number. */
export const CALLS = {
  turns: (memory, writer, n) => memory.turns.append({ userInput: textOf(writer, n) }),
  semantic: (memory, writer, n) => memory.semantic.remember({ content: textOf(writer, n) }),
  longTerm: (memory, writer, n) => memory.longTerm.set(`${KEY}${writer}`, n),
};
