-- Recall
--
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2026-11-24
-- migrate:up
CREATE VIEW memory_texts (source, row, text) AS
SELECT 0, id, coalesce(user_input, '') || char(10) || coalesce(assistant_response, '') FROM turns
UNION ALL
SELECT 1, id, coalesce(event_type, '') || char(10) || coalesce(
    CASE WHEN json_valid(content)
         THEN (SELECT group_concat(atom, ' ') FROM json_tree(episodes.content) WHERE type = 'text')
         ELSE content END, '') FROM episodes
UNION ALL
SELECT 2, id, coalesce(content, '') FROM semantic_memories
UNION ALL
SELECT 3, rowid, coalesce(key, '') || char(10) || coalesce(
    CASE WHEN json_valid(value)
         THEN (SELECT group_concat(iif(typeof(j.key) = 'text', j.key || ' ', '') || atom, ' ')
               FROM json_tree(long_term.value) AS j WHERE type IN ('text', 'integer', 'real'))
         ELSE value END, '') FROM long_term
UNION ALL
SELECT 4, id, coalesce(user_message, '') || char(10) || coalesce(parsed_intent, '') FROM uncertainty_log;

CREATE VIEW memory_words (source, row, text) AS
SELECT source, row,
       CASE WHEN text GLOB '*[ก-๛ກ-ໟက-႟ក-៹☀-➿々-〇ぁ-ヿㇰ-ㇿ㐀-䶿一-鿿가-힣豈-龎ｦ-ﾟ🀀-🫿𠀀-𱍊]*' THEN (
           WITH RECURSIVE whole (letters) AS MATERIALIZED (SELECT text),
           part (start, letters) AS (
               SELECT 1, substr(letters, 1, 256) FROM whole
               UNION ALL
               SELECT start + 256, (SELECT substr(letters, part.start + 256, 256) FROM whole) FROM part
               WHERE length(letters) = 256 AND start < 99841)
           SELECT group_concat((
               WITH RECURSIVE step (rest, letter) AS (
                   SELECT letters, ''
                   UNION ALL
                   SELECT substr(rest, 2), substr(rest, 1, 1) FROM step WHERE rest <> '')
               SELECT group_concat(iif(
                   letter GLOB '[ก-๛ກ-ໟက-႟ក-៹☀-➿々-〇ぁ-ヿㇰ-ㇿ㐀-䶿一-鿿가-힣豈-龎ｦ-ﾟ🀀-🫿𠀀-𱍊]',
                   ' ' || letter || ' ', letter), '') FROM step), '') FROM part) || substr(text, 100097)
       ELSE text END
FROM memory_texts;

CREATE TABLE memory_items (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL DEFAULT (random() >> 11),
    pending INTEGER NOT NULL DEFAULT 1,
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at REAL,
    error TEXT,
    uses INTEGER NOT NULL DEFAULT 0,
    used_at REAL
);
CREATE INDEX idx_memory_items_pending ON memory_items (id) WHERE pending = 1;

CREATE VIRTUAL TABLE memory_fts USING fts5(
    text, tokenize = "porter unicode61 remove_diacritics 2 categories 'L* M* N* Co So'");

