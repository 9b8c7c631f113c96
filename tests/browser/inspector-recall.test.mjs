// The inspector's recall and map in a browser, as a person uses them: real vectors in OPFS, under the strict policy.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { serve } from '../../scripts/serve.mjs';
import { noteComplaints, sharedBrowser } from './page.mjs';

const FILE = at('tests', 'fixtures', 'synth-mind-alembic.db');
const MODEL = '**/package/models/**';
/** In this file, its hits include one of low importance and two facts with the same text. */
const QUESTION = 'Who moved the login page?';
const PARTS = ['words', 'meaning', 'recency', 'importance', 'valence', 'lessons', 'conversation', 'diversity'];

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

/** A test on the file, once its rows have their vectors. It also fails if the page reports errors. */
const inspect = (name, run) =>
  test(name, { timeout: 60_000 }, async () => {
    await openInspector();
    await importFixture();
    await embedded();
    await run();
    assert.deepEqual(complaints, []);
  });

async function openInspector() {
  await page.goto(`${server.url}/inspector/`);
  await page.getByRole('tab', { name: 'Turns 0' }).waitFor();
}

async function importFixture() {
  await page.getByLabel('Import a database file').setInputFiles(FILE);
  await page.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByRole('tab', { name: 'Turns 64' }).waitFor();
}

/** Opens the page with the embedder of this source instead of the bundled one. */
async function openWithEmbedder(embed) {
  await page.route('**/package/index.js', (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      body: `export * from './index.js?real';
        import { Memory as Real } from './index.js?real';
        const embedder = { name: 'test', dimensions: 3, batchSize: 20, embed: ${embed} };
        export const Memory = { open: (options) => Real.open({ ...options, embedder }) };`,
    }),
  );
  await openInspector();
}

const holds = (locator, text) => locator.filter({ hasText: text }).first().waitFor();
const section = () => page.getByRole('region', { name: 'Recall' });
const question = () => section().getByRole('searchbox', { name: 'Question' });
const found = (text) => holds(section().locator('#recall-found'), text);
const hits = () => section().getByRole('list', { name: 'Hits, the best first' }).getByRole('listitem');
const map = () => section().getByRole('listbox', { name: /^Map of memories/ });
const points = () => map().getByRole('option');
const expectPoints = (count) =>
  page.waitForFunction((count) => document.querySelectorAll('.map-plane [role=option]').length === count, count);
const tip = () => section().locator('.map-tip');
const vectors = () => section().locator('#vectors');
const embedded = () => holds(vectors(), 'Every row has its vector.');

/** In this file the turns raise each other's scores so much that no fact is among the best. */
const leaveOutTurns = () => section().getByRole('checkbox', { name: 'Turns' }).uncheck();

async function ask(text) {
  await question().fill(text);
  await question().press('Enter');
}

/** The number next to a name in the state of the vectors. */
const figure = (name) => vectors().locator('div:not(:has(div))', { hasText: name }).locator('dd').innerText();

const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label'));
const numbers = (locator) =>
  locator.locator('data').evaluateAll((all) => all.map((one) => ({ value: Number(one.value), text: one.innerText })));

inspect('each hit says why it ranks, and its bars add up to its score', async () => {
  await leaveOutTurns();
  await ask(QUESTION);
  await found(/^10 hits in \d+ ms$/);
  assert.equal(await hits().count(), 10);

  let above = Infinity;
  for (const hit of await hits().all()) {
    assert.deepEqual(await hit.locator('.part dt').allInnerTexts(), PARTS);
    const parts = await numbers(hit.locator('.parts'));
    const [score] = await numbers(hit.locator('.hit-score'));
    const sum = parts.reduce((all, { value }) => all + value, 0);
    assert.ok(Math.abs(sum - score.value) < 1e-4, `${sum} is the score ${score.value}`);
    for (const { value, text } of [...parts, score])
      assert.ok(Math.abs(Number(text.replace('−', '-')) - value) <= 0.005, `${text} is ${value}`);
    assert.ok(score.value <= above);
    above = score.value;
  }

  const bar = (hit, part) => hit.locator(`[data-part="${part}"] .part-bar`);
  const box = (locator) => locator.evaluate((element) => element.getBoundingClientRect().toJSON());
  const best = hits().first();
  const [track, words, meaning] = await Promise.all([
    box(bar(best, 'words')),
    box(bar(best, 'words').locator('span')),
    box(bar(best, 'meaning').locator('span')),
  ]);
  const value = async (part) => (await numbers(best.locator(`[data-part="${part}"]`)))[0].value;
  const isMore = (await value('meaning')) > (await value('words'));
  assert.ok(words.width > 0 && meaning.width > words.width === isMore, 'the longer bar has the larger value');
  // A part that lowers the score is on the other side of zero and has a minus sign.
  const less = hits().filter({ has: page.locator('[data-part="importance"][data-sign="negative"]') });
  const negative = await box(bar(less.first(), 'importance').locator('span'));
  const ownTrack = await box(bar(less.first(), 'importance'));
  assert.ok(negative.width > 0 && negative.right - ownTrack.left <= words.left - track.left + 0.5);
  assert.match(await less.first().locator('[data-part="importance"] data').innerText(), /^−\d/);
});

