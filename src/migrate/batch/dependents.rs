//! The indexes and triggers of a table that is rebuilt.

use rusqlite::{Connection, OptionalExtension};

use super::block::invalid;
use crate::error::Result;

/// The names and statements of a table's indexes and triggers, which are dropped with it.
pub(super) struct Saved(Vec<(String, String)>);

impl Saved {
    /// Reads those of a table, in the order in which they were created.
    pub(super) fn of(connection: &Connection, table: &str) -> Result<Self> {
        let sql = "SELECT name, sql FROM main.sqlite_schema WHERE tbl_name = ? COLLATE NOCASE \
                   AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid";
        let mut statement = connection.prepare(sql)?;
        let found = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self(found.collect::<rusqlite::Result<_>>()?))
    }

    /// Removes the indexes that name a dropped column. The column has been renamed to `mark`.
    ///
    /// Any other object that names it is an error.
    pub(super) fn forget(&mut self, connection: &Connection, table: &str, dropped: &str, mark: &str) -> Result<()> {
        let named = "FROM main.sqlite_schema WHERE instr(sql, ?1) \
                     AND (type = 'index' OR type = 'table' AND name = ?2 COLLATE NOCASE)";
        let other =
            format!("SELECT type, name FROM main.sqlite_schema WHERE instr(sql, ?1) EXCEPT SELECT type, name {named}");
        let other: Option<(String, String)> =
            connection.query_row(&other, [mark, table], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        if let Some((kind, name)) = other {
            let message = format!("The {kind} {name} names the column {dropped} of {table}, which the batch drops.");
            return Err(invalid(message).with_hint("Drop it before the block, and create its new version after it."));
        }
        let mut statement = connection.prepare(&format!("SELECT name {named}"))?;
        let gone: Vec<String> =
            statement.query_map([mark, table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        self.0.retain(|(name, _)| !gone.contains(name));
        Ok(())
    }

    /// Creates them again with their own statements.
    pub(super) fn restore(&self, connection: &Connection) -> Result<()> {
        self.0.iter().try_for_each(|(_, sql)| Ok(connection.execute_batch(sql)?))
    }
}
