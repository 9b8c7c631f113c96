//! What commits changed: one feed, told by SQLite itself, whoever made the change.
//!
//! SQLite's update hook reports each row that a statement touches, and those that its triggers touch. What a transaction took
//! back is not reported: neither by a rollback nor by one to a savepoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rusqlite::Connection;

use crate::error::Result;

/// The most tables that can be watched.
pub const MAX_TABLES: usize = 7;
/// The bit that says that everything was replaced.
const REPLACED: u8 = 1 << MAX_TABLES;

/// Which of the watched tables changed, by their places in the list, a bit for each; and whether everything was replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed(u8);

impl Changed {
    /// Whether rows of this table were added, changed or deleted.
    pub fn has(self, table: usize) -> bool {
        self.0 >> table & 1 == 1
    }

    /// Whether another database, or another schema, took the place of the one that was there.
    pub fn is_replaced(self) -> bool {
        self.0 & REPLACED != 0
    }
}

/// The feed of one connection. SQLite wants its hooks to be `Send`, hence the atomics; there is one thread.
#[derive(Default)]
pub(crate) struct Feed {
    tables: &'static [&'static str],
    /// What the transaction that is open has changed.
    pending: Arc<AtomicU8>,
    /// What was committed and not yet taken.
    committed: AtomicU8,
}

impl Feed {
    /// A feed of changes to these tables, [`MAX_TABLES`] at most.
    pub(crate) fn of(tables: &'static [&'static str]) -> Self {
        debug_assert!(tables.len() <= MAX_TABLES);
        Self { tables, ..Self::default() }
    }

    /// Listens to a connection.
    pub(crate) fn listen(&self, connection: &mut Connection) -> Result<()> {
        let (tables, pending) = (self.tables, Arc::clone(&self.pending));
        connection.update_hook(Some(move |_, _: &str, changed: &str, _| {
            if let Some(at) = tables.iter().position(|table| *table == changed) {
                pending.fetch_or(1 << at, Ordering::Relaxed);
            }
        }))?;
        let pending = Arc::clone(&self.pending);
        Ok(connection.rollback_hook(Some(move || pending.store(0, Ordering::Relaxed)))?)
    }

    /// Notes that what was changed so far is committed, as no transaction is open.
    pub(crate) fn settle(&self) {
        self.committed.fetch_or(self.pending.swap(0, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Notes that everything was replaced.
    pub(crate) fn replace(&self) {
        self.committed.fetch_or(REPLACED, Ordering::Relaxed);
    }

    /// Where the open transaction is, to go back to.
    pub(crate) fn mark(&self) -> Changed {
        Changed(self.pending.load(Ordering::Relaxed))
    }

    /// Notes that the open transaction went back to where it was.
    pub(crate) fn go_back(&self, to: Changed) {
        self.pending.store(to.0, Ordering::Relaxed);
    }

    /// What was committed since this was last called; none if that is nothing.
    pub(crate) fn take(&self) -> Option<Changed> {
        let changed = Changed(self.committed.swap(0, Ordering::Relaxed));
        (changed != Changed::default()).then_some(changed)
    }
}
