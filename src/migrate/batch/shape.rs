//! The structure of a table, as SQLite reports it.

use rusqlite::{Connection, OptionalExtension};

use super::block::invalid;
use crate::error::Result;
use crate::migrate::sql::rowid_name;

/// A column of a table.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) generated: bool,
    /// Whether it is NOT NULL and has no default that would fill it.
    pub(crate) demands: bool,
}

/// A table: its stored name, its columns and its row ids.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) name: String,
    pub(crate) sql: String,
    pub(crate) columns: Vec<Column>,
    /// The name of its rowid, if it has one that no column hides.
    pub(crate) rowid: Option<&'static str>,
    /// The INTEGER PRIMARY KEY column, which is an alias of the rowid.
    pub(crate) key: Option<String>,
}

impl Shape {
    /// The table of this name, if it exists.
    pub(crate) fn of(connection: &Connection, table: &str) -> Result<Option<Self>> {
        let sql = "SELECT name, sql, sql LIKE 'CREATE VIRTUAL%' FROM main.sqlite_schema \
                   WHERE type = 'table' AND name = ? COLLATE NOCASE";
        let found = connection.query_row(sql, [table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let Some((name, sql, is_virtual)) = found else { return Ok(None) };
        if is_virtual {
            return Err(invalid(format!("{name} is a virtual table; a batch can only rebuild an ordinary one.")));
        }
        let mut shape = Self { name, sql, columns: Vec::new(), rowid: None, key: None };
        let mut statement = connection.prepare(
            "SELECT name, hidden IN (2, 3), \"notnull\" AND coalesce(upper(dflt_value), 'NULL') = 'NULL', pk \
             FROM pragma_table_xinfo(?, 'main')",
        )?;
        let mut rows = statement.query([&shape.name])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            if row.get::<_, i64>(3)? > 0 {
                shape.key = Some(name.clone());
            }
            shape.columns.push(Column { name, generated: row.get(1)?, demands: row.get(2)? });
        }
        // Only a key that is an alias of the rowid has no index.
        let sql = "SELECT (SELECT wr FROM pragma_table_list(?1) WHERE schema = 'main'), \
                   EXISTS (SELECT 1 FROM pragma_index_list(?1, 'main') WHERE origin = 'pk')";
        let (without, indexed): (bool, bool) =
            connection.query_row(sql, [&shape.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if indexed {
            shape.key = None;
        }
        if !without {
            shape.rowid = rowid_name(&|name| shape.column(name).is_some());
        }
        Ok(Some(shape))
    }

    /// The column of this name.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Whether the column of this name is the INTEGER PRIMARY KEY.
    pub(crate) fn is_key(&self, name: &str) -> bool {
        self.key.as_ref().is_some_and(|key| key.eq_ignore_ascii_case(name))
    }
}
