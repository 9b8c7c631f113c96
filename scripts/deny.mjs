// Checks the crates by deny.toml: licenses, duplicates, sources, and advisories if their database is available.
import { existsSync, readdirSync } from 'node:fs';
import { at, run } from './process.mjs';

const database = at('target', 'advisory-db');

/** Whether an earlier run fetched the database. */
const hasCopy = () =>
  existsSync(database) && readdirSync(database).some((name) => existsSync(at('target', 'advisory-db', name, '.git')));

/** Fetches the advisories; returns the reason in one line if that fails, as it does without a network. */
async function fetchAdvisories() {
  try {
    await run('cargo', ['deny', 'fetch', 'db'], { quiet: true, seconds: 120 });
    return undefined;
  } catch (error) {
    return /fatal: (.+)/.exec(error.message)?.[1] ?? error.message.split('\n')[0];
  }
}

export async function checkCrates() {
  const missing = await fetchAdvisories();
  if (missing === undefined) return void (await run('cargo', ['deny', 'check']));
  if (hasCopy()) {
    console.log(`  Advisories could not be fetched (${missing}): an earlier copy is used.`);
    await run('cargo', ['deny', '--offline', 'check']);
  } else {
    console.log(`  Advisories could not be fetched (${missing}): crates are NOT CHECKED for known vulnerabilities.`);
    await run('cargo', ['deny', 'check', 'bans', 'licenses', 'sources']);
  }
}
