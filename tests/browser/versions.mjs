// Another version of the package: the same sources with another protocol between tabs.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { at } from '../../scripts/process.mjs';

/** Builds a package whose tabs use this protocol, and returns its folder. */
export async function buildVersion(protocol) {
  const folder = at('target', 'versions', `${protocol}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const speak = {
    name: 'protocol',
    transform(code, id) {
      if (!id.endsWith('channel.ts')) return null;
      const changed = code.replace('PROTOCOL = 1', `PROTOCOL = ${protocol}`);
      if (changed === code) throw new Error('channel.ts has no PROTOCOL = 1 any more');
      return changed;
    },
  };
  for (const [name, ...source] of [
    ['index', 'index.ts'],
    ['worker', 'worker', 'worker.ts'],
    ['broker', 'worker', 'broker.ts'],
  ]) {
    const bundle = await rolldown({
      input: { [name]: at('www', 'package', ...source) },
      platform: 'neutral',
      preserveEntrySignatures: 'allow-extension',
      plugins: [speak],
    });
    await bundle.write({ dir: folder, chunkFileNames: '[name].js' });
    await bundle.close();
  }
  for (const kept of ['wasm', 'models']) cpSync(at('dist', kept), join(folder, kept), { recursive: true });
  return folder;
}
