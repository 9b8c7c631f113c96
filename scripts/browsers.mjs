// How the tests and the benchmarks start a browser: Debian's own, with a fresh profile on the disk as a user has one.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { browsers } from './setup.mjs';

export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A new folder for a profile, and how to be rid of it. */
export function freshProfile(name = 'profile') {
  const folder = mkdtempSync(join(tmpdir(), `synth-memory-${name}-`));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) };
}

/**
 * Chromium with a profile of its own. (A context of `browser.newContext()` is incognito: its OPFS is another, slower.)
 * @param {string} folder the profile's folder
 */
export function openChromium(folder, options = {}) {
  return chromium.launchPersistentContext(folder, {
    executablePath: browsers.chromium(),
    headless: true,
    args: CHROMIUM_FLAGS,
    ...options,
  });
}
