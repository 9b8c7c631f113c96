// The inspector in a browser, as a person uses it: elements are found by their texts and roles, not by their markup.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { serve } from '../../scripts/serve.mjs';
import { noteComplaints, sharedBrowser } from './page.mjs';

const FILE = at('tests', 'fixtures', 'synth-mind-alembic.db');
const TABLES = ['Turns', 'Episodes', 'Long-term', 'Uncertainty', 'Semantic'];
const TIMEOUT = 10_000;

const browser = sharedBrowser({ viewport: { width: 1280, height: 860 } });

let server;
let page;
/** The errors, warnings and policy violations of the page. There must be none. */
let complaints;

beforeEach(async () => {
  complaints = [];
  server = await serve();
  page = await openPage();
  await ready();
});

afterEach(async () => {
  await browser.reset(server.url);
  await server.close();
});

async function openPage() {
  const opened = await (await browser.context()).newPage();
  opened.setDefaultTimeout(TIMEOUT);
  noteComplaints(opened, complaints);
  await opened.goto(`${server.url}/inspector/`);
  return opened;
}

/** A test of the page that also fails if the page reports errors. */
const inspect = (name, run) =>
  test(name, { timeout: 60_000 }, async () => {
    await run();
    assert.deepEqual(complaints, []);
  });

const tab = (name) => page.getByRole('tab', { name });
const panel = () => page.getByRole('tabpanel');
const rows = () => panel().getByRole('list').first().getByRole('listitem');
const log = () => page.getByRole('log', { name: 'Conversation with the agent' });

/** Waits until the memory is open and the agent has read its knowledge. */
const ready = () => holds(log(), /Hello|Welcome back/);

async function expectCounts(...counts) {
  for (const [index, count] of counts.entries()) await tab(`${TABLES[index]} ${count}`).waitFor();
}

/** Waits until a locator contains a text. */
const holds = (locator, text) => locator.filter({ hasText: text }).first().waitFor();

async function confirm(label) {
  await page.getByRole('dialog').getByRole('button', { name: label, exact: true }).click();
}

async function importFixture() {
  await page.getByLabel('Import a database file').setInputFiles(FILE);
  await holds(page.getByRole('dialog'), 'The current memory is kept as a backup');
  await confirm('Import');
  await expectCounts(64, 16, 5, 8, 16);
}

/** Sends a message to the agent and returns its answer. */
async function say(message) {
  const exchanges = log().getByRole('listitem');
  const before = await exchanges.count();
  await page.getByLabel('Message to the agent').fill(message);
  await page.keyboard.press('Enter');
  await exchanges.nth(before).waitFor();
  return exchanges.nth(before).innerText();
}

inspect(
  'a file that Alembic made is imported, migrated, kept over a reload, and goes out at its own revision',
  async () => {
    await expectCounts(0, 0, 0, 0, 0);
    await importFixture();
    await holds(page.getByRole('definition'), 'revision 002');

    await page.reload();
    await expectCounts(64, 16, 5, 8, 16);
    await holds(page.getByRole('definition'), 'revision 002');
    await holds(log(), 'Welcome back, Ada.');

    await page.getByLabel('Revision to export').selectOption('001');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export .db' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'synth-memory-001.db');
    const bytes = readFileSync(await download.path());
    assert.equal(bytes.toString('latin1', 0, 15), 'SQLite format 3');
    assert.ok(!bytes.includes('CREATE VIRTUAL TABLE'), 'revision 001 has no full-text index');
  },
);

inspect('every table shows its rows, narrows them, and turns its pages', async () => {
  await importFixture();
  await panel().getByText('64 turns, 1 to 20 shown').waitFor();
  await panel().getByRole('button', { name: 'Next' }).click();
  await panel().getByText('64 turns, 21 to 40 shown').waitFor();
  await panel().getByRole('button', { name: 'Back' }).click();
  await panel().getByText('64 turns, 1 to 20 shown').waitFor();
  assert.ok(await panel().getByRole('button', { name: 'Back' }).isDisabled());

  await panel().getByLabel('Search words').fill('peanut allergy');
  await panel()
    .getByText(/turns? found/)
    .waitFor();
  const every = parseInt(await panel().getByRole('status').innerText());
  await panel().getByLabel('Match').selectOption('any word');
  await page.waitForFunction(
    (few) => parseInt(document.querySelector('[role=tabpanel]:not([hidden]) [role=status]').textContent) > few,
    every,
  );
  await panel().getByRole('button', { name: 'Clear filters' }).click();
  await panel().getByText('64 turns, 1 to 20 shown').waitFor();

  await tab('Semantic').click();
  await panel().getByLabel('Category').selectOption('preference');
  await panel().getByText('5 facts found').waitFor();
  assert.equal(await rows().count(), 5);
  for (const row of await rows().all()) assert.match(await row.innerText(), /preference/);
  await panel().getByRole('button', { name: 'Clear filters' }).click();
  await panel().getByLabel('Order by').selectOption('importance');
  await panel().getByText('By weight and date').click();
  await panel().getByLabel('Importance from').fill('0.9');
  await panel().getByText('2 facts found').waitFor();
  const weights = (await rows().allInnerTexts()).map((text) => Number(/importance\s+([\d.]+)/.exec(text)[1]));
  assert.deepEqual(weights, [0.93, 0.91]);

  await tab('Uncertainty').click();
  await panel().getByLabel('Resolved').selectOption('no');
  await panel().getByText('5 doubts found').waitFor();
  assert.equal(await rows().count(), 5);
  for (const row of await rows().all()) assert.match(await row.innerText(), /open/);

  await tab('Long-term').click();
  await panel().getByLabel('Key begins with').fill('user.');
  await panel().getByText('1 key found').waitFor();

  await tab('Episodes').click();
  await panel().getByText('By weight and date').click();
  await panel().getByLabel('Since').fill('2030-01-01');
  await panel().getByText('No rows match these filters.').waitFor();
});

