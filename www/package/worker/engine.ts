import { asFailure } from '../wire/errors.js';
import { leaderLock } from '../link/channel.js';
import { takeLock, type Release } from '../link/locks.js';
import { Engine, type EngineOptions, type MigrationProgress } from '../wasm/synth_memory.js';

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
 * Opens a memory, alone: a Web Lock keeps other workers out for as long as this one lives. Its page knows that none is to be
 * waited for but one that is just ending.
 *
 * @param loading - The WebAssembly, on its way; it rejects with a failure.
 * @throws A failure, as the engine throws it.
 */
export async function openEngine(
  loading: Promise<void>,
  options: EngineOptions,
  onProgress: OnProgress,
): Promise<Held> {
  const { path } = options;
  const [release] = await Promise.all([
    path === undefined ? undefined : takeLock(leaderLock(path)),
    loading,
    // The browser takes its time with the first look at OPFS; it can do so while the engine loads. What it says of a
    // failure, it says again to the engine.
    path === undefined ? undefined : navigator.storage?.getDirectory?.().catch(() => undefined),
  ]);
  const letGo: Release = release ?? (() => Promise.resolve());
  try {
    return { engine: await openFiles(options, onProgress), release: letGo };
  } catch (thrown) {
    await letGo();
    throw thrown;
  }
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
