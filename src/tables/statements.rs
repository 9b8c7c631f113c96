//! The SQL behind every table's calls. It depends only on a table's names, so one copy of it serves all tables.

use rusqlite::types::{ToSql, Value, ValueRef};
use rusqlite::{CachedStatement, Row, params_from_iter};

use super::access::Access;
use super::cursor::{Cursor, Order};
use super::fields::{Conditions, Fields, Way};
use crate::changes::MAX_KEYS;
use crate::db::{Db, execute};
use crate::error::{Error, ErrorCode, Result};

/// How many rows one call of `list` can return at most.
pub const MAX_LIMIT: u32 = 1000;
/// How many rows `list` returns by default.
pub const DEFAULT_LIMIT: u32 = 50;

/// Receives one row that was found.
type OnRow<'f> = &'f mut dyn FnMut(&Row<'_>) -> rusqlite::Result<()>;

/// The statements of one table.
pub(crate) struct Statements<'db> {
    pub(crate) db: &'db Db,
    pub(crate) table: &'static str,
    pub(crate) key: &'static str,
}

impl Statements<'_> {
    pub(super) fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>> {
        Ok(self.db.connection().prepare_cached(sql)?)
    }

    /// Inserts a row and returns its id; 0 if the table's rows are identified by a key.
    pub(crate) fn insert(&self, fields: Fields<'_>, on_conflict: &str) -> Result<i64> {
        let (columns, values) = fields.into_parts()?;
        let marks = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({marks}){on_conflict}", self.table, columns.join(", "));
        self.prepare(&sql)?.execute(params_from_iter(values))?;
        if self.key != "id" {
            // If an existing entry was updated, SQLite's last rowid is that of another row, perhaps in one of FTS5's
            // tables.
            return Ok(0);
        }
        let id = self.db.connection().last_insert_rowid();
        // In a file of another program, ids can become too large for a JavaScript number. A row whose id cannot be
        // returned is not added.
        if id.unsigned_abs() >= 1 << 53 {
            return Err(Error::new(
                ErrorCode::UnexpectedValue,
                format!("The next id of {} would be {id}, which a JavaScript number cannot hold.", self.table),
            )
            .with_hint("Delete the row with the largest id, then add this one again."));
        }
        Ok(id)
    }

    /// Reads the row with this key, if there is one.
    pub(crate) fn select_one(&self, columns: &str, key: &dyn ToSql, on_row: OnRow<'_>) -> Result<()> {
        let sql = format!("SELECT {columns} FROM {} WHERE {} = ?", self.table, self.key);
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.query([key])?;
        rows.next()?.map_or(Ok(()), |row| Ok(on_row(row)?))
    }

    /// Reads up to `limit` rows. If there are more, returns the cursor of the next page.
    pub(crate) fn select_page(
        &self,
        columns: &str,
        conditions: &Conditions,
        order: Order,
        limit: Option<u32>,
        from: Option<&str>,
        on_row: OnRow<'_>,
    ) -> Result<Option<String>> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Error::invalid_argument(format!("limit is {limit}; it must be from 1 to {MAX_LIMIT}.")));
        }
        let from = from.map(|text| Cursor::decode(text, order)).transpose()?;
        let (mut found, mut last) = (0, None);
        for (at, range) in order.ranges(from.as_ref(), self.key, "").into_iter().enumerate() {
            let (sql, range_values) = match self.found_page(columns, conditions, order, range.0.is_some()) {
                Some(sql) => (sql, range.1),
                None => {
                    let access = self.page_access(conditions, order, &range, limit + 1 - found)?;
                    let plus = if matches!(access, Access::Index(_)) { "+" } else { "" };
                    let (range, values) = order.ranges(from.as_ref(), self.key, plus).swap_remove(at);
                    let clause = self.clause(conditions, access, order, range.as_deref());
                    (self.page(columns, order, self.table, &clause, &order.clause(self.key, plus)), values)
                }
            };
            let missing = Value::Integer((limit + 1 - found).into());
            let mut statement = self.prepare(&sql)?;
            let values = conditions.values().cloned().chain(range_values).chain([missing]);
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                if found == limit {
                    return Ok(last.map(|at: Cursor| at.encode(order)));
                }
                on_row(row)?;
                found += 1;
                if found == limit {
                    last = Some(Cursor { value: value_of(row, "order_value")?, key: value_of(row, "order_key")? });
                }
            }
        }
        Ok(None)
    }

    fn page(&self, columns: &str, order: Order, from: &str, clause: &str, order_by: &str) -> String {
        let Order { column, .. } = order;
        let key = self.key;
        format!(
            "SELECT {columns}, {column} AS order_value, {key} AS order_key FROM {from}{clause} ORDER BY {order_by} LIMIT ?"
        )
    }

    /// The SQL of a page of a search in the order of ids, which is also the order of the full-text index. A word that
    /// is in all rows is then found in the first ones. `None` if there is no search, or if the order is another.
    fn found_page(&self, columns: &str, conditions: &Conditions, order: Order, is_behind: bool) -> Option<String> {
        if order.column != "id" {
            return None;
        }
        // The lowest and the highest rowid in the index that the last row of the previous page can have.
        let (behind, direction) = if order.descending { ("< (? << 3)", "DESC") } else { ("> (? << 3 | 7)", "ASC") };
        let range = is_behind.then(|| format!("memory_fts.rowid {behind}"));
        let clause = conditions.clause_in_index(range)?;
        let from = format!("memory_fts CROSS JOIN {0} ON {0}.id = memory_fts.rowid >> 3", self.table);
        Some(self.page(columns, order, &from, &clause, &format!("memory_fts.rowid {direction}")))
    }

    /// The WHERE clause that makes SQLite find rows in the chosen way.
    fn clause(&self, conditions: &Conditions, access: Access, order: Order, range: Option<&str>) -> String {
        let way = |column: &str, sql: &str| match access {
            Access::Any => self.way_along(order, range.is_some(), column, sql),
            Access::Order if column == order.column || self.is_in_order(conditions, column, order) => {
                self.way_along(order, range.is_some(), column, sql)
            }
            Access::Index(driver) if column == driver => Way::Free,
            Access::Order | Access::Index(_) => Way::Tested,
        };
        conditions.clause_by(way, range).0
    }

    /// Changes the row with this key.
    pub(crate) fn update(&self, key: Value, fields: Fields<'_>) -> Result<()> {
        let (columns, mut values) = fields.into_parts()?;
        if columns.is_empty() {
            return Err(Error::invalid_argument("There is nothing to change: name at least one field."));
        }
        let sql = format!("UPDATE {} SET {} = ? WHERE {} = ?", self.table, columns.join(" = ?, "), self.key);
        values.push(key.clone());
        if self.change(&sql, &values)? > 0 {
            return Ok(());
        }
        let key = match key {
            Value::Text(text) => format!("\"{text}\""),
            Value::Integer(id) => id.to_string(),
            _ => "NULL".into(),
        };
        Err(Error::new(ErrorCode::NotFound, format!("There is no row in {} with {} {key}.", self.table, self.key)))
    }

    /// Deletes the row with this key, within the caller's transaction; returns how many rows were deleted, 0 or 1.
    pub(crate) fn delete(&self, key: &dyn ToSql) -> Result<u64> {
        let sql = format!("DELETE FROM {} WHERE {} = ?", self.table, self.key);
        self.remove(&sql, &[key])
    }

    /// How many rows meet the conditions.
    pub(crate) fn count(&self, conditions: &Conditions) -> Result<u64> {
        let by_key = Order { column: self.key, descending: false };
        let clause = self.clause(conditions, self.count_access(conditions)?, by_key, None);
        let sql = format!("SELECT count(*) FROM {}{clause}", self.table);
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(conditions.values()))?;
        Ok(rows.next()?.map_or(Ok(0), |row| row.get::<_, i64>(0))? as u64)
    }

    /// Deletes every row that meets the conditions; returns how many were deleted.
    pub(crate) fn clear(&self, conditions: &Conditions) -> Result<u64> {
        // The condition is always true. Without one, SQLite truncates a table that has no triggers, and the update hook
        // does not see its rows.
        let sql = format!("DELETE FROM {}{}", self.table, conditions.clause(Some("true".into())));
        let values: Vec<&dyn ToSql> = conditions.values().map(|value| value as &dyn ToSql).collect();
        let mut deleted = 0;
        self.db.atomically(&mut || {
            deleted = self.remove(&sql, &values)?;
            Ok(())
        })?;
        Ok(deleted)
    }

    /// Runs a DELETE and returns how many rows it deleted. If the rows are identified by a key, the feed of changes
    /// reports their keys, which can only be read while they are deleted.
    fn remove(&self, sql: &str, values: &[&dyn ToSql]) -> Result<u64> {
        if self.key == "id" {
            return Ok(execute(self.db.connection(), sql, values)? as u64);
        }
        let mut statement = self.prepare(&format!("{sql} RETURNING rowid, {}", self.key))?;
        let (mut deleted, mut named) = (0, Vec::new());
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            deleted += 1;
            if named.len() < MAX_KEYS {
                // In a file of another program, a key can be of any type.
                named.push((row.get(0)?, row.get(1).ok()));
            }
        }
        self.db.name_deleted(named);
        Ok(deleted)
    }

    fn change(&self, sql: &str, values: &[Value]) -> Result<u64> {
        let mut changed = 0;
        self.db.atomically(&mut || {
            changed = self.prepare(sql)?.execute(params_from_iter(values))? as u64;
            Ok(())
        })?;
        Ok(changed)
    }
}

/// The value of a column. Text that is not UTF-8, which only another program writes, is read as far as possible.
pub(super) fn value_of(row: &Row<'_>, column: &str) -> rusqlite::Result<Value> {
    let value = row.get_ref(column)?;
    Ok(match value {
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        value => Value::try_from(value)?,
    })
}
