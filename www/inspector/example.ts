import type { OpenOptions } from '../package/index.js';
import { make, type Child } from './dom.js';

// A small app's own migrations as an example: a branch next to the package's, which forks and is merged. The example
// has a memory of its own, because a program without these migrations could not open a memory that has them.
const REMINDERS = `-- Reminders
--
-- Revision ID: 5f20c1d4
-- Revises:
-- Create Date: 2026-11-20
-- Branch Labels: reminders
-- Depends On: 001
-- migrate:up
CREATE TABLE reminders (
  id INTEGER PRIMARY KEY,
  turn_id INTEGER REFERENCES turns (id) ON DELETE SET NULL,
  text TEXT NOT NULL,
  due REAL
);
INSERT INTO reminders (text) VALUES ('Water the plants'), ('Call the library');
-- migrate:down
DROP TABLE reminders;
`;
const REPEAT = `-- Reminders that come again
--
-- Revision ID: 8ab3e702
-- Revises: 5f20c1d4
-- Create Date: 2026-11-21
-- migrate:up
ALTER TABLE reminders ADD COLUMN every_days INTEGER;
-- migrate:down
ALTER TABLE reminders DROP COLUMN every_days;
`;
const PLACES = `-- Places
--
-- Revision ID: c94d1f6e
-- Revises: 5f20c1d4
-- Create Date: 2026-11-22
-- migrate:up
CREATE TABLE places (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
INSERT INTO places (name) VALUES ('Home'), ('Library'), ('Market');
-- migrate:down
DROP TABLE places;
`;
const MERGE = `-- Reminders at places
--
-- Revision ID: e17b5a30
-- Revises: 8ab3e702, c94d1f6e
-- Create Date: 2026-11-24
-- Depends On: 001
-- migrate:up
CREATE TABLE reminder_places (
  reminder_id INTEGER NOT NULL REFERENCES reminders (id) ON DELETE CASCADE,
  place_id INTEGER NOT NULL REFERENCES places (id) ON DELETE CASCADE,
  PRIMARY KEY (reminder_id, place_id)
) WITHOUT ROWID;
INSERT INTO reminder_places VALUES (1, 1), (2, 2);
-- migrate:down
DROP TABLE reminder_places;
`;

const isExample = new URLSearchParams(location.search).has('example');

/** The options with which the page opens a memory: the default one, or the example. */
export function exampleOptions(): OpenOptions & { readonly url: string } {
  if (!isExample) return { url: 'opfs:///memory.db' };
  return {
    url: 'opfs:///example.db',
    migrations: {
      '20261120_0900_5f20c1d4_reminders.sql': REMINDERS,
      '20261121_0900_8ab3e702_reminders_that_come_again.sql': REPEAT,
      '20261122_0900_c94d1f6e_places.sql': PLACES,
      '20261124_0900_e17b5a30_reminders_at_places.sql': MERGE,
    },
  };
}

/** The line below the panel's title. */
export function aboutMigrations(): Child[] {
  return isExample
    ? [
        'A separate memory, example.db, with the migrations of a small app as a branch next to the package’s. ',
        make('a', { href: './' }, 'Back to the memory'),
      ]
    : [
        'The history of the schema, and how to upgrade and downgrade it. Nothing is run before its plan is shown. ',
        make('a', { href: '?example' }, 'An example with an app’s own branch'),
      ];
}
