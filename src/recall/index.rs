//! Bringing up to date what is derived of rows: the index of words, and the queue of texts that wait for their vector.
//!
//! Triggers note which rows changed, and nothing else. It is taken up here, many rows in one transaction: in slices while
//! nobody asks, and what is left of it before a question.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::Recall;
use super::item::Item;
use crate::db::{Db, ask};
use crate::error::{ErrorCode, Result};
use crate::tables::MemoryTable;
use crate::words::write_terms;

/// How much a slice takes up, in rows and in bytes of text: a few milliseconds' work.
const SLICE: Portion = Portion { rows: 256, bytes: 64 * 1024 };
/// How much goes into one transaction before a question. The log has to hold what it changes.
const WHOLE: Portion = Portion { rows: 20_000, bytes: 16 * 1024 * 1024 };
/// From how many deleted rows on it is looked whether the index is better made anew.
const MANY: i64 = 10_000;

#[derive(Clone, Copy)]
struct Portion {
    rows: usize,
    bytes: usize,
}

/// A row that changed.
struct Change {
    item: Item,
    /// Whether it was deleted, and perhaps another one came with its id.
    is_deleted: bool,
    is_indexed: bool,
}

/// What became of a row.
enum Indexed {
    /// It has a text.
    Text,
    /// It has none that could be embedded.
    Empty,
    /// It is gone.
    Gone,
}

/// The index of an open memory.
pub(crate) struct Index<'m> {
    db: &'m Db,
}

impl Recall<'_> {
    /// How many rows changed and are not in the index yet as they are.
    ///
    /// # Errors
    ///
    /// `schema_mismatch` where the memory is at a revision without an index.
    pub fn unindexed(&self) -> Result<u64> {
        Index::of(self.db).unindexed()
    }

    /// Takes up some of what changed, for a few milliseconds; returns whether there is more.
    ///
    /// # Errors
    ///
    /// As for [`Recall::index`].
    pub fn index_slice(&self) -> Result<bool> {
        Index::of(self.db).take_up_slice()
    }

    /// Takes up all that changed, so that a question misses no row that is committed. A memory that can only be read is
    /// searched as far as it is indexed.
    ///
    /// # Errors
    ///
    /// `schema_mismatch` where the memory is at a revision without an index; where the file cannot be written.
    pub fn index(&self) -> Result<()> {
        Index::of(self.db).bring_up_to_date()
    }
}

impl<'m> Index<'m> {
    pub(crate) fn of(db: &'m Db) -> Self {
        Self { db }
    }

