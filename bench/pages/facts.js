// Facts of 8 to 20 words, the same in every run, and the table for them in the official module.
import { makeTexts } from '/recall/data.js';

const texts = makeTexts();

/** Facts as an engine receives them: JSON is already text. */
export const facts = (from, count) =>
  texts.stored(from, count).map((content) => ({
    content,
    category: 'fact',
    importance: 0.5,
    metadata: '{"source":"bench"}',
  }));

/** The same facts as a page passes them to `remember`. */
export const remembered = (from, count) =>
  facts(from, count).map((fact) => ({ ...fact, metadata: JSON.parse(fact.metadata) }));

/** The values of an INSERT, after the time. */
export const values = ({ content, category, importance, metadata }) => [content, category, importance, metadata];

/** Two words that occur in the same fact. */
export const questions = (size, count) => texts.asked(size, count).map((words) => words.join(' '));

export const TABLE = `
  CREATE TABLE semantic_memories (
    id INTEGER NOT NULL, timestamp FLOAT, content TEXT, category TEXT, importance FLOAT DEFAULT '0.5', metadata TEXT,
    PRIMARY KEY (id));
  CREATE INDEX idx_semantic_category ON semantic_memories (category);
  CREATE INDEX idx_semantic_importance ON semantic_memories (importance);`;

export const INSERT =
  'INSERT INTO semantic_memories (timestamp, content, category, importance, metadata) VALUES (?, ?, ?, ?, ?)';
