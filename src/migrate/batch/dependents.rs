//! What depends on a table: its indexes and triggers, and the views and triggers of others.

use rusqlite::{Connection, OptionalExtension};

use super::block::invalid;
use super::quote;
use crate::error::{Error, Result};

/// The indexes and triggers of a table, which go when it is dropped.
pub(super) struct Saved(Vec<(String, String)>);

impl Saved {
    /// Those of a table, by name and text, in the order they were made.
    pub(super) fn of(connection: &Connection, table: &str) -> Result<Self> {
        let sql = "SELECT name, sql FROM main.sqlite_schema WHERE tbl_name = ? COLLATE NOCASE \
                   AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid";
        let mut statement = connection.prepare(sql)?;
        let found = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self(found.collect::<rusqlite::Result<_>>()?))
    }

    /// Leaves out the indexes that name a column which goes; it bears a mark by now.
    ///
    /// Anything else that names it is an error.
    pub(super) fn forget(&mut self, connection: &Connection, table: &str, dropped: &str, mark: &str) -> Result<()> {
        let named = "FROM main.sqlite_schema WHERE instr(sql, ?1) \
                     AND (type = 'index' OR type = 'table' AND name = ?2 COLLATE NOCASE)";
        let other =
            format!("SELECT type, name FROM main.sqlite_schema WHERE instr(sql, ?1) EXCEPT SELECT type, name {named}");
        let other: Option<(String, String)> =
            connection.query_row(&other, [mark, table], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        if let Some((kind, name)) = other {
            let message = format!("The {kind} {name} names the column {dropped} of {table}, which the batch drops.");
            return Err(invalid(message).with_hint("Drop it before the block, and create it as it is to be after it."));
        }
        let mut statement = connection.prepare(&format!("SELECT name {named}"))?;
        let gone: Vec<String> =
            statement.query_map([mark, table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        self.0.retain(|(name, _)| !gone.contains(name));
        Ok(())
    }

    /// Makes them again, each by its own text.
    pub(super) fn restore(&self, connection: &Connection) -> Result<()> {
        self.0.iter().try_for_each(|(_, sql)| Ok(connection.execute_batch(sql)?))
    }
}

/// The views and the tables with triggers that cannot be used, each with SQLite's reason.
///
/// SQLite finds out when a statement is prepared that would run them, so one is for each.
pub(super) fn broken(connection: &Connection) -> Result<Vec<(String, String)>> {
    let mut broken = Vec::new();
    let mut check = |what: String, sql: &str| {
        if let Err(error) = connection.prepare(sql) {
            broken.push((what, Error::from(error).reason().to_owned()));
        }
    };
    let mut views = connection.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'view'")?;
    let mut rows = views.query([])?;
    while let Some(row) = rows.next()? {
        let view: String = row.get(0)?;
        check(format!("the view {view}"), &format!("SELECT * FROM main.{}", quote(&view)));
    }
    let sql = "SELECT tbl_name, group_concat(name, ', ') FROM main.sqlite_schema WHERE type = 'trigger' GROUP BY 1";
    let mut triggers = connection.prepare(sql)?;
    let mut rows = triggers.query([])?;
    while let Some(row) = rows.next()? {
        let (table, triggers): (String, String) = (row.get(0)?, row.get(1)?);
        let what = |change: &str| format!("a trigger on {change} of {table} ({triggers})");
        let name = quote(&table);
        check(what("INSERT"), &format!("INSERT INTO main.{name} DEFAULT VALUES"));
        check(what("DELETE"), &format!("DELETE FROM main.{name}"));
        // All columns at once, for a trigger may be for some of them only.
        let columns = connection
            .prepare("SELECT name FROM pragma_table_xinfo(?, 'main') WHERE hidden = 0")
            .and_then(|mut columns| columns.query_map([&table], |row| row.get(0))?.collect());
        let columns: rusqlite::Result<Vec<String>> = columns;
        let assign = |column: &String| format!("{0} = {0}", quote(column));
        let columns: Vec<_> = columns.unwrap_or_default().iter().map(assign).collect();
        check(what("UPDATE"), &format!("UPDATE main.{name} SET {}", columns.join(", ")));
    }
    Ok(broken)
}
