import { asFailure } from '../wire/errors.js';
import { leaderLock } from '../link/channel.js';
import { takeLock, type Release } from '../link/locks.js';
import { Engine, type EngineOptions, type MigrationProgress } from '../wasm/synth_memory.js';

/** How long files may still be held when no one has the lock, in ms: by a worker that is just ending. */
const FILES_GRACE = 2000;
const RETRY_AFTER = 20;

/** Receives the progress of a migration. */
export type OnProgress = (progress: MigrationProgress) => void;

/** An engine, and how to release its memory after it is closed. */
export interface Held {
  readonly engine: Engine;
  /** Releases the memory; resolves when others can open it. */
  release(): Promise<unknown>;
}

/**
 * Opens a memory exclusively: a Web Lock keeps other workers out for as long as this one lives. The page makes sure
 * that the only worker to wait for is one that is just ending.
 *
 * @param loading - Resolves when the WebAssembly is loaded; rejects with a failure.
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
    // The browser's first access to OPFS is slow, so it is made while the engine loads. If it fails, the engine's own
    // access reports that.
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
