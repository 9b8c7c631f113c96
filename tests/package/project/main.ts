import { Memory, type Turn } from 'synth-memory';

function show(turn: Turn): void {
  const item = document.createElement('li');
  item.textContent = turn.userInput;
  document.querySelector('ol')!.append(item);
}

async function visit(): Promise<void> {
  await using memory = await Memory.open();
  const { rows } = await memory.turns.list({ direction: 'asc' });
  rows.forEach(show);
  await memory.turns.append({ userInput: `Visit ${rows.length + 1}` });
}

await visit();
document.querySelector('[role=status]')!.textContent = 'Saved';
