-- Reminders
--
-- Revision ID: a
-- Revises:
-- Create Date: 2026-12-01
-- Branch Labels: app
-- Depends On: 002
-- migrate:up
CREATE TABLE reminders (id INTEGER PRIMARY KEY, text TEXT, due TEXT);
INSERT INTO reminders (text) VALUES ('tea;');
-- migrate:down
DROP TABLE reminders;
