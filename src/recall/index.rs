//! Keeps up to date what is derived from rows: the index of words, and the queue of texts that wait for their vector.
//!
//! For each table, the id up to which its rows are indexed is stored; rows with a larger id are new. For the other
//! rows, triggers only note which ones changed. Both are indexed here, many rows in one transaction: in slices while no
//! question is asked, and the rest before a question.

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection};

use super::Recall;
use super::item::{IDS, Item};
use super::purge::note_purge;
use crate::db::{Db, ask};
use crate::error::{ErrorCode, Result};
use crate::tables::MemoryTable;
use crate::words::{without_data, write_terms};

/// How much one slice indexes, in rows and in bytes of text: a few milliseconds' work.
const SLICE: Portion = Portion { rows: 256, bytes: 64 * 1024 };
/// How much one transaction before a question indexes. The log has to hold all changes of a transaction.
const WHOLE: Portion = Portion { rows: 20_000, bytes: 16 * 1024 * 1024 };
/// If more changes than this are noted and most of them are deletions, rebuilding the index is considered.
const MANY: i64 = 10_000;

#[derive(Clone, Copy)]
struct Portion {
    rows: usize,
    bytes: usize,
}

/// A row that is new or changed.
struct Change {
    item: Item,
    /// Whether it was deleted. Another row may have received its id since.
    is_deleted: bool,
    /// Whether a trigger noted it. If so, what is derived from it belongs to another text.
    is_noted: bool,
    is_indexed: bool,
}

/// The result of indexing a row.
enum Indexed {
    /// The row has a text.
    Text,
    /// The row has no text that could be embedded.
    Empty,
    /// The row no longer exists.
    Gone,
}

/// The index of an open memory.
pub(crate) struct Index<'m> {
    pub(super) db: &'m Db,
}

