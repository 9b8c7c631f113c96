//! Exports and imports whole databases, as the bytes of an SQLite file.
//!
//! An imported file is first opened, checked, converted and migrated in memory. Only then are its pages copied over the
//! live database, in one transaction. Until that commits, nothing has changed.

use std::rc::Rc;

use rusqlite::Connection;
use serde::Serialize;
use tsify::Tsify;

use super::incoming::{not_a_memory, read_file};
use super::opening::{newer_schema, steps_to_known, with_stored};
use super::{Memory, bookkeeping, bytes_of, ids, ledger};
use crate::db::{check_integrity, copy, rebuilt};
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::foreign::settle;
use crate::migrate::runner::{self, Run, State};
use crate::migrate::schema::Differences;
use crate::migrate::symbol::place;
use crate::migrate::{Graph, LeftOut, adopt, history, schema};
use crate::recall::repair;

/// What to do with a file that has triggers, views, virtual tables or other declarations of another program that affect
/// the tables of a memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Foreign {
    /// Import it without them.
    #[default]
    LeaveOut,
    /// Reject it.
    Refuse,
}

/// Where a database that replaces the memory comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A file that any program may have written.
    File(Foreign),
    /// A backup of this memory.
    Backup,
}

/// What an import or a restored backup did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// The revisions that were applied to the file, in order.
    pub applied: Vec<String>,
    /// What the file declared and was left out of the memory.
    pub left_out: Vec<LeftOut>,
}

impl Memory {
    /// The database as the bytes of a file at exactly this revision: with the revisions that it builds on, and no
    /// others. The history is left out, so the file is as Alembic itself would have left it.
    ///
    /// # Errors
    ///
    /// `unknown_revision`, `unknown_symbol`; `out_of_memory` if the module cannot hold a second copy.
    pub fn export_at(&mut self, revision: &str) -> Result<Vec<u8>> {
        let mut scratch = self.copied()?;
        let current = runner::current(&scratch)?;
        let graph = self.graph();
        let wanted = graph.resolve(revision, &current)?;
        let steps = graph.between(&current, &graph.ancestors(&wanted));
        let mut run = Run { clock: self.db.clock(), progress: &mut |_| {} };
        runner::run(&mut scratch, &steps, &wanted, &mut run)?;
        history::drop_tables(&scratch)?;
        // Data of later revisions must not be readable in free pages.
        bytes_of(scratch)
    }

    /// Fills a memory that keeps nothing with the contents of a file. Nothing is migrated.
    ///
    /// # Errors
    ///
    /// `not_a_database`, `corrupt_database`.
    pub fn load(&mut self, file: Vec<u8>) -> Result<()> {
        self.recall.get_mut().forget();
        let source = self.read(file)?;
        self.db.replace_contents(source)
    }

    /// Replaces the whole database with a file that is brought to head. The current database is backed up first.
    ///
    /// # Errors
    ///
    /// Those of [`Memory::import_with`].
    pub fn import(&mut self, file: Vec<u8>) -> Result<Imported> {
        self.import_with(file, Foreign::LeaveOut)
    }

    /// The same, with a choice of what to do with the declarations of another program.
    ///
    /// # Errors
    ///
    /// `not_a_database`, `corrupt_database`, `unversioned_database`, `newer_schema`, `unknown_revision`,
    /// `schema_mismatch`, `migration_failed`, `unexpected_value` for a row that does not fit or has an id that is out
    /// of range, `quota_exceeded`. On any error the memory is unchanged.
    pub fn import_with(&mut self, file: Vec<u8>, foreign: Foreign) -> Result<Imported> {
        // SQLite's check misses damage that a later write to the page makes worse. Rows that are read and written again
        // into new pages leave it behind, and with it whatever was deleted.
        let source = self.read(file).and_then(|source| Ok(rebuilt(&source)?.unwrap_or(source)));
        let prepared = source.and_then(|source| self.prepared(source, Origin::File(foreign)));
        let imported = prepared.map_err(of_file).and_then(|prepared| self.replace(prepared));
        self.answered(imported)
    }

    /// Replaces the whole database with a backup that is brought to head. The current database is backed up first.
    ///
    /// # Errors
    ///
    /// `not_found`, and those of [`Memory::import`].
    pub fn restore(&mut self, id: &str) -> Result<Imported> {
        let prepared = self.read_backup(id).and_then(|source| self.prepared(source, Origin::Backup));
        let imported = prepared.map_err(|error| of_backup(error, id)).and_then(|prepared| self.replace(prepared));
        self.answered(imported)
    }

    fn read(&self, file: Vec<u8>) -> Result<Connection> {
        read_file(file, &|| schema::names(self.graph()))
    }

    /// Copies a backup into memory.
    fn read_backup(&self, id: &str) -> Result<Connection> {
        let mut source = Connection::open_in_memory()?;
        copy(&self.backups_folder()?.open(id)?, &mut source)?;
        check_integrity(&source, &|| schema::names(self.graph()))?;
        Ok(source)
    }

