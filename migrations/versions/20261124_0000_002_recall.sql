-- Recall
--
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2026-11-24
-- migrate:up
CREATE TABLE long_term_ids (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE
);
CREATE TABLE memory_changes (
    id INTEGER PRIMARY KEY,
    deleted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE memory_indexed (
    tbl INTEGER PRIMARY KEY,
    last INTEGER NOT NULL
);
CREATE VIRTUAL TABLE memory_fts USING fts5(
    terms, content = '', contentless_delete = 1, tokenize = 'ascii');
CREATE TABLE memory_uses (
    id INTEGER PRIMARY KEY,
    uses INTEGER NOT NULL,
    used_at REAL
);

CREATE TABLE embedding_queue (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL DEFAULT (random() >> 11),
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at REAL,
    error TEXT
);
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

INSERT INTO long_term_ids (key) SELECT key FROM long_term;

CREATE TRIGGER turns_inserted AFTER INSERT ON turns
WHEN new.id <= (SELECT last FROM memory_indexed WHERE tbl = 0) BEGIN
    INSERT INTO memory_changes (id) VALUES (new.id << 3) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER turns_updated AFTER UPDATE OF user_input, assistant_response ON turns
WHEN old.user_input IS NOT new.user_input OR old.assistant_response IS NOT new.assistant_response BEGIN
    INSERT INTO memory_changes (id) VALUES (new.id << 3) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER turns_renumbered AFTER UPDATE OF id ON turns WHEN old.id IS NOT new.id BEGIN
    UPDATE memory_lessons SET id = new.id << 3 WHERE id = old.id << 3;
    INSERT INTO memory_changes (id, deleted) VALUES (old.id << 3, 1) ON CONFLICT (id) DO UPDATE SET deleted = 1;
    INSERT INTO memory_changes (id) VALUES (new.id << 3) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER turns_deleted AFTER DELETE ON turns BEGIN
    INSERT INTO memory_changes (id, deleted) VALUES (old.id << 3, 1) ON CONFLICT (id) DO UPDATE SET deleted = 1;
END;

CREATE TRIGGER episodes_inserted AFTER INSERT ON episodes
WHEN new.id <= (SELECT last FROM memory_indexed WHERE tbl = 1) BEGIN
    INSERT INTO memory_changes (id) VALUES (new.id << 3 | 1) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER episodes_updated AFTER UPDATE OF event_type, content ON episodes
WHEN old.event_type IS NOT new.event_type OR old.content IS NOT new.content BEGIN
    INSERT INTO memory_changes (id) VALUES (new.id << 3 | 1) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER episodes_renumbered AFTER UPDATE OF id ON episodes WHEN old.id IS NOT new.id BEGIN
    UPDATE memory_lessons SET id = new.id << 3 | 1 WHERE id = old.id << 3 | 1;
    INSERT INTO memory_changes (id, deleted) VALUES (old.id << 3 | 1, 1) ON CONFLICT (id) DO UPDATE SET deleted = 1;
    INSERT INTO memory_changes (id) VALUES (new.id << 3 | 1) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER episodes_deleted AFTER DELETE ON episodes BEGIN
    INSERT INTO memory_changes (id, deleted) VALUES (old.id << 3 | 1, 1) ON CONFLICT (id) DO UPDATE SET deleted = 1;
END;

CREATE TRIGGER semantic_memories_inserted AFTER INSERT ON semantic_memories
WHEN new.id <= (SELECT last FROM memory_indexed WHERE tbl = 2) BEGIN
    INSERT INTO memory_changes (id) VALUES (new.id << 3 | 2) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER semantic_memories_updated AFTER UPDATE OF content ON semantic_memories
WHEN old.content IS NOT new.content BEGIN
    INSERT INTO memory_changes (id) VALUES (new.id << 3 | 2) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER semantic_memories_renumbered AFTER UPDATE OF id ON semantic_memories WHEN old.id IS NOT new.id BEGIN
    UPDATE memory_lessons SET id = new.id << 3 | 2 WHERE id = old.id << 3 | 2;
    INSERT INTO memory_changes (id, deleted) VALUES (old.id << 3 | 2, 1) ON CONFLICT (id) DO UPDATE SET deleted = 1;
    INSERT INTO memory_changes (id) VALUES (new.id << 3 | 2) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER semantic_memories_deleted AFTER DELETE ON semantic_memories BEGIN
    INSERT INTO memory_changes (id, deleted) VALUES (old.id << 3 | 2, 1) ON CONFLICT (id) DO UPDATE SET deleted = 1;
END;

CREATE TRIGGER uncertainty_log_inserted AFTER INSERT ON uncertainty_log
WHEN new.id <= (SELECT last FROM memory_indexed WHERE tbl = 4) BEGIN
    INSERT INTO memory_changes (id) VALUES (new.id << 3 | 4) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER uncertainty_log_updated AFTER UPDATE OF user_message, parsed_intent ON uncertainty_log
WHEN old.user_message IS NOT new.user_message OR old.parsed_intent IS NOT new.parsed_intent BEGIN
    INSERT INTO memory_changes (id) VALUES (new.id << 3 | 4) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER uncertainty_log_renumbered AFTER UPDATE OF id ON uncertainty_log WHEN old.id IS NOT new.id BEGIN
    UPDATE memory_lessons SET id = new.id << 3 | 4 WHERE id = old.id << 3 | 4;
    INSERT INTO memory_changes (id, deleted) VALUES (old.id << 3 | 4, 1) ON CONFLICT (id) DO UPDATE SET deleted = 1;
    INSERT INTO memory_changes (id) VALUES (new.id << 3 | 4) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER uncertainty_log_deleted AFTER DELETE ON uncertainty_log BEGIN
    INSERT INTO memory_changes (id, deleted) VALUES (old.id << 3 | 4, 1) ON CONFLICT (id) DO UPDATE SET deleted = 1;
END;

CREATE TRIGGER long_term_inserted AFTER INSERT ON long_term BEGIN
    INSERT INTO long_term_ids (key) VALUES (new.key) ON CONFLICT (key) DO NOTHING;
    INSERT INTO memory_changes (id) SELECT id << 3 | 3 FROM long_term_ids
    WHERE key = new.key AND id <= (SELECT last FROM memory_indexed WHERE tbl = 3)
    ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER long_term_updated AFTER UPDATE OF value ON long_term WHEN old.value IS NOT new.value BEGIN
    INSERT INTO memory_changes (id) SELECT id << 3 | 3 FROM long_term_ids WHERE key = new.key
    ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER long_term_renamed AFTER UPDATE OF key ON long_term WHEN old.key IS NOT new.key BEGIN
    DELETE FROM long_term_ids WHERE key = new.key;
    UPDATE long_term_ids SET key = new.key WHERE key = old.key;
    INSERT INTO memory_changes (id) SELECT id << 3 | 3 FROM long_term_ids WHERE key = new.key
    ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER long_term_deleted AFTER DELETE ON long_term BEGIN
    INSERT INTO memory_changes (id, deleted) SELECT id << 3 | 3, 1 FROM long_term_ids WHERE key = old.key
    ON CONFLICT (id) DO UPDATE SET deleted = 1;
END;

-- migrate:down
DROP INDEX idx_episodes_valence;
DROP INDEX idx_long_term_updated_at;
DROP INDEX idx_uncertainty_timestamp;
DROP INDEX idx_uncertainty_confidence;
DROP INDEX idx_uncertainty_settled;
DROP INDEX idx_semantic_timestamp;
DROP TRIGGER turns_inserted;
DROP TRIGGER turns_updated;
DROP TRIGGER turns_renumbered;
DROP TRIGGER turns_deleted;
DROP TRIGGER episodes_inserted;
DROP TRIGGER episodes_updated;
DROP TRIGGER episodes_renumbered;
DROP TRIGGER episodes_deleted;
DROP TRIGGER semantic_memories_inserted;
DROP TRIGGER semantic_memories_updated;
DROP TRIGGER semantic_memories_renumbered;
DROP TRIGGER semantic_memories_deleted;
DROP TRIGGER uncertainty_log_inserted;
DROP TRIGGER uncertainty_log_updated;
DROP TRIGGER uncertainty_log_renumbered;
DROP TRIGGER uncertainty_log_deleted;
DROP TRIGGER long_term_inserted;
DROP TRIGGER long_term_updated;
DROP TRIGGER long_term_renamed;
DROP TRIGGER long_term_deleted;
DROP TABLE memory_fts;
DROP TABLE memory_changes;
DROP TABLE memory_indexed;
DROP TABLE memory_uses;
DROP TABLE long_term_ids;
DROP TABLE embedding_queue;
DROP TABLE embedding_blocks;
DROP TABLE embeddings;
DROP TABLE embedding_models;
DROP TABLE memory_lessons;
DROP TABLE consolidated_memories;
DROP TABLE consolidations;