inspect('a row is edited and deleted, errors are shown, and the counts follow', async () => {
  await importFixture();
  await tab('Semantic').click();
  await panel().getByRole('button', { name: 'Edit fact 3', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('The fact').fill('<b>Peanuts</b> are in the cupboard');
  await dialog.getByLabel('Importance').fill('7');
  await confirm('Save');
  // The browser checks the bounds of a number before the engine is called.
  assert.ok(await dialog.getByLabel('Importance').evaluate((input) => !input.validity.valid));
  await dialog.getByLabel('Importance').fill('0.75');
  await confirm('Save');
  await panel().getByText('<b>Peanuts</b> are in the cupboard').waitFor();

  await panel().getByRole('button', { name: 'Delete fact 3', exact: true }).click();
  await confirm('Cancel');
  await expectCounts(64, 16, 5, 8, 16);
  await panel().getByRole('button', { name: 'Delete fact 3', exact: true }).click();
  await confirm('Delete');
  await expectCounts(64, 16, 5, 8, 15);
  await panel().getByText('<b>Peanuts</b> are in the cupboard').waitFor({ state: 'detached' });

  await tab('Long-term').click();
  await panel().getByRole('button', { name: 'Edit key profile' }).click();
  await dialog.getByLabel('Value').fill('{"age": ');
  await confirm('Save');
  await holds(dialog.getByRole('alert'), 'value is not JSON');
  await dialog.getByLabel('Value').fill('{"age": 37}');
  await confirm('Save');
  await panel().getByText('age: 37').waitFor();
});

inspect('the agent learns a name and facts, and knows them after a reload', async () => {
  assert.match(await say('Call me Ada'), /Nice to meet you, Ada/);
  await page.getByRole('button', { name: 'I like green tea' }).click();
  await holds(log(), 'Noted: you like green tea.');
  await say('Zoe is allergic to peanuts');
  await expectCounts(3, 4, 1, 0, 2);

  await page.reload();
  await holds(log(), 'Welcome back, Ada.');
  await holds(log(), 'Noted: Zoe is allergic to peanuts.');
  assert.match(await say('What do I like?'), /You like green tea\.[^]*used[^]*fact #1/);
  assert.match(await say('What do you know about peanuts?'), /Zoe is allergic to peanuts\.[^]*used[^]*fact #2/);
  assert.match(await say('What food must Zoe avoid?'), /Zoe is allergic to peanuts/);
  assert.match(await say('What is my name?'), /You are Ada\.[^]*long-term user\.name/);

  await log().getByRole('button', { name: 'fact #2' }).first().click();
  await panel().getByText('1 fact found').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'fact 2');
});

inspect('messages sent without waiting are all answered, in their order, and what is being written stays', async () => {
  const messages = ['Call me Ada', 'I like green tea', 'Zoe plays the piano', 'What do I like?'];
  const input = page.getByLabel('Message to the agent');
  for (const message of messages) {
    await input.fill(message);
    await page.keyboard.press('Enter');
  }
  await input.fill('Zoe lives in');
  await holds(log(), /You like green tea\./);
  await page.locator('#chat-send:not([aria-busy])').waitFor();
  const said = await log().locator('.said-user p').allInnerTexts();
  assert.deepEqual(said, messages);
  assert.equal(await input.inputValue(), 'Zoe lives in');
});

inspect('SQL asked while another query is under way is asked after it', async () => {
  const text = page.getByRole('textbox', { name: 'Query' });
  for (const sql of ['SELECT 1 AS first', 'SELECT 2 AS second', 'SELECT 3 AS third']) {
    await text.fill(sql);
    await text.press('Control+Enter');
  }
  await page.getByRole('columnheader', { name: 'third' }).waitFor();
});

inspect('what the agent is unsure of is logged, asked back, and settled by the next message', async () => {
  assert.match(await say('Where does Zoe live?'), /I do not know that yet/);
  await tab('Uncertainty 1').click();
  await holds(rows(), 'Where does Zoe live?');
  await holds(rows(), 'open');
  // The open question is stored in the memory, not in the page.
  await page.reload();
  await ready();
  assert.match(await say('She lives in Lyon'), /now I know: Zoe lives in Lyon/);
  await tab('Uncertainty 1').click();
  await holds(rows(), 'resolved');
  assert.match(await say('Where does Zoe live?'), /Zoe lives in Lyon\./);

  assert.match(await say('Maybe we meet on Thursday'), /Shall I remember this as certain/);
  await tab('Uncertainty 2').waitFor();
  assert.match(await say('yes'), /now I know/);
  await panel().getByLabel('Resolved').selectOption('no');
  await panel().getByText('No rows match these filters.').waitFor();
});

inspect('a file is dropped on the page, and the memory before it is restored', async () => {
  await say('Call me Grace');
  const transfer = await page.evaluateHandle(
    (bytes) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], 'dropped.db'));
      return transfer;
    },
    readFileSync(FILE, 'base64'),
  );
  await page.dispatchEvent('main', 'dragenter', { dataTransfer: transfer });
  await page.getByText('Drop the database file to import it').waitFor();
  await page.dispatchEvent('main', 'drop', { dataTransfer: transfer });
  await page.getByText('Drop the database file to import it').waitFor({ state: 'hidden' });
  await holds(page.getByRole('dialog'), 'dropped.db');
  await confirm('Import');
  await expectCounts(64, 16, 5, 8, 16);
  await holds(log(), 'Welcome back, Ada.');

  await page
    .getByRole('button', { name: /^Restore the backup/ })
    .first()
    .click();
  await confirm('Restore');
  await expectCounts(1, 2, 1, 0, 0);
  await holds(log(), 'Welcome back, Grace.');
});

