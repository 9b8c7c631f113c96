import { PGliteWorker } from '/peers/@electric-sql/pglite/dist/worker/index.js';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS turns (id SERIAL PRIMARY KEY, timestamp DOUBLE PRECISION, user_input TEXT, assistant_response TEXT, metadata TEXT);
  CREATE INDEX IF NOT EXISTS idx_turns_timestamp ON turns (timestamp);`;
const INSERT =
  'INSERT INTO turns (timestamp, user_input, assistant_response, metadata) VALUES ($1, $2, $3, $4) RETURNING id';
const SELECT = 'SELECT id, timestamp, user_input, assistant_response, metadata FROM turns WHERE id = $1';
const FILL = `INSERT INTO turns (timestamp, user_input, assistant_response, metadata)
  SELECT 0, 'Turn number ' || n || ': green tea and peanuts', 'Answer ' || n, '{}' FROM generate_series(1, $1::int) AS n`;

export async function openIn(dataDir) {
  const worker = new Worker(new URL('./pglite-worker.js', import.meta.url), { type: 'module' });
  const pg = await PGliteWorker.create(worker, { dataDir });
  await pg.exec(SCHEMA);
  const setting = async (name) => `${name} ${Object.values((await pg.query(`SHOW ${name}`)).rows[0])[0]}`;
  return {
    // Without relaxed durability, an answer waits until the files are written to the store that the URL names.
    settings: async () => `${dataDir.split(':')[0]}, relaxedDurability false, ${await setting('synchronous_commit')}`,
    onLeaderChange: (callback) => pg.onLeaderChange(callback),
    fill: (rows) => pg.query(FILL, [rows]),
    write: async (n) => {
      const turn = [Date.now() / 1000, `Turn number ${n}: green tea and peanuts`, `Answer ${n}`, '{}'];
      return (await pg.query(INSERT, turn)).rows[0].id;
    },
    read: async (id) => (await pg.query(SELECT, [id])).rows[0],
  };
}
