// A page without a bundler. docs/bundlers.md shows it, lists the files that it needs, and describes the policy.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { POLICY, serve } from '../../scripts/serve.mjs';
import { noteComplaints, sharedBrowser } from '../browser/page.mjs';
import { inProject, installed } from './project.mjs';

const guide = readFileSync(at('docs', 'bundlers.md'), 'utf8').split('### None')[1].split('\n## ')[0];
const [, html] = /```html\n(.*?)```/s.exec(guide);
const [, program] = /```js\n\/\/ notes\.js\n(.*?)```/s.exec(guide);
const [, map] = /(<script type="importmap">(.*?)<\/script>)/s.exec(html);
const MODEL = 'models/all-minilm-l6-v2-256.bin';
/** The files that the guide lists for every page. */
const [, listed] = /\*\*Files to serve\*\*.*?: (.*?), and of/s.exec(guide);
const FILES = [...listed.matchAll(/`(.*?)`/g)].map(([, file]) => file);

export function testPlain() {
  const browser = sharedBrowser();

  /** Serves the files that the guide lists with this page under this policy, and visits it. */
  async function visit(page, script, policy, check) {
    const folder = inProject('plain');
    for (const file of [...FILES, MODEL]) {
      const to = join(folder, 'synth-memory', file);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(join(installed, 'dist', file), to);
    }
    writeFileSync(join(folder, 'index.html'), page);
    writeFileSync(join(folder, 'favicon.ico'), '');
    writeFileSync(join(folder, 'notes.js'), script);
    const server = await serve({ folders: { '/': [folder] }, policy });
    const tab = await (await browser.context()).newPage();
    const complaints = [];
    noteComplaints(tab, complaints);
    try {
      await tab.goto(server.url);
      await check(tab, complaints);
    } finally {
      await browser.reset(server.url);
      await server.close();
    }
  }

  /** The page stores a note, and recall finds it. */
  const works = (from) => async (tab, complaints) => {
    await tab.getByRole('textbox').fill('Ada is allergic to peanuts');
    await tab.getByRole('button').click();
    const item = tab.getByRole('listitem');
    const failure = await item.waitFor().catch((error) => error);
    assert.deepEqual(complaints, []);
    assert.ifError(failure);
    assert.equal(await item.innerText(), 'Ada is allergic to peanuts');
    const found = await tab.evaluate(async (from) => {
      const { Memory } = await import(from);
      const [hit] = await (await Memory.open()).recall('What food makes her ill?');
      return hit.text;
    }, from);
    assert.equal(found, 'Ada is allergic to peanuts');
    assert.deepEqual(complaints, []);
  };

  const hash = createHash('sha256')
    .update(/>(.*)</s.exec(map)[1])
    .digest('base64');

  test('a page with an import map, allowed by its hash', () =>
    visit(
      html,
      program,
      POLICY.replace("script-src 'self'", `script-src 'self' 'sha256-${hash}'`),
      works('synth-memory'),
    ));

  test('the policy blocks the import map if its hash is not allowed', () =>
    visit(html, program, POLICY, async (tab, complaints) => {
      while (complaints.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.match(complaints.join('\n'), /script-src/);
      assert.match(complaints.join('\n'), /Failed to resolve module specifier/);
    }));

  test('a page that imports by a relative URL needs no import map', () =>
    visit(
      html.replace(map, ''),
      program.replace("'synth-memory'", "'./synth-memory/index.js'"),
      POLICY,
      works('/synth-memory/index.js'),
    ));
}
