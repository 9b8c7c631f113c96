import { useCallback, useSyncExternalStore } from 'react';
import type { MemoryStatus } from '../index.js';
import { useMemory } from './provider.js';

/** Returns `memory.status`. The component is rendered again whenever it changes. */
export function useMemoryStatus(): MemoryStatus {
  const memory = useMemory();
  const subscribe = useCallback((listener: () => void) => memory.onStatus(listener), [memory]);
  const read = () => memory.status;
  return useSyncExternalStore(subscribe, read, read);
}