    fn connection(&self) -> &'m Connection {
        self.db.connection()
    }

    fn unindexed(&self) -> Result<u64> {
        Ok(ask::<i64>(self.connection(), "SELECT count(*) FROM memory_changes")? as u64)
    }

    fn take_up_slice(&self) -> Result<bool> {
        if self.db.is_read_only() {
            return Ok(false);
        }
        self.take_up(SLICE)
    }

    fn bring_up_to_date(&self) -> Result<()> {
        if self.db.is_read_only() {
            // That there is an index at all.
            return self.unindexed().map(drop);
        }
        while self.take_up(WHOLE)? {}
        Ok(())
    }

    /// Takes up all that changed before a question, which a full disk does not keep from being answered of what is indexed.
    ///
    /// # Errors
    ///
    /// `schema_mismatch` where the memory is at a revision without an index.
    pub(crate) fn prepare_question(&self) -> Result<()> {
        match self.bring_up_to_date() {
            Err(error) if [ErrorCode::QuotaExceeded, ErrorCode::IoFailed].contains(&error.code()) => Ok(()),
            indexed => indexed,
        }
    }

    fn take_up(&self, portion: Portion) -> Result<bool> {
        if !ask::<bool>(self.connection(), "SELECT EXISTS (SELECT 1 FROM memory_changes)")? {
            return Ok(false);
        }
        let mut more = false;
        // What is derived can be derived again: a power cut may take it back, so nobody waits for the disk.
        self.db.atomically_relaxed(&mut || {
            more = self.take_up_changes(portion)?;
            Ok(())
        })?;
        Ok(more)
    }

    fn take_up_changes(&self, portion: Portion) -> Result<bool> {
        let mut changes = self.changes(portion.rows)?;
        let deleted = changes.iter().filter(|change| change.is_deleted).count();
        if 2 * deleted > changes.len() && self.begin_anew()? {
            changes = self.changes(portion.rows)?;
        }
        let is_full = changes.len() == portion.rows;
        let (indexed, is_cut) = self.index_words(&changes, portion.bytes)?;
        self.note_indexed(&changes, &indexed)?;
        Ok(is_cut || is_full)
    }

    /// Indexes the words of rows, up to so many bytes of text; returns what became of each that it came to, and whether there
    /// are others.
    ///
    /// Nothing else is written between them: at a statement that may be taken back by itself, FTS5 writes down what it has
    /// gathered, and a thousand small pieces take ten times as long as one.
    fn index_words(&self, changes: &[Change], most: usize) -> Result<(Vec<Indexed>, bool)> {
        let connection = self.connection();
        let (mut terms, mut bytes) = (String::new(), 0);
        let mut indexed = Vec::with_capacity(changes.len());
        for Change { item, is_indexed, .. } in changes {
            if bytes > most {
                return Ok((indexed, true));
            }
            let Some(text) = whole_text(connection, *item)? else {
                if *is_indexed {
                    connection.prepare_cached("DELETE FROM memory_fts WHERE rowid = ?")?.execute([item.0])?;
                }
                indexed.push(Indexed::Gone);
                continue;
            };
            bytes += text.len();
            terms.clear();
            write_terms(&text, &mut terms);
            let sql = if *is_indexed {
                "INSERT OR REPLACE INTO memory_fts (rowid, terms) VALUES (?, ?)"
            } else {
                "INSERT INTO memory_fts (rowid, terms) VALUES (?, ?)"
            };
            connection.prepare_cached(sql)?.execute((item.0, &terms))?;
            indexed.push(if text.trim().is_empty() { Indexed::Empty } else { Indexed::Text });
        }
        Ok((indexed, false))
    }

    /// Brings up to date what else is derived of rows whose words are indexed, and takes them out of the queue.
    fn note_indexed(&self, changes: &[Change], indexed: &[Indexed]) -> Result<()> {
        let connection = self.connection();
        for (Change { item, is_deleted, is_indexed }, became) in changes.iter().zip(indexed) {
            let run = |sql: &str| connection.prepare_cached(sql)?.execute([item.0]);
            if *is_indexed {
                run("DELETE FROM embeddings WHERE id = ?")?;
            }
            if *is_deleted {
                run("DELETE FROM memory_lessons WHERE id = ?")?;
                run("DELETE FROM memory_uses WHERE id = ?")?;
            }
            match became {
                Indexed::Text => {
                    run("INSERT OR REPLACE INTO embedding_queue (id) SELECT ?1
                         WHERE NOT EXISTS (SELECT 1 FROM embeddings WHERE id = ?1)")?;
                }
                Indexed::Empty => {}
                Indexed::Gone => {
                    run("DELETE FROM embedding_queue WHERE id = ?")?;
                    if item.table() == MemoryTable::LongTerm {
                        connection.prepare_cached("DELETE FROM long_term_ids WHERE id = ?")?.execute([item.row()])?;
                    }
                }
            }
        }
        if let Some(last) = indexed.len().checked_sub(1).and_then(|last| changes.get(last)) {
            connection.prepare_cached("DELETE FROM memory_changes WHERE id <= ?")?.execute([last.item.0])?;
        }
        Ok(())
    }

    fn changes(&self, limit: usize) -> Result<Vec<Change>> {
        let sql = "SELECT c.id, c.deleted, d.id IS NOT NULL
                   FROM memory_changes AS c LEFT JOIN memory_fts_docsize AS d ON d.id = c.id ORDER BY c.id LIMIT ?";
        let mut statement = self.connection().prepare_cached(sql)?;
        let changes = statement.query_map([limit as u32], |row| {
            Ok(Change { item: Item(row.get(0)?), is_deleted: row.get(1)?, is_indexed: row.get(2)? })
        })?;
        Ok(changes.collect::<rusqlite::Result<_>>()?)
    }

    /// Where most of what is indexed was deleted, it is quicker to index what is left anew than to take out the rest. Returns
    /// whether that is to be done, and the queue is another one.
    fn begin_anew(&self) -> Result<bool> {
        let connection = self.connection();
        let sql = "SELECT EXISTS (SELECT 1 FROM memory_changes LIMIT 1 OFFSET ?)";
        if !connection.prepare_cached(sql)?.query_row([MANY], |row| row.get(0))? {
            return Ok(false);
        }
        let most_are_deleted = "SELECT 2 * (SELECT count(*) FROM memory_changes WHERE deleted)
                                     > (SELECT count(*) FROM memory_fts_docsize)";
        if !ask::<bool>(connection, most_are_deleted)? {
            return Ok(false);
        }
        let mut script = String::new();
        // Without a condition SQLite lets go of the pages of a table as they are.
        let all_gone = MemoryTable::NAMES.iter().all(|table| {
            ask::<bool>(connection, &format!("SELECT NOT EXISTS (SELECT 1 FROM {table})")).unwrap_or(false)
        });
        for table in ["embeddings", "embedding_queue", "memory_lessons", "memory_uses"] {
            let which = if all_gone {
                ""
            } else if table.starts_with("memory") {
                " WHERE id IN (SELECT id FROM memory_changes WHERE deleted)"
            } else {
                " WHERE id IN (SELECT id FROM memory_changes)"
            };
            script.push_str(&format!("DELETE FROM {table}{which};"));
        }
        script.push_str("INSERT INTO memory_fts (memory_fts) VALUES ('delete-all');");
        if all_gone {
            script.push_str("DELETE FROM memory_changes; DELETE FROM long_term_ids;");
        } else {
            script.push_str("UPDATE memory_changes SET deleted = 0 WHERE deleted;");
            for table in MemoryTable::ALL {
                let ids = if table == MemoryTable::LongTerm { "long_term_ids" } else { table.name() };
                script.push_str(&format!(
                    "INSERT OR IGNORE INTO memory_changes (id) SELECT id << 3 | {} FROM {ids};",
                    table as i64
                ));
            }
        }
        connection.execute_batch(&script)?;
        Ok(true)
    }
}

