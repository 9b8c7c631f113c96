import { SQLocal } from '/sqlocal/index.js';

const SCHEMA = [
  'CREATE TABLE IF NOT EXISTS turns (id INTEGER PRIMARY KEY, timestamp REAL, user_input TEXT, assistant_response TEXT, metadata TEXT)',
  'CREATE INDEX IF NOT EXISTS idx_turns_timestamp ON turns (timestamp)',
];

export async function open(name) {
  // SQLocal's own worker. Its client starts it by itself only if a bundler has found it.
  const processor = new Worker('/sqlocal/worker.js', { type: 'module' });
  const { sql } = new SQLocal({ databasePath: `${name}.sqlite3`, processor });
  for (const statement of SCHEMA) await sql(statement);
  const setting = async (name) => `${name} ${Object.values((await sql(`PRAGMA ${name}`))[0])[0]}`;
  return {
    settings: async () => `${await setting('journal_mode')}, ${await setting('synchronous')}`,
    fill: (rows) => sql`
      WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${rows})
      INSERT INTO turns (timestamp, user_input, assistant_response, metadata)
      SELECT 0, 'Turn number ' || n || ': green tea and peanuts', 'Answer ' || n, '{}' FROM numbers`,
    write: async (n) => {
      const [{ id }] = await sql`
        INSERT INTO turns (timestamp, user_input, assistant_response, metadata)
        VALUES (${Date.now() / 1000}, ${`Turn number ${n}: green tea and peanuts`}, ${`Answer ${n}`}, '{}') RETURNING id`;
      return id;
    },
    read: async (id) =>
      (await sql`SELECT id, timestamp, user_input, assistant_response, metadata FROM turns WHERE id = ${id}`)[0],
  };
}
