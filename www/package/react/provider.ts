import {
  createContext,
  createElement,
  useContext,
  useEffect,
  useState,
  type ReactElement,
  type ReactNode,
} from 'react';
import { Memory, MemoryError, type OpenOptions } from '../index.js';

/** A memory that the app opens and closes. */
export interface GivenMemory {
  readonly memory: Memory;
  readonly children?: ReactNode;
}

/** A memory that the provider opens when it is mounted, and closes when it is unmounted. */
export interface OpenedMemory {
  readonly memory?: undefined;
  /** How to open it. Read only when it is mounted: to open another memory, give the provider another `key`. */
  readonly options?: Omit<OpenOptions, 'signal'> | undefined;
  /** What is rendered until it is open, and on a server; nothing by default. */
  readonly fallback?: ReactNode;
  readonly children?: ReactNode;
}

/** The props of `MemoryProvider`: an open memory, or how to open one. */
export type MemoryProviderProps = GivenMemory | OpenedMemory;

const PROPS = ['memory', 'options', 'fallback', 'children'];

const Context = createContext<Memory | undefined>(undefined);

/**
 * Provides a memory to the components in it, which are rendered when it is open. Errors of opening go to the nearest
 * error boundary, as `MemoryError`s.
 *
 * @example
 * ```tsx
 * <MemoryProvider options={{ url: 'opfs:///assistant.db' }} fallback={<p>Opening…</p>}>
 *   <Chat />
 * </MemoryProvider>
 * ```
 */
export function MemoryProvider(props: MemoryProviderProps): ReactElement {
  const unknown = Object.keys(props).find((name) => !PROPS.includes(name));
  if (unknown !== undefined)
    throw misused(`MemoryProvider has no prop "${unknown}".`, `Its props are ${PROPS.join(', ')}.`);
  if (props.memory !== undefined && !(props.memory instanceof Memory))
    throw misused('The prop memory must be an open Memory.', 'Await Memory.open(), or pass options.');
  return props.memory
    ? createElement(Context.Provider, { value: props.memory }, props.children)
    : createElement(Opening, props);
}

type Opened = { readonly memory?: Memory; readonly error?: unknown };
const NOT_YET: Opened = {};

function Opening({ options, fallback, children }: OpenedMemory): ReactNode {
  const [opened, setOpened] = useState(NOT_YET);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const opening = Memory.open({ ...options, signal });
    opening.then(
      (memory) => signal.aborted || setOpened({ memory }),
      (error: unknown) => signal.aborted || setOpened({ error }),
    );
    return () => {
      controller.abort();
      // React may run the effect again while the components are mounted: they must not use a closed memory.
      setOpened(NOT_YET);
      opening.then((memory) => memory.close()).catch(() => undefined);
    };
  }, []);
  if (opened.error) throw opened.error;
  return opened.memory ? createElement(Context.Provider, { value: opened.memory }, children) : fallback;
}

/** The open memory of the nearest `MemoryProvider`. */
export function useMemory(): Memory {
  const memory = useContext(Context);
  if (memory) return memory;
  throw misused('There is no MemoryProvider above this component.', 'Render it inside one.');
}

const misused = (what: string, hint: string) => new MemoryError('invalid_argument', what, hint);
