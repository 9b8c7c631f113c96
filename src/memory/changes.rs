//! What commits changed, for those who listen: embedding, and whoever shows rows.

use serde::Serialize;
use tsify::Tsify;

use super::Memory;
use crate::tables::MemoryTable;

/// What was changed and committed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Tsify)]
pub struct Changes {
    /// The tables whose rows were added, changed or deleted.
    pub tables: Vec<MemoryTable>,
    /// Whether another database, or another schema, took the place of the one that was there: by an import, a restored
    /// backup or a migration.
    pub replaced: bool,
}

impl Memory {
    /// What was changed and committed since this was last called; none if that is nothing.
    pub fn take_changes(&self) -> Option<Changes> {
        self.db.take_changes().map(|changed| Changes {
            tables: MemoryTable::ALL.into_iter().filter(|table| changed.has(*table as usize)).collect(),
            replaced: changed.is_replaced(),
        })
    }
}
