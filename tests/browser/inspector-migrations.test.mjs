// The inspector's migrations panel in a browser, as a person uses it: on real files in OPFS, under the strict policy.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { serve } from '../../scripts/serve.mjs';
import { noteComplaints, sharedBrowser } from './page.mjs';

const FILE = at('tests', 'fixtures', 'synth-mind-alembic.db');
const EXAMPLE = ['e17b5a30', '8ab3e702', 'c94d1f6e', '5f20c1d4', '002', '001'];

const browser = sharedBrowser({ viewport: { width: 1280, height: 860 } });

let server;
let page;
/** The errors, warnings and policy violations of the page. There must be none. */
let complaints;

beforeEach(async () => {
  complaints = [];
  server = await serve();
  page = await (await browser.context()).newPage();
  page.setDefaultTimeout(20_000);
  noteComplaints(page, complaints);
});

afterEach(async () => {
  await browser.reset(server.url);
  await server.close();
});

/** A test that begins at an address of the inspector, and also fails if the page reports errors. */
const inspect = (name, address, run) =>
  test(name, { timeout: 60_000 }, async () => {
    await page.goto(`${server.url}/inspector/${address}`);
    await revisions().first().waitFor();
    await run();
    assert.deepEqual(complaints, []);
  });

const revisions = () => page.getByRole('list', { name: 'Revisions, newest first' }).locator(':scope > li');
const revision = (id) => revisions().filter({ has: page.locator(`.revision-name code:text-is("${id}")`) });
const where = (text) => page.locator('#migrations-where').filter({ hasText: text }).waitFor();
const backups = () => page.getByRole('list', { name: 'Backups, newest first' }).getByRole('listitem');
const dialog = () => page.getByRole('dialog');
const button = (name) => page.getByRole('button', { name, exact: true });
const holds = (locator, text) => locator.filter({ hasText: text }).first().waitFor();

/** The ids of the revisions that are tagged with a word, from the top. */
const tagged = (word) =>
  revisions()
    .filter({ has: page.locator(`.tag:text-is("${word}")`) })
    .locator('.revision-name code')
    .allInnerTexts();

async function confirm(label) {
  await dialog().getByRole('button', { name: label, exact: true }).click();
  await dialog().waitFor({ state: 'hidden' });
}

async function importFixture() {
  await page.getByLabel('Import a database file').setInputFiles(FILE);
  await confirm('Import');
  await page.getByRole('tab', { name: 'Turns 64' }).waitFor();
}

/** Unfolds a revision and presses the button that migrates to it. */
async function choose(id, direction) {
  await revision(id).locator('.revision-name').click();
  await button(`${direction} to ${id}…`).click();
  await dialog().waitFor();
}

/** The first value that a query returns. */
async function answer(sql) {
  await page.getByRole('textbox', { name: 'Query' }).fill(sql);
  await button('Run').click();
  return page.locator('#sql-result').getByRole('cell').first().innerText();
}

inspect('a file of Alembic: the graph says where it is, and what nobody wrote down', '', async () => {
  await where('The file is at 002, with every revision applied.');
  await importFixture();
  assert.deepEqual(await revisions().locator('.revision-name code').allInnerTexts(), ['002', '001']);
  assert.deepEqual(await tagged('current'), ['002']);
  assert.deepEqual(await tagged('head'), ['002']);
  assert.equal(await revision('002').getAttribute('aria-current'), 'step');
  assert.equal(await page.locator('.dot-applied').count(), 2);
  assert.equal(await page.locator('.ring').count(), 1);

  await revision('002').locator('.revision-name').click();
  for (const fact of ['2026-11-24', '20261124_0000_002_recall.sql', '0.1.0', 'just now'])
    await holds(revision('002').locator('dd'), fact);
  await revision('002').getByText('SQL up').click();
  await holds(revision('002').locator('pre'), 'CREATE VIRTUAL TABLE memory_fts');
  await revision('002').getByText('SQL down').click();
  await holds(revision('002').locator('pre'), 'DROP TABLE memory_fts');
  await revision('002').locator('.revision-name').click();
  assert.ok(!(await revision('002').getByText('SQL up').isVisible()));
});

