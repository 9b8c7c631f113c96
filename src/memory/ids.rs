//! Ids that recall has no number for. It knows a row by its rowid times eight; another program may have given one that is
//! too large for that, and would take the place of another row there.

use rusqlite::Connection;

use crate::error::{Error, ErrorCode, Result};
use crate::recall::item::IDS;
use crate::tables::MemoryTable;

/// Refuses a database with such an id. The ends of a table tell, so this reads two rows of each.
///
/// # Errors
///
/// `unexpected_value`, naming the table and the id.
pub(super) fn check(connection: &Connection) -> Result<()> {
    for table in MemoryTable::NAMES {
        let sql = format!("SELECT (SELECT min(rowid) FROM {table}), (SELECT max(rowid) FROM {table})");
        // What is no such table is told by what compares schemas.
        let Ok(mut statement) = connection.prepare(&sql) else { continue };
        let ends: (Option<i64>, Option<i64>) = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let Some(id) = [ends.0, ends.1].into_iter().flatten().find(|id| !IDS.contains(id)) else { continue };
        let message = format!("{table} has a row with id {id}; ids must be from -2^60 to 2^60 - 1.");
        let hint = "Give the row another id, with the program that wrote it. Nothing was changed.";
        return Err(Error::new(ErrorCode::UnexpectedValue, message).with_hint(hint));
    }
    Ok(())
}