inspect('a hit unfolds its evidence and text, names what is the same, and leads to its row', async () => {
  await leaveOutTurns();
  await ask(QUESTION);
  await found('10 hits');
  const best = hits().first();
  await holds(best, 'our build server moved the login page');
  await holds(best, '1 Jan 2026');
  await best.getByText('Evidence and whole text').click();
  const evidence = best.locator('.evidence dl');
  for (const name of ['BM25', 'Cosine', 'Age', 'Importance', 'Valence', 'Doubts it settled', 'Doubts it misled in'])
    await holds(evidence.locator('dt'), name);
  assert.match(await evidence.innerText(), /Cosine\s+0\.\d{3}\s+Age\s+[\d.]+ days/);
  await holds(best.locator('.sources'), /the same text:\s*fact #15/);

  const goesTo = async (name, label) => {
    await best.getByRole('button', { name, exact: true }).click();
    await page.waitForFunction((label) => document.activeElement.getAttribute('aria-label') === label, label);
  };
  await goesTo('fact #15', 'fact 15');
  await goesTo('fact #5', 'fact 5');

  // A row of long-term knowledge is found by its key.
  await ask('profile languages');
  await holds(hits().first(), 'long-term profile');
  await best.getByRole('button', { name: 'long-term profile' }).click();
  await page.waitForFunction(() => document.activeElement.getAttribute('aria-label') === 'key profile');
});

inspect('only the chosen tables are asked, and what cannot be answered is said plainly', async () => {
  const box = (name) => section().getByRole('checkbox', { name });
  assert.equal(await box('Uncertainty').isChecked(), false);
  for (const name of ['Turns', 'Episodes', 'Long-term']) await box(name).uncheck();
  await section().getByRole('button', { name: 'Recall', exact: true }).click();
  await found('Type a question first.');
  assert.ok(await question().evaluate((input) => input === document.activeElement));
  await ask('   ');
  await found('Type a question first.');

  await ask(QUESTION);
  await found('10 hits');
  for (const hit of await hits().all()) assert.match(await hit.innerText(), /fact #\d+/);
  await box('Semantic').uncheck();
  await ask(QUESTION);
  await found('Choose at least one table to search.');
  assert.equal(await hits().count(), 0);
});

test('a memory without rows has no hits and no map, and loads no model', { timeout: 60_000 }, async () => {
  let models = 0;
  await page.route(MODEL, (route) => (models++, route.continue()));
  await openInspector();
  await holds(vectors(), 'Nothing to embed yet.');
  await holds(section().locator('#map'), 'no row has a vector');
  assert.equal(models, 0);
  await ask('Is anything there?');
  await found('Nothing in these tables matches this question.');
  assert.deepEqual(complaints, []);
});

inspect('the map has a point for each row with a vector, shows texts, marks hits, and leads to rows', async () => {
  assert.equal(await figure('Embedded'), '109');
  assert.equal(await figure('Pending'), '0');
  await expectPoints(109);
  const legend = await section()
    .getByRole('list', { name: 'Legend of the map' })
    .getByRole('listitem')
    .allTextContents();
  assert.deepEqual(legend, ['Turns 64', 'Episodes 16', 'Long-term 5', 'Uncertainty 8', 'Semantic 16']);
  // Each table has its own shape.
  const shapes = await map()
    .locator('[data-table]')
    .evaluateAll((all) => all.map((one) => `${one.dataset.table} ${one.querySelector('path').getAttribute('d')}`));
  assert.equal(new Set(shapes).size, 5);
  assert.equal(new Set(shapes.map((shape) => shape.split(' ').slice(1).join(' '))).size, 5);

  await leaveOutTurns();
  await ask(QUESTION);
  await found('10 hits');
  assert.equal(await map().getByRole('option', { selected: true }).count(), 10);
  await holds(map().locator('.point-hit'), /^1$/);
  await map()
    .getByRole('option', { name: /^fact #15, the same text as hit 1: / })
    .waitFor();

  const best = map().getByRole('option', { name: /^fact #5, hit 1: our build server moved the login page/ });
  await best.locator('path').hover();
  await holds(tip(), 'our build server moved the login page');
  await page.mouse.move(0, 0);
  await tip().waitFor({ state: 'hidden' });
  await best.locator('path').click();
  await page.waitForFunction(() => document.activeElement.getAttribute('aria-label') === 'fact 5');
});

inspect('with keys alone: a question, and from point to point to a row', async () => {
  await leaveOutTurns();
  await question().focus();
  await page.keyboard.type(QUESTION);
  await page.keyboard.press('Enter');
  await found('10 hits');
  // The whole map is one tab stop, at the best hit.
  const stops = () => map().locator('[tabindex="0"]');
  assert.equal(await stops().count(), 1);
  for (let steps = 0; steps < 60 && !/hit 1:/.test(await focused()); steps++) await page.keyboard.press('Tab');
  assert.match(await focused(), /^fact #5, hit 1: our build server/);
  await holds(tip(), 'our build server moved the login page');

  await page.keyboard.press('PageDown');
  assert.match(await focused(), /, hit 2: /);
  await page.keyboard.press('End');
  assert.match(await focused(), /, hit 10: /);
  await page.keyboard.press('Home');
  const place = () => page.evaluate(() => document.activeElement.getBoundingClientRect().toJSON());
  for (const [key, side, sign] of [
    ['ArrowRight', 'left', 1],
    ['ArrowLeft', 'left', -1],
    ['ArrowDown', 'top', 1],
    ['ArrowUp', 'top', -1],
  ]) {
    const [from, label] = [await place(), await focused()];
    await page.keyboard.press(key);
    assert.notEqual(await focused(), label, key);
    // Symbols differ in size.
    assert.ok((await place())[side] * sign >= from[side] * sign - 6, key);
    assert.equal(await stops().count(), 1);
  }
  await page.keyboard.press('Escape');
  await tip().waitFor({ state: 'hidden' });
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.getAttribute('aria-label') === 'fact 5');
});

inspect('it fits a small screen in both themes, unfolded and with a text shown', async () => {
  await page.setViewportSize({ width: 375, height: 800 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await ask(QUESTION);
  await found('10 hits');
  for (const fold of await section().getByText('Evidence and whole text').all()) await fold.click();
  const fits = async () => {
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 375);
    for (const index of [0, 30, 60, 90, 108]) {
      await points().nth(index).focus();
      const [shown, frame] = await Promise.all(
        [tip(), section().locator('.map-frame')].map((part) =>
          part.evaluate((element) => element.getBoundingClientRect().toJSON()),
        ),
      );
      assert.ok(shown.width > 0 && shown.left >= frame.left && shown.right <= frame.right, `the text of ${index}`);
    }
  };
  await fits();
  const fill = () =>
    map()
      .locator('.symbol')
      .first()
      .evaluate((symbol) => getComputedStyle(symbol).fill);
  const light = await fill();
  await page.getByRole('button', { name: 'Dark theme' }).click();
  assert.notEqual(await fill(), light);
  await fits();
  assert.equal(
    await points()
      .first()
      .evaluate((point) => getComputedStyle(point).transitionDuration),
    '0s',
  );
});

test('without the model it asks by words, says why, and tries again', { timeout: 60_000 }, async () => {
  let isServed = false;
  await page.route(MODEL, (route) => (isServed ? route.continue() : route.fulfill({ status: 404 })));
  await openInspector();
  await importFixture();
  await holds(vectors().getByRole('alert'), 'The bundled embedder could not be loaded');
  await holds(vectors().getByRole('alert'), 'embedder_unavailable');
  assert.equal(await figure('Pending'), '109');
  await holds(vectors(), '109 rows can be found only by words for now.');

  await ask(QUESTION);
  await found('10 hits');
  await holds(section().getByRole('alert'), 'Searched by words alone');
  for (const { value } of await numbers(hits().first().locator('[data-part="meaning"]'))) assert.equal(value, 0);
  await hits().first().getByText('Evidence and whole text').click();
  await holds(hits().first(), 'no vector yet');
  await ask('xylophone');
  await found('Nothing in these tables contains a word of this question.');

  const again = vectors().getByRole('button', { name: 'Try again' });
  await again.click();
  await vectors().locator('button:not([aria-busy])').waitFor();
  await holds(vectors().getByRole('alert'), 'embedder_unavailable');
  isServed = true;
  await again.click();
  await embedded();
  assert.ok(await again.isHidden());
  await expectPoints(109);
  await ask(QUESTION);
  await found('10 hits');
  assert.equal(await section().getByText('Searched by words alone').count(), 0);
  // The browser itself reports a missing file.
  assert.deepEqual(
    complaints.filter((complaint) => !/Failed to load resource.*404/.test(complaint)),
    [],
  );
});

test('the progress of embedding is reported, with failures and their reasons', { timeout: 60_000 }, async () => {
  await openWithEmbedder(`async (texts) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (!window.mayPass && texts.some((text) => text.includes('Miso'))) throw new Error('no cats today');
    return texts.map((text) => [1, text.length, text.charCodeAt(0)]);
  }`);
  await page.evaluate(() => {
    const vectors = document.getElementById('vectors');
    window.told = [];
    new MutationObserver(() => {
      const figures = [...vectors.querySelectorAll('dd')].map((figure) => figure.textContent);
      window.told.push({ embedded: Number(figures[1]), isUnderWay: !vectors.querySelector('progress').hidden });
    }).observe(vectors, { subtree: true, childList: true });
  });
  await importFixture();
  await holds(vectors().getByRole('alert'), 'no cats today');
  await vectors().getByRole('progressbar').waitFor({ state: 'hidden' });
  const told = await page.evaluate(() => window.told);
  const steps = new Set(told.filter(({ isUnderWay }) => isUnderWay).map(({ embedded }) => embedded));
  assert.ok(steps.size >= 2, `it was seen to grow: ${[...steps]}`);
  // Some rows that failed together with others succeed alone, when they are retried after a while.
  await page.waitForFunction(() => {
    const [, embedded, pending, failed] = [...document.querySelectorAll('#vectors dd')].map((one) => one.textContent);
    const points = document.querySelectorAll('.map-plane [role=option]').length;
    const problem = document.querySelector('#vectors [role=alert]').textContent;
    const isWhole = failed > 0 && failed === pending && Number(failed) + Number(embedded) === 109;
    return isWhole && points === Number(embedded) && problem.includes(`${failed} rows could not be embedded.`);
  });

  await page.evaluate(() => (window.mayPass = true));
  await vectors().getByRole('button', { name: 'Try again' }).click();
  await embedded();
  assert.equal(await figure('Failed'), '0');
  await expectPoints(109);
  assert.deepEqual(complaints, []);
});

test('the agent finds by meaning what no word of the question leads to', { timeout: 60_000 }, async () => {
  await openInspector();
  const log = page.getByRole('log', { name: 'Conversation with the agent' });
  for (const [message, answer] of [
    ['I like green tea', 'Noted: you like green tea.'],
    ['Zoe plays the piano', 'Noted: Zoe plays the piano.'],
    ['Which drink do I enjoy?', /this may be relevant: You like green tea\.[^]*used\s*fact #1/],
  ]) {
    await page.getByLabel('Message to the agent').fill(message);
    await page.keyboard.press('Enter');
    await holds(log.getByRole('listitem'), answer);
  }
  // The conversation is on the map at once: three turns, and the rows derived from them.
  await embedded();
  await expectPoints(Number(await figure('Embedded')));
  await map().getByRole('option', { name: 'fact #2: Zoe plays the piano' }).waitFor();
  assert.deepEqual(complaints, []);
});
