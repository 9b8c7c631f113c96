//! What commits changed: one feed, from SQLite itself, whoever made the change.
//!
//! SQLite's update hook reports each row that a statement touches, and those that its triggers touch. What a transaction took
//! back is not reported: neither by a rollback nor by one to a savepoint. Rows that follow each other are one [`Run`], so
//! that a large insert costs a comparison for each row and is one entry.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::Action;
use serde::Serialize;
use tsify::Tsify;

use crate::error::Result;
use crate::tables::is_ours;

/// The most tables that can be watched.
pub const MAX_TABLES: usize = 8;
/// The most runs that are kept until they are taken.
pub const MAX_RUNS: usize = 1000;
/// The most rows that are reported by key.
pub const MAX_KEYS: usize = 1000;

/// The most tables of an app's own that are told of.
pub const MAX_OWN: usize = 100;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It was added.
    Insert,
    /// It was changed.
    Update,
    /// It was deleted.
    Delete,
}

/// Rows of one table with consecutive rowids that were changed alike, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The table's place in the list of those that are watched.
    pub table: usize,
    /// What became of them.
    pub kind: ChangeKind,
    /// The lowest rowid.
    pub first: i64,
    /// The highest.
    pub last: i64,
}

impl Run {
    /// Makes the row a part of the run, and returns whether it is one.
    fn take(&mut self, table: usize, kind: ChangeKind, row: i64) -> bool {
        if self.table != table || self.kind != kind {
            return false;
        }
        if self.last < row && self.last + 1 == row {
            self.last = row;
        } else if row < self.first && row + 1 == self.first {
            self.first = row;
        }
        (self.first..=self.last).contains(&row)
    }
}

/// A deleted row of the table whose rows are known by key: its rowid, and its key where that was noted.
pub type Deleted = (i64, Option<String>);

/// What changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// A bit for each table, by its place in the list.
    tables: u8,
    /// The rows, in the order in which they were changed.
    pub runs: Vec<Run>,
    /// Of the table whose rows are known by key, each that was deleted, in that order.
    pub deleted: Vec<Deleted>,
    /// The tables of the app's own that changed; no more than [`MAX_OWN`] of them.
    pub own: Vec<String>,
    /// Whether there were more rows than these.
    pub missed: bool,
    /// Whether another database, or another schema, took the place of the one that was there.
    pub replaced: bool,
}

impl Changed {
    /// Whether rows of this table were added, changed or deleted.
    pub fn has(&self, table: usize) -> bool {
        self.tables >> table & 1 == 1
    }

    fn note(&mut self, table: usize, kind: ChangeKind, row: i64, keyed: bool) {
        // JavaScript's numbers do not hold every rowid that a file from elsewhere may have.
        const LIMIT: u64 = 1 << 53;
        self.tables |= 1 << table;
        if row.unsigned_abs() >= LIMIT {
            self.missed = true;
            return;
        }
        if keyed && kind == ChangeKind::Delete {
            if self.deleted.len() < MAX_KEYS {
                self.deleted.push((row, None));
            } else {
                self.missed = true;
            }
        }
        if self.runs.last_mut().is_some_and(|last| last.take(table, kind, row)) {
            return;
        }
        if self.runs.len() < MAX_RUNS {
            self.runs.push(Run { table, kind, first: row, last: row });
        } else {
            self.missed = true;
        }
    }

    fn note_own(&mut self, table: &str) {
        if self.own.len() < MAX_OWN && !self.own.iter().any(|name| name == table) {
            self.own.push(table.to_owned());
        }
    }

    /// Adds what was changed after this.
    fn append(&mut self, later: &mut Self) {
        later.own.drain(..).for_each(|table| self.note_own(&table));
        self.tables |= std::mem::take(&mut later.tables);
        self.missed |= std::mem::take(&mut later.missed);
        self.missed |= self.runs.len() + later.runs.len() > MAX_RUNS;
        self.missed |= self.deleted.len() + later.deleted.len() > MAX_KEYS;
        self.runs.append(&mut later.runs);
        self.deleted.append(&mut later.deleted);
        self.runs.truncate(MAX_RUNS);
        self.deleted.truncate(MAX_KEYS);
    }
}

