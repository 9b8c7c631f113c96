// Shared by the tests of recall: a memory with rows, and an embedder that needs no model.
import assert from 'node:assert/strict';
import { Memory, MemoryError } from '../../dist/index.js';

export const open = (options) => Memory.open({ url: 'memory:', ...options });

/** A vector of the letters of a text: the same words in another order have the same vector. */
export const byLetters = (text) =>
  Float32Array.from({ length: 26 }, (_, at) => text.toLowerCase().split(String.fromCharCode(97 + at)).length - 1);
export const letters = { name: 'letters', dimensions: 26, embed: async (texts) => texts.map(byLetters) };

export const rejects = (promise, code, message) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof MemoryError, String(error));
    assert.equal(error.code, code, error.message);
    if (message) assert.match(error.message, message);
    return true;
  });

export async function filled(options) {
  const memory = await open(options);
  await memory.turns.appendMany([
    { userInput: 'Call me Ada', assistantResponse: 'Hello Ada' },
    { userInput: 'Book a table at the Harbour Grill for Friday', assistantResponse: 'Booked for seven.' },
    { userInput: 'Who is coming?', assistantResponse: 'Bo and Cleo.' },
  ]);
  await memory.episodes.record({ eventType: 'task_completed', content: { task: 'booked a table' }, valence: 0.6 });
  await memory.longTerm.set('user.name', 'Ada');
  await memory.longTerm.set('user.diet', { avoids: ['peanuts'] });
  await memory.semantic.rememberMany([
    { content: 'Ada is allergic to peanuts', category: 'health', importance: 0.9 },
    { content: 'Ada plays the cello', category: 'hobby' },
    { content: 'The flat has two rooms', category: 'home', importance: 0.2 },
  ]);
  return memory;
}
