//! Lists, undoes and discards consolidations.

use rusqlite::{OptionalExtension, params};

use super::super::Recall;
use super::super::item::Item;
use super::KeptConsolidation;
use crate::error::{Error, ErrorCode, Result};
use crate::tables::MemoryTable;

impl Recall<'_> {
    /// Undoes a consolidation: restores what it removed under its old ids, and the importance of what faded, unless the
    /// row changed since. Returns the number of rows restored. By default it undoes the last one; an earlier one can be
    /// undone only after all later ones.
    ///
    /// # Errors
    ///
    /// `not_found` if there is none; `invalid_argument` if a later one is not undone.
    pub fn undo_consolidation(&self, id: Option<i64>) -> Result<u64> {
        // Deleted rows are removed from the index first. Otherwise a row restored under the same id would lose its
        // lessons again.
        self.index()?;
        let connection = self.connection();
        let sql = "SELECT id FROM consolidations WHERE undone_at IS NULL ORDER BY id DESC LIMIT 1";
        let last: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
        let none = || Error::new(ErrorCode::NotFound, "There is no such consolidation to undo.");
        let last = last.ok_or_else(none)?;
        let run = id.unwrap_or(last);
        if run < last {
            let message = format!("Consolidation {last} came after {run}; undo it first.");
            return Err(Error::invalid_argument(message));
        }
        if run > last {
            return Err(none());
        }
        let mut restored = 0;
        self.db.atomically(&mut || {
            restored = self.restore(run)?;
            connection.execute("UPDATE consolidations SET undone_at = ? WHERE id = ?", params![self.db.now(), run])?;
            Ok(())
        })?;
        Ok(restored)
    }

    fn restore(&self, run: i64) -> Result<u64> {
        let connection = self.connection();
        let sql = "UPDATE semantic_memories SET importance = c.before ->> 'importance'
             FROM consolidated_memories AS c
             WHERE c.consolidation = ? AND c.action = 'faded' AND c.memory = semantic_memories.id
               AND semantic_memories.importance = CAST(c.after AS REAL)
               AND semantic_memories.content IS c.before ->> 'content'";
        let mut restored = connection.execute(sql, [run])? as u64;
        // Forgotten facts first: others may have been merged into them before they were forgotten.
        let sql =
            "SELECT memory FROM consolidated_memories WHERE consolidation = ? AND action <> 'faded' ORDER BY action";
        let removed: Vec<i64> =
            connection.prepare(sql)?.query_map([run], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for memory in removed {
            self.restore_one(run, memory)?;
            restored += 1;
        }
        Ok(restored)
    }

    /// Restores a row with its uses and lessons, under its own id unless another row has that id now.
    fn restore_one(&self, run: i64, memory: i64) -> Result<()> {
        let connection = self.connection();
        let sql = "INSERT INTO semantic_memories (id, timestamp, content, category, importance, metadata)
             SELECT iif(EXISTS (SELECT 1 FROM semantic_memories AS other WHERE other.id = memory), NULL, memory),
                    before ->> 'timestamp', before ->> 'content', before ->> 'category', before ->> 'importance',
                    before ->> 'metadata'
             FROM consolidated_memories WHERE consolidation = ? AND memory = ?";
        connection.prepare_cached(sql)?.execute([run, memory])?;
        let item = Item::new(MemoryTable::Semantic, connection.last_insert_rowid());
        let sql = "INSERT OR IGNORE INTO memory_lessons (id, uncertainty, effect)
             SELECT ?, value ->> 0, value ->> 1 FROM consolidated_memories AS c, json_each(c.before, '$.lessons')
             WHERE c.consolidation = ? AND c.memory = ? AND value ->> 0 IN (SELECT id FROM uncertainty_log)";
        connection.prepare_cached(sql)?.execute([item.0, run, memory])?;
        let sql = "INSERT OR REPLACE INTO memory_uses (id, uses)
             SELECT ?3, before ->> 'uses' FROM consolidated_memories
             WHERE consolidation = ?1 AND memory = ?2 AND before ->> 'uses' IS NOT NULL";
        connection.prepare_cached(sql)?.execute([run, memory, item.0])?;
        self.add_uses("-", run, memory)?;
        let sql = "DELETE FROM memory_lessons WHERE (id, uncertainty) IN
             (SELECT c.merged_into << 3 | 2, value FROM consolidated_memories AS c, json_each(c.after)
              WHERE c.consolidation = ? AND c.memory = ? AND c.action = 'merged')";
        connection.prepare_cached(sql)?.execute([run, memory])?;
        Ok(())
    }

    /// The consolidations that can be undone or were undone, the newest first.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn consolidations(&self) -> Result<Vec<KeptConsolidation>> {
        let sql = "SELECT c.id, c.timestamp, c.undone_at, count(m.memory) FILTER (WHERE m.action <> 'faded'),
                          count(m.memory) FILTER (WHERE m.action = 'faded')
                   FROM consolidations AS c LEFT JOIN consolidated_memories AS m ON m.consolidation = c.id
                   GROUP BY c.id ORDER BY c.id DESC";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(KeptConsolidation {
                id: row.get(0)?,
                timestamp: row.get(1)?,
                undone_at: row.get(2)?,
                removed: row.get::<_, i64>(3)? as u64,
                changed: row.get::<_, i64>(4)? as u64,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Deletes what consolidations saved, so that they can no longer be undone. Returns how many there were.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn discard_consolidations(&self) -> Result<u64> {
        let mut discarded = 0;
        self.db.atomically(&mut || {
            discarded = self.connection().execute("DELETE FROM consolidations", [])? as u64;
            Ok(())
        })?;
        Ok(discarded)
    }
}
