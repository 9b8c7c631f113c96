import { asFailure, causeOf, type FailureMessage } from '../wire/errors.js';
import { Engine, type EngineOptions, type MigrationProgress } from '../wasm/synth_memory.js';

/** How long a memory that is held elsewhere is waited for, in ms: as long as a page that is being reloaded needs to go. */
const LOCK_GRACE = 300;
/** How long files that nobody has the lock for may still be held, in ms: by a worker that is just ending. */
const FILES_GRACE = 2000;
const RETRY_AFTER = 20;

/** Is told where a migration is. */
export type OnProgress = (progress: MigrationProgress) => void;

/** An engine, and how to let others have its memory after its close. */
export interface Held {
  readonly engine: Engine;
  /** Resolves when others can have it. */
  release(): Promise<unknown>;
}

/**
 * Opens a memory, alone: a Web Lock keeps other workers out for as long as this one lives.
 *
 * @param loading - The WebAssembly, on its way; it rejects with a failure.
 * @throws A failure, as the engine throws it.
 */
export async function openEngine(
  loading: Promise<void>,
  options: EngineOptions,
  onProgress: OnProgress,
): Promise<Held> {
  const inFile = options.path !== undefined;
  const [release] = await Promise.all([
    inFile ? holdLock(`synth-memory:${options.path}`) : NOT_LOCKED,
    loading,
    // The browser takes its time with the first look at OPFS; it can do so while the engine loads. What it says of a
    // failure, it says again to the engine.
    inFile ? navigator.storage?.getDirectory?.().catch(() => undefined) : undefined,
  ]);
  try {
    return { engine: await openFiles(options, onProgress), release };
  } catch (thrown) {
    await release();
    throw thrown;
  }
}

const LOCKED: Omit<FailureMessage, 'cause'> = {
  code: 'locked',
  message: 'This memory is open elsewhere.',
  hint: 'Close it there first: in another tab, in a worker, or where this page opened it before.',
};

const DENIED: Omit<FailureMessage, 'cause'> = {
  code: 'storage_denied',
  message: 'The browser refuses this page the lock that keeps other tabs out.',
  hint: 'Allow this site to store data, leave private browsing, then reload.',
};

const NOT_LOCKED = () => Promise.resolve();

/** Waits for the lock and holds it until the function it gives is called, or the worker ends. */
function holdLock(name: string): Promise<Held['release']> {
  if (!('locks' in navigator)) return Promise.resolve(NOT_LOCKED);
  return new Promise((resolve, reject) => {
    const ask = (options: LockOptions, late?: unknown) => {
      // The request itself is settled when the lock is let go of.
      const over: Promise<unknown> = navigator.locks.request(name, options, (lock) => {
        if (!lock) return reject({ ...LOCKED, cause: causeOf(late) });
        return new Promise<void>((letGo) =>
          resolve(() => {
            letGo();
            return over;
          }),
        );
      });
      return over;
    };
    const refused = (thrown: unknown) => reject({ ...DENIED, cause: causeOf(thrown) });
    ask({ signal: AbortSignal.timeout(LOCK_GRACE) }).catch((thrown: unknown) => {
      const { name: why } = causeOf(thrown);
      if (why !== 'TimeoutError' && why !== 'AbortError') return refused(thrown);
      // On a busy machine the time may be up before it was looked whether the lock is free.
      return ask({ ifAvailable: true }, thrown).catch(refused);
    });
  });
}

async function openFiles(options: EngineOptions, onProgress: OnProgress): Promise<Engine> {
  const giveUp = performance.now() + FILES_GRACE;
  for (;;) {
    try {
      return await Engine.open(options, undefined, onProgress);
    } catch (thrown) {
      if (asFailure(thrown)?.code !== 'locked' || performance.now() > giveUp) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER));
    }
  }
}
