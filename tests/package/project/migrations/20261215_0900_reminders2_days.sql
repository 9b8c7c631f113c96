-- The day of each reminder
--
-- Revision ID: reminders2
-- Revises: reminders1
-- Create Date: 2026-12-15
-- migrate:up
DROP TRIGGER reminders_add;
DROP TRIGGER reminders_change;
-- batch: reminders
-- column: day = coalesce(date(due), 'someday')
CREATE TABLE reminders (
  id INTEGER PRIMARY KEY REFERENCES episodes (id) ON DELETE CASCADE,
  day TEXT NOT NULL,
  text TEXT,
  due TEXT
);
CREATE INDEX reminders_day ON reminders (day);
CREATE TRIGGER reminders_add AFTER INSERT ON episodes WHEN new.event_type = 'reminder' BEGIN
  INSERT INTO reminders (id, day, text, due)
  VALUES (new.id, coalesce(date(new.content ->> 'due'), 'someday'), new.content ->> 'text', new.content ->> 'due');
END;
CREATE TRIGGER reminders_change AFTER UPDATE OF content ON episodes WHEN new.event_type = 'reminder' BEGIN
  UPDATE reminders
  SET day = coalesce(date(new.content ->> 'due'), 'someday'), text = new.content ->> 'text', due = new.content ->> 'due'
  WHERE id = new.id;
END;
-- migrate:down
DROP TRIGGER reminders_add;
DROP TRIGGER reminders_change;
-- batch: reminders
CREATE TABLE reminders (
  id INTEGER PRIMARY KEY REFERENCES episodes (id) ON DELETE CASCADE,
  text TEXT,
  due TEXT
);
CREATE TRIGGER reminders_add AFTER INSERT ON episodes WHEN new.event_type = 'reminder' BEGIN
  INSERT INTO reminders (id, text, due) VALUES (new.id, new.content ->> 'text', new.content ->> 'due');
END;
CREATE TRIGGER reminders_change AFTER UPDATE OF content ON episodes WHEN new.event_type = 'reminder' BEGIN
  UPDATE reminders SET text = new.content ->> 'text', due = new.content ->> 'due' WHERE id = new.id;
END;
