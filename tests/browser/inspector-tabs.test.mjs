// The inspector in many tabs, and its page with four tabs, as a person uses them: on OPFS, under the strict policy.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { serve } from '../../scripts/serve.mjs';
import { breakWorker, noteComplaints, sharedBrowser } from './page.mjs';

const TABS = ['A', 'B', 'C', 'D'];

const browser = sharedBrowser({ viewport: { width: 1280, height: 860 } });

let server;
/** The errors, warnings and policy violations of the pages. There must be none. */
let complaints;

beforeEach(async () => {
  complaints = [];
  server = await serve();
});

afterEach(async () => {
  await browser.reset(server.url);
  await server.close();
});

/** A test that also fails if a page reports errors. */
const inspect = (name, run) =>
  test(name, { timeout: 60_000 }, async () => {
    await run();
    assert.deepEqual(complaints, []);
  });

async function open(address) {
  const page = await (await browser.context()).newPage();
  page.setDefaultTimeout(20_000);
  noteComplaints(page, complaints);
  await page.goto(`${server.url}/inspector/${address}`);
  return page;
}

const holds = (locator, text) => locator.filter({ hasText: text }).first().waitFor();
const button = (page, name) => page.getByRole('button', { name, exact: true });
const handovers = (page) => page.getByRole('list', { name: 'Hand-overs' }).getByRole('listitem');
/** Waits until a fact, such as the role, is this. */
const fact = (page, name, value) =>
  holds(
    page.locator('.status-item').filter({ has: page.getByRole('term').getByText(name, { exact: true }) }),
    value instanceof RegExp ? value : new RegExp(`^\\s*${name}\\s*${value}\\b`),
  );

// --- The inspector ------------------------------------------------------------------------------------------------

const log = (page) => page.getByRole('log', { name: 'Conversation with the agent' });

async function openInspector() {
  const page = await open('');
  await holds(log(page), /Hello|Welcome back/);
  return page;
}

async function say(page, message) {
  await page.getByLabel('Message to the agent').fill(message);
  await page.keyboard.press('Enter');
  await holds(log(page), message);
}

inspect('a second tab follows, each shows what the other does, and it goes on when the first is gone', async () => {
  const first = await openInspector();
  await say(first, 'Call me Ada');
  const second = await openInspector();
  await holds(log(second), 'Welcome back, Ada.');
  await fact(first, 'Role', 'leader');
  await fact(second, 'Role', 'follower');
  for (const page of [first, second]) {
    await fact(page, 'Clients', '2');
    await holds(page.locator('#sharing-now'), '1 other client has the memory open');
  }

  await say(second, 'I like green tea');
  await holds(log(first), 'Noted: you like green tea.');
  for (const name of ['Turns 2', 'Long-term 1', 'Semantic 1']) await first.getByRole('tab', { name }).waitFor();
  await say(first, 'Zoe is allergic to peanuts');
  await holds(log(second), 'Noted: Zoe is allergic to peanuts.');
  await second.getByRole('tab', { name: 'Semantic 2' }).waitFor();

  await first.close();
  await fact(second, 'Role', 'leader');
  await fact(second, 'Clients', '1');
  await holds(handovers(second), /This tab leads now\. A call made at that moment was answered after \d/);
  assert.equal(await handovers(second).count(), 1);
  await say(second, 'What do I like?');
  await holds(log(second), 'You like green tea.');
});

