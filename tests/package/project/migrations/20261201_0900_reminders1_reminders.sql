-- Reminders, from the episodes that ask for them
--
-- Revision ID: reminders1
-- Revises:
-- Create Date: 2026-12-01
-- Branch Labels: reminders
-- Depends On: 001
-- migrate:up
CREATE TABLE reminders (
  id INTEGER PRIMARY KEY REFERENCES episodes (id) ON DELETE CASCADE,
  text TEXT,
  due TEXT
);
INSERT INTO reminders
SELECT id, content ->> 'text', content ->> 'due' FROM episodes WHERE event_type = 'reminder' AND json_valid(content);
CREATE TRIGGER reminders_add AFTER INSERT ON episodes WHEN new.event_type = 'reminder' BEGIN
  INSERT INTO reminders (id, text, due) VALUES (new.id, new.content ->> 'text', new.content ->> 'due');
END;
CREATE TRIGGER reminders_change AFTER UPDATE OF content ON episodes WHEN new.event_type = 'reminder' BEGIN
  UPDATE reminders SET text = new.content ->> 'text', due = new.content ->> 'due' WHERE id = new.id;
END;
-- migrate:down
DROP TRIGGER reminders_add;
DROP TRIGGER reminders_change;
DROP TABLE reminders;