impl Recall<'_> {
    /// How many rows changed since they were last indexed.
    ///
    /// # Errors
    ///
    /// `schema_mismatch` if the memory is at a revision without an index.
    pub fn unindexed(&self) -> Result<u64> {
        Index::of(self.db).unindexed()
    }

    /// Indexes some of the changes, for a few milliseconds, and returns whether there are more.
    ///
    /// # Errors
    ///
    /// As for [`Recall::index`].
    pub fn index_slice(&self) -> Result<bool> {
        Index::of(self.db).take_up_slice()
    }

    /// Indexes all changes, so that a question misses no committed row. In a read-only memory it changes nothing, and
    /// questions search what is indexed already.
    ///
    /// # Errors
    ///
    /// `schema_mismatch` if the memory is at a revision without an index; also fails if the file cannot be written.
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

    /// Checks that there is an index.
    ///
    /// # Errors
    ///
    /// `schema_mismatch` if the memory is at a revision without one.
    pub(super) fn exists(&self) -> Result<()> {
        self.is_up_to_date().map(drop)
    }

    fn unindexed(&self) -> Result<u64> {
        Ok(ask::<i64>(self.connection(), "SELECT count(*) FROM memory_changes")? as u64 + self.added()?)
    }

    /// How many texts are new or changed.
    pub(super) fn texts(&self) -> Result<u64> {
        Ok(ask::<i64>(self.connection(), "SELECT count(*) FROM memory_changes WHERE NOT deleted")? as u64
            + self.added()?)
    }

    /// How many rows are new and not noted as changed.
    fn added(&self) -> Result<u64> {
        let counts = MemoryTable::ALL.map(|table| format!("(SELECT count(*) FROM ({}))", new_rows(table, i64::MAX)));
        let sql = format!("SELECT {}", counts.join(" + "));
        Ok(self.connection().prepare_cached(&sql)?.query_row([], |row| row.get::<_, i64>(0))? as u64)
    }

    fn take_up_slice(&self) -> Result<bool> {
        if self.db.is_read_only() {
            return Ok(false);
        }
        self.take_up(SLICE)
    }

    pub(super) fn bring_up_to_date(&self) -> Result<()> {
        if self.db.is_read_only() {
            return self.exists();
        }
        while self.take_up(WHOLE)? {}
        Ok(())
    }

    /// Indexes all changes before a question. If the disk is full or fails, the question is answered from what is
    /// indexed.
    ///
    /// # Errors
    ///
    /// `schema_mismatch` if the memory is at a revision without an index.
    pub(crate) fn prepare_question(&self) -> Result<()> {
        match self.repaired(&mut || self.bring_up_to_date()) {
            Err(error) if [ErrorCode::QuotaExceeded, ErrorCode::IoFailed].contains(&error.code()) => Ok(()),
            indexed => indexed,
        }
    }

    fn take_up(&self, portion: Portion) -> Result<bool> {
        if self.is_up_to_date()? {
            return Ok(false);
        }
        let mut more = false;
        // Derived data can be derived again after a power cut, so this commit does not wait for the disk.
        self.db.atomically_relaxed(&mut || {
            more = self.take_up_changes(portion)?;
            Ok(())
        })?;
        Ok(more)
    }

    fn is_up_to_date(&self) -> Result<bool> {
        let new = MemoryTable::ALL.map(|table| format!("SELECT * FROM ({})", new_rows(table, 1)));
        let sql = format!(
            "SELECT NOT EXISTS (SELECT id, deleted, 1 FROM memory_changes UNION ALL {})",
            new.join(" UNION ALL ")
        );
        Ok(self.connection().prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
    }

    fn take_up_changes(&self, portion: Portion) -> Result<bool> {
        let mut changes = self.changed(portion.rows)?;
        let deleted = changes.iter().filter(|change| change.is_deleted).count();
        if 2 * deleted > changes.len() && self.begin_anew()? {
            changes = Vec::new();
        }
        // New rows are added only once all noted changes are read. Otherwise a row that is new and changed could be
        // skipped.
        let has_new = changes.len() < portion.rows;
        if has_new {
            for table in MemoryTable::ALL {
                changes.extend(self.read_changes(&new_rows(table, portion.rows as i64))?);
            }
            // FTS5 flushes its pending terms whenever an id is smaller than the one before.
            changes.sort_unstable_by_key(|change| change.item);
            changes.truncate(portion.rows);
        }
        let is_full = changes.len() == portion.rows;
        let (indexed, is_cut) = self.index_words(&changes, portion.bytes)?;
        let done = &changes[..indexed.len()];
        self.note_indexed(done, &indexed)?;
        if has_new {
            self.note_last(done)?;
        }
        Ok(is_cut || is_full)
    }

    fn changed(&self, limit: usize) -> Result<Vec<Change>> {
        self.read_changes(&format!("SELECT id, deleted, 1 AS noted FROM memory_changes ORDER BY id LIMIT {limit}"))
    }

    fn read_changes(&self, sql: &str) -> Result<Vec<Change>> {
        let sql = format!(
            "SELECT c.id, c.deleted, c.noted, d.id IS NOT NULL
             FROM ({sql}) AS c LEFT JOIN memory_fts_docsize AS d ON d.id = c.id"
        );
        let mut statement = self.connection().prepare_cached(&sql)?;
        let changes = statement.query_map([], |row| {
            let (is_deleted, is_noted, is_indexed) = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Change { item: Item(row.get(0)?), is_deleted, is_noted, is_indexed })
        })?;
        Ok(changes.collect::<rusqlite::Result<_>>()?)
    }

    /// Indexes the words of rows until `most` bytes of text are exceeded. Returns the result for each row that it
    /// reached, and whether there are more.
    ///
    /// It writes to no other table in between: FTS5 flushes its pending terms at every statement that can be rolled
    /// back on its own, and a thousand small flushes take ten times as long as one.
    fn index_words(&self, changes: &[Change], most: usize) -> Result<(Vec<Indexed>, bool)> {
        let connection = self.connection();
        let mut texts = Texts::of(connection);
        let mut insert = connection.prepare_cached("INSERT INTO memory_fts (rowid, terms) VALUES (?, ?)")?;
        let mut replace =
            connection.prepare_cached("INSERT OR REPLACE INTO memory_fts (rowid, terms) VALUES (?, ?)")?;
        let (mut terms, mut bytes) = (String::new(), 0);
        let mut indexed = Vec::with_capacity(changes.len());
        for Change { item, is_indexed, .. } in changes {
            if bytes > most {
                return Ok((indexed, true));
            }
            let Some(text) = texts.read(*item)? else {
                if *is_indexed {
                    connection.prepare_cached("DELETE FROM memory_fts WHERE rowid = ?")?.execute([item.0])?;
                }
                indexed.push(Indexed::Gone);
                continue;
            };
            bytes += text.len();
            terms.clear();
            write_terms(&without_data(&text), &mut terms);
            let write = if *is_indexed { &mut replace } else { &mut insert };
            write.execute((item.0, &terms))?;
            indexed.push(if text.trim().is_empty() { Indexed::Empty } else { Indexed::Text });
        }
        Ok((indexed, false))
    }

    /// Updates what else is derived from rows whose words are indexed, and removes them from the noted changes.
    fn note_indexed(&self, done: &[Change], indexed: &[Indexed]) -> Result<()> {
        let connection = self.connection();
        let is_embedded = self.is_embedded()?;
        for (Change { item, is_deleted, is_noted, is_indexed }, became) in done.iter().zip(indexed) {
            let run = |sql: &str| connection.prepare_cached(sql)?.execute([item.0]);
            if *is_indexed || *is_noted {
                run("DELETE FROM embeddings WHERE id = ?")?;
            }
            if *is_deleted {
                run("DELETE FROM memory_lessons WHERE id = ?")?;
                run("DELETE FROM memory_uses WHERE id = ?")?;
            }
            match became {
                Indexed::Text if is_embedded => {
                    run("INSERT OR REPLACE INTO embedding_queue (id) SELECT ?1
                         WHERE NOT EXISTS (SELECT 1 FROM embeddings AS e JOIN embedding_models AS m ON m.id = e.model
                                           WHERE e.id = ?1 AND m.in_use)")?;
                }
                Indexed::Text | Indexed::Empty => {}
                Indexed::Gone => {
                    run("DELETE FROM embedding_queue WHERE id = ?")?;
                    if item.table() == MemoryTable::LongTerm {
                        connection.prepare_cached("DELETE FROM long_term_ids WHERE id = ?")?.execute([item.row()])?;
                    }
                }
            }
        }
        if done.iter().any(|change| change.is_indexed) {
            note_purge(connection)?;
        }
        if let Some(last) = done.last() {
            connection.prepare_cached("DELETE FROM memory_changes WHERE id <= ?")?.execute([last.item.0])?;
        }
        Ok(())
    }

    /// Whether an embedder has asked for texts yet. Until one has, the queue stays empty; the first one receives all
    /// indexed rows.
    pub(super) fn is_embedded(&self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM embedding_models) OR EXISTS (SELECT 1 FROM embedding_queue)";
        ask(self.connection(), sql)
    }

    /// Stores up to which id each table is indexed.
    fn note_last(&self, done: &[Change]) -> Result<()> {
        for table in MemoryTable::ALL {
            if let Some(last) = done.iter().rfind(|change| change.item.table() == table) {
                let sql = "INSERT INTO memory_indexed (tbl, last) VALUES (?, ?)
                           ON CONFLICT (tbl) DO UPDATE SET last = excluded.last WHERE excluded.last > last";
                self.connection().prepare_cached(sql)?.execute([table as i64, last.item.row()])?;
            }
        }
        Ok(())
    }

    /// If most indexed rows were deleted, indexing the remaining rows again is faster than removing the deleted ones.
    /// In that case it empties the index and returns true; every row is then new.
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
        // Without a WHERE clause, SQLite frees the pages of a table without visiting its rows.
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
        script.push_str(
            "INSERT INTO memory_fts (memory_fts) VALUES ('delete-all'); DELETE FROM memory_changes; DELETE FROM memory_indexed;",
        );
        if all_gone {
            script.push_str("DELETE FROM long_term_ids;");
        }
        connection.execute_batch(&script)?;
        note_purge(connection)?;
        Ok(true)
    }
}

