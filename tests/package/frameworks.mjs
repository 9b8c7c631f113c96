// Changes and live queries in frameworks, in pages that Vite built: React with its own entry, in StrictMode; Vue and
// Svelte with the API of every memory.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { compile } from 'svelte/compiler';
import { build } from 'vite';
import { serve } from '../../scripts/serve.mjs';
import { noteComplaints, sharedBrowser } from '../browser/page.mjs';
import { inProject } from './project.mjs';

const svelte = {
  name: 'svelte',
  transform: (code, id) => (id.endsWith('.svelte') ? compile(code, { filename: id }).js : undefined),
};

/** The constants that Vue's own plugin would define. */
const vueFlags = {
  __VUE_OPTIONS_API__: 'false',
  __VUE_PROD_DEVTOOLS__: 'false',
  __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
};

/** Builds pages of the project in development mode, so that React is strict. Returns their folder. */
async function buildPages(folder, names, alias = {}) {
  await build({
    root: inProject('frameworks'),
    configFile: false,
    logLevel: 'error',
    plugins: [svelte],
    resolve: { alias },
    define: { 'process.env.NODE_ENV': JSON.stringify('development'), ...vueFlags },
    build: {
      outDir: inProject(folder),
      emptyOutDir: true,
      minify: false,
      rolldownOptions: { input: names.map((name) => inProject('frameworks', `${name}.html`)) },
    },
  });
  return inProject(folder);
}

export function testFrameworks() {
  const browser = sharedBrowser();
  let newest;

  before(async () => {
    newest = await buildPages('newest', ['react', 'vue', 'svelte']);
  });

  /** Visits a page of a folder. It must have no errors except those that the test expects. */
  async function visit(folder, name, check) {
    const server = await serve({ folders: { '/': [folder] } });
    const page = await (await browser.context()).newPage();
    const complaints = [];
    try {
      noteComplaints(page, complaints);
      await page.goto(`${server.url}/${name}.html`);
      await check(page, complaints);
    } finally {
      await page.close();
      await server.close();
    }
    return complaints;
  }

  const texts = (page, name) => page.getByRole('list', { name }).getByRole('listitem').allInnerTexts();

  /** React also writes an error that a boundary catches to the console. */
  const isCaught = (complaint) => /no such table: elsewhere|The above error occurred/.test(complaint);

  const react = (page, complaints) => checkReact(page, complaints, texts);
  test('React 19, in StrictMode', { timeout: 120_000 }, async () => {
    const complaints = await visit(newest, 'react', react);
    assert.deepEqual(
      complaints.filter((complaint) => !isCaught(complaint)),
      [],
    );
  });

  // React 18 is installed next to React 19 under other names, which only this page uses. npm's `overrides` allow this.
  test('React 18, in StrictMode', { timeout: 120_000 }, async () => {
    const folder = await buildPages('react-18', ['react'], { react: 'react-18', 'react-dom': 'react-dom-18' });
    const complaints = await visit(folder, 'react', react);
    assert.deepEqual(
      complaints.filter((complaint) => !isCaught(complaint)),
      [],
    );
  });

  for (const name of ['vue', 'svelte']) {
    test(`${name}: a live query is its store`, { timeout: 60_000 }, async () => {
      const complaints = await visit(newest, name, async (page) => {
        await page.locator('ol').waitFor({ state: 'attached' });
        for (const userInput of ['one', 'two']) {
          await page.evaluate((userInput) => window.memory.turns.append({ userInput }), userInput);
          await page.getByRole('listitem').filter({ hasText: userInput }).waitFor();
        }
        assert.deepEqual(await page.getByRole('listitem').allInnerTexts(), ['one', 'two']);
      });
      assert.deepEqual(complaints, []);
    });
  }
}

/** Checks the React page with either version of React. */
async function checkReact(page, complaints, texts) {
  const click = (name) => page.getByRole('button', { name }).click();
  const status = page.getByRole('status');
  const rows = page.getByLabel('Rows');
  await status.filter({ hasText: 'opfs, no copy' }).waitFor();
  await page.getByText('0 hits').waitFor();
  await rows.filter({ hasText: '0' }).waitFor();
  await page.getByRole('list', { name: 'Second' }).waitFor({ state: 'attached' });

  // StrictMode is on: each effect ran twice.
  assert.equal(await page.evaluate(() => window.effects), 2);

  // Two components, one query.
  const before = await page.evaluate(() => window.reads);
  await click('Add');
  await rows.filter({ hasText: '1' }).waitFor();
  await page.getByText('1 hits').waitFor();
  for (const list of ['First', 'Second']) {
    await page.getByRole('list', { name: list }).getByText('Call me Ada').waitFor();
    assert.deepEqual(await texts(page, list), ['Call me Ada']);
  }
  assert.equal((await page.evaluate(() => window.reads)) - before, 1);
  assert.deepEqual(complaints, []);

  // Another dependency, another query.
  await page.getByLabel('Word').fill('Grace');
  await page.getByText('0 hits').waitFor();

  // The error of a query reaches the boundary. Once the query works again, so do the others with its key.
  const alert = page.getByRole('alert');
  await page.evaluate(() => (window.table = 'elsewhere'));
  await click('Add');
  await alert.waitFor();
  assert.match(await alert.innerText(), /^invalid_sql /);
  await page.evaluate(() => (window.table = 'turns'));
  await click('Try again');
  await rows.filter({ hasText: '2' }).waitFor();

  // The status changes when there is a backup.
  await click('Back up');
  await status.filter({ hasText: 'opfs, 1 copy' }).waitFor();

  // After any number of mounts and unmounts, the page has its memory again.
  for (let n = 0; n < 5; n++) {
    await page.evaluate(() => window.root.unmount());
    await page.evaluate(() => (window.root = window.mount('opfs:///react.db')));
  }
  await status.filter({ hasText: 'opfs, no copy' }).waitFor();
  await page.evaluate(() => window.root.unmount());
  const turns = await page.evaluate(async () => {
    const memory = await window.Memory.open({ url: 'opfs:///react.db' });
    const count = await memory.turns.count();
    await memory.close();
    return count;
  });
  assert.equal(turns, 2);
}