inspect('the plan is shown first, and nothing changes before it is confirmed', '', async () => {
  await importFixture();
  const kept = await backups().count();
  await choose('001', 'Downgrade');
  await holds(dialog(), 'Downgrade to 001?');
  await holds(dialog(), 'A verified backup is made first.');
  // It drops the index of words and data derived from rows, such as the vectors that exist by then, but no rows of
  // other tables.
  const derived =
    '(embedding_models|embedding_queue|embeddings|long_term_ids|memory_(changes|indexed)) \\(\\d+ rows?\\)';
  assert.match(
    await dialog().locator('.losses').innerText(),
    new RegExp(
      `^Dropped with all rows: (${derived}(,? and |, )?)+\\.\\s+The values in a dropped column are lost with it\\.$`,
    ),
  );
  await dialog().getByText('SQL down of 002').click();
  await holds(dialog().locator('pre'), 'DROP TABLE memory_fts');
  // A careless Enter must not start a migration that drops rows.
  assert.equal(await page.evaluate(() => document.activeElement.closest('dialog') !== null), true);
  await confirm('Cancel');
  await page.getByRole('button', { name: 'Downgrade to base' }).click();
  await holds(dialog().locator('.losses'), /Dropped with all rows: .*turns \(64 rows\)/);
  await holds(dialog().getByRole('row'), /turns\s*64\s*no table/);
  for (const [id, dropped] of [
    ['002', 'DROP TABLE memory_fts'],
    ['001', 'DROP TABLE turns'],
  ]) {
    await dialog().getByText(`SQL down of ${id}`).click();
    await holds(dialog().locator('pre'), dropped);
  }
  await confirm('Cancel');

  await where('The file is at 002');
  assert.equal(await answer("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'memory_fts'"), '1');
  assert.equal(await backups().count(), kept);
});

inspect('down and up again by clicks: panel, tables and status follow', '', async () => {
  await importFixture();
  await choose('001', 'Downgrade');
  await confirm('Downgrade');
  await where('The file is at 001, 1 revision not applied.');
  assert.deepEqual(await tagged('current'), ['001']);
  await holds(page.getByRole('definition'), 'behind head 002');
  assert.equal(await answer("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'memory_fts'"), '0');
  await page.getByRole('tab', { name: 'Turns 64' }).waitFor();
  await page.getByRole('tabpanel').getByText('64 turns, 1 to 20 shown').waitFor();

  await button('Downgrade to base…').click();
  assert.match(await dialog().locator('.losses').innerText(), /turns \(64 rows\)/);
  await confirm('Downgrade');
  await where('The file is at base');
  assert.deepEqual(await tagged('current'), []);
  await page.getByRole('tab', { name: 'Turns –' }).waitFor();
  await holds(page.getByRole('tabpanel'), 'schema_mismatch');
  assert.ok(await button('Downgrade to base…').isDisabled());

  await button('Upgrade to heads…').click();
  await holds(dialog().locator('.losses'), 'No table loses a row.');
  await confirm('Upgrade');
  await where('The file is at 002, with every revision applied.');
  await page.getByRole('tab', { name: 'Turns 0' }).waitFor();

  // The backup before the downgrade to base has the rows: it is the newest one with a revision.
  await backups().filter({ hasText: 'revision 001' }).getByRole('button').first().click();
  await confirm('Restore');
  await page.getByRole('tab', { name: 'Turns 64' }).waitFor();
  await where('The file is at 002, with every revision applied.');
});

inspect('a backup is made and restored by clicks', '', async () => {
  await importFixture();
  const kept = await backups().count();
  await button('Back up now').click();
  await holds(page.locator('#notice'), 'Backed up at revision 002.');
  assert.equal(await backups().count(), kept + 1);
  await page.getByRole('button', { name: 'Delete turn 64', exact: true }).click();
  await confirm('Delete');
  await page.getByRole('tab', { name: 'Turns 63' }).waitFor();
  await backups()
    .first()
    .getByRole('button', { name: /^Restore/ })
    .click();
  await confirm('Cancel');
  await page.getByRole('tab', { name: 'Turns 63' }).waitFor();
  await backups()
    .first()
    .getByRole('button', { name: /^Restore/ })
    .click();
  await confirm('Restore');
  await page.getByRole('tab', { name: 'Turns 64' }).waitFor();
});

