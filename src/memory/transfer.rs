//! Whole databases in and out, as the bytes of an SQLite file.
//!
//! A file that comes in is opened, checked, converted and migrated in memory first; only then are its pages copied over the
//! live database, in one transaction of the live database. Until that commits, nothing has changed.

use std::rc::Rc;

use rusqlite::Connection;
use serde::Serialize;
use tsify::Tsify;

use super::incoming::{not_a_memory, read_file};
use super::{Memory, bookkeeping, bytes_of, ids, ledger};
use crate::db::{check_integrity, copy};
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::foreign::settle;
use crate::migrate::runner::{self, Run, State};
use crate::migrate::schema::Differences;
use crate::migrate::symbol::place;
use crate::migrate::{Graph, LeftOut, adopt, history, schema};

/// What to do with a file that has triggers, views, virtual tables or declarations of another program's that act in the tables
/// of a memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Foreign {
    /// Import it without them.
    #[default]
    LeaveOut,
    /// Reject it.
    Refuse,
}

/// What an import or a restored backup did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// The revisions that were applied to the file, in order.
    pub applied: Vec<String>,
    /// What the file declared and the memory does not have.
    pub left_out: Vec<LeftOut>,
}

impl Memory {
    /// The database as the bytes of a file, at exactly this revision: what it builds on, and nothing beside it. Without the
    /// history, so that it is as Alembic itself would have left it.
    ///
    /// # Errors
    ///
    /// `unknown_revision`, `unknown_symbol`; `out_of_memory` where the module cannot hold a second copy.
    pub fn export_at(&mut self, revision: &str) -> Result<Vec<u8>> {
        let mut scratch = self.copied()?;
        let current = runner::current(&scratch)?;
        let graph = self.graph();
        let wanted = graph.resolve(revision, &current)?;
        let steps = graph.between(&current, &graph.ancestors(&wanted));
        let mut run = Run { clock: self.db.clock(), progress: &mut |_| {} };
        runner::run(&mut scratch, &steps, &wanted, &mut run)?;
        history::drop_tables(&scratch)?;
        // What a later revision held must not be readable in the free pages of an earlier one.
        bytes_of(scratch)
    }

    /// Begins a memory that keeps nothing with the contents of a file, as they are; nothing is migrated.
    ///
    /// # Errors
    ///
    /// `not_a_database`, `corrupt_database`.
    pub fn load(&mut self, file: Vec<u8>) -> Result<()> {
        self.recall.get_mut().forget();
        let source = self.read(file)?;
        self.db.replace_contents(source)
    }

    /// Replaces the whole database by a file's, brought to head; a backup of the present one is kept.
    ///
    /// # Errors
    ///
    /// Those of [`Memory::import_with`].
    pub fn import(&mut self, file: Vec<u8>) -> Result<Imported> {
        self.import_with(file, Foreign::LeaveOut)
    }

    /// The same, choosing what to do with what another program put into the file.
    ///
    /// # Errors
    ///
    /// `not_a_database`, `corrupt_database`, `unversioned_database`, `unknown_revision`, `schema_mismatch`, `migration_failed`,
    /// `unexpected_value` for a row that does not fit or has an id that is too large, `quota_exceeded`. On any error the memory
    /// is as it was.
    pub fn import_with(&mut self, file: Vec<u8>, foreign: Foreign) -> Result<Imported> {
        let imported = self.read(file).and_then(|source| self.replace(source, foreign)).map_err(of_file);
        self.answered(imported)
    }

    /// Replaces the whole database by a backup's, brought to head; a backup of the present one is kept.
    ///
    /// # Errors
    ///
    /// `not_found`, and those of [`Memory::import`].
    pub fn restore(&mut self, id: &str) -> Result<Imported> {
        let imported = self.read_backup(id).and_then(|source| self.replace(source, Foreign::LeaveOut));
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

    /// Replaces the database by one whose pages were found whole.
    fn replace(&mut self, mut source: Connection, foreign: Foreign) -> Result<Imported> {
        self.db.check_writable()?;
        let graph = &*Rc::clone(&self.migrations.graph);
        let (current, left_out) = settled(&mut source, graph, foreign)?;
        ids::check(&source)?;
        let steps = graph.upgrade(&current, "heads")?;
        // Its schema is that of the revisions as they are now, so from what texts they were applied does not matter: a
        // backup from before an edit that was accepted is a way back all the same.
        history::reconcile(&source, &graph.applied_at(&current))?;
        let heads = steps.last().map_or(current, |step| step.heads.clone());
        let mut run = Run { clock: self.db.clock(), progress: &mut *self.migrations.progress };
        let applied = runner::run(&mut source, &steps, &heads, &mut run)?;
        // Only now these tables are ours: a file at an earlier revision may have others of the same names.
        bookkeeping::check(&source)?;
        let imported = Imported { applied, left_out };
        ledger::take_over(self.db.connection(), &source)?;
        self.ledger.enter(&source, &imported)?;
        // Pages of another size go through a rollback journal, and where its last flush fails they may be there or not.
        let replaced = self.backed_up(false, |memory| memory.db.replace_contents(source));
        self.recall.get_mut().forget();
        replaced?;
        Ok(imported)
    }
}

/// Makes of a file what the revisions that it is at make, with its rows and with what it has in addition to them. Returns these
/// revisions, and what it declared that is left out.
fn settled(source: &mut Connection, graph: &Graph, foreign: Foreign) -> Result<(Vec<String>, Vec<LeftOut>)> {
    let (current, left_out) = match runner::state(source)? {
        State::Empty => return Err(not_a_memory("it is empty")),
        State::Unversioned => {
            let found = adopt::find(source, graph, &schema::compare_loosely)?;
            let left_out = settle(source, graph, &found.heads, found.differences)?;
            let adoption = adopt::find(source, graph, &schema::differences)?;
            (vec![adopt::adopt(source, graph, adoption)?], left_out)
        }
        State::Versioned(current) => {
            // Whether they are known, before anything is compared with them.
            graph.upgrade(&current, "heads")?;
            graph.check_rows(&current)?;
            let found = schema::compare_loosely(source, graph, &current)?;
            if !(found.conflicts.is_empty() && found.tables.is_empty()) {
                return Err(found.error(&place(&current)));
            }
            let left_out = settle(source, graph, &current, found)?;
            // What a file says it is may not be what it is.
            for index in schema::compare(source, graph, &current)? {
                source.execute_batch(&index)?;
            }
            (current, left_out)
        }
    };
    if foreign == Foreign::Refuse && !left_out.is_empty() {
        let conflicts = left_out.iter().map(LeftOut::conflict).collect();
        return Err(Differences { conflicts, ..Differences::default() }.error(&place(&current)));
    }
    Ok((current, left_out))
}

/// What SQLite does not understand of a file that somebody made is the file's fault: the same is done with sound ones.
fn of_file(error: Error) -> Error {
    if error.code() != ErrorCode::Internal {
        return error;
    }
    let message = format!("The file is damaged, or holds what no memory can take over: {}.", error.reason());
    error.recast(ErrorCode::CorruptDatabase, message)
}
