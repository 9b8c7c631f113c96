//! The feed of changes: what commits changed, whoever made the change.
//!
//! SQLite's update hook reports each row that a statement or one of its triggers changes. Changes that are rolled back,
//! whole or to a savepoint, are not reported. Consecutive rows are one [`Run`], so a large insert is one entry and
//! costs one comparison per row.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::Action;
use serde::Serialize;
use tsify::Tsify;

use crate::error::Result;
use crate::tables::is_ours;

/// How many tables can be watched at most.
pub const MAX_TABLES: usize = 8;
/// How many runs are kept at most until they are taken.
pub const MAX_RUNS: usize = 1000;
/// How many rows are reported by key at most.
pub const MAX_KEYS: usize = 1000;

/// How many of an app's own tables are reported at most.
pub const MAX_OWN: usize = 100;

/// What happened to a row.
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

/// Rows of one table with consecutive rowids that were changed in the same way, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The table's index in the list of watched tables.
    pub table: usize,
    /// What happened to them.
    pub kind: ChangeKind,
    /// The lowest rowid.
    pub first: i64,
    /// The highest rowid.
    pub last: i64,
}

impl Run {
    /// Adds the row to the run if it continues it; returns whether the row is in the run.
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

/// A deleted row of the table whose rows are identified by a key: its rowid, and its key if that was recorded.
pub type Deleted = (i64, Option<String>);

/// What changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// One bit for each watched table, by its index in the list.
    tables: u8,
    /// The rows, in the order in which they were changed.
    pub runs: Vec<Run>,
    /// The deleted rows of the table whose rows are identified by a key, in the order of their deletion.
    pub deleted: Vec<Deleted>,
    /// The app's own tables that changed, at most [`MAX_OWN`].
    pub own: Vec<String>,
    /// Whether more rows were changed than are listed here.
    pub missed: bool,
    /// Whether the database or its schema was replaced.
    pub replaced: bool,
}

impl Changed {
    /// Whether rows of this table were added, changed or deleted.
    pub fn has(&self, table: usize) -> bool {
        self.tables >> table & 1 == 1
    }

    fn note(&mut self, table: usize, kind: ChangeKind, row: i64, keyed: bool) {
        // A file of another program may have rowids that a JavaScript number cannot hold exactly.
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

    /// Appends later changes.
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

/// A point in the open transaction, to go back to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    tables: u8,
    missed: bool,
    runs: usize,
    last: Option<Run>,
    deleted: usize,
    own: usize,
}

/// The feed of one connection. Its hooks must be `Send`, hence the lock; there is only one thread.
#[derive(Default)]
pub(crate) struct Feed {
    tables: &'static [&'static str],
    /// The index of the table whose rows are identified by a key, not by rowid.
    keyed: usize,
    /// What the open transaction has changed.
    pending: Arc<Mutex<Changed>>,
    /// What was committed and has not been taken yet.
    committed: Mutex<Changed>,
}

fn lock(changed: &Mutex<Changed>) -> MutexGuard<'_, Changed> {
    changed.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Feed {
    /// A feed of changes to these tables, at most [`MAX_TABLES`]. `keyed` is the index of the table whose rows are
    /// identified by a key.
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

    /// Records the keys of rows that a statement has just deleted, in the order of their deletion. SQLite's hook
    /// receives only the rowids, and must not run statements.
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

    /// Records that these tables of the app's own are written to. SQLite's hook does not report tables without rowids.
    pub(crate) fn note_own(&self, tables: Vec<String>) {
        let mut pending = lock(&self.pending);
        tables.iter().for_each(|table| pending.note_own(table));
    }

    /// Records that all changes so far are committed, because no transaction is open.
    pub(crate) fn settle(&self) {
        lock(&self.committed).append(&mut lock(&self.pending));
    }

    /// Records that everything was replaced.
    pub(crate) fn replace(&self) {
        lock(&self.committed).replaced = true;
    }

    /// The current point in the open transaction, to go back to.
    pub(crate) fn mark(&self) -> Mark {
        let Changed { tables, missed, ref runs, ref deleted, ref own, .. } = *lock(&self.pending);
        let last = runs.last().copied();
        Mark { tables, missed, runs: runs.len(), last, deleted: deleted.len(), own: own.len() }
    }

    /// Records that the open transaction went back to a point.
    pub(crate) fn go_back(&self, to: Mark) {
        let mut pending = lock(&self.pending);
        (pending.tables, pending.missed) = (to.tables, to.missed);
        pending.deleted.truncate(to.deleted);
        pending.own.truncate(to.own);
        pending.runs.truncate(to.runs);
        // The last run may have grown since.
        if let (Some(last), Some(was)) = (pending.runs.last_mut(), to.last) {
            *last = was;
        }
    }

    /// What was committed since the last call; `None` if nothing was.
    pub(crate) fn take(&self) -> Option<Changed> {
        let changed = std::mem::take(&mut *lock(&self.committed));
        (changed != Changed::default()).then_some(changed)
    }
}
