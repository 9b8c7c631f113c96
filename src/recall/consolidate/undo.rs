//! The way back: consolidations that are kept, and how one is undone.

use rusqlite::{OptionalExtension, params};

use super::super::Recall;
use super::super::item::Item;
use super::KeptConsolidation;
use crate::error::{Error, ErrorCode, Result};
use crate::tables::MemoryTable;

impl Recall<'_> {
    /// Takes a consolidation back: what it removed is there again under its id, and what faded is as important as before,
    /// unless it was changed since. By default the last one; an earlier one only after those that came later.
    ///
    /// # Errors
    ///
    /// `not_found` where there is none; `invalid_argument` where a later one is not undone.
    pub fn undo_consolidation(&self, id: Option<i64>) -> Result<u64> {
        let connection = self.connection();
        let sql = "SELECT id FROM consolidations WHERE undone_at IS NULL ORDER BY id DESC LIMIT 1";
        let last: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
        let none = || Error::new(ErrorCode::NotFound, "There is no such consolidation that could be undone.");
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
        // What was forgotten first: others may have been merged into it before that.
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

    /// Brings a row back, with what use had taught of it; under its own id, unless that is somebody else's now.
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
        let sql = "UPDATE memory_items SET uses = coalesce(c.before ->> 'uses', 0) FROM consolidated_memories AS c
             WHERE c.consolidation = ? AND c.memory = ? AND memory_items.id = ?";
        connection.prepare_cached(sql)?.execute([run, memory, item.0])?;
        self.add_uses("-", run, memory)?;
        let sql = "DELETE FROM memory_lessons WHERE (id, uncertainty) IN
             (SELECT c.merged_into << 3 | 2, value FROM consolidated_memories AS c, json_each(c.after)
              WHERE c.consolidation = ? AND c.memory = ? AND c.action = 'merged')";
        connection.prepare_cached(sql)?.execute([run, memory])?;
        Ok(())
    }

    /// The consolidations that are kept, the newest first.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
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

    /// Lets go of what consolidations put away; they cannot be undone any more. Tells how many there were.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn discard_consolidations(&self) -> Result<u64> {
        let mut discarded = 0;
        self.db.atomically(&mut || {
            discarded = self.connection().execute("DELETE FROM consolidations", [])? as u64;
            Ok(())
        })?;
        Ok(discarded)
    }
}
