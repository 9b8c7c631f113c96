-- Initial schema
--
-- Revision ID: 001
-- Revises:
-- Create Date: 2026-01-01
-- migrate:up
CREATE TABLE episodes (
	id INTEGER NOT NULL, 
	timestamp FLOAT, 
	event_type TEXT, 
	content TEXT, 
	valence FLOAT, 
	metadata TEXT, 
	PRIMARY KEY (id)
);
CREATE TABLE long_term (
	"key" TEXT NOT NULL, 
	value TEXT, 
	updated_at FLOAT, 
	PRIMARY KEY ("key")
);
CREATE TABLE turns (
	id INTEGER NOT NULL, 
	timestamp FLOAT, 
	user_input TEXT, 
	assistant_response TEXT, 
	metadata TEXT, 
	PRIMARY KEY (id)
);
CREATE TABLE uncertainty_log (
	id INTEGER NOT NULL, 
	timestamp FLOAT, 
	user_message TEXT, 
	parsed_intent TEXT, 
	confidence_score FLOAT, 
	context TEXT, 
	signals TEXT, 
	resolved INTEGER DEFAULT '0', 
	resolution_pattern TEXT, 
	PRIMARY KEY (id)
);
CREATE TABLE semantic_memories (
	id INTEGER NOT NULL, 
	timestamp FLOAT, 
	content TEXT, 
	category TEXT, 
	importance FLOAT DEFAULT '0.5', 
	metadata TEXT, 
	PRIMARY KEY (id)
);
CREATE INDEX idx_episodes_timestamp ON episodes (timestamp);
CREATE INDEX idx_episodes_event_type ON episodes (event_type);
CREATE INDEX idx_turns_timestamp ON turns (timestamp);
CREATE INDEX idx_uncertainty_resolved ON uncertainty_log (resolved);
CREATE INDEX idx_semantic_category ON semantic_memories (category);
CREATE INDEX idx_semantic_importance ON semantic_memories (importance);

-- migrate:down
DROP INDEX idx_semantic_importance;
DROP INDEX idx_semantic_category;
DROP INDEX idx_uncertainty_resolved;
DROP INDEX idx_turns_timestamp;
DROP INDEX idx_episodes_event_type;
DROP INDEX idx_episodes_timestamp;
DROP TABLE semantic_memories;
DROP TABLE uncertainty_log;
DROP TABLE turns;
DROP TABLE long_term;
DROP TABLE episodes;
