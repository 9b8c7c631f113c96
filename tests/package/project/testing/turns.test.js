import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { Memory } from 'synth-memory';
import { MemoryProvider, useLive } from 'synth-memory/react';

function Turns() {
  const count = useLive((memory) => memory.turns.count());
  return createElement('p', null, `${count} turns`);
}

test('the page shows how many turns there are', async () => {
  const memory = await Memory.open({ url: 'memory:' });
  const root = createRoot(document.body);
  root.render(createElement(MemoryProvider, { memory }, createElement(Turns)));
  await memory.turns.append({ userInput: 'Hello' });
  while (document.body.textContent !== '1 turns') await new Promise((resolve) => setTimeout(resolve, 10));
  root.unmount();
  await memory.close();
});
