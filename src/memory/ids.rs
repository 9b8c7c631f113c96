//! Checks for ids that are too large for recall. Recall identifies a row by its rowid times eight plus a number for its
//! table. Another program may have used a rowid that is too large for that: the row would be taken for another one.

use rusqlite::Connection;

use crate::error::{Error, ErrorCode, Result};
use crate::recall::item::IDS;
use crate::tables::MemoryTable;

/// Rejects a database that has such an id. The smallest and the largest id of a table are enough, so this reads two
/// rows per table.
///
/// # Errors
///
/// `unexpected_value`, naming the table and the id.
pub(super) fn check(connection: &Connection) -> Result<()> {
    for table in MemoryTable::NAMES {
        let sql = format!("SELECT (SELECT min(rowid) FROM {table}), (SELECT max(rowid) FROM {table})");
        // If the table is missing or is something else, the comparison of schemas reports it.
        let Ok(mut statement) = connection.prepare(&sql) else { continue };
        let ends: (Option<i64>, Option<i64>) = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let Some(id) = [ends.0, ends.1].into_iter().flatten().find(|id| !IDS.contains(id)) else { continue };
        let message = format!("{table} has a row with id {id}; ids must be from -2^60 to 2^60 - 1.");
        let hint = "Give the row another id, with the program that wrote it. Nothing was changed.";
        return Err(Error::new(ErrorCode::UnexpectedValue, message).with_hint(hint));
    }
    Ok(())
}
