// A browser that can be killed, and the tabs in it that share a memory. Each tab has a renderer of its own, so that one
// can be killed without the others.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { freshProfile, NO_SPARE_RENDERER, openTab, startChromium } from '../../scripts/browsers.mjs';
import { at } from '../../scripts/process.mjs';
import { POLICY, serve } from '../../scripts/serve.mjs';
import { Tab } from './tab.mjs';

const FOLDERS = {
  '/package/': [at('dist')],
  '/pages/': [at('tests', 'browser', 'pages')],
  '/tabs/': [at('tests', 'tabs', 'pages')],
};
const PATIENCE = 30_000;

export const URL = 'opfs:///tabs.db';

/** Waits until `test` returns something truthy, and returns that. */
export async function until(what, test, patience = PATIENCE) {
  for (const end = Date.now() + patience; ; await sleep(10)) {
    const result = await test();
    if (result) return result;
    assert.ok(Date.now() < end, `${what} within ${patience / 1000} s`);
  }
}

export class Tabs {
  /** Those that live. */
  live = [];
  #server;
  #profile = freshProfile('tabs');
  #running;

  #module;

  constructor(module) {
    this.#module = module;
  }

  /** Gives `use` a browser with so many tabs that run a module of pages/; clears up whatever happens. */
  static async with(count, module, use) {
    const tabs = new Tabs(module);
    try {
      tabs.#server = await serve({ folders: FOLDERS, policy: POLICY });
      await tabs.#start();
      await tabs.fill(count);
      return await use(tabs);
    } finally {
      await tabs.#running?.kill();
      tabs.#profile.remove();
      await tabs.#server?.close();
    }
  }

  async #start() {
    this.#running = await startChromium(this.#profile.folder, [NO_SPARE_RENDERER]);
  }

  get context() {
    return this.#running.browser.contexts()[0];
  }

  get origin() {
    return this.#server.url;
  }

  /** Opens tabs until there are so many. */
  async fill(count) {
    while (this.live.length < count) {
      const { page, pid } = await openTab(this.context, `${this.origin}/pages/blank.html`);
      const tab = new Tab(page, pid, this.#module);
      await tab.open(URL);
      this.live.push(tab);
    }
  }

  /** The one tab that leads. */
  leader() {
    return until('One tab leads', async () => {
      const roles = await Promise.all(this.live.map((tab) => tab.run('role')));
      const leaders = this.live.filter((_, at) => roles[at] === 'leader');
      return leaders.length === 1 && leaders[0];
    });
  }

  /** Takes a tab off the list; it is closed or dead. */
  forget(tab) {
    this.live = this.live.filter((other) => other !== tab);
  }

  /** Kills the whole browser and starts it again with the same profile. */
  async restart() {
    await this.#running.kill();
    this.live = [];
    await this.#start();
  }
}
