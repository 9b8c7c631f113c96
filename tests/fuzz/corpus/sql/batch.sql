-- batch: notes
-- column: day = date(due)
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL DEFAULT '', day TEXT);
CREATE INDEX notes_day ON notes (day);
