import { Memory } from '/package/index.js';

export async function open(name) {
  const memory = await Memory.open({ url: `opfs:///${name}.db` });
  const turn = (n) => ({ userInput: `Turn number ${n}: green tea and peanuts`, assistantResponse: `Answer ${n}` });
  return {
    settings: async () => `durability ${memory.status.durability}`,
    fill: (rows) => memory.turns.appendMany(Array.from({ length: rows }, (_, n) => turn(n))),
    write: (n) => memory.turns.append(turn(n)),
    read: (id) => memory.turns.get(id),
  };
}
