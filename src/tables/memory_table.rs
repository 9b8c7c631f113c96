//! The list of tables.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

use crate::migrate::history::keeps;

/// A table of the memory, by its name in the API. The numbers are stored in files and used in the schema, so they must
/// not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum MemoryTable {
    /// `turns`.
    Turns = 0,
    /// `episodes`.
    Episodes = 1,
    /// `semantic_memories`.
    Semantic = 2,
    /// `long_term`; its rows are identified by the ids that `long_term_ids` has for their keys.
    LongTerm = 3,
    /// `uncertainty_log`.
    Uncertainty = 4,
}

impl MemoryTable {
    /// All tables, in the order of their numbers.
    pub const ALL: [MemoryTable; 5] = [
        MemoryTable::Turns,
        MemoryTable::Episodes,
        MemoryTable::Semantic,
        MemoryTable::LongTerm,
        MemoryTable::Uncertainty,
    ];

    /// Their names in SQL, in the same order.
    pub const NAMES: [&'static str; 5] = [
        MemoryTable::ALL[0].name(),
        MemoryTable::ALL[1].name(),
        MemoryTable::ALL[2].name(),
        MemoryTable::ALL[3].name(),
        MemoryTable::ALL[4].name(),
    ];

    /// Its name in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            MemoryTable::Turns => "turns",
            MemoryTable::Episodes => "episodes",
            MemoryTable::Semantic => "semantic_memories",
            MemoryTable::LongTerm => "long_term",
            MemoryTable::Uncertainty => "uncertainty_log",
        }
    }
}

/// The tables that the package's revisions create, and those that FTS5 creates for one of them.
const MADE: [&str; 21] = [
    "turns",
    "episodes",
    "semantic_memories",
    "long_term",
    "uncertainty_log",
    "long_term_ids",
    "memory_fts",
    "memory_fts_data",
    "memory_fts_idx",
    "memory_fts_docsize",
    "memory_fts_config",
    "memory_changes",
    "memory_indexed",
    "memory_uses",
    "memory_lessons",
    "embedding_models",
    "embedding_queue",
    "embeddings",
    "embedding_blocks",
    "consolidations",
    "consolidated_memories",
];

/// Whether a table, by its name in the schema, belongs to the memory or to SQLite, and is not one of the app's own.
pub(crate) fn is_ours(table: &str) -> bool {
    MADE.contains(&table) || keeps(table) || table.starts_with("sqlite_")
}
