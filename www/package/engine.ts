import { asFailure, causeOf } from './errors.js';
import { Engine, type EngineOptions } from './wasm/synth_memory.js';

/** How long a memory that is held elsewhere is waited for, in ms: as long as a page that is being reloaded needs to go. */
const LOCK_GRACE = 300;
/** How long files that nobody has the lock for may still be held, in ms: by a worker that is just ending. */
const FILES_GRACE = 2000;
const RETRY_AFTER = 20;

/** An engine, and how to let others have its memory after its close. */
export interface Held {
  readonly engine: Engine;
  release(): void;
}

/**
 * Opens a memory, alone: a Web Lock keeps other workers out for as long as this one lives.
 *
 * @param loading - The WebAssembly, on its way; it rejects with a failure.
 * @throws A failure, as the engine throws it.
 */
export async function openEngine(loading: Promise<void>, options: EngineOptions): Promise<Held> {
  const inFile = options.path !== undefined;
  const [release] = await Promise.all([
    inFile ? holdLock(`synth-memory:${options.path}`) : undefined,
    loading,
    // The browser takes its time with the first look at OPFS; it can do so while the engine loads. What it says of a
    // failure, it says again to the engine.
    inFile ? navigator.storage?.getDirectory?.().catch(() => undefined) : undefined,
  ]);
  try {
    return { engine: await openFiles(options), release: () => release?.() };
  } catch (thrown) {
    release?.();
    throw thrown;
  }
}

/** Waits for the lock and holds it until the function it gives is called, or the worker ends. */
function holdLock(name: string): Promise<(() => void) | undefined> {
  if (!('locks' in navigator)) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const held = () => new Promise<void>((release) => resolve(release));
    navigator.locks.request(name, { signal: AbortSignal.timeout(LOCK_GRACE) }, held).catch((thrown: unknown) => {
      const cause = causeOf(thrown);
      reject({
        code: cause.name === 'TimeoutError' || cause.name === 'AbortError' ? 'locked' : 'storage_denied',
        message: 'This memory is open elsewhere.',
        hint: 'Close it there first: in another tab, in a worker, or where this page opened it before.',
        cause,
      });
    });
  });
}

async function openFiles(options: EngineOptions): Promise<Engine> {
  const giveUp = performance.now() + FILES_GRACE;
  for (;;) {
    try {
      return await Engine.open(options);
    } catch (thrown) {
      if (asFailure(thrown)?.code !== 'locked' || performance.now() > giveUp) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER));
    }
  }
}