inspect('writes of another tab do not disturb the rest of the page', async () => {
  const first = await openInspector();
  await say(first, 'Call me Ada');
  await first.getByRole('tab', { name: 'Turns 1' }).click();
  const panel = first.getByRole('tabpanel');
  await panel.getByText('metadata').click();
  await panel.getByText('"meaning"').waitFor();
  await button(panel, 'Edit turn 1').focus();

  const second = await openInspector();
  await say(second, 'I like green tea');
  await panel.getByText('I like green tea').waitFor();
  assert.equal(await first.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Edit turn 1');
  assert.ok(await panel.getByText('"meaning"').isVisible());

  // A row that another tab deletes does disappear.
  await button(second.getByRole('tabpanel'), 'Delete turn 1').click();
  await button(second.getByRole('dialog'), 'Delete').click();
  await button(panel, 'Edit turn 1').waitFor({ state: 'detached' });
  await first.getByRole('tab', { name: 'Turns 1' }).waitFor();
});

inspect('a migration in one tab shows in the other', async () => {
  const first = await openInspector();
  const second = await openInspector();
  await holds(second.locator('#migrations-where'), 'The file is at 002');
  await second.getByText('Recall', { exact: true }).last().click();
  await button(first, 'Downgrade to base…').click();
  await first.getByRole('dialog').getByRole('button', { name: 'Downgrade' }).click();
  await holds(second.locator('#migrations-where'), 'The file is at base');
  await fact(second, 'Schema', 'revision none');
  await second.getByRole('button', { name: /^Restore the backup/ }).waitFor();
});

inspect('a worker that breaks is shown as a hand-over, and a restored page continues', async () => {
  const page = await openInspector();
  await say(page, 'Call me Ada');
  // Waits until the leader is shown, before it changes.
  await fact(page, 'Clients', '1');
  await breakWorker(page);
  await holds(handovers(page), 'This tab leads again, with another worker.');
  await say(page, 'What is my name?');
  await page.goto('about:blank');
  await page.goBack();
  await say(page, 'I like green tea');
  await holds(log(page), 'Noted: you like green tea.');
});

// --- The page with four tabs --------------------------------------------------------------------------------------

const frame = (page, name) => page.frameLocator(`iframe[title="Tab ${name}"]`);
const card = (page, name) => page.getByRole('region', { name: `Tab ${name}` });
const roleOf = (page, name) => frame(page, name).getByRole('main').getByRole('status');
const verdict = (page, text) => holds(page.getByRole('main').locator('#verdict'), text);
const runAll = (page) => page.getByRole('button', { name: 'All write continuously' });

/** Opens the page; returns it and the name of the leader's tab. */
async function openFour() {
  const page = await open('tabs.html');
  for (const name of TABS) await holds(roleOf(page, name), /leader|follower/);
  return { page, leader: await leaderOf(page) };
}

/** The name of the leader's tab. With `before`, waits until another tab leads. */
async function leaderOf(page, before) {
  const leads = page.locator(`.tab-leads${before ? `:not([data-tab="${before}"])` : ''}`);
  await leads.waitFor();
  const name = await leads.getAttribute('data-tab');
  await holds(roleOf(page, name), 'leader');
  return name;
}

/** Waits until the open tabs have written `count` more turns. */
async function more(page, count) {
  const answered = () => page.locator('#summary dd').first().locator('.status-value').innerText();
  const before = Number((await answered()).replace(',', ''));
  await page.waitForFunction(
    (wanted) => Number(document.querySelector('#summary .status-value').textContent.replace(',', '')) >= wanted,
    before + count,
  );
}

inspect('four tabs: none of what they write is missing or double, whichever is closed or killed', async () => {
  const { page, leader } = await openFour();
  await fact(page, 'Clients', '4');
  await verdict(page, 'No number is missing or double.');
  await button(frame(page, 'C'), 'Write a turn').click();
  for (const name of TABS) {
    await holds(frame(page, name).getByRole('listitem'), 'Tab C, number 1');
    await holds(frame(page, name).locator('#count'), '1 row');
  }

  await runAll(page).click();
  await more(page, 12);
  await button(page, 'Kill the leader').click();
  await holds(card(page, leader), 'Killed');
  const second = await leaderOf(page, leader);
  await holds(handovers(page), new RegExp(`Tab ${leader} was killed; tab ${second} leads\\. \\d+ writes? waited`));
  await more(page, 12);

  // The keyboard focus stays in its place.
  await button(page, `Close tab ${second}`).focus();
  await page.keyboard.press('Enter');
  await holds(card(page, second), 'Closed');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), `Open tab ${second}`);
  const third = await leaderOf(page, second);
  await holds(handovers(page), `Tab ${second} was closed; tab ${third} leads.`);
  const follower = TABS.find((name) => ![leader, second, third].includes(name));
  await button(page, `Kill tab ${follower}`).click();
  await holds(card(page, follower), 'Killed');
  assert.equal(await handovers(page).count(), 2);
  await more(page, 4);

  for (const name of [leader, second, follower]) await button(page, `Open tab ${name}`).click();
  for (const name of [leader, second, follower]) await holds(roleOf(page, name), 'follower');
  await more(page, 12);
  await runAll(page).click();
  await fact(page, 'Rows in each tab', 'equal');
  await fact(page, 'Missing', '0');
  await fact(page, 'Double', '0');
  await verdict(page, 'No number is missing or double.');
  await fact(page, 'Clients', '4');

  await button(page, 'Empty and start over').click();
  await fact(page, 'Writes answered', '0');
  for (const name of TABS) await holds(frame(page, name).locator('#count'), /^0 rows$/);
  await holds(handovers(page), 'None yet');
});

inspect('a row that is taken away is missing, and one that is written again is double', async () => {
  const { page } = await openFour();
  for (let at = 0; at < 3; at++) await button(frame(page, 'B'), 'Write a turn').click();
  await holds(frame(page, 'D').locator('#count'), '3 rows');
  const other = await open('tab.html?tab=E');
  await holds(other.getByRole('main').getByRole('status'), 'follower');
  await fact(page, 'Clients', '5');

  const tamper = (name) =>
    other.evaluate(async (name) => {
      const { Memory } = await import('/package/index.js');
      const memory = await Memory.open({ url: 'opfs:///tabs.db' });
      const { rows } = await memory.turns.list({ orderBy: 'id', direction: 'asc' });
      if (name === 'double') await memory.turns.append({ userInput: 'again', metadata: rows[0].metadata });
      if (name === 'gap') await memory.turns.delete([rows[1].id]);
      if (name === 'all') await memory.turns.clear();
      await memory.close();
    }, name);
  await tamper('double');
  await fact(page, 'Double', '1');
  await verdict(page, 'Numbers are missing or double.');
  await tamper('gap');
  await fact(page, 'Missing', '1');
  await tamper('all');
  await fact(page, 'Double', '0');
});

inspect('the four fit a small screen, in the theme that is chosen', async () => {
  const { page } = await openFour();
  const ground = (where) => where.locator('html').evaluate((html) => getComputedStyle(html).backgroundColor);
  const light = [await ground(page), await ground(frame(page, 'A'))];
  await page.getByRole('button', { name: 'Dark theme' }).click();
  await page.getByRole('button', { name: 'Dark theme', pressed: true }).waitFor();
  await frame(page, 'A').locator('html[data-theme="dark"]').waitFor();
  assert.notEqual(await ground(page), light[0]);
  assert.notEqual(await ground(frame(page, 'A')), light[1]);

  await page.setViewportSize({ width: 375, height: 800 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 375);
});
