//! A file without what was deleted, and no larger than what it holds.

use rusqlite::Connection;
use serde::Serialize;
use tsify::Tsify;

use super::Memory;
use crate::db::{ask, page_size, vacuum};
use crate::error::Result;
use crate::migrate::backup::Backup;

/// A file shrinks by itself if more than half of it is free, if that is at least so many bytes, and if what it holds is no more
/// than so many: it is built anew in memory, and every call waits meanwhile.
const SHRINK_FROM: i64 = 1 << 20;
const SHRINK_UP_TO: i64 = 32 << 20;

/// What compacting did.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Compacted {
    /// How many bytes the database had.
    pub bytes_before: u64,
    /// How many it has.
    pub bytes_after: u64,
    /// The backups that are kept, newest first. What was deleted since they were made is still in them.
    pub backups: Vec<Backup>,
}

impl Memory {
    /// Removes everything of what was deleted, and builds the file anew without free pages.
    ///
    /// # Errors
    ///
    /// `read_only_memory`; `quota_exceeded`; `out_of_memory`, as the new file is built in memory.
    pub fn compact(&mut self) -> Result<Compacted> {
        self.db.check_writable()?;
        self.recall().purge()?;
        let bytes_before = self.bytes()?;
        self.vacuum()?;
        Ok(Compacted { bytes_before, bytes_after: self.bytes()?, backups: self.backups()? })
    }

    /// Removes some of what was deleted, for a few milliseconds; returns whether there is more. The last slice empties the log
    /// and, if most of the file is free, builds that anew.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn tidy_slice(&self) -> Result<bool> {
        let is_to_purge = self.recall().is_to_purge()?;
        if is_to_purge && self.recall().purge_slice()? {
            return Ok(true);
        }
        let is_shrunk = self.shrink()?;
        if is_to_purge && !is_shrunk {
            self.empty_log()?;
        }
        Ok(false)
    }

    /// Builds the file anew if most of it is free; returns whether it was.
    pub(super) fn shrink(&self) -> Result<bool> {
        let connection = self.db.connection();
        let (free, size) = (free_pages(connection)?, page_size(connection)?);
        let held = ask::<i64>(connection, "PRAGMA page_count")? - free;
        if self.db.is_read_only() || free < held || free * size < SHRINK_FROM || held * size > SHRINK_UP_TO {
            return Ok(false);
        }
        self.vacuum()?;
        Ok(true)
    }

    fn vacuum(&self) -> Result<()> {
        vacuum(self.db.connection())?;
        self.empty_log()
    }

    /// Brings all that is in the log into the file, and leaves the log empty: it holds pages as they were.
    fn empty_log(&self) -> Result<()> {
        ask::<i64>(self.db.connection(), "PRAGMA wal_checkpoint(TRUNCATE)").map(drop)
    }

    fn bytes(&self) -> Result<u64> {
        let connection = self.db.connection();
        Ok((ask::<i64>(connection, "PRAGMA page_count")? * page_size(connection)?) as u64)
    }
}

/// How many pages of a database hold nothing.
pub(super) fn free_pages(connection: &Connection) -> Result<i64> {
    ask(connection, "PRAGMA freelist_count")
}
