//! Compacts the file: removes all traces of what was deleted, and free pages.

use rusqlite::Connection;
use serde::Serialize;
use tsify::Tsify;

use super::Memory;
use crate::db::{ask, page_size, vacuum};
use crate::error::Result;
use crate::migrate::backup::Backup;

/// A file is shrunk automatically if at least half of its pages are free, if they are at least `SHRINK_FROM` bytes, and
/// if the used pages are at most `SHRINK_UP_TO` bytes. The second limit exists because the file is rebuilt in memory
/// while all calls wait.
const SHRINK_FROM: i64 = 1 << 20;
const SHRINK_UP_TO: i64 = 32 << 20;

/// What compacting did.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Compacted {
    /// The size of the database before, in bytes.
    pub bytes_before: u64,
    /// The size of the database now, in bytes.
    pub bytes_after: u64,
    /// The backups that are kept, newest first. They still contain what was deleted after they were made.
    pub backups: Vec<Backup>,
}

impl Memory {
    /// Removes all traces of what was deleted, and rebuilds the file without free pages.
    ///
    /// # Errors
    ///
    /// `read_only_memory`; `quota_exceeded`; `out_of_memory`, because the new file is built in memory.
    pub fn compact(&mut self) -> Result<Compacted> {
        self.db.check_writable()?;
        self.recall().purge()?;
        let bytes_before = self.bytes()?;
        self.vacuum()?;
        Ok(Compacted { bytes_before, bytes_after: self.bytes()?, backups: self.backups()? })
    }

    /// Removes some of what was deleted, for a few milliseconds; returns whether there is more. The last slice empties
    /// the log and, if most of the file is free, rebuilds the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
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

    /// Rebuilds the file if most of it is free; returns whether it did.
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

    /// Checkpoints the log into the file and truncates it, because it holds earlier versions of pages.
    fn empty_log(&self) -> Result<()> {
        ask::<i64>(self.db.connection(), "PRAGMA wal_checkpoint(TRUNCATE)").map(drop)
    }

    fn bytes(&self) -> Result<u64> {
        let connection = self.db.connection();
        Ok((ask::<i64>(connection, "PRAGMA page_count")? * page_size(connection)?) as u64)
    }
}

/// The number of free pages of a database.
pub(super) fn free_pages(connection: &Connection) -> Result<i64> {
    ask(connection, "PRAGMA freelist_count")
}