/// SQL for the rows of a table that are new and not noted as changed: at most `limit`, in ascending order of id.
fn new_rows(table: MemoryTable, limit: i64) -> String {
    let ids = if table == MemoryTable::LongTerm { "long_term_ids" } else { table.name() };
    let number = table as i64;
    format!(
        "SELECT id << 3 | {number} AS id, 0 AS deleted, 0 AS noted FROM {ids}
         WHERE id > coalesce((SELECT last FROM memory_indexed WHERE tbl = {number}), {})
           AND id << 3 | {number} NOT IN (SELECT id FROM memory_changes)
         ORDER BY {ids}.id LIMIT {limit}",
        IDS.start() - 1
    )
}

/// Reads the whole texts of rows as they are indexed, one column per line. Of the JSON of episodes it takes the
/// strings; of the JSON of long-term knowledge the keys, strings and numbers.
pub(super) struct Texts<'c> {
    connection: &'c Connection,
    /// One statement per table that was read, at the table's number.
    statements: [Option<CachedStatement<'c>>; MemoryTable::ALL.len()],
}

impl<'c> Texts<'c> {
    pub(super) fn of(connection: &'c Connection) -> Self {
        Self { connection, statements: [const { None }; MemoryTable::ALL.len()] }
    }

    pub(super) fn read(&mut self, item: Item) -> Result<Option<String>> {
        let statement = match &mut self.statements[item.table() as usize] {
            Some(statement) => statement,
            none => none.insert(self.connection.prepare_cached(text_of(item.table()))?),
        };
        let mut rows = statement.query([item.row()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        // Another program may have stored bytes that are not valid UTF-8.
        Ok(Some(match row.get_ref(0)? {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        }))
    }
}

fn text_of(table: MemoryTable) -> &'static str {
    match table {
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
    }
}