inspect('the example has branches, a merge and dependencies, and leaves the memory alone', '', async () => {
  await page.getByRole('link', { name: 'An example with an app’s own branch' }).click();
  await where('The file is at 002 and e17b5a30');
  const ids = await revisions().locator('.revision-name code').allInnerTexts();
  assert.deepEqual(ids.toSorted(), EXAMPLE.toSorted());
  assert.deepEqual(await tagged('merge'), ['e17b5a30']);
  assert.deepEqual(await tagged('branch reminders'), ['5f20c1d4']);
  assert.ok((await page.locator('.thread-dependency').count()) > 0);
  await holds(revision('e17b5a30'), 'builds on 8ab3e702 and c94d1f6e, depends on 001');

  await choose('c94d1f6e', 'Downgrade');
  await holds(dialog(), 'Dropped with all rows: reminder_places (2 rows).');
  await confirm('Downgrade');
  await where('1 revision not applied');
  assert.deepEqual((await tagged('current')).toSorted(), ['002', '8ab3e702', 'c94d1f6e']);
  assert.equal(await page.locator('.ring').count(), 3);
  await choose('5f20c1d4', 'Downgrade');
  assert.match(await dialog().locator('.losses').innerText(), /places \(3 rows\)/);
  await confirm('Downgrade');
  await where('3 revisions not applied');
  await choose('e17b5a30', 'Upgrade');
  await holds(dialog().getByRole('list', { name: 'Steps' }), 'Apply e17b5a30');
  await confirm('Upgrade');
  await where('The file is at 002 and e17b5a30, with every revision applied.');

  // A whole branch is downgraded, and the others stay where they are.
  await button('Downgrade below 5f20c1d4…').click();
  await holds(dialog().locator('.losses'), 'reminders (2 rows)');
  assert.doesNotMatch(await dialog().locator('.losses').innerText(), /turns/);
  await confirm('Downgrade');
  await where('The file is at 002, 4 revisions not applied.');

  await page.getByRole('link', { name: 'Back to the memory' }).click();
  await where('The file is at 002, with every revision applied.');
});

inspect('with keys alone: to the panel, down, and up again', '?example', async () => {
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  /** Presses Tab until the focused element has this name. */
  const tabTo = async (name) => {
    const focused = () =>
      page.evaluate(() =>
        (document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim(),
      );
    for (let steps = 0; steps < 60; steps++) {
      if ((await focused()).startsWith(name)) return;
      await press('Tab');
    }
    assert.fail(`no Tab leads to ${name}`);
  };
  await page.locator('#migrations-title').focus();
  await tabTo('Reminders that come again');
  await press('Enter');
  assert.equal(await revision('8ab3e702').locator('.revision-name').getAttribute('aria-expanded'), 'true');
  await tabTo('Downgrade to 8ab3e702');
  await press('Enter');
  await dialog().waitFor();
  await press('Escape');
  await dialog().waitFor({ state: 'hidden' });
  await where('The file is at 002 and e17b5a30');

  await tabTo('Downgrade to 8ab3e702');
  await press('Enter');
  await dialog().waitFor();
  // It drops rows, so Cancel has the focus.
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Cancel');
  await press('Tab', 'Enter');
  await where('1 revision not applied');
  await page.waitForFunction(() => document.activeElement.closest('[data-revision="8ab3e702"]'));
  await page.locator('#migrations-title').focus();
  await tabTo('Upgrade to heads');
  await press('Enter');
  await dialog().waitFor();
  await tabTo('Upgrade');
  await press('Enter');
  await where('with every revision applied');
});

inspect('it fits a small screen in both themes, unfolded and with a plan', '?example', async () => {
  await page.setViewportSize({ width: 375, height: 800 });
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  for (const name of await revisions().locator('.revision-name').all()) await name.click();
  for (const name of await page.getByText('SQL up', { exact: true }).all()) await name.click();
  assert.equal(await width(), 375);
  await page.getByRole('button', { name: 'Dark theme' }).click();
  assert.equal(await width(), 375);
  await button('Downgrade to base…').click();
  for (const name of await dialog()
    .getByText(/^SQL down of/)
    .all())
    await name.click();
  assert.equal(await width(), 375);
  const { left, right, bottom } = await button('Downgrade').evaluate((element) => element.getBoundingClientRect());
  assert.ok(left >= 0 && right <= 375 && bottom <= 800, 'the buttons are on the screen, however long the plan');
  assert.ok(await dialog().evaluate((element) => element.scrollWidth <= element.clientWidth));
});

test('an edited revision is marked, and accepted only when that is confirmed', { timeout: 60_000 }, async () => {
  // The engine opens no memory with an edited revision, so here is a package whose verify() found one.
  await page.route('**/package/index.js', (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      body: `export * from './index.js?real';
        import { Migrations } from './index.js?real';
        const accepted = (window.accepted = []);
        const { verify } = Migrations.prototype;
        Migrations.prototype.verify = async function () {
          const rows = await verify.call(this);
          return rows.map((row) => (row.revision === '001' && !accepted.length ? { ...row, standing: 'edited' } : row));
        };
        Migrations.prototype.accept = async (id) => void accepted.push(id);`,
    }),
  );
  await page.goto(`${server.url}/inspector/`);
  await holds(revision('001').locator('.tag'), 'edited');
  await revision('001').locator('.revision-name').click();
  await holds(revision('001'), 'Its text differs from the text that was applied.');
  await button('Accept the edited 001…').click();
  await confirm('Cancel');
  assert.deepEqual(await page.evaluate(() => window.accepted), []);
  await button('Accept the edited 001…').click();
  await confirm('Accept');
  await holds(page.locator('#notice'), 'Accepted 001');
  assert.deepEqual(await page.evaluate(() => window.accepted), ['001']);
  assert.deepEqual(await tagged('edited'), []);
  assert.deepEqual(complaints, []);
});

