// Inserts facts in a worker, with the bare engine.
import * as engine from './engine.js';
import { facts } from './facts.js';
import { answer } from './rpc.js';

let Engine;

answer({
  async load() {
    Engine = await engine.loadEngine('/engine/');
  },
  /** Inserts into a new file in one call, and indexes the rows if requested. Returns the time in ms. */
  async insert({ path, rows, isIndexed }) {
    const memory = await engine.open(Engine, { path });
    const given = facts(0, rows);
    const begun = performance.now();
    const ids = engine.addFacts(memory, given);
    if (isIndexed) engine.index(memory);
    const time = performance.now() - begun;
    if (ids.length !== rows) throw new Error(`${ids.length} of ${rows} rows were added.`);
    const [{ items }] = engine.query(memory, 'SELECT count(*) AS items FROM memory_fts_docsize');
    if (items !== (isIndexed ? rows : 0)) throw new Error(`${items} rows were indexed.`);
    engine.close(memory);
    return time;
  },
});
