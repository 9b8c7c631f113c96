//! Opens a memory and brings it to head, from whichever revision its file is at.

use std::cell::RefCell;

use rusqlite::Connection;

use super::Memory;
use super::ids;
use super::ledger::Ledger;
use super::migrations::{Migrations, OnNewerSchema, to_heads};
use crate::db::{Clock, Db, Durability, Location};
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::runner::{self, Applied, Need, State};
use crate::migrate::symbol::place;
use crate::migrate::{Graph, Revision, Step, adopt, history, schema};
use crate::tables::MemoryTable;

impl Memory {
    /// Opens a file, or creates it, and brings its schema to head. A file that is not empty is backed up before.
    ///
    /// # Errors
    ///
    /// Those of [`Memory::open_as_is`] and of [`Memory::bring_to_head`]. On any error the file is unchanged.
    pub fn open(location: Location<'_>, durability: Durability, clock: Clock, migrations: Migrations) -> Result<Self> {
        let mut memory = Self::open_as_is(location, durability, clock, migrations)?;
        memory.bring_to_head()?;
        Ok(memory)
    }

    /// Opens a file, or creates it, and leaves its schema to [`Memory::bring_to_head`].
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
        let mut db = Db::open(location, durability, clock)?;
        db.watch(&MemoryTable::NAMES, MemoryTable::LongTerm as usize)?;
        Ok(Self { db, migrated: Vec::new(), migrations, recall: RefCell::default(), ledger: Ledger::new(clock) })
    }

    /// Opens a memory that is not stored in a file.
    ///
    /// # Errors
    ///
    /// Only if SQLite itself cannot start.
    pub fn in_memory(clock: Clock) -> Result<Self> {
        Self::open(Location::Memory, Durability::Strict, clock, Migrations::new(Graph::bundled()))
    }

    /// What the file needs before it can be used.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn need(&self) -> Result<Need> {
        runner::need(self.db.connection(), &self.heads(), &mut self.graph().revisions().iter())
    }

    /// Brings the schema to the heads, from whichever revision it is at. [`Memory::migrated`] then returns what was
    /// applied.
    ///
    /// # Errors
    ///
    /// Those of [`Memory::upgrade`]; `newer_schema`, `unknown_revision`, `unversioned_database`, `edited_revision`;
    /// `unexpected_value` for a row with an id that is out of range. On any error the file is unchanged.
    pub fn bring_to_head(&mut self) -> Result<()> {
        ids::check(self.db.connection())?;
        if self.need()? != Need::Nothing {
            self.migrated = self.migrate_to_head().map_err(of_opening)?;
        }
        self.forget_requests()
    }

    fn migrate_to_head(&mut self) -> Result<Applied> {
        match runner::state(self.db.connection())? {
            State::Unversioned => {
                let adoption = adopt::find(self.db.connection(), self.graph(), &schema::differences)?;
                self.backed_up(true, |memory| {
                    adopt::adopt(memory.db.connection_mut(), &memory.migrations.graph, adoption)?;
                    memory.migrate(false, &to_heads)
                })
            }
            State::Versioned(_) if self.is_newer()? => self.meet_newer(),
            State::Empty | State::Versioned(_) => self.migrate(true, &to_heads),
        }
    }

    fn is_newer(&self) -> Result<bool> {
        let graph = self.graph();
        Ok(self.revisions()?.iter().any(|id| graph.get(id).is_none()))
    }

    /// Handles a file at a revision that is not known here.
    fn meet_newer(&mut self) -> Result<Applied> {
        let connection = self.db.connection();
        let whole = with_stored(&self.migrations.graph, connection, false)?;
        let (steps, current) = steps_to_known(&whole, &self.migrations.graph, connection)?;
        match self.migrations.on_newer {
            OnNewerSchema::Error => {
                Err(newer_schema("The memory", self.graph(), &steps, &current, ErrorCode::NewerSchema.hint()))
            }
            OnNewerSchema::ReadOnly => self.db.make_read_only().map(|()| Applied::new()),
            OnNewerSchema::Downgrade => {
                let heads = steps.last().map(|step| step.heads.clone()).unwrap_or_default();
                self.backed_up(true, |memory| {
                    memory.run(&steps, &heads)?;
                    memory.migrate(false, &to_heads)
                })
            }
        }
    }
}

/// An opening that fails leaves no memory to call `redo` or `accept` on, so the hint names how to open one.
fn of_opening(error: Error) -> Error {
    if error.code() != ErrorCode::EditedRevision {
        return error;
    }
    error.with_hint(
        "Restore its text and add a new revision. Or open once with Memory.open({ migrations, upgrade: false }) and \
         call migrations.redo(revision) if no one else has applied it yet, or migrations.accept(revision) if the schema \
         is the same. While developing, Memory.delete(url) starts again.",
    )
}

/// The known revisions and those that are stored in the file. If `as_applied`, known revisions also have the texts that
/// are stored in the file.
#[inline(never)]
pub(super) fn with_stored(graph: &Graph, connection: &Connection, as_applied: bool) -> Result<Graph> {
    let mut revisions = graph.revisions().to_vec();
    for entry in history::read(connection)? {
        match revisions.iter_mut().find(|revision| revision.id == entry.revision) {
            Some(known) if as_applied => *known = Revision::parse(&entry.file, &entry.text)?,
            Some(_) => {}
            None => revisions.push(Revision::parse(&entry.file, &entry.text)?),
        }
    }
    Graph::from_revisions(revisions)
}

/// The error for a file at revisions whose scripts it holds and that are not known here.
pub(super) fn newer_schema(
    file: &str,
    known: &Graph,
    steps: &[Step<'_>],
    current: &[String],
    hint: &'static str,
) -> Error {
    let newer: Vec<String> =
        steps.iter().map(|step| format!("{} ({})", step.revision.id, step.revision.title)).collect();
    let message = format!("{file} is at {}, newer than this app, which lacks {}.", place(current), newer.join(", "));
    let error = Error::new(ErrorCode::NewerSchema, message);
    let squash = known
        .revisions()
        .iter()
        .find(|revision| revision.squashes.iter().any(|id| current.contains(id) && *id != revision.id));
    match squash {
        Some(Revision { id, file, .. }) => error.with_hint(format!(
            "A squash ({file}) replaces it: open the memory once with a version of the app from before the \
             squash, which migrates it to {id}."
        )),
        None => error.with_hint(hint),
    }
}

/// The steps that downgrade a file to known revisions, and the revisions that it is at now.
pub(super) fn steps_to_known<'g>(
    whole: &'g Graph,
    known: &Graph,
    connection: &Connection,
) -> Result<(Vec<Step<'g>>, Vec<String>)> {
    let current = runner::current(connection)?;
    whole.check_known(&current)?;
    let mut wanted = whole.ancestors(&current);
    wanted.retain(|id| known.get(id).is_some());
    Ok((whole.between(&current, &wanted), current))
}
