CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL DEFAULT 'none',
    mood REAL CHECK (mood >= 0),
    parent INTEGER REFERENCES notes (id) ON DELETE CASCADE,
    UNIQUE (text, mood)
);
CREATE INDEX notes_mood ON notes (mood DESC) WHERE mood IS NOT NULL;
CREATE VIEW moods AS SELECT mood FROM notes;
CREATE TRIGGER notes_add AFTER INSERT ON notes BEGIN
    UPDATE notes SET mood = 1 WHERE id = new.id;
END;
