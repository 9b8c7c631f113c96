// A browser that is killed at any instant of an upgrade or a downgrade leaves the whole old or the whole new revision.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freshProfile, startChromium } from '../../scripts/browsers.mjs';
import { POLICY, serve } from '../../scripts/serve.mjs';
import { file } from './migrations.mjs';
import { FOLDERS } from './page.mjs';

const KILLS = 50;
/** At least this many kills must happen during a migration. */
const AT_LEAST_UNDER_WAY = 15;
const ROWS = 500;
/** The longest time that the page migrates back and forth before it is killed, in ms. */
const LONGEST = 400;
/** An app's own revision after the package's last one, so that each run has two. */
const MIGRATIONS = file(
  'notes',
  '002',
  'CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT); INSERT INTO notes SELECT id, user_input FROM turns;',
  'DROP TABLE notes;',
);

/** In the page: opens the memory and returns its contents. */
async function openAndLook(migrations) {
  const { Memory } = await import('/package/index.js');
  const memory = await Memory.open({ url: 'opfs:///killed.db', migrations });
  window.memory = memory;
  const { revision, head, migrated } = memory.status;
  const tables = ['turns', 'episodes', 'long_term', 'uncertainty_log', 'semantic_memories'];
  const rows = [];
  for (const table of tables) rows.push(await memory.query(`SELECT * FROM ${table} ORDER BY 1`));
  const bytes = new TextEncoder().encode(JSON.stringify(rows));
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).toHex();
  const only = async (sql) => Object.values((await memory.query(sql))[0])[0];
  return {
    revision,
    head,
    migrated,
    counts: rows.map((found) => found.length),
    digest,
    integrity: await only('PRAGMA integrity_check'),
    brokenReferences: (await memory.query('PRAGMA foreign_key_check')).length,
    temporary: await only(
      "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%alembic\\_tmp%' ESCAPE '\\' OR name LIKE '%synth\\_tmp%' ESCAPE '\\'",
    ),
    found: await memory.turns.count({ search: 'peanuts' }),
    backups: (await memory.backups.list()).length,
  };
}

/** In the page: adds rows to every table. */
async function fill(count) {
  const { memory } = window;
  const each = (row) =>
    Array.from({ length: count }, (_, n) => row(n, `${n} green tea and peanuts `.repeat(1 + (n % 9))));
  await memory.turns.appendMany(each((_, text) => ({ userInput: text, assistantResponse: text })));
  await memory.episodes.recordMany(each((n, text) => ({ eventType: 'task', content: { n, text } })));
  await memory.longTerm.setMany(each((n, text) => [`key ${n}`, text]));
  await memory.uncertainty.logMany(each((_, text) => ({ userMessage: text, confidenceScore: 0.5 })));
  await memory.semantic.rememberMany(each((_, text) => ({ content: text })));
}

/** In the page: migrates to 001 and to head without end, and reports when a run begins and ends. */
function migrateToAndFro() {
  const run = async () => {
    for (;;) {
      for (const [way, target] of [
        ['downgrade', '001'],
        ['upgrade', 'head'],
      ]) {
        console.debug(`begun ${way}`);
        await window.memory.migrations[way](target);
        console.debug('ended');
        // Sometimes no migration is running.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  };
  run().catch((error) => console.debug(`failed ${error.message}`));
}

test(`${KILLS} kills of a browser that upgrades and downgrades`, async () => {
  const server = await serve({ folders: FOLDERS, policy: POLICY });
  const profile = freshProfile('kills');
  const hits = { downgrade: 0, upgrade: 0, nothing: 0 };
  const opened = { 'at head': 0, 'at 001': 0 };
  let expected;
  let running;
  try {
    for (let kill = 0; kill <= KILLS; kill++) {
      running = await startChromium(profile.folder);
      const page = await running.browser.contexts()[0].newPage();
      let underWay = 'nothing';
      let failure;
      page.on('console', (message) => {
        const [what, way] = message.text().split(' ');
        if (what === 'begun') underWay = way;
        if (what === 'ended') underWay = 'nothing';
        if (what === 'failed') failure = message.text();
      });
      await page.goto(`${server.url}/pages/blank.html`);
      let found = await page.evaluate(openAndLook, MIGRATIONS);
      if (expected === undefined) {
        await page.evaluate(fill, ROWS);
        await page.evaluate(() => window.memory.close());
        found = await page.evaluate(openAndLook, MIGRATIONS);
        expected = found;
        assert.deepEqual(expected.counts, Array(5).fill(ROWS));
        assert.equal(expected.found, ROWS);
        assert.equal(expected.integrity, 'ok');
      } else {
        const { migrated, backups, ...rest } = found;
        const { migrated: none, backups: _, ...same } = expected;
        assert.deepEqual(rest, same, `after kill ${kill}`);
        // The three that are kept, and one more if the run was killed before it deleted the oldest.
        assert.ok(backups <= 4);
        // It opened at 001 or at head, never between them.
        if (migrated.length === 0) opened['at head']++;
        else opened['at 001']++;
        const whole = ['', '002, notes'].includes(migrated.join(', '));
        assert.ok(whole, `after kill ${kill} it was at neither 001 nor head`);
        assert.deepEqual(none, []);
      }
      if (kill < KILLS) {
        await page.evaluate(migrateToAndFro);
        await sleep(Math.random() * LONGEST);
        assert.equal(failure, undefined);
        hits[underWay]++;
      }
      await running.kill();
    }
  } finally {
    await running?.kill();
    profile.remove();
    await server.close();
  }
  console.log(`${KILLS} kills: ${JSON.stringify(hits)} under way; opened ${JSON.stringify(opened)}`);
  assert.ok(hits.downgrade + hits.upgrade >= AT_LEAST_UNDER_WAY, 'too few kills came while a migration was under way');
});
