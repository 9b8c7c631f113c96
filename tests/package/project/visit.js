import { Memory } from 'synth-memory';

/** What a visit of the page does. */
export async function visit(migrations) {
  const memory = await Memory.open({ migrations });
  const { rows } = await memory.turns.list({ direction: 'asc' });
  for (const { userInput } of rows) {
    const item = document.createElement('li');
    item.textContent = userInput;
    document.querySelector('ol').append(item);
  }
  const next = `Visit ${rows.length + 1}`;
  await memory.turns.append({ userInput: next });
  await memory.episodes.record({ eventType: 'reminder', content: { text: next, due: '2026-12-24T09:00' } });
  const reminders = await memory.query('SELECT * FROM reminders ORDER BY id');
  document.querySelector('pre').textContent = JSON.stringify(reminders);
  const [hit] = await memory.recall('Who came by?', { tables: ['turns'], k: 1 });
  if (!hit || hit.similarity === null) throw new Error('Nothing was found by its meaning.');
  const { migrated } = memory.status;
  await memory.close();
  document.querySelector('[role=status]').textContent = `Saved, migrated: ${migrated.join(', ')}`;
}
