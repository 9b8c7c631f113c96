//! An open memory: its tables, revisions, export and import.

pub mod execute;
pub mod query;

mod backups;
mod bookkeeping;
mod changes;
mod compact;
mod ids;
mod incoming;
mod ledger;
mod migrations;
mod opening;
mod redo;
mod status;
mod transfer;
mod unreadable;
mod verify;

pub use changes::{ChangedRows, Changes};
pub use compact::Compacted;
pub use migrations::{Migrations, OnNewerSchema};
pub use status::{RevisionInfo, SchemaStatus};
pub use transfer::{Foreign, Imported};
pub use unreadable::UnreadableRow;
pub use verify::{Standing, VerifiedRevision};

use std::cell::RefCell;

use rusqlite::Connection;

use crate::db::{Db, copy, rebuilt, run, zero_free_pages_in, zero_unallocated_in};
use crate::error::Result;
use crate::migrate::runner;
use crate::recall::{self, Recall};
use crate::tables::Rows;
use crate::tables::episodes::Episode;
use crate::tables::long_term::Entry;
use crate::tables::semantic::SemanticMemory;
use crate::tables::turns::Turn;
use crate::tables::uncertainty::Uncertainty;
use compact::free_pages;
use ledger::Ledger;

/// One opened database and the calls on it.
pub struct Memory {
    db: Db,
    migrated: runner::Applied,
    migrations: Migrations,
    recall: RefCell<recall::State>,
    ledger: Ledger,
}

impl Memory {
    /// The conversation.
    pub fn turns(&self) -> Rows<'_, Turn> {
        Rows::new(&self.db)
    }

    /// Events.
    pub fn episodes(&self) -> Rows<'_, Episode> {
        Rows::new(&self.db)
    }

    /// JSON values by key.
    pub fn long_term(&self) -> Rows<'_, Entry> {
        Rows::new(&self.db)
    }

    /// Open questions: what the agent was unsure about.
    pub fn uncertainty(&self) -> Rows<'_, Uncertainty> {
        Rows::new(&self.db)
    }

    /// Facts.
    pub fn semantic(&self) -> Rows<'_, SemanticMemory> {
        Rows::new(&self.db)
    }

    /// Search over all five tables.
    pub fn recall(&self) -> Recall<'_> {
        Recall::new(&self.db, &self.recall)
    }

    /// The connection, with its clock and its batches.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Commits what the batch changed.
    ///
    /// # Errors
    ///
    /// Those of [`Db::end_batch`].
    pub fn end_batch(&self) -> Result<()> {
        self.after_batch(self.db.end_batch())
    }

    fn after_batch(&self, ended: Result<()>) -> Result<()> {
        // What recall holds in memory may depend on changes that were rolled back.
        if ended.is_err() {
            self.recall.borrow_mut().forget();
        }
        ended
    }

    /// The database as the bytes of a file, without any trace of what was deleted.
    ///
    /// # Errors
    ///
    /// `out_of_memory` if the module cannot hold a second copy.
    pub fn export(&self) -> Result<Vec<u8>> {
        let scratch = self.copied()?;
        ledger::leave_out(&scratch)?;
        bytes_of(scratch)
    }

    /// A copy for export. What is deleted from it is overwritten, as in the memory itself.
    fn copied(&self) -> Result<Connection> {
        // If this fails because the disk is full, the copy contains the same words of deleted texts as the memory.
        let _ = self.recall().purge();
        let mut scratch = Connection::open_in_memory()?;
        copy(self.db.connection(), &mut scratch)?;
        run(&scratch, "PRAGMA secure_delete = ON")?;
        Ok(scratch)
    }

    /// Checkpoints the log into the file and closes the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written. What was committed stays in the log, from which the next opening reads it.
    pub fn close(self) -> Result<()> {
        // Recording which rows were of use is optional, so a failure does not fail the close.
        let _ = self.recall().write_uses();
        // Anything not removed now is removed after the next opening.
        let _ = self.recall().purge();
        let _ = self.shrink();
        self.db.close()
    }
}

/// The bytes of a copy for export, without any trace of what was deleted.
fn bytes_of(mut scratch: Connection) -> Result<Vec<u8>> {
    let has_free_pages = free_pages(&scratch)? > 0;
    let mut without = if has_free_pages { rebuilt(&scratch)? } else { None };
    let keeps_free_pages = has_free_pages && without.is_none();
    let mut file = without.as_mut().unwrap_or(&mut scratch).serialize("main")?.to_vec();
    if keeps_free_pages {
        zero_free_pages_in(&mut file);
    }
    zero_unallocated_in(&mut file);
    Ok(file)
}
