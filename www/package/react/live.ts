import { useMemo, useSyncExternalStore, type DependencyList } from 'react';
import { MemoryError, type JsonInput, type Live, type Memory, type MemoryReader } from '../index.js';
import { useMemory } from './provider.js';

/** Reads from a memory, as for `memory.live`. */
export type Read<T> = (memory: MemoryReader) => Promise<T>;

/** How components share a query. */
export interface SharedOptions {
  /** Names the query. Components with the same key and the same dependencies share one query. */
  readonly key: string;
  /** Whether to suspend until there is a value; false by default. */
  readonly suspense?: boolean | undefined;
}

/**
 * Returns the value of a live query; undefined until the first read. The component is rendered again whenever the value
 * changes. Errors of reading go to the nearest error boundary, as `MemoryError`s.
 *
 * @param deps - The values of the component that `read` uses. When one changes, a new query begins.
 *
 * @example
 * ```tsx
 * const page = useLive((memory) => memory.turns.list({ search, limit: 20 }), [search]);
 * return page ? <Turns rows={page.rows} /> : <Spinner />;
 * ```
 */
export function useLive<T>(read: Read<T>, deps?: DependencyList): T | undefined;
/**
 * The same, but suspends until the first read. It needs a key, because React discards the state of a component that
 * suspends before it is first shown.
 */
export function useLive<T>(
  read: Read<T>,
  deps: readonly (JsonInput | undefined)[],
  options: SharedOptions & { readonly suspense: true },
): T;
/** The same, shared by all components with the same key and dependencies. */
export function useLive<T>(
  read: Read<T>,
  deps: readonly (JsonInput | undefined)[],
  options: SharedOptions,
): T | undefined;
export function useLive<T>(read: Read<T>, deps: DependencyList = [], options?: SharedOptions): T | undefined {
  const memory = useMemory();
  const name = options && nameOf(options, deps);
  const query = useMemo(
    () => (name === undefined ? memory.live(read) : shared(memory, name, read)),
    name === undefined ? [memory, ...deps] : [memory, name],
  );
  const { status, value, error } = useSyncExternalStore(query.subscribe, query.getSnapshot, query.getSnapshot);
  if (status === 'error') throw error;
  if (status === 'loading' && options?.suspense) throw firstRead(query);
  return value;
}

function nameOf({ key }: SharedOptions, deps: DependencyList): string {
  if (typeof key === 'string')
    return JSON.stringify([key, deps], (_, dep: unknown) => (typeof dep === 'bigint' ? `${dep}n` : dep));
  throw new MemoryError('invalid_argument', 'key must be a string.', 'A query that suspends or is shared needs one.');
}

/** The shared queries, for as long as a component uses them. */
const queries = new WeakMap<Memory, Map<string, WeakRef<Live<any>>>>();

function shared<T>(memory: Memory, name: string, read: Read<T>): Live<T> {
  let ofMemory = queries.get(memory);
  if (!ofMemory) queries.set(memory, (ofMemory = new Map()));
  const found = ofMemory.get(name)?.deref();
  if (found) return found as Live<T>;
  for (const [other, query] of ofMemory) if (!query.deref()) ofMemory.delete(other);
  const query = memory.live(read);
  ofMemory.set(name, new WeakRef<Live<any>>(query));
  return query;
}

/** How long after its first read a query is kept for a component that suspended and is not shown yet, in ms. */
const KEPT = 1000;
const suspended = new WeakMap<Live<any>, Promise<void>>();

/** Resolves after the first read of a query, and keeps the query until the component can subscribe. */
function firstRead(query: Live<any>): Promise<void> {
  const waiting = suspended.get(query);
  if (waiting) return waiting;
  const read = new Promise<void>((resolve) => {
    const stop = query.subscribe(({ status }) => {
      if (status === 'loading' || !suspended.delete(query)) return;
      resolve();
      setTimeout(() => stop(), KEPT);
    });
  });
  suspended.set(query, read);
  return read;
}
