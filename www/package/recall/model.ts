import { MemoryError } from '../wire/errors.js';

/** What is used of Node; asked for at run time, so that no bundler meets an import it cannot resolve. */
interface NodeProcess {
  getBuiltinModule?(name: 'node:fs'): { readFileSync(file: URL): Uint8Array<ArrayBuffer> };
}

/** The bytes of the bundled model: a file of this package, 2.3 MB, fetched when meaning is first asked for. */
export async function loadBundledModel(): Promise<Uint8Array<ArrayBuffer>> {
  // Written just so, bundlers find the file.
  const file = new URL('./models/all-minilm-l6-v2-256.bin', import.meta.url);
  try {
    if (file.protocol === 'file:') {
      const fs = (globalThis as { process?: NodeProcess }).process?.getBuiltinModule?.('node:fs');
      if (fs) return new Uint8Array(fs.readFileSync(file));
    }
    const response = await fetch(file);
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new MemoryError(
      'embedder_unavailable',
      `The bundled embedder could not be loaded (${cause instanceof Error ? cause.message : String(cause)}).`,
      "Check that models/all-minilm-l6-v2-256.bin is served beside the package's scripts; or open the memory with embedder: 'none', or one of your own.",
      cause,
    );
  }
}
