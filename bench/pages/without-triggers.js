// An app's migration that drops the triggers on the package's five tables: what is left of a write is SQLite's part.

const TRIGGERS = `
  SELECT name, sql FROM sqlite_schema
  WHERE type = 'trigger'
    AND tbl_name IN ('turns', 'episodes', 'long_term', 'uncertainty_log', 'semantic_memories')`;

/**
 * @param query runs SQL in a memory at head, and returns the rows as objects
 * @returns {Promise<{ file: string, text: string }>}
 */
export async function withoutTriggers(query) {
  const triggers = await query(TRIGGERS);
  const heads = await query('SELECT version_num AS id FROM alembic_version');
  if (triggers.length === 0) throw new Error('There are no triggers on the tables to be dropped.');
  const text = `-- Without the triggers
--
-- Revision ID: untriggered
-- Revises:
-- Create Date: 2026-11-25
-- Depends On: ${heads.map(({ id }) => id).join(', ')}
-- migrate:up
${triggers.map(({ name }) => `DROP TRIGGER ${name};`).join('\n')}
-- migrate:down
${triggers.map(({ sql }) => `${sql};`).join('\n')}
`;
  return { file: '20261125_0000_untriggered_without_the_triggers.sql', text };
}
