// The server of the benchmark of tabs.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { rolldown } from 'rolldown';
import { CHROMIUM_FLAGS, freshProfile, NO_SPARE_RENDERER, openChromium } from '../../scripts/browsers.mjs';
import { at } from '../../scripts/process.mjs';
import { serve } from '../../scripts/serve.mjs';

const peers = (...path) => at('bench', 'tabs', 'node_modules', ...path);
const SQLOCAL = at('target', 'tabs', 'sqlocal');

/** SQLocal imports other packages by name, so it has to be bundled first, as its documentation assumes. */
async function bundleSqlocal() {
  rmSync(SQLOCAL, { recursive: true, force: true });
  mkdirSync(SQLOCAL, { recursive: true });
  for (const name of ['index', 'worker']) {
    const bundle = await rolldown({ input: { [name]: peers('sqlocal', 'dist', `${name}.js`) }, platform: 'browser' });
    await bundle.write({ dir: SQLOCAL, format: 'esm' });
    await bundle.close();
  }
  for (const file of ['sqlite3.wasm', 'sqlite3-opfs-async-proxy.js'])
    copyFileSync(peers('@sqlite.org', 'sqlite-wasm', 'dist', file), `${SQLOCAL}/${file}`);
}

/** Isolated, which SQLocal requires, and which also makes the clock finer. */
export async function serveTabs() {
  await bundleSqlocal();
  return serve({
    folders: {
      '/tabs/': [at('bench', 'tabs')],
      '/package/': [at('dist')],
      '/peers/': [peers()],
      '/sqlocal/': [SQLOCAL],
    },
    policy:
      "default-src 'self'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self' data: blob:; img-src data:",
    headers: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
  });
}

/** Runs `use` with a browser that has a new profile on the disk. */
export async function inBrowser(use) {
  const profile = freshProfile('tabs');
  const context = await openChromium(profile.folder, { args: [...CHROMIUM_FLAGS, NO_SPARE_RENDERER] });
  try {
    return await use(context);
  } finally {
    await context.close();
    profile.remove();
  }
}
