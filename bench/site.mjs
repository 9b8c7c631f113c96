// The server of the benchmarks, and the browsers that open its pages.
import { CHROMIUM_FLAGS, freshProfile, openChromium } from '../scripts/browsers.mjs';
import { at } from '../scripts/process.mjs';
import { serve } from '../scripts/serve.mjs';

const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  'img-src data:',
].join('; ');
/** The clock of an isolated page has a resolution of 5 µs, that of other pages 100 µs. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/** The folder that wasm-bindgen writes the engine and its glue into. */
export const ENGINE = at('www', 'package', 'wasm');

/**
 * Serves the pages, the package, the bare engine and the official module.
 * @param {{ folders?: Record<string, string[]>, isolated?: boolean }} options additional folders by their paths
 */
export function serveBench({ folders = {}, isolated = false } = {}) {
  return serve({
    folders: {
      ...folders,
      '/bench/': [at('bench', 'pages')],
      '/recall/': [at('bench', 'recall')],
      '/package/': [at('dist')],
      '/engine/': [ENGINE],
      '/official/': [at('node_modules', '@sqlite.org', 'sqlite-wasm', 'dist')],
    },
    policy: POLICY,
    headers: isolated ? ISOLATED : {},
  });
}

/** Runs `use` with a browser that has a new profile on the disk. */
export async function withChromium(use) {
  const profile = freshProfile('bench');
  const context = await openChromium(profile.folder, { args: CHROMIUM_FLAGS });
  try {
    return await use(context);
  } finally {
    await context.close();
    profile.remove();
  }
}

/** Opens a page in a browser with a new profile, and returns the result of its `window[name]`. */
export function runPage(url, name, options) {
  return withChromium(async (context) => {
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && console.error(`  ${message.text()}`));
    await page.goto(url);
    await page.waitForFunction((name) => window[name], name);
    return page.evaluate(([name, options]) => window[name](options), [name, options]);
  });
}

/** The sides in the order of round `round`: each of two sides is first equally often. */
export const inTurns = (sides, round) => (round % 2 ? sides : sides.toReversed());