CREATE TABLE embedding_models (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    dimensions INTEGER NOT NULL,
    in_use INTEGER NOT NULL DEFAULT 0,
    UNIQUE (name, dimensions)
);
CREATE TABLE embeddings (
    sequence INTEGER PRIMARY KEY,
    id INTEGER NOT NULL,
    model INTEGER NOT NULL REFERENCES embedding_models (id),
    vector BLOB NOT NULL
);
CREATE UNIQUE INDEX idx_embeddings_id ON embeddings (id, model);
CREATE TABLE embedding_blocks (
    last INTEGER PRIMARY KEY,
    model INTEGER NOT NULL REFERENCES embedding_models (id),
    ids BLOB NOT NULL,
    codes BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE memory_lessons (
    id INTEGER NOT NULL,
    uncertainty INTEGER NOT NULL REFERENCES uncertainty_log (id) ON DELETE CASCADE,
    effect INTEGER NOT NULL CHECK (effect IN (-1, 1)),
    PRIMARY KEY (id, uncertainty)
);
CREATE INDEX idx_memory_lessons_uncertainty ON memory_lessons (uncertainty);
CREATE TABLE consolidations (
    id INTEGER PRIMARY KEY,
    timestamp REAL NOT NULL,
    undone_at REAL
);
CREATE TABLE consolidated_memories (
    consolidation INTEGER NOT NULL REFERENCES consolidations (id) ON DELETE CASCADE,
    memory INTEGER NOT NULL,
    action TEXT NOT NULL,
    merged_into INTEGER,
    before TEXT NOT NULL,
    after TEXT,
    PRIMARY KEY (consolidation, memory)
) WITHOUT ROWID;

CREATE INDEX idx_episodes_valence ON episodes (valence);
CREATE INDEX idx_long_term_updated_at ON long_term (updated_at, key);
CREATE INDEX idx_uncertainty_timestamp ON uncertainty_log (timestamp);
CREATE INDEX idx_uncertainty_confidence ON uncertainty_log (confidence_score);
CREATE INDEX idx_uncertainty_settled ON uncertainty_log ((coalesce(resolved, 0) <> 0));
CREATE INDEX idx_semantic_timestamp ON semantic_memories (timestamp);

INSERT OR IGNORE INTO memory_items (id) SELECT row << 3 | source FROM memory_texts ORDER BY 1;
INSERT OR REPLACE INTO memory_fts (rowid, text) SELECT row << 3 | source, text FROM memory_words;

CREATE TRIGGER memory_items_insert AFTER INSERT ON memory_items BEGIN
    DELETE FROM embeddings WHERE id = new.id;
    INSERT OR REPLACE INTO memory_fts (rowid, text)
    SELECT new.id, text FROM memory_words WHERE source = new.id & 7 AND row = new.id >> 3;
END;
CREATE TRIGGER memory_items_delete AFTER DELETE ON memory_items BEGIN
    DELETE FROM embeddings WHERE id = old.id;
    DELETE FROM memory_lessons WHERE id = old.id;
    DELETE FROM memory_fts WHERE rowid = old.id;
END;
CREATE TRIGGER memory_items_update AFTER UPDATE OF id, version ON memory_items BEGIN
    UPDATE memory_items SET pending = 1, attempts = 0, retry_at = NULL, error = NULL WHERE id = new.id;
    DELETE FROM embeddings WHERE id = old.id;
    UPDATE memory_lessons SET id = new.id WHERE id = old.id;
    DELETE FROM memory_fts WHERE rowid = old.id;
    INSERT INTO memory_fts (rowid, text)
    SELECT new.id, text FROM memory_words WHERE source = new.id & 7 AND row = new.id >> 3;
END;

CREATE TRIGGER turns_item_insert AFTER INSERT ON turns BEGIN
    INSERT OR REPLACE INTO memory_items (id) VALUES (new.id << 3);
END;
CREATE TRIGGER turns_item_delete AFTER DELETE ON turns BEGIN
    DELETE FROM memory_items WHERE id = old.id << 3;
END;
CREATE TRIGGER turns_item_update AFTER UPDATE OF id, user_input, assistant_response ON turns
WHEN old.id IS NOT new.id OR old.user_input IS NOT new.user_input OR old.assistant_response IS NOT new.assistant_response BEGIN
    UPDATE memory_items SET id = new.id << 3, version = random() >> 11 WHERE id = old.id << 3;
END;

CREATE TRIGGER episodes_item_insert AFTER INSERT ON episodes BEGIN
    INSERT OR REPLACE INTO memory_items (id) VALUES (new.id << 3 | 1);
END;
CREATE TRIGGER episodes_item_delete AFTER DELETE ON episodes BEGIN
    DELETE FROM memory_items WHERE id = old.id << 3 | 1;
END;
CREATE TRIGGER episodes_item_update AFTER UPDATE OF id, event_type, content ON episodes
WHEN old.id IS NOT new.id OR old.event_type IS NOT new.event_type OR old.content IS NOT new.content BEGIN
    UPDATE memory_items SET id = new.id << 3 | 1, version = random() >> 11 WHERE id = old.id << 3 | 1;
END;

CREATE TRIGGER semantic_memories_item_insert AFTER INSERT ON semantic_memories BEGIN
    INSERT OR REPLACE INTO memory_items (id) VALUES (new.id << 3 | 2);
END;
CREATE TRIGGER semantic_memories_item_delete AFTER DELETE ON semantic_memories BEGIN
    DELETE FROM memory_items WHERE id = old.id << 3 | 2;
END;
CREATE TRIGGER semantic_memories_item_update AFTER UPDATE OF id, content ON semantic_memories
WHEN old.id IS NOT new.id OR old.content IS NOT new.content BEGIN
    UPDATE memory_items SET id = new.id << 3 | 2, version = random() >> 11 WHERE id = old.id << 3 | 2;
END;

CREATE TRIGGER long_term_item_insert AFTER INSERT ON long_term BEGIN
    INSERT OR REPLACE INTO memory_items (id) VALUES (new.rowid << 3 | 3);
END;
CREATE TRIGGER long_term_item_delete AFTER DELETE ON long_term BEGIN
    DELETE FROM memory_items WHERE id = old.rowid << 3 | 3;
END;
CREATE TRIGGER long_term_item_update AFTER UPDATE OF key, value ON long_term
WHEN old.key IS NOT new.key OR old.value IS NOT new.value BEGIN
    UPDATE memory_items SET id = new.rowid << 3 | 3, version = random() >> 11 WHERE id = old.rowid << 3 | 3;
END;

CREATE TRIGGER uncertainty_log_item_insert AFTER INSERT ON uncertainty_log BEGIN
    INSERT OR REPLACE INTO memory_items (id) VALUES (new.id << 3 | 4);
END;
CREATE TRIGGER uncertainty_log_item_delete AFTER DELETE ON uncertainty_log BEGIN
    DELETE FROM memory_items WHERE id = old.id << 3 | 4;
END;
CREATE TRIGGER uncertainty_log_item_update AFTER UPDATE OF id, user_message, parsed_intent ON uncertainty_log
WHEN old.id IS NOT new.id OR old.user_message IS NOT new.user_message OR old.parsed_intent IS NOT new.parsed_intent BEGIN
    UPDATE memory_items SET id = new.id << 3 | 4, version = random() >> 11 WHERE id = old.id << 3 | 4;
END;

-- migrate:down
DROP INDEX idx_episodes_valence;
DROP INDEX idx_long_term_updated_at;
DROP INDEX idx_uncertainty_timestamp;
DROP INDEX idx_uncertainty_confidence;
DROP INDEX idx_uncertainty_settled;
DROP INDEX idx_semantic_timestamp;
DROP TRIGGER turns_item_insert;
DROP TRIGGER turns_item_delete;
DROP TRIGGER turns_item_update;
DROP TRIGGER episodes_item_insert;
DROP TRIGGER episodes_item_delete;
DROP TRIGGER episodes_item_update;
DROP TRIGGER semantic_memories_item_insert;
DROP TRIGGER semantic_memories_item_delete;
DROP TRIGGER semantic_memories_item_update;
DROP TRIGGER long_term_item_insert;
DROP TRIGGER long_term_item_delete;
DROP TRIGGER long_term_item_update;
DROP TRIGGER uncertainty_log_item_insert;
DROP TRIGGER uncertainty_log_item_delete;
DROP TRIGGER uncertainty_log_item_update;
DROP TRIGGER memory_items_insert;
DROP TRIGGER memory_items_delete;
DROP TRIGGER memory_items_update;
DROP VIEW memory_words;
DROP VIEW memory_texts;
DROP TABLE memory_fts;
DROP TABLE memory_items;
DROP TABLE embedding_blocks;
DROP TABLE embeddings;
DROP TABLE embedding_models;
DROP TABLE memory_lessons;
DROP TABLE consolidated_memories;
DROP TABLE consolidations;
