/**
 * React bindings: a provider that opens a memory, and hooks that read it and stay current.
 *
 * Importing it does nothing. On a server, a provider that opens a memory renders its fallback.
 *
 * @packageDocumentation
 */
export { useLive } from './live.js';
export type { Read, SharedOptions } from './live.js';
export { MemoryProvider, useMemory } from './provider.js';
export type { GivenMemory, MemoryProviderProps, OpenedMemory } from './provider.js';
export { useMemoryStatus } from './status.js';
