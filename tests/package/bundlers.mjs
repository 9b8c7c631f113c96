// Bundlers with their defaults, and a page under the strictest policy: it must write, and read back after a reload. The
// app's next release, which has one more migration, must find the rows of the first one.
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { createLogger, createServer } from 'vite';
import webpack from 'webpack';
import { at } from '../../scripts/process.mjs';
import { serve } from '../../scripts/serve.mjs';
import { call, inProject, project } from './project.mjs';
import { builders } from './builders.mjs';
import { noteComplaints, sharedBrowser } from '../browser/page.mjs';

/** For each release of the app: the revisions that each load of its page applies, and the columns of its table. */
const RELEASES = [
  { migrated: ['001, 002, reminders1', '', ''], reminder: { text: 'Visit 1', due: '2026-12-24T09:00' } },
  { migrated: ['reminders2', ''], reminder: { day: '2026-12-24', text: 'Visit 1', due: '2026-12-24T09:00' } },
];

export function testBundlers() {
  const browser = sharedBrowser();

  /** Copies the migrations of a release into the project. The first release is 0. */
  function release(number) {
    rmSync(inProject('migrations'), { recursive: true });
    const source = at('tests', 'package', 'project', 'migrations');
    const files = readdirSync(source)
      .sort()
      .slice(0, number + 1);
    for (const file of files) cpSync(`${source}/${file}`, inProject('migrations', file));
  }

  /** Loads a release's page several times, after `visits` earlier loads. Returns the paths that were requested. */
  async function visit(url, { migrated, reminder }, visits) {
    const complaints = [];
    const paths = new Set();
    const page = await (await browser.context()).newPage();
    noteComplaints(page, complaints);
    page.on('request', (request) => paths.add(new URL(request.url()).pathname));
    await page.goto(url);
    for (const [load, revisions] of migrated.entries()) {
      if (load > 0) await page.reload();
      const saved = page.getByRole('status').filter({ hasText: 'Saved' });
      // The page's own errors are checked first: they explain more than a timeout.
      const failure = await saved.waitFor().catch((error) => error);
      assert.deepEqual(complaints, []);
      assert.ifError(failure);
      assert.equal(await saved.innerText(), `Saved, migrated: ${revisions}`.trim());
      const before = Array.from({ length: visits + load }, (_, n) => `Visit ${n + 1}`);
      assert.deepEqual(await page.getByRole('listitem').allInnerTexts(), before);
      const reminders = JSON.parse(await page.locator('pre').innerText());
      assert.deepEqual([reminders.length, reminders[0]], [before.length + 1, { id: 1, ...reminder }]);
    }
    await page.close();
    return [...paths];
  }

  /**
   * Visits both releases at the same address, so with the same memory. Every test has its own origin.
   * @param {(port?: number) => Promise<{ url: string, close(): Promise<void> }>} start builds and serves the project
   */
  async function visitReleases(start, check = () => undefined) {
    let port;
    let visits = 0;
    for (const [number, expected] of RELEASES.entries()) {
      release(number);
      const server = await start(port);
      try {
        port = Number(new URL(server.url).port);
        check(await visit(server.url, expected, visits));
      } finally {
        await server.close();
      }
      visits += expected.migrated.length;
    }
  }

  const serveFolder = (name, port, policy) => serve({ port, folders: { '/': [inProject(name)] }, policy });

  test('Vite, built', { timeout: 240_000 }, () =>
    visitReleases(
      async (port) => {
        const { stderr } = await call('vite', ['build', '--outDir', 'vite']);
        assert.equal(stderr, '');
        return serveFolder('vite', port);
      },
      (paths) =>
        assert.ok(
          paths.every((path) => !/node-[^/]*\.js/.test(path)),
          `what only Node needs is not loaded: ${paths}`,
        ),
    ),
  );

  test('Vite, built without the multilingual model as docs/bundlers.md shows', { timeout: 240_000 }, async () => {
    const guide = readFileSync(at('docs', 'bundlers.md'), 'utf8');
    const [, settings] = /```js\n(const withoutMultilingual.*?)```/s.exec(guide);
    writeFileSync(inProject('without.config.js'), settings);
    const { stderr } = await call('vite', ['build', '--config', 'without.config.js', '--outDir', 'without']);
    assert.equal(stderr, '');
    const models = readdirSync(inProject('without', 'assets')).filter((name) => name.endsWith('.bin'));
    assert.equal(models.length, 1, models.join());
    assert.match(models[0], /^all-minilm/);
  });

  test('Vite, served while developing', { timeout: 240_000 }, async () => {
    const complaints = [];
    const customLogger = createLogger('silent');
    for (const level of ['warn', 'warnOnce', 'error']) customLogger[level] = (message) => complaints.push(message);
    await visitReleases(
      async (port = 0) => {
        const server = await createServer({ root: project, configFile: false, customLogger, server: { port } });
        await server.listen();
        return { url: server.resolvedUrls.local[0], close: () => server.close() };
      },
      (paths) =>
        assert.ok(
          paths.some((path) => path.endsWith('.vite/deps/synth-memory.js')),
          'it went through the optimizer',
        ),
    );
    assert.deepEqual(complaints, []);
  });

  test('webpack, built', { timeout: 240_000 }, () =>
    visitReleases(async (port) => {
      const path = inProject('webpack');
      const module = { rules: [{ test: /\.sql$/, type: 'asset/source' }] };
      const options = { mode: 'production', context: project, entry: './main.js', output: { path }, module };
      const stats = await new Promise((resolve, reject) =>
        webpack(options, (error, stats) => (error ? reject(error) : resolve(stats))),
      );
      const { errors, warnings } = stats.compilation;
      // It warns about every file above 244 KB, and the one with SQLite is larger.
      const complaints = [...errors, ...warnings].filter((one) => one.name !== 'AssetsOverSizeLimitWarning');
      assert.deepEqual(complaints, []);
      const html = readFileSync(inProject('index.html'), 'utf8');
      writeFileSync(
        inProject('webpack', 'index.html'),
        html.replace('type="module" src="/main.ts"', 'defer src="main.js"'),
      );
      return serveFolder('webpack', port);
    }),
  );

  for (const [name, build] of Object.entries(builders)) {
    test(`${name}, built`, { timeout: 240_000 }, () =>
      visitReleases(async (port) => {
        const folder = name.toLowerCase();
        return serveFolder(folder, port, await build(folder));
      }),
    );
  }
}
