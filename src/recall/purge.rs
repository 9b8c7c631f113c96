//! Removes what is derived from deleted texts: their words from the index, and their codes from the blocks.
//!
//! FTS5 only marks a row as deleted, and drops its words when it merges the part of the index that holds them. This
//! makes FTS5 merge, a few pages at a time.

use rusqlite::{Connection, OptionalExtension, params};

use super::Recall;
use super::blocks::checksum;
use super::codes::slot_len;
use super::embeddings::Model;
use super::vectors::{BLOCK, names_in};
use crate::db::{ask, execute, has_table};
use crate::error::Result;

/// FTS5's marks of deleted rows in `memory_fts_data` have ids from here on: the number of their segment plus 2^16,
/// times 2^37 (`FTS5_TOMBSTONE_ROWID` in its `fts5_index.c`).
const FIRST_MARK: i64 = 1 << 53;
/// How many pages of the index one slice writes: a few milliseconds' work.
const SLICE: i64 = 64;
/// The row of `memory_indexed` that belongs to no table. It exists while something is to be removed, and holds
/// [`TO_PURGE`] until the blocks are done, and 0 after that.
const PURGE: i64 = -1;
const TO_PURGE: i64 = 1;

/// Notes, in the transaction that deletes or replaces texts, that what is derived from them is to be removed.
pub(super) fn note_purge(connection: &Connection) -> Result<()> {
    let sql =
        "INSERT INTO memory_indexed (tbl, last) VALUES (?, ?) ON CONFLICT (tbl) DO UPDATE SET last = excluded.last";
    execute(connection, sql, &[&PURGE, &TO_PURGE]).map(drop)
}

impl Recall<'_> {
    /// Whether anything derived from deleted texts is left.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn is_to_purge(&self) -> Result<bool> {
        Ok(self.to_purge()?.is_some())
    }

    /// Removes some of what is derived from deleted texts, for a few milliseconds; returns whether there is more.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn purge_slice(&self) -> Result<bool> {
        let Some(stage) = self.to_purge()? else { return Ok(false) };
        let connection = self.connection();
        if stage == TO_PURGE {
            self.purge_blocks()?;
            self.db.atomically_relaxed(&mut || {
                execute(connection, "UPDATE memory_indexed SET last = 0 WHERE tbl = ?", &[&PURGE]).map(drop)
            })?;
        }
        if has_marks(connection)? {
            let before = connection.total_changes();
            self.merge_index()?;
            // FTS5 itself makes two changes. If there are no more, it found nothing to merge.
            if connection.total_changes() - before > 2 && has_marks(connection)? {
                return Ok(true);
            }
        }
        // The note stays if more was deleted meanwhile.
        self.db.atomically_relaxed(&mut || {
            execute(connection, "DELETE FROM memory_indexed WHERE tbl = ? AND last = 0", &[&PURGE]).map(drop)
        })?;
        Ok(self.to_purge()?.is_some())
    }

    /// The value of the purge row. A memory that is read-only, or at a revision without an index, has none.
    fn to_purge(&self) -> Result<Option<i64>> {
        if self.db.is_read_only() || !has_table(self.connection(), "memory_indexed")? {
            return Ok(None);
        }
        let mut statement = self.connection().prepare_cached("SELECT last FROM memory_indexed WHERE tbl = ?")?;
        Ok(statement.query_row([PURGE], |row| row.get(0)).optional()?)
    }

    /// Removes everything derived from deleted texts, including texts that are still in the index.
    ///
    /// # Errors
    ///
    /// As for [`Recall::purge_slice`].
    pub fn purge(&self) -> Result<()> {
        let connection = self.connection();
        if self.db.is_read_only() || !has_table(connection, "memory_fts")? {
            return Ok(());
        }
        if ask::<bool>(connection, "SELECT EXISTS (SELECT 1 FROM memory_changes)")? {
            self.index()?;
        }
        while self.purge_slice()? {}
        Ok(())
    }

    fn merge_index(&self) -> Result<()> {
        self.db.atomically_relaxed(&mut || {
            // A negative number of pages makes FTS5 merge all segments into one, in as many calls as it takes.
            let sql = "INSERT INTO memory_fts (memory_fts, rank) VALUES ('merge', ?)";
            self.connection().prepare_cached(sql)?.execute([-SLICE])?;
            Ok(())
        })
    }

    /// Removes the codes of vectors that are gone from the blocks in the database.
    fn purge_blocks(&self) -> Result<()> {
        let Some(model) = self.model()? else { return Ok(()) };
        let connection = self.connection();
        let live = self.live(&model)?;
        let mut statement = connection.prepare_cached("SELECT last, ids FROM embedding_blocks WHERE model = ?")?;
        let mut rows = statement.query([model.id])?;
        let mut stale = Vec::new();
        while let Some(row) = rows.next()? {
            // Another program may have stored anything there.
            let ids = row.get_ref(1)?.as_blob().unwrap_or_default();
            if names_in(ids).any(|name| !is_live(name, &live)) {
                stale.push(row.get::<_, i64>(0)?);
            }
        }
        drop(rows);
        for last in stale {
            self.db.atomically_relaxed(&mut || purge_block(connection, last, &model, &live))?;
        }
        Ok(())
    }
}

/// Whether the index holds words of deleted rows.
fn has_marks(connection: &Connection) -> Result<bool> {
    ask(connection, &format!("SELECT coalesce(max(id), 0) >= {FIRST_MARK} FROM memory_fts_data"))
}

fn is_live((id, sequence): (i64, i64), live: &[(i64, i64)]) -> bool {
    live.binary_search(&(sequence, id)).is_ok()
}

/// Rewrites a block without the vectors that are gone. If few are left, it deletes the block, and they are read row by
/// row.
fn purge_block(connection: &Connection, last: i64, model: &Model, live: &[(i64, i64)]) -> Result<()> {
    let sql = "SELECT ids, codes FROM embedding_blocks WHERE last = ?";
    let (mut ids, mut codes) = (Vec::new(), Vec::new());
    connection.query_row(sql, [last], |row| {
        let (all_ids, all_codes) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
        let slots =
            names_in(all_ids).zip(all_ids.as_chunks::<16>().0).zip(all_codes.chunks(slot_len(model.dimensions)));
        for ((_, id), code) in slots.filter(|((name, _), _)| is_live(*name, live)) {
            ids.extend(id);
            codes.extend(code);
        }
        Ok(())
    })?;
    if ids.len() / 16 < BLOCK / 2 {
        connection.execute("DELETE FROM embedding_blocks WHERE last = ?", [last])?;
        return Ok(());
    }
    let sql = "UPDATE embedding_blocks SET ids = ?, codes = ?, checksum = ? WHERE last = ?";
    connection.execute(sql, params![ids, codes, checksum(last, model, &ids, &codes), last])?;
    Ok(())
}
