// What needs more of a platform than a small app does: bytes in and out, signals, the changes, an embedder, errors.
import { Memory, MemoryError } from 'synth-memory';

test('everything that memory: can do works in an emulated page', async () => {
  expect(typeof window).toBe('object');
  const memory = await Memory.open({ url: 'memory:' });
  const changed = [];
  memory.onChange(({ kind, table }) => changed.push(`${kind} ${table}`));
  const { signal } = new AbortController();
  await memory.turns.append({ userInput: 'Hello', metadata: { deep: [1, { none: null }] } }, { signal });
  expect((await memory.turns.get(1)).metadata).toEqual({ deep: [1, { none: null }] });
  expect((await memory.turns.get(1)).timestamp).toBeInstanceOf(Date);
  const [row] = await memory.query('SELECT ? AS bytes', [new Uint8Array([1, 2])]);
  expect([...row.bytes]).toEqual([1, 2]);
  const [hit] = await memory.recall('a greeting', { signal });
  expect(hit.similarity).toBeGreaterThan(0.1);
  const file = await memory.export();
  await memory.turns.clear();
  for (const given of [file, new Blob([file])]) {
    await memory.import(given);
    expect(await memory.turns.count()).toBe(1);
  }
  expect(changed).toContain('insert turns');
  await memory.close();
});

test('a memory is asked and closed while the timers are replaced', async () => {
  const runner = globalThis.vi ?? import.meta.jest;
  // docs/testing.md says why Jest needs this option.
  runner.useFakeTimers(globalThis.vi ? {} : { doNotFake: ['queueMicrotask'] });
  try {
    const memory = await Memory.open({ url: 'memory:' });
    const fact = { content: 'Ada is allergic to peanuts' };
    await memory.semantic.rememberMany([fact, fact]);
    const [hit] = await memory.recall('peanuts');
    expect(hit.text).toBe('Ada is allergic to peanuts');
    expect((await memory.context('peanuts')).text).toMatch('peanuts');
    expect(await memory.semantic.search('peanuts')).toHaveLength(2);
    await memory.consolidate();
    expect(await memory.undoConsolidation()).toBe(1);
    await memory.close();
  } finally {
    runner.useRealTimers();
  }
});

test('OPFS is refused, and what to do is said', async () => {
  const error = await Memory.open().catch((error) => error);
  expect(error).toBeInstanceOf(MemoryError);
  expect(error.code).toBe('opfs_unavailable');
  expect(error.hint).toMatch("Open 'memory:'");
});
