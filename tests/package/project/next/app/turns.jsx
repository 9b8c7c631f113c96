'use client';

import { useLive, useMemory } from 'synth-memory/react';

export function Turns() {
  const memory = useMemory();
  const count = useLive((memory) => memory.turns.count());
  const hits = useLive((memory) => memory.recall('Who is there?', { k: 1 }), []);
  return (
    <>
      <p role="status">{count === undefined ? 'Reading' : `${count} turns, ${hits?.length} found`}</p>
      <button onClick={() => memory.turns.append({ userInput: 'Ada is there' })}>Add</button>
    </>
  );
}
