import { reasonOf } from './asking.js';
import { MemoryError } from '../wire/errors.js';
import type { BundledEmbedder } from './embedder.js';

/** What is used of Node; asked for at run time, so that no bundler meets an import it cannot resolve. */
interface NodeProcess {
  getBuiltinModule?(name: 'node:fs'): { readFileSync(file: URL): Uint8Array<ArrayBuffer> };
}

/** The models of the package: their files, and their names as they are stored with the vectors. */
export const MODELS: Record<BundledEmbedder, { readonly name: string; readonly file: URL }> = {
  // Written just so, bundlers find the files.
  bundled: {
    name: 'all-minilm-l6-v2-static-256-pq',
    file: new URL('./models/all-minilm-l6-v2-256.bin', import.meta.url),
  },
  multilingual: {
    name: 'multilingual-e5-small-static-256-pq',
    file: new URL('./models/multilingual-e5-small-256.bin', import.meta.url),
  },
};

/** The bytes of a model: a file of this package, 2.3 or 8.9 MB, fetched when meaning is first asked for. */
export async function loadModel(embedder: BundledEmbedder, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const { file } = MODELS[embedder];
  try {
    if (file.protocol === 'file:') {
      const fs = (globalThis as { process?: NodeProcess }).process?.getBuiltinModule?.('node:fs');
      if (fs) return new Uint8Array(fs.readFileSync(file));
    }
    const response = await fetch(file, { signal });
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    // A server that knows no file of this name may answer with its page.
    if (/^text\/html/i.test(response.headers.get('content-type') ?? ''))
      throw new Error(`${response.url} answered with a page of HTML`);
    return bytes;
  } catch (cause) {
    throw modelUnavailable(embedder, cause);
  }
}

/** A model that could not be loaded, or that is none. */
export function modelUnavailable(embedder: BundledEmbedder, cause: unknown): MemoryError {
  const { file } = MODELS[embedder];
  return new MemoryError(
    'embedder_unavailable',
    `The ${embedder} embedder could not be loaded (${reasonOf(cause)}).`,
    `Check that models/${file.pathname.split('/').at(-1)} is served beside the package's scripts; or open the memory with embedder: 'none', or one of your own.`,
    cause,
  );
}