    /// Brings a database whose integrity was checked to head. The memory is not changed, so an error is the source's.
    fn prepared(&mut self, mut source: Connection, origin: Origin) -> Result<(Connection, Imported)> {
        self.db.check_writable()?;
        let graph = &*Rc::clone(&self.migrations.graph);
        let (current, left_out) = settled(&mut source, graph, origin)?;
        ids::check(&source)?;
        let steps = graph.upgrade(&current, "heads")?;
        // Its schema matches the revisions as they are now, so the texts from which they were applied do not matter: a
        // backup from before an accepted edit can still be restored.
        history::reconcile(&source, &graph.applied_at(&current))?;
        let heads = steps.last().map_or(current, |step| step.heads.clone());
        let mut run = Run { clock: self.db.clock(), progress: &mut *self.migrations.progress };
        let applied = runner::run(&mut source, &steps, &heads, &mut run)?;
        // Only after the migration are these the memory's own tables: a file at an earlier revision may have others of
        // the same names.
        bookkeeping::check(&source)?;
        if origin != Origin::Backup {
            repair::reset(&source)?;
        }
        Ok((source, Imported { applied, left_out }))
    }

    /// Replaces the database with one that was prepared.
    fn replace(&mut self, (source, imported): (Connection, Imported)) -> Result<Imported> {
        ledger::take_over(self.db.connection(), &source)?;
        self.ledger.enter(&source, &imported)?;
        // Pages of another size are copied with a rollback journal. If its last flush fails, the copy may or may not be
        // in the file, so a failure does not discard the backup.
        let replaced = self.backed_up(false, |memory| memory.db.replace_contents(source));
        self.recall.get_mut().forget();
        replaced?;
        Ok(imported)
    }
}

/// Gives a file the schema of the revisions that it is at, with its rows and its additional tables. Returns these
/// revisions, and the declarations that are left out.
fn settled(source: &mut Connection, graph: &Graph, origin: Origin) -> Result<(Vec<String>, Vec<LeftOut>)> {
    let (current, left_out) = match runner::state(source)? {
        State::Empty => return Err(not_a_memory("it is empty")),
        State::Unversioned => {
            let found = adopt::find(source, graph, &schema::compare_loosely)?;
            let left_out = settle(source, graph, &found.heads, found.differences)?;
            let adoption = adopt::find(source, graph, &schema::differences)?;
            (vec![adopt::adopt(source, graph, adoption)?], left_out)
        }
        State::Versioned(current) => {
            // Checks that the revisions are known before the schema is compared with them.
            check_known(source, graph, &current)?;
            graph.check_rows(&current)?;
            let found = schema::compare_loosely(source, graph, &current)?;
            if !(found.conflicts.is_empty() && found.tables.is_empty()) {
                return Err(found.error(&place(&current)));
            }
            let left_out = settle(source, graph, &current, found)?;
            // The file may not match the revision that it says it is at, so missing indexes are created.
            for index in schema::compare(source, graph, &current)? {
                source.execute_batch(&index)?;
            }
            (current, left_out)
        }
    };
    if origin == Origin::File(Foreign::Refuse) && !left_out.is_empty() {
        let conflicts = left_out.iter().map(LeftOut::conflict).collect();
        return Err(Differences { conflicts, ..Differences::default() }.error(&place(&current)));
    }
    Ok((current, left_out))
}

/// Rejects a file at revisions that are not known: as newer if it holds their scripts.
fn check_known(source: &Connection, graph: &Graph, current: &[String]) -> Result<()> {
    let Err(unknown) = graph.check_known(current) else { return Ok(()) };
    let newer = || -> Result<Error> {
        let whole = with_stored(graph, source, false)?;
        let (steps, current) = steps_to_known(&whole, graph, source)?;
        let hint = "Pass all of the app's `migrations` to Memory.open, or load its newest version.";
        Ok(newer_schema("The file", graph, &steps, &current, hint))
    };
    // The history in a file of another program can hold anything. If it is unusable, the revisions are only unknown.
    Err(newer().unwrap_or(unknown))
}

/// Blames the file, and not the memory, for damage and for an internal error: the same statements work with undamaged
/// files.
fn of_file(error: Error) -> Error {
    const HINT: &str = "The memory is unchanged. Choose another file, or an older copy of this one.";
    match error.code() {
        ErrorCode::CorruptDatabase => error.of_damaged("The file").with_hint(HINT),
        ErrorCode::Internal => {
            let message =
                format!("The file is damaged, or holds something that cannot be imported: {}.", error.reason());
            error.recast(ErrorCode::CorruptDatabase, message).with_hint(HINT)
        }
        _ => error,
    }
}

/// Blames the backup. What is not a database any more is damaged, because a backup was one when it was made.
fn of_backup(error: Error, id: &str) -> Error {
    match error.code() {
        ErrorCode::CorruptDatabase | ErrorCode::NotADatabase | ErrorCode::Internal => error
            .of_damaged(&format!("The backup \"{id}\""))
            .with_hint("The memory is unchanged. Restore another backup, or import an exported file."),
        _ => error,
    }
}
