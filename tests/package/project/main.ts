import { Memory, type Turn } from 'synth-memory';

// What the app adds to the memory: every file in this folder, at the time of the build.
const migrations = import.meta.glob<string>('./migrations/*.sql', { query: '?raw', import: 'default', eager: true });

function show(turn: Turn): void {
  const item = document.createElement('li');
  item.textContent = turn.userInput;
  document.querySelector('ol')!.append(item);
}

async function visit(): Promise<string> {
  await using memory = await Memory.open({ migrations });
  const { rows } = await memory.turns.list({ direction: 'asc' });
  rows.forEach(show);
  const next = `Visit ${rows.length + 1}`;
  await memory.turns.append({ userInput: next });
  await memory.episodes.record({ eventType: 'reminder', content: { text: next, due: '2026-12-24T09:00' } });
  const reminders = await memory.query('SELECT * FROM reminders ORDER BY id');
  document.querySelector('pre')!.textContent = JSON.stringify(reminders);
  const [hit] = await memory.recall('Who came by?', { tables: ['turns'], k: 1 });
  if (!hit || hit.similarity === null) throw new Error('Nothing was found by its meaning.');
  return memory.status.migrated.join(', ');
}

document.querySelector('[role=status]')!.textContent = `Saved, migrated: ${await visit()}`;
