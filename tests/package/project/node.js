import { readFileSync } from 'node:fs';
import { Memory, MemoryError } from 'synth-memory';

/** The code of the error that a promise rejects with. */
const codeOf = (promise) =>
  promise.then(
    () => 'no error',
    (error) => (error instanceof MemoryError ? error.code : `${error}`),
  );

const memory = await Memory.open({ url: 'memory:' });
const ids = await memory.turns.appendMany([{ userInput: 'Call me Ada' }, { userInput: 'Who am I?' }]);
const turn = await memory.turns.get(ids[0]);
const [hit] = await memory.recall('What is her name?', { k: 1 });
const bytes = await memory.export();
await memory.import(readFileSync(process.argv[2]));
const imported = await memory.turns.count();
await memory.close();

console.log(
  JSON.stringify({
    ids,
    userInput: turn.userInput,
    byMeaning: hit.similarity > 0.1,
    isDate: turn.timestamp instanceof Date,
    exported: new TextDecoder().decode(bytes.subarray(0, 15)),
    imported,
    afterClose: await codeOf(memory.turns.count()),
    opfs: await codeOf(Memory.open()),
  }),
);
