// Compiled, never run. What is marked must not compile, and for the one reason that the comment gives.
import { createElement, type ReactNode } from 'react';
import { Memory, type MemoryStatus, type Page, type RecallHit, type Turn } from 'synth-memory';
import { MemoryProvider, useLive, useMemory, useMemoryStatus } from 'synth-memory/react';

type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

/** Compiles only where a type is exactly the one that is expected. */
function exactly<Expected>() {
  return <Given>(_given: Given, _same: Same<Given, Expected>): void => undefined;
}

export function Works({ question }: { question: string }): ReactNode {
  exactly<Memory>()(useMemory(), true);
  exactly<MemoryStatus>()(useMemoryStatus(), true);
  exactly<Page<Turn> | undefined>()(
    useLive((memory) => memory.turns.list({ search: question }), [question]),
    true,
  );
  exactly<RecallHit[] | undefined>()(
    useLive((memory) => memory.recall(question), [question], { key: 'recall' }),
    true,
  );
  exactly<number>()(
    useLive((memory) => memory.turns.list({ total: true }).then(({ total }) => total), [], {
      key: 'total',
      suspense: true,
    }),
    true,
  );
  exactly<{ n: number }[] | undefined>()(
    useLive((memory) => memory.query<{ n: number }>('SELECT 1 AS n')),
    true,
  );
  return null;
}

export function provides(memory: Memory): void {
  createElement(MemoryProvider, { memory }, null);
  createElement(MemoryProvider, { options: { url: 'opfs:///a.db', embedder: 'none' }, fallback: 'Opening' }, null);
  createElement(MemoryProvider);
}

export function doesNotCompile(memory: Memory): void {
  // @ts-expect-error what suspends needs a key
  useLive((memory) => memory.turns.count(), [], { suspense: true });
  // @ts-expect-error what is shared depends on what JSON can tell apart
  useLive((memory) => memory.turns.count(), [() => 1], { key: 'count' });
  // @ts-expect-error a live query reads
  useLive((memory) => memory.turns.append({ userInput: 'Hello' }));
  // @ts-expect-error a memory that is given is open already
  createElement(MemoryProvider, { memory, options: {} });
  // @ts-expect-error the provider gives its own signal
  createElement(MemoryProvider, { options: { signal: new AbortController().signal } });
}