/// The whole text of a row, as it is indexed: its columns one below the other; of the JSON of episodes the strings, of that
/// of long-term knowledge keys, strings and numbers.
pub(super) fn whole_text(connection: &Connection, item: Item) -> Result<Option<String>> {
    let sql = match item.table() {
        MemoryTable::Turns => {
            "SELECT coalesce(user_input, '') || char(10) || coalesce(assistant_response, '') FROM turns WHERE id = ?"
        }
        MemoryTable::Episodes => {
            "SELECT coalesce(event_type, '') || char(10) || coalesce(CASE WHEN json_valid(content)
                 THEN (SELECT group_concat(atom, ' ') FROM json_tree(episodes.content) WHERE type = 'text')
                 ELSE content END, '') FROM episodes WHERE id = ?"
        }
        MemoryTable::Semantic => "SELECT content FROM semantic_memories WHERE id = ?",
        MemoryTable::LongTerm => {
            "SELECT key || char(10) || coalesce(CASE WHEN json_valid(value)
                 THEN (SELECT group_concat(iif(typeof(j.key) = 'text', j.key || ' ', '') || atom, ' ')
                       FROM json_tree(long_term.value) AS j WHERE type IN ('text', 'integer', 'real'))
                 ELSE value END, '') FROM long_term WHERE key = (SELECT key FROM long_term_ids WHERE id = ?)"
        }
        MemoryTable::Uncertainty => {
            "SELECT coalesce(user_message, '') || char(10) || coalesce(parsed_intent, '')
             FROM uncertainty_log WHERE id = ?"
        }
    };
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([item.row()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    // Another program may have put bytes there that are no text.
    Ok(Some(match row.get_ref(0)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }))
}
