import { Memory } from 'synth-memory';

const memory = await Memory.open();
const { rows } = await memory.turns.list({ direction: 'asc' });
for (const { userInput } of rows) {
  const item = document.createElement('li');
  item.textContent = userInput;
  document.querySelector('ol').append(item);
}
await memory.turns.append({ userInput: `Visit ${rows.length + 1}` });
await memory.close();
document.querySelector('[role=status]').textContent = 'Saved';
