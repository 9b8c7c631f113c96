-- Full-text search
--
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2026-11-23
-- migrate:up
CREATE VIRTUAL TABLE turns_fts USING fts5(
    user_input, assistant_response,
    content = 'turns', content_rowid = 'id', tokenize = 'porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE episodes_fts USING fts5(
    event_type, content,
    tokenize = 'porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE uncertainty_log_fts USING fts5(
    user_message, parsed_intent,
    content = 'uncertainty_log', content_rowid = 'id', tokenize = 'porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE semantic_memories_fts USING fts5(
    content,
    content = 'semantic_memories', content_rowid = 'id', tokenize = 'porter unicode61 remove_diacritics 2');

CREATE TRIGGER turns_fts_insert AFTER INSERT ON turns BEGIN
    INSERT INTO turns_fts (rowid, user_input, assistant_response)
    VALUES (new.id, new.user_input, new.assistant_response);
END;
CREATE TRIGGER turns_fts_delete AFTER DELETE ON turns BEGIN
    INSERT INTO turns_fts (turns_fts, rowid, user_input, assistant_response)
    VALUES ('delete', old.id, old.user_input, old.assistant_response);
END;
CREATE TRIGGER turns_fts_update AFTER UPDATE OF id, user_input, assistant_response ON turns BEGIN
    INSERT INTO turns_fts (turns_fts, rowid, user_input, assistant_response)
    VALUES ('delete', old.id, old.user_input, old.assistant_response);
    INSERT INTO turns_fts (rowid, user_input, assistant_response)
    VALUES (new.id, new.user_input, new.assistant_response);
END;

CREATE TRIGGER episodes_fts_insert AFTER INSERT ON episodes BEGIN
    INSERT INTO episodes_fts (rowid, event_type, content)
    VALUES (new.id, new.event_type,
            CASE WHEN json_valid(new.content)
                 THEN (SELECT group_concat(atom, ' ') FROM json_tree(new.content) WHERE type = 'text')
                 ELSE new.content END);
END;
CREATE TRIGGER episodes_fts_delete AFTER DELETE ON episodes BEGIN
    DELETE FROM episodes_fts WHERE rowid = old.id;
END;
CREATE TRIGGER episodes_fts_update AFTER UPDATE OF id, event_type, content ON episodes BEGIN
    DELETE FROM episodes_fts WHERE rowid = old.id;
    INSERT INTO episodes_fts (rowid, event_type, content)
    VALUES (new.id, new.event_type,
            CASE WHEN json_valid(new.content)
                 THEN (SELECT group_concat(atom, ' ') FROM json_tree(new.content) WHERE type = 'text')
                 ELSE new.content END);
END;

CREATE TRIGGER uncertainty_log_fts_insert AFTER INSERT ON uncertainty_log BEGIN
    INSERT INTO uncertainty_log_fts (rowid, user_message, parsed_intent)
    VALUES (new.id, new.user_message, new.parsed_intent);
END;
CREATE TRIGGER uncertainty_log_fts_delete AFTER DELETE ON uncertainty_log BEGIN
    INSERT INTO uncertainty_log_fts (uncertainty_log_fts, rowid, user_message, parsed_intent)
    VALUES ('delete', old.id, old.user_message, old.parsed_intent);
END;
CREATE TRIGGER uncertainty_log_fts_update AFTER UPDATE OF id, user_message, parsed_intent ON uncertainty_log BEGIN
    INSERT INTO uncertainty_log_fts (uncertainty_log_fts, rowid, user_message, parsed_intent)
    VALUES ('delete', old.id, old.user_message, old.parsed_intent);
    INSERT INTO uncertainty_log_fts (rowid, user_message, parsed_intent)
    VALUES (new.id, new.user_message, new.parsed_intent);
END;

CREATE TRIGGER semantic_memories_fts_insert AFTER INSERT ON semantic_memories BEGIN
    INSERT INTO semantic_memories_fts (rowid, content) VALUES (new.id, new.content);
END;
CREATE TRIGGER semantic_memories_fts_delete AFTER DELETE ON semantic_memories BEGIN
    INSERT INTO semantic_memories_fts (semantic_memories_fts, rowid, content) VALUES ('delete', old.id, old.content);
END;
CREATE TRIGGER semantic_memories_fts_update AFTER UPDATE OF id, content ON semantic_memories BEGIN
    INSERT INTO semantic_memories_fts (semantic_memories_fts, rowid, content) VALUES ('delete', old.id, old.content);
    INSERT INTO semantic_memories_fts (rowid, content) VALUES (new.id, new.content);
END;

INSERT INTO turns_fts (turns_fts) VALUES ('rebuild');
INSERT INTO episodes_fts (rowid, event_type, content)
SELECT id, event_type,
       CASE WHEN json_valid(content)
            THEN (SELECT group_concat(atom, ' ') FROM json_tree(episodes.content) WHERE type = 'text')
            ELSE content END
FROM episodes;
INSERT INTO uncertainty_log_fts (uncertainty_log_fts) VALUES ('rebuild');
INSERT INTO semantic_memories_fts (semantic_memories_fts) VALUES ('rebuild');

-- migrate:down
DROP TRIGGER turns_fts_insert;
DROP TRIGGER turns_fts_delete;
DROP TRIGGER turns_fts_update;
DROP TRIGGER episodes_fts_insert;
DROP TRIGGER episodes_fts_delete;
DROP TRIGGER episodes_fts_update;
DROP TRIGGER uncertainty_log_fts_insert;
DROP TRIGGER uncertainty_log_fts_delete;
DROP TRIGGER uncertainty_log_fts_update;
DROP TRIGGER semantic_memories_fts_insert;
DROP TRIGGER semantic_memories_fts_delete;
DROP TRIGGER semantic_memories_fts_update;
DROP TABLE turns_fts;
DROP TABLE episodes_fts;
DROP TABLE uncertainty_log_fts;
DROP TABLE semantic_memories_fts;
