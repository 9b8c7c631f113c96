//! An open memory: its tables, its revision, its export and import.

mod cursor;

pub mod fields;

pub mod search;

mod statements;

pub mod table;

pub mod turns;

pub mod episodes;

pub mod long_term;

pub mod uncertainty;

pub mod semantic;

pub mod query;

#[cfg(not(feature = "whole"))]
mod at_head;
#[cfg(feature = "whole")]
mod backups;
#[cfg(feature = "whole")]
mod migrations;
#[cfg(feature = "whole")]
mod transfer;
#[cfg(feature = "whole")]
mod verify;

#[cfg(feature = "whole")]
pub use migrations::{Migrations, OnNewerSchema};
#[cfg(feature = "whole")]
pub use verify::{Standing, Verified};

#[cfg(feature = "whole")]
use std::cell::RefCell;

use rusqlite::Connection;

use crate::db::{Clock, Db, Durability, Location, copy};
use crate::error::Result;
#[cfg(feature = "whole")]
use crate::migrate::Graph;
use crate::migrate::runner;
#[cfg(feature = "whole")]
use crate::recall::{self, Recall};
use episodes::Episode;
use long_term::Entry;
use semantic::SemanticMemory;
use table::Rows;
use turns::Turn;
use uncertainty::Uncertainty;

/// One opened database and the calls on it.
pub struct Memory {
    db: Db,
    migrated: runner::Applied,
    #[cfg(feature = "whole")]
    migrations: Migrations,
    #[cfg(feature = "whole")]
    recall: RefCell<recall::State>,
    #[cfg(not(feature = "whole"))]
    heads: Vec<String>,
}

#[cfg(feature = "whole")]
impl Memory {
    /// Opens a file, or creates it, and brings its schema to head, after a backup where it holds anything.
    ///
    /// # Errors
    ///
    /// Those of [`Memory::open_as_is`] and of [`Memory::bring_to_head`]. The file is then as it was.
    pub fn open(location: Location<'_>, durability: Durability, clock: Clock, migrations: Migrations) -> Result<Self> {
        let mut memory = Self::open_as_is(location, durability, clock, migrations)?;
        memory.bring_to_head()?;
        Ok(memory)
    }

    /// Opens a file, or creates it, and leaves its schema for [`Memory::bring_to_head`].
    ///
    /// # Errors
    ///
    /// Those of [`Db::open`].
    pub fn open_as_is(
        location: Location<'_>,
        durability: Durability,
        clock: Clock,
        migrations: Migrations,
    ) -> Result<Self> {
        let db = Db::open(location, durability, clock)?;
        Ok(Self { db, migrated: Vec::new(), migrations, recall: RefCell::default() })
    }

    /// Search over everything remembered.
    pub fn recall(&self) -> Recall<'_> {
        Recall::new(&self.db, &self.recall)
    }

    /// A memory that keeps nothing.
    ///
    /// # Errors
    ///
    /// Only where SQLite itself cannot start.
    pub fn in_memory(clock: Clock) -> Result<Self> {
        Self::open(Location::Memory, Durability::Strict, clock, Migrations::new(Graph::bundled()))
    }
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
        let ended = self.db.end_batch();
        // What recall holds in memory may be of what was taken back.
        #[cfg(feature = "whole")]
        if ended.is_err() {
            self.recall.borrow_mut().forget();
        }
        ended
    }

    /// The revisions the file is at, sorted; none at the base.
    ///
    /// # Errors
    ///
    /// As for [`runner::current`].
    pub fn revisions(&self) -> Result<Vec<String>> {
        runner::current(self.db.connection())
    }

    /// The ids of the revisions that opening it applied.
    pub fn migrated(&self) -> &[String] {
        &self.migrated
    }

    /// The database as the bytes of a file.
    ///
    /// # Errors
    ///
    /// `out_of_memory` where the module cannot hold a second copy.
    pub fn export(&self) -> Result<Vec<u8>> {
        let mut scratch = Connection::open_in_memory()?;
        copy(self.db.connection(), &mut scratch)?;
        Ok(scratch.serialize("main")?.to_vec())
    }

    /// Writes what the log holds into the file and lets go of it.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written; what was committed is in the log and will be found there.
    pub fn close(self) -> Result<()> {
        // What was of use is good to know, and nothing that a close should fail for.
        #[cfg(feature = "whole")]
        let _ = self.recall().write_uses();
        self.db.close()
    }
}
