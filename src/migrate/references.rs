//! Rows that refer to a row that does not exist. SQLite checks foreign keys only if a program asks for it, so a file may
//! have such rows, in tables that are not the memory's. A migration must not make more.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::sql::quote;
use crate::db::texts;
use crate::error::{Error, ErrorCode, Result};
use crate::tables::is_ours;

/// For each table and parent, how many rows refer to no row; none if SQLite cannot check the table, as if its foreign key
/// fits no unique index.
type Broken = BTreeMap<String, Option<BTreeMap<String, i64>>>;

/// What was broken before a change, in tables that are not the memory's: in the memory's own, nothing may be broken.
pub(crate) struct References(Broken);

impl References {
    pub(crate) fn of(connection: &Connection) -> Result<Self> {
        broken(connection, |table| !is_ours(table)).map(Self)
    }

    /// Rejects a change that left a row without the row that it refers to.
    ///
    /// # Errors
    ///
    /// `migration_failed`.
    pub(crate) fn check(&self, connection: &Connection) -> Result<()> {
        for (child, now) in broken(connection, |_| true)? {
            let before = self.0.get(&child);
            let Some(now) = now else {
                if before == Some(&None) {
                    continue;
                }
                let message = format!("The foreign keys of {child} do not fit the tables that they refer to.");
                return Err(Error::new(ErrorCode::MigrationFailed, message));
            };
            for (parent, count) in now {
                let known = before.and_then(|before| before.as_ref()?.get(&parent)).copied();
                if count > known.unwrap_or(0) {
                    let message = format!("A row of {child} would refer to a row of {parent} that does not exist.");
                    return Err(Error::new(ErrorCode::MigrationFailed, message));
                }
            }
        }
        Ok(())
    }
}

fn broken(connection: &Connection, is_checked: fn(&str) -> bool) -> Result<Broken> {
    let mut found = Broken::new();
    let tables = texts(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0", &[])?;
    for table in tables.into_iter().filter(|table| is_checked(table)) {
        let sql = format!("SELECT parent, count(*) FROM pragma_foreign_key_check({}) GROUP BY 1", quote(&table));
        let counts = connection.prepare(&sql).and_then(|mut statement| {
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<BTreeMap<_, _>>>()
        });
        let counts = match counts.map_err(Error::from) {
            Ok(counts) if counts.is_empty() => continue,
            Ok(counts) => Some(counts),
            Err(error) if error.code() == ErrorCode::Internal => None,
            Err(error) => return Err(error),
        };
        found.insert(table, counts);
    }
    Ok(found)
}
