// Bundlers at their defaults, the page under the strictest policy: it must write, and read back after a reload.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createLogger, createServer } from 'vite';
import webpack from 'webpack';
import { freshProfile, openChromium } from '../../scripts/browsers.mjs';
import { serve } from '../../scripts/serve.mjs';
import { call, inProject, project } from './project.mjs';

const TIMEOUT = 15_000;

export function testBundlers() {
  let profile;
  let context;

  before(async () => {
    profile = freshProfile('package');
    context = await openChromium(profile.folder);
    context.setDefaultTimeout(TIMEOUT);
  });
  after(async () => {
    await context?.close();
    profile?.remove();
  });

  /** Visits a page three times, each a load; gives the paths that were asked for. Every server is an origin of its own. */
  async function visit(url) {
    const complaints = [];
    const paths = new Set();
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(`${error}`));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('request', (request) => paths.add(new URL(request.url()).pathname));
    await page.goto(url);
    for (const expected of [[], ['Visit 1'], ['Visit 1', 'Visit 2']]) {
      if (expected.length > 0) await page.reload();
      const saved = page.getByRole('status').filter({ hasText: 'Saved' });
      // What the page complains of says more than that something did not come.
      const failure = await saved.waitFor().catch((error) => error);
      assert.deepEqual(complaints, []);
      assert.ifError(failure);
      assert.deepEqual(await page.getByRole('listitem').allInnerTexts(), expected);
    }
    await page.close();
    return [...paths];
  }

  async function visitFolder(name) {
    const server = await serve({ folders: { '/': [inProject(name)] } });
    try {
      return await visit(`${server.url}/`);
    } finally {
      await server.close();
    }
  }

  test('Vite, built', { timeout: 120_000 }, async () => {
    const { stderr } = await call('vite', ['build', '--outDir', 'vite']);
    assert.equal(stderr, '');
    const paths = await visitFolder('vite');
    assert.ok(
      paths.every((path) => !/node-[^/]*\.js/.test(path)),
      `what only Node needs is not loaded: ${paths}`,
    );
  });

  test('Vite, served while developing', { timeout: 120_000 }, async () => {
    const complaints = [];
    const customLogger = createLogger('silent');
    for (const level of ['warn', 'warnOnce', 'error']) customLogger[level] = (message) => complaints.push(message);
    const server = await createServer({ root: project, configFile: false, customLogger, server: { port: 0 } });
    try {
      await server.listen();
      const paths = await visit(server.resolvedUrls.local[0]);
      assert.ok(
        paths.some((path) => path.endsWith('.vite/deps/synth-memory.js')),
        'it went through the optimizer',
      );
    } finally {
      await server.close();
    }
    assert.deepEqual(complaints, []);
  });

  test('webpack, built', { timeout: 120_000 }, async () => {
    const path = inProject('webpack');
    const options = { mode: 'production', context: project, entry: './main.js', output: { path } };
    const stats = await new Promise((resolve, reject) =>
      webpack(options, (error, stats) => (error ? reject(error) : resolve(stats))),
    );
    const { errors, warnings } = stats.compilation;
    // It warns of every file above 244 KB; one that holds SQLite is.
    const complaints = [...errors, ...warnings].filter((one) => one.name !== 'AssetsOverSizeLimitWarning');
    assert.deepEqual(complaints, []);
    const html = readFileSync(inProject('index.html'), 'utf8');
    writeFileSync(
      inProject('webpack', 'index.html'),
      html.replace('type="module" src="/main.ts"', 'defer src="main.js"'),
    );
    await visitFolder('webpack');
  });
}
