//! Checks the tables that recall keeps for itself. No call shows or corrects their rows, so a file in which another
//! program wrote wrong values is rejected. SQLite's integrity check accepts any type in a column.

use rusqlite::Connection;

use crate::db::{ask, has_table};
use crate::error::{Error, Result};

/// The tables and the types of their columns; `?` means that null is allowed.
const COLUMNS: [(&str, &[(&str, &str)]); 11] = [
    ("long_term_ids", &[("key", "text")]),
    ("memory_changes", &[("deleted", "integer")]),
    ("memory_indexed", &[("last", "integer")]),
    ("memory_uses", &[("uses", "integer"), ("used_at", "real?")]),
    ("embedding_queue", &[("version", "integer"), ("attempts", "integer"), ("retry_at", "real?"), ("error", "text?")]),
    ("embedding_models", &[("name", "text"), ("dimensions", "integer"), ("in_use", "integer")]),
    ("embeddings", &[("id", "integer"), ("model", "integer"), ("vector", "blob")]),
    ("embedding_blocks", &[("model", "integer"), ("ids", "blob"), ("codes", "blob"), ("checksum", "integer")]),
    ("memory_lessons", &[("id", "integer"), ("uncertainty", "integer"), ("effect", "integer")]),
    ("consolidations", &[("timestamp", "real"), ("undone_at", "real?")]),
    (
        "consolidated_memories",
        &[
            ("consolidation", "integer"),
            ("memory", "integer"),
            ("action", "text"),
            ("merged_into", "integer?"),
            ("before", "text"),
            ("after", "text?"),
        ],
    ),
];

/// Rejects a database that has a value of another type in one of these tables.
///
/// # Errors
///
/// `corrupt_database`, naming the table and the column.
pub(super) fn check(connection: &Connection) -> Result<()> {
    for (table, columns) in COLUMNS {
        if !has_table(connection, table)? {
            continue;
        }
        for (column, kind) in columns {
            let null = if kind.ends_with('?') { "null" } else { "" };
            let kind = kind.trim_end_matches('?');
            let sql =
                format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE typeof({column}) NOT IN ('{kind}', '{null}'))");
            if ask(connection, &sql)? {
                let found = format!("{table}.{column} holds a value that is not of type {kind}");
                return Err(Error::damaged(&found));
            }
        }
    }
    Ok(())
}
