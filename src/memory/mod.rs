//! An open memory: its tables, its revision, its export and import.

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

use crate::db::{Db, copy, run, vacuum, zero_free_pages_in, zero_unallocated_in};
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

    /// What happened.
    pub fn episodes(&self) -> Rows<'_, Episode> {
        Rows::new(&self.db)
    }

    /// What is known, by key.
    pub fn long_term(&self) -> Rows<'_, Entry> {
        Rows::new(&self.db)
    }

    /// What the agent was unsure of.
    pub fn uncertainty(&self) -> Rows<'_, Uncertainty> {
        Rows::new(&self.db)
    }

    /// Facts.
    pub fn semantic(&self) -> Rows<'_, SemanticMemory> {
        Rows::new(&self.db)
    }

    /// Search over everything remembered.
    pub fn recall(&self) -> Recall<'_> {
        Recall::new(&self.db, &self.recall)
    }

    /// The connection, its clock and its batches.
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
        // What recall holds in memory may be of what was taken back.
        if ended.is_err() {
            self.recall.borrow_mut().forget();
        }
        ended
    }

    /// The database as the bytes of a file, without anything of what was deleted.
    ///
    /// # Errors
    ///
    /// `out_of_memory` where the module cannot hold a second copy.
    pub fn export(&self) -> Result<Vec<u8>> {
        let scratch = self.copied()?;
        ledger::leave_out(&scratch)?;
        bytes_of(scratch)
    }

    /// A copy that is to leave the memory. What is deleted from it is overwritten, as in the memory itself.
    fn copied(&self) -> Result<Connection> {
        // If the disk is full, the words of deleted texts are in it as they are in the memory.
        let _ = self.recall().purge();
        let mut scratch = Connection::open_in_memory()?;
        copy(self.db.connection(), &mut scratch)?;
        run(&scratch, "PRAGMA secure_delete = ON")?;
        Ok(scratch)
    }

    /// Writes what the log holds into the file and lets go of it.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written; what was committed is in the log and will be found there.
    pub fn close(self) -> Result<()> {
        // What was of use is good to know, and nothing that a close should fail for.
        let _ = self.recall().write_uses();
        // What is not removed now is removed after the next opening.
        let _ = self.recall().purge();
        let _ = self.shrink();
        self.db.close()
    }
}

/// The bytes of a copy that leaves the memory, with nothing in them of what was deleted.
fn bytes_of(mut scratch: Connection) -> Result<Vec<u8>> {
    let keeps_free_pages = free_pages(&scratch)? > 0 && !vacuum(&scratch)?;
    let mut file = scratch.serialize("main")?.to_vec();
    if keeps_free_pages {
        zero_free_pages_in(&mut file);
    }
    zero_unallocated_in(&mut file);
    Ok(file)
}