/// Where the open transaction is, to go back to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    tables: u8,
    missed: bool,
    runs: usize,
    last: Option<Run>,
    deleted: usize,
    own: usize,
}

/// The feed of one connection. SQLite wants its hooks to be `Send`, hence the lock; there is one thread.
#[derive(Default)]
pub(crate) struct Feed {
    tables: &'static [&'static str],
    /// The table whose rows are known by key, not by rowid.
    keyed: usize,
    /// What the transaction that is open has changed.
    pending: Arc<Mutex<Changed>>,
    /// What was committed and not yet taken.
    committed: Mutex<Changed>,
}

fn lock(changed: &Mutex<Changed>) -> MutexGuard<'_, Changed> {
    changed.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Feed {
    /// A feed of changes to these tables, [`MAX_TABLES`] at most, of which `keyed` has its rows known by key.
    pub(crate) fn of(tables: &'static [&'static str], keyed: usize) -> Self {
        debug_assert!(tables.len() <= MAX_TABLES);
        Self { tables, keyed, ..Self::default() }
    }

    /// Listens to a connection.
    pub(crate) fn listen(&self, connection: &mut Connection) -> Result<()> {
        let (tables, keyed, pending) = (self.tables, self.keyed, Arc::clone(&self.pending));
        connection.update_hook(Some(move |action: Action, _: &str, changed: &str, row: i64| {
            let Some(at) = tables.iter().position(|table| *table == changed) else {
                if !is_ours(changed) {
                    lock(&pending).note_own(changed);
                }
                return;
            };
            let kind = match action {
                Action::SQLITE_INSERT => ChangeKind::Insert,
                Action::SQLITE_DELETE => ChangeKind::Delete,
                _ => ChangeKind::Update,
            };
            lock(&pending).note(at, kind, row, at == keyed);
        }))?;
        let pending = Arc::clone(&self.pending);
        Ok(connection.rollback_hook(Some(move || *lock(&pending) = Changed::default()))?)
    }

    /// Notes the keys of rows that a statement has just deleted, in the order of their deletion. SQLite's hook has only the
    /// rowids, and may not run statements.
    pub(crate) fn name_deleted(&self, named: Vec<Deleted>) {
        let mut pending = lock(&self.pending);
        let begin = pending.deleted.iter().rposition(|(_, key)| key.is_some()).map_or(0, |last| last + 1);
        let mut unnamed = pending.deleted[begin..].iter_mut();
        for (row, key) in named {
            if let Some(deleted) = unnamed.find(|deleted| deleted.0 == row) {
                deleted.1 = key;
            }
        }
    }

    /// Notes that these tables of the app's own are written to: of a table without rowids, SQLite's hook says nothing.
    pub(crate) fn note_own(&self, tables: Vec<String>) {
        let mut pending = lock(&self.pending);
        tables.iter().for_each(|table| pending.note_own(table));
    }

    /// Notes that what was changed so far is committed, as no transaction is open.
    pub(crate) fn settle(&self) {
        lock(&self.committed).append(&mut lock(&self.pending));
    }

    /// Notes that everything was replaced.
    pub(crate) fn replace(&self) {
        lock(&self.committed).replaced = true;
    }

    /// Where the open transaction is, to go back to.
    pub(crate) fn mark(&self) -> Mark {
        let Changed { tables, missed, ref runs, ref deleted, ref own, .. } = *lock(&self.pending);
        let last = runs.last().copied();
        Mark { tables, missed, runs: runs.len(), last, deleted: deleted.len(), own: own.len() }
    }

    /// Notes that the open transaction went back to where it was.
    pub(crate) fn go_back(&self, to: Mark) {
        let mut pending = lock(&self.pending);
        (pending.tables, pending.missed) = (to.tables, to.missed);
        pending.deleted.truncate(to.deleted);
        pending.own.truncate(to.own);
        pending.runs.truncate(to.runs);
        // It may have grown since.
        if let (Some(last), Some(was)) = (pending.runs.last_mut(), to.last) {
            *last = was;
        }
    }

    /// What was committed since this was last called; none if that is nothing.
    pub(crate) fn take(&self) -> Option<Changed> {
        let changed = std::mem::take(&mut *lock(&self.committed));
        (changed != Changed::default()).then_some(changed)
    }
}
