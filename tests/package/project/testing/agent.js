import { Memory } from 'synth-memory';

/** An agent that remembers what it is told. Tests give it a memory of their own. */
export async function openAgent(url = 'opfs:///memory.db') {
  const memory = await Memory.open({ url });
  return {
    hear: (userInput) => memory.turns.append({ userInput }),
    async answer(question) {
      const [hit] = await memory.recall(question, { k: 1 });
      return hit?.text ?? 'I do not know.';
    },
    close: () => memory.close(),
  };
}