test('a failed run is reported in the dialog, and a running one shows its progress', { timeout: 60_000 }, async () => {
  await page.route('**/package/index.js', (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      body: `export * from './index.js?real';
        import { Memory as Real, MemoryError, Migrations } from './index.js?real';
        export const Memory = { open: (options) => ((window.tell = options.onProgress), Real.open(options)) };
        const { downgrade } = Migrations.prototype;
        Migrations.prototype.downgrade = function (target) {
          if (window.goOn) return downgrade.call(this, target);
          return new Promise((_, reject) => {
            window.fail = () => reject(new MemoryError('quota_exceeded', 'There is no room for a backup.', 'Make room.'));
          });
        };`,
    }),
  );
  await page.goto(`${server.url}/inspector/`);
  await choose('001', 'Downgrade');
  await dialog().getByRole('button', { name: 'Downgrade' }).click();
  await page.evaluate(() => window.tell({ phase: 'backup', revision: null, step: 0, steps: 1, done: 30, total: 120 }));
  await holds(dialog().getByRole('status'), 'Making a backup: 30 of 120 pages…');
  assert.equal(
    await dialog()
      .getByRole('progressbar')
      .evaluate((bar) => bar.value),
    0.25,
  );
  await page.evaluate(() => window.tell({ phase: 'downgrade', revision: '002', step: 0, steps: 2, done: 0, total: 0 }));
  await holds(dialog().getByRole('status'), 'Reverting 002…');
  assert.ok(await dialog().getByRole('button', { name: 'Cancel' }).isDisabled());
  await page.evaluate(() => window.fail());
  await holds(dialog().getByRole('alert'), 'There is no room for a backup.');
  await holds(dialog().getByRole('alert'), 'quota_exceeded');
  await page.evaluate(() => (window.goOn = true));
  await confirm('Downgrade');
  await where('The file is at 001');
  assert.deepEqual(complaints, []);
});

inspect('a file goes out with the app’s branch and comes back', '?example', async () => {
  const [download] = await Promise.all([page.waitForEvent('download'), button('Export .db').click()]);
  const bytes = readFileSync(await download.path());
  assert.ok(bytes.includes('CREATE TABLE reminder_places'));
  await page.getByLabel('Import a database file').setInputFiles({ name: 'back.db', mimeType: '', buffer: bytes });
  await confirm('Import');
  await where('The file is at 002 and e17b5a30, with every revision applied.');
});
