-- Notes
--
-- Revision ID: a
-- Revises:
-- migrate:up
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
INSERT INTO notes (text) VALUES ('tea'), (NULL);
-- batch: notes
-- column: day = date('2026-01-01')
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, day TEXT);
-- migrate:down
DROP TABLE notes;
