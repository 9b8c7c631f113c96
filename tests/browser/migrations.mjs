// Shared by the tests of an app's own migrations: files, and how to open a memory with them.
import { readFileSync, readdirSync } from 'node:fs';
import { at } from '../../scripts/process.mjs';

/** A migration file, as an object that maps its name to its text. */
export function file(id, revises, up, down = '', headers = '') {
  const text = `-- Revision ${id}\n--\n-- Revision ID: ${id}\n-- Revises: ${revises}\n${headers}-- migrate:up\n${up}\n-- migrate:down\n${down}\n`;
  return { [`${id}.sql`]: text };
}

/** The example of docs/own-tables.md: a table filled from episodes, and its second release, which rebuilds it. */
const folder = at('tests', 'package', 'project', 'migrations');
const [first, second] = readdirSync(folder)
  .sort()
  .map((name) => ({ [`./migrations/${name}`]: readFileSync(`${folder}/${name}`, 'utf8') }));
export const releases = [undefined, first, { ...first, ...second }];

/** Opens a memory as `window.memory`; returns its status or its error. `window.events` holds the reported progress. */
export const open = (page, options) =>
  page.evaluate(async (options) => {
    await window.memory?.close();
    window.events = [];
    const onProgress = (progress) => window.events.push(progress);
    try {
      window.memory = await window.library.Memory.open({ onProgress, ...options });
    } catch (error) {
      window.memory = undefined;
      return (window.lastError = window.told(error));
    }
    return window.memory.status;
  }, options);

/** Adds `count` turns and as many reminders. */
export const fill = (page, count) =>
  page.evaluate(async (count) => {
    if (!window.memory) throw new Error(JSON.stringify(window.lastError));
    const each = (row) => Array.from({ length: count }, (_, n) => row(n));
    await window.memory.turns.appendMany(each((n) => ({ userInput: `turn ${n}` })));
    await window.memory.episodes.recordMany(
      each((n) => ({ eventType: 'reminder', content: { text: `reminder ${n}`, due: '2026-12-24T09:00' } })),
    );
    // A question is answered once all rows are indexed; from then on the file does not change.
    await window.memory.turns.count({ search: 'turn' });
  }, count);

/** The rows of a query. */
export const query = (page, sql) => page.evaluate((sql) => window.memory.query(sql), sql);

/** The first value of a query's first row. */
export const ask = async (page, sql) => Object.values((await query(page, sql))[0])[0];

/** Calls a method of the open memory by its path; returns its value or its error. */
export const call = (page, path, ...args) =>
  page.evaluate(
    async ([path, args]) => {
      const names = path.split('.');
      const method = names.pop();
      const target = names.reduce((object, name) => object[name], window.memory);
      return target[method](...args).catch(window.told);
    },
    [path, args],
  );
