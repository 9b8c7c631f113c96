import { reasonOf } from './asking.js';
import { MemoryError } from '../wire/errors.js';
import type { BundledEmbedder } from './embedder.js';

/** The part of Node that is used. It is looked up at run time, so that no bundler has to resolve the import. */
interface NodeProcess {
  getBuiltinModule?(name: 'node:fs'): { readFileSync(file: URL): Uint8Array<ArrayBuffer> };
}

/** The models of the package: their files, and the names that are stored with their vectors. */
export const MODELS: Record<BundledEmbedder, { readonly name: string; readonly file: URL }> = {
  // Bundlers find the files only in this form.
  bundled: {
    name: 'all-minilm-l6-v2-static-256-pq',
    file: new URL('./models/all-minilm-l6-v2-256.bin', import.meta.url),
  },
  multilingual: {
    name: 'multilingual-e5-small-static-256-pq',
    file: new URL('./models/multilingual-e5-small-256.bin', import.meta.url),
  },
};

/** Loads the bytes of a model: a file of this package, 2.3 or 8.9 MB, fetched when it is first needed. */
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
    // A server may answer a missing file with its page.
    if (/^text\/html/i.test(response.headers.get('content-type') ?? ''))
      throw new Error(`${response.url} answered with a page of HTML`);
    return bytes;
  } catch (cause) {
    throw modelUnavailable(embedder, cause);
  }
}

/** The error for a model that could not be loaded, or a file that is not a model. */
export function modelUnavailable(embedder: BundledEmbedder, cause: unknown): MemoryError {
  const { file } = MODELS[embedder];
  return new MemoryError(
    'embedder_unavailable',
    `The ${embedder} embedder could not be loaded (${reasonOf(cause)}).`,
    `Check that models/${file.pathname.split('/').at(-1)} is served next to the package's scripts; or open the memory with embedder: 'none' or an embedder of your own.`,
    cause,
  );
}
