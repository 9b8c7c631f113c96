// Inserts facts in a worker, by the engine itself.
import * as engine from './engine.js';
import { facts } from './facts.js';
import { answer } from './rpc.js';
import { withoutTriggers } from './without-triggers.js';

let Engine;
let migrations;

answer({
  async load() {
    Engine = await engine.loadEngine('/engine/');
    const memory = await engine.open(Engine);
    const { file, text } = await withoutTriggers((sql) => engine.query(memory, sql));
    migrations = [[file, text]];
    engine.close(memory);
  },
  /** Inserts into a new file, in one call; returns ms. */
  async insert({ path, rows, triggers }) {
    const memory = await engine.open(Engine, { path, ...(!triggers && { migrations }) });
    const given = facts(0, rows);
    const begun = performance.now();
    const ids = engine.addFacts(memory, given);
    const time = performance.now() - begun;
    if (ids.length !== rows) throw new Error(`${ids.length} of ${rows} rows were added.`);
    const [{ items }] = engine.query(memory, 'SELECT count(*) AS items FROM memory_items');
    if (items !== (triggers ? rows : 0)) throw new Error(`${items} rows were indexed.`);
    engine.close(memory);
    return time;
  },
});
