//! Reads with SQL, and cannot write.

use rusqlite::types::Value;
use rusqlite::{Connection, Statement};

use super::Memory;
use crate::db::{MAX_TEXT_BYTES, texts};
use crate::error::{Error, ErrorCode, Result};
use crate::guard::Seen;
use crate::migrate::Graph;

/// How many rows a query can return at most.
pub const MAX_ROWS: usize = 100_000;
/// How many bytes of values a query can return at most: 64 MiB.
pub const MAX_BYTES: usize = 64 << 20;
/// How long a query can run by default, in seconds.
pub const DEFAULT_TIMEOUT: f64 = 10.0;

const ONE: &str = "memory.query() takes one SELECT statement and its parameters.";

/// The values for a statement's parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameters {
    /// Values for `?`, in order.
    Positional(Vec<Value>),
    /// Values for `:name`, `@name` or `$name`, with their names without the sign.
    Named(Vec<(String, Value)>),
}

/// What a query found.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryResult {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, one value per column.
    pub rows: Vec<Vec<Value>>,
    /// The tables that it read, sorted, including those behind views. For a full-text index, only the virtual table.
    pub tables: Vec<String>,
}

impl Memory {
    /// Runs one SELECT, EXPLAIN or reading PRAGMA and returns all that it finds.
    ///
    /// SQLite asks its authorizer about every action of the statement, and only reading is allowed. So it does not
    /// matter what the statement looks like.
    ///
    /// # Errors
    ///
    /// `read_only_query` if it would change anything, `invalid_sql` if it is not one valid statement, `query_timeout`
    /// after `timeout` seconds, `result_too_large` above [`MAX_ROWS`] rows or [`MAX_BYTES`] bytes.
    pub fn query(&mut self, sql: &str, parameters: &Parameters, timeout: f64) -> Result<QueryResult> {
        check_sql(sql)?;
        let (result, Seen { refused, read: names, .. }) =
            self.db.guarded(timeout, |connection| read(connection, sql, parameters))?;
        let connection = self.db.connection();
        let result = result.and_then(|found| Ok(QueryResult { tables: tables_among(connection, &names)?, ..found }));

        result.map_err(|error| match (error.code(), refused) {
            (ErrorCode::ReadOnlyQuery, Some(action)) => {
                error.recast(ErrorCode::ReadOnlyQuery, format!("The statement does more than read: {action}."))
            }
            (ErrorCode::QueryTimeout, _) => {
                let message = format!("The query ran longer than {timeout} s and was stopped.");
                error.recast(ErrorCode::QueryTimeout, message)
            }
            (ErrorCode::Internal | ErrorCode::SchemaMismatch, _) => not_understood("query", error, self.graph()),
            _ => error,
        })
    }
}

/// The names that are tables, except for the shadow tables of virtual tables.
fn tables_among(connection: &Connection, names: &[String]) -> Result<Vec<String>> {
    const TABLES: &str =
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') ORDER BY name";
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut tables = texts(connection, TABLES, &[])?;
    tables.retain(|table| names.contains(table));
    Ok(tables)
}

/// Rejects SQL that SQLite would not read, or not to its end.
pub(super) fn check_sql(sql: &str) -> Result<()> {
    if sql.len() > MAX_TEXT_BYTES {
        return Err(Error::new(ErrorCode::TextTooLong, format!("The SQL is longer than {MAX_TEXT_BYTES} bytes.")));
    }
    // SQLite stops at a NUL character, and would silently ignore what follows.
    if sql.contains('\0') {
        return Err(invalid("The SQL contains a NUL character."));
    }
    Ok(())
}

fn read(connection: &Connection, sql: &str, parameters: &Parameters) -> Result<QueryResult> {
    let mut statement = connection.prepare(sql).map_err(|error| match error {
        rusqlite::Error::MultipleStatement => invalid("The SQL contains more than one statement.").with_hint(ONE),
        other => other.into(),
    })?;
    // SQLite does not ask the authorizer about every write, but knows whether a statement writes.
    if !statement.readonly() {
        return Err(Error::new(ErrorCode::ReadOnlyQuery, "The statement does more than read."));
    }
    bind(&mut statement, parameters)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    if columns.is_empty() {
        return Err(invalid("The statement returns no rows.").with_hint(ONE));
    }
    let (mut rows, mut bytes) = (Vec::new(), 0);
    let mut found = statement.raw_query();
    while let Some(row) = found.next()? {
        if rows.len() == MAX_ROWS {
            return Err(Error::new(ErrorCode::ResultTooLarge, format!("The query found more than {MAX_ROWS} rows.")));
        }
        let mut values = Vec::with_capacity(columns.len());
        for column in 0..columns.len() {
            // The size is checked before the value is copied.
            bytes += row.get_ref(column)?.as_bytes_or_null().ok().flatten().map_or(8, <[u8]>::len);
            if bytes > MAX_BYTES {
                let message = format!("The query found more than {MAX_BYTES} bytes.");
                return Err(Error::new(ErrorCode::ResultTooLarge, message));
            }
            values.push(row.get(column)?);
        }
        rows.push(values);
    }
    Ok(QueryResult { columns, rows, tables: Vec::new() })
}

pub(super) fn bind(statement: &mut Statement<'_>, parameters: &Parameters) -> Result<()> {
    let expected = statement.parameter_count();
    let mut bound = vec![false; expected];
    match parameters {
        Parameters::Positional(values) => {
            if values.len() != expected {
                let message = format!("The SQL has {expected} parameters; {} values were passed.", values.len());
                return Err(invalid(message));
            }
            for (at, value) in values.iter().enumerate() {
                statement.raw_bind_parameter(at + 1, value)?;
                bound[at] = true;
            }
        }
        Parameters::Named(values) => {
            for (name, value) in values {
                let mut known = false;
                for sign in [':', '@', '$'] {
                    if let Some(at) = statement.parameter_index(&format!("{sign}{name}"))? {
                        statement.raw_bind_parameter(at, value)?;
                        (bound[at - 1], known) = (true, true);
                    }
                }
                if !known {
                    return Err(invalid(format!("The SQL has no parameter \"{name}\".")));
                }
            }
        }
    }
    match bound.iter().position(|bound| !bound) {
        None => Ok(()),
        Some(at) => {
            let name = statement.parameter_name(at + 1).map_or_else(|| format!("number {}", at + 1), str::to_owned);
            Err(invalid(format!("The parameter {name} has no value.")))
        }
    }
}

/// The error for SQL that SQLite rejects. A table that does not exist may be one of the app's.
pub(super) fn not_understood(what: &str, error: Error, graph: &Graph) -> Error {
    let may_be_of_app = error.is_of_missing_table() && !graph.has_app();
    let message = format!("SQLite does not understand the {what}: {}.", error.reason());
    let error = error.recast(ErrorCode::InvalidSql, message);
    if may_be_of_app {
        error.with_hint(
            "Were `migrations` passed to Memory.open? This memory has none of an app, and they create an app's tables.",
        )
    } else {
        error
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidSql, message)
}
