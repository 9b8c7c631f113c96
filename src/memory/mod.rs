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

mod transfer;

use rusqlite::Connection;

use crate::db::{Clock, Db, Durability, Location, ask};
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::backup::{Backup, Backups};
use crate::migrate::{Graph, runner, schema};
use episodes::Episode;
use long_term::Entry;
use semantic::SemanticMemory;
use table::Rows;
use turns::Turn;
use uncertainty::Uncertainty;

/// One opened database and the calls on it.
pub struct Memory {
    db: Db,
    graph: Graph,
    backups: Option<Backups>,
    migrated: runner::Applied,
    backup: Option<Backup>,
}

impl Memory {
    /// Opens a file, or creates it, and brings its schema to head, after a backup where it holds anything.
    ///
    /// # Errors
    ///
    /// Those of [`Memory::open_as_is`] and of [`Memory::upgrade`]. The file is then as it was.
    pub fn open(
        location: Location<'_>,
        durability: Durability,
        clock: Clock,
        graph: Graph,
        backups: Option<Backups>,
    ) -> Result<Self> {
        let mut memory = Self::open_as_is(location, durability, clock, graph, backups)?;
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
        graph: Graph,
        backups: Option<Backups>,
    ) -> Result<Self> {
        let db = Db::open(location, durability, clock)?;
        Ok(Self { db, graph, backups, migrated: Vec::new(), backup: None })
    }

    /// Brings the schema to head; what it applied is what [`Memory::migrated`] tells.
    ///
    /// # Errors
    ///
    /// As for [`Memory::upgrade`].
    pub fn bring_to_head(&mut self) -> Result<()> {
        self.migrated = self.upgrade("head")?;
        Ok(())
    }

    /// Whether the memory holds anything and is not at head, so that [`Memory::bring_to_head`] will keep a backup.
    ///
    /// # Errors
    ///
    /// As for [`runner::current`].
    pub fn is_behind(&self) -> Result<bool> {
        Ok(!is_empty(self.db.connection())? && self.revision()?.as_deref() != self.graph.head())
    }

    /// A memory that keeps nothing.
    ///
    /// # Errors
    ///
    /// Only where SQLite itself cannot start.
    pub fn in_memory(clock: Clock) -> Result<Self> {
        Self::open(Location::Memory, Durability::Strict, clock, Graph::bundled(), None)
    }

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

    /// The revisions this memory knows.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The revision the file is at; `None` for the base.
    ///
    /// # Errors
    ///
    /// As for [`runner::current`].
    pub fn revision(&self) -> Result<Option<String>> {
        runner::current(self.db.connection())
    }

    /// The ids of the revisions that opening it applied.
    pub fn migrated(&self) -> &[String] {
        &self.migrated
    }

    /// Takes the schema up to a revision, after a backup.
    ///
    /// # Errors
    ///
    /// As for [`runner::upgrade`]; `quota_exceeded` where there is no room for the backup.
    pub fn upgrade(&mut self, target: &str) -> Result<runner::Applied> {
        self.migrate(target, runner::upgrade)
    }

    /// Takes the schema down to a revision, after a backup.
    ///
    /// # Errors
    ///
    /// As for [`Memory::upgrade`].
    pub fn downgrade(&mut self, target: &str) -> Result<runner::Applied> {
        self.migrate(target, runner::downgrade)
    }

    /// Writes down that the schema is at a revision, without touching it.
    ///
    /// # Errors
    ///
    /// `unknown_revision`; `schema_mismatch` where it is not that revision's.
    pub fn stamp(&mut self, target: &str) -> Result<()> {
        let from = self.graph.position(self.revision()?.as_deref())?;
        let to = self.graph.id_at(self.graph.resolve(target, from)?).map(str::to_owned);
        schema::compare(self.db.connection(), &self.graph, to.as_deref())?;
        runner::stamp(self.db.connection_mut(), &self.graph, target)
    }

    fn migrate(
        &mut self,
        target: &str,
        run: fn(&mut Connection, &Graph, &str) -> Result<runner::Applied>,
    ) -> Result<runner::Applied> {
        let from = self.graph.position(self.revision()?.as_deref())?;
        if self.graph.resolve(target, from)? != from {
            self.take_backup()?;
        }
        run(self.db.connection_mut(), &self.graph, target)
    }

    /// The backups that are kept, newest first; none of a memory that keeps nothing.
    ///
    /// # Errors
    ///
    /// Where the storage cannot be read.
    pub fn backups(&self) -> Result<Vec<Backup>> {
        self.backups.as_ref().map_or(Ok(Vec::new()), Backups::list)
    }

    /// The backup that was last made since the memory was opened.
    pub fn last_backup(&self) -> Option<&Backup> {
        self.backup.as_ref()
    }

    /// Keeps a verified copy of the database beside it, if it holds anything at all.
    fn take_backup(&mut self) -> Result<()> {
        let Some(backups) = &self.backups else { return Ok(()) };
        let connection = self.db.connection();
        if !is_empty(connection)? {
            self.backup = Some(backups.take(connection, self.db.now())?);
        }
        Ok(())
    }

    /// Writes what the log holds into the file and lets go of it.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written; what was committed is in the log and will be found there.
    pub fn close(self) -> Result<()> {
        self.db.close()
    }
}

fn is_empty(connection: &Connection) -> Result<bool> {
    ask(connection, "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)")
}

/// The error for a database that is to be replaced by one that cannot be understood.
fn foreign(why: &str) -> Error {
    Error::new(ErrorCode::NotADatabase, format!("The file is not a memory: {why}."))
}
