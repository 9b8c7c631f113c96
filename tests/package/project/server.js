import { Memory } from 'synth-memory';

const memory = await Memory.open({ url: 'memory:' });
console.log(`<p>${await memory.turns.count()} turns</p>`);
await memory.close();
