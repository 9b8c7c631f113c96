// A part of `npm run bench`: the time of migrations, in Chromium with a persistent profile, and natively.
import { run } from '../scripts/process.mjs';
import { median } from './figures.mjs';
import { withChromium } from './site.mjs';

const ROWS = 100_000;
const ROUNDS = 3;
const OPENINGS = 100;

/** @param {string} url the address at which the bench's pages and the package are served */
export async function benchMigrations(url) {
  await withChromium(async (context) => {
    const page = await context.newPage();
    await page.goto(`${url}/bench/migrations.html`);
    await page.waitForFunction(() => window.run);
    const times = await page.evaluate((options) => window.run(options), { rows: ROWS, rounds: ROUNDS });
    const { checked, unchecked } = await page.evaluate((openings) => window.check(openings), OPENINGS);
    console.log(`
In Chromium, medians of ${ROUNDS} rounds with ${ROWS.toLocaleString('en')} rows in each table, the verified backup included.

| | ms |
|---|---|
| 001 to head | ${median(times.upgrade).toFixed(0)} |
| head to 001 | ${median(times.downgrade).toFixed(0)} |
| Opening with nothing to migrate | ${median(times.open).toFixed(0)} |
| The engine alone: opening with the check | ${median(checked).toFixed(1)} |
| without it (medians of ${OPENINGS}) | ${median(unchecked).toFixed(1)} |
| The check | ${(median(checked) - median(unchecked)).toFixed(1)} |`);
  });
  for (const bench of ['migrations', 'batch']) await run('cargo', ['bench', '--quiet', '--bench', bench]);
}