inspect('a file that is no database is refused in words, and changes nothing', async () => {
  await say('Call me Grace');
  await page
    .getByLabel('Import a database file')
    .setInputFiles({ name: 'notes.db', mimeType: '', buffer: Buffer.from('no database, only a note') });
  await confirm('Import');
  await holds(page.getByRole('alert'), 'not_a_database');
  await expectCounts(1, 2, 1, 0, 0);
});

inspect('SQL is answered with a table, and refused where it would write', async () => {
  await importFixture();
  await page
    .getByRole('textbox', { name: 'Query' })
    .fill('SELECT event_type, count(*) AS n FROM episodes GROUP BY 1 ORDER BY 1');
  await page.getByRole('button', { name: 'Run' }).click();
  await page.getByRole('columnheader', { name: 'event_type' }).waitFor();
  await page.getByRole('cell', { name: 'conversation' }).waitFor();
  await page.getByRole('textbox', { name: 'Query' }).fill('DELETE FROM episodes');
  await page.keyboard.press('Control+Enter');
  await holds(page.getByRole('alert'), 'read_only_query');
  await expectCounts(64, 16, 5, 8, 16);
});

inspect('the tabs are walked with the keys', async () => {
  await expectCounts(0, 0, 0, 0, 0);
  const selected = () => page.getByRole('tab', { selected: true }).innerText();
  await tab('Turns').focus();
  await page.keyboard.press('ArrowRight');
  assert.match(await selected(), /Episodes/);
  await page.keyboard.press('End');
  assert.match(await selected(), /Semantic/);
  await page.keyboard.press('ArrowRight');
  assert.match(await selected(), /Turns/);
  await page.keyboard.press('ArrowLeft');
  assert.match(await selected(), /Semantic/);
  await page.keyboard.press('Home');
  assert.match(await selected(), /Turns/);
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Turns/);
  await page.keyboard.press('Tab');
  assert.ok(await panel().evaluate((element) => element.contains(document.activeElement)));
});

inspect('a memory that cannot be opened shows an error, and opens on a retry', async () => {
  await say('Call me Ada');
  const engine = '**/*.wasm';
  await page.route(engine, (route) => route.fulfill({ contentType: 'application/wasm', body: 'no engine' }));
  await page.reload();
  await page.getByRole('heading', { name: 'The memory could not be opened' }).waitFor();
  await holds(page.getByRole('alert'), 'worker_unavailable');
  await page.unroute(engine);
  await page.getByRole('button', { name: 'Try again' }).click();
  await holds(log(), 'Welcome back, Ada.');
});

inspect('the chosen theme is remembered, and the page fits a small screen in both', async () => {
  await importFixture();
  await say('I like green tea');
  const toggle = page.getByRole('button', { name: 'Dark theme' });
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  await toggle.click();
  assert.notEqual(await ground(), light);
  await page.reload();
  await page.getByRole('button', { name: 'Dark theme', pressed: true }).waitFor();
  assert.notEqual(await ground(), light);

  await page.setViewportSize({ width: 375, height: 800 });
  for (const name of TABLES) {
    await tab(name).click();
    await rows().first().waitFor();
    const { scrollWidth, clientWidth } = await page.evaluate(() => document.documentElement);
    assert.equal(
      await page.evaluate(() => document.documentElement.scrollWidth),
      375,
      `${name} ${scrollWidth} ${clientWidth}`,
    );
  }
});
