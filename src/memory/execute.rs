//! Statements that write to an app's own tables, and never to the memory's tables.

use rusqlite::types::ValueRef;
use serde::Serialize;
use tsify::Tsify;

use super::Memory;
use super::query::{Parameters, bind, check_sql, invalid, not_understood};
use crate::db::Db;
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::Graph;

/// How many statements a transaction can have at most.
pub const MAX_STATEMENTS: usize = 1000;

/// How many rows a statement can return at most. They are kept until the caller has received them.
pub const MAX_RETURNED: usize = 1000;

/// What a statement did.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Executed {
    /// How many rows it inserted, updated or deleted, not counting those of triggers.
    pub changes: u64,
    /// The names of the columns of its RETURNING clause; empty without one.
    pub columns: Vec<String>,
    /// The rows that it returns, one value per column.
    pub rows: Vec<Vec<Returned>>,
}

/// A value that a statement returns.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(untagged)]
pub enum Returned {
    /// NULL.
    Null,
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl Memory {
    /// Carries out statements that write to the app's own tables, all or none, and returns what each did.
    ///
    /// SQLite asks its authorizer about every action of a statement and of the triggers that it fires. Allowed are
    /// reading, and writing to tables that do not belong to the memory.
    ///
    /// # Errors
    ///
    /// `invalid_sql` for a statement that does anything else or is not valid; `constraint_failed`; `query_timeout`
    /// after `timeout` seconds; `result_too_large` above [`MAX_RETURNED`] rows of a statement; `read_only_memory`;
    /// `quota_exceeded`. On any error nothing is changed.
    pub fn execute(&mut self, statements: &[(String, Parameters)], timeout: f64) -> Result<Vec<Executed>> {
        self.db.check_writable()?;
        if statements.len() > MAX_STATEMENTS {
            let message =
                format!("{} statements were passed at once; the limit is {MAX_STATEMENTS}.", statements.len());
            return Err(Error::invalid_argument(message));
        }
        let graph = &*self.migrations.graph;
        let mut done = Vec::with_capacity(statements.len());
        let carried_out = self.db.change_own(timeout, &mut |db| {
            for (at, (sql, parameters)) in statements.iter().enumerate() {
                let executed = execute(db, sql, parameters);
                done.push(executed.map_err(|error| {
                    let error = in_words(error, timeout, graph);
                    if statements.len() > 1 { error.in_statement(at) } else { error }
                })?);
            }
            Ok(())
        });
        carried_out.map(|()| done)
    }
}

fn execute(db: &Db, sql: &str, parameters: &Parameters) -> Result<Executed> {
    check_sql(sql)?;
    let (statement, refused) = db.prepare_own(sql);
    if let Some(action) = refused {
        let message = format!("The statement does more than write to the app's own tables: {action}.");
        return Err(invalid(message).with_hint(
            "Write to the memory's tables through its API, such as memory.turns; create tables with a migration.",
        ));
    }
    let mut statement = statement.map_err(|error| match error {
        rusqlite::Error::MultipleStatement => {
            invalid("There is more than one statement.").with_hint("Pass each one to transaction() separately.")
        }
        other => other.into(),
    })?;
    if statement.readonly() || statement.is_explain() != 0 {
        return Err(invalid("The statement only reads.").with_hint("Read with memory.query()."));
    }
    bind(&mut statement, parameters)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = Vec::new();
    let mut found = statement.raw_query();
    while let Some(row) = found.next()? {
        if rows.len() == MAX_RETURNED {
            let message = format!("The statement returns more than {MAX_RETURNED} rows.");
            return Err(Error::new(ErrorCode::ResultTooLarge, message));
        }
        rows.push((0..columns.len()).map(|at| returned(row.get_ref(at)?)).collect::<Result<_>>()?);
    }
    drop(found);
    Ok(Executed { changes: db.connection().changes(), columns, rows })
}

/// Converts a returned value. It must be representable in JSON, in which it is kept until the caller has received it.
fn returned(value: ValueRef<'_>) -> Result<Returned> {
    Ok(match value {
        ValueRef::Null => Returned::Null,
        ValueRef::Integer(integer) if integer.unsigned_abs() < 1 << 53 => Returned::Number(integer as f64),
        ValueRef::Real(real) if real.is_finite() => Returned::Number(real),
        ValueRef::Text(text) => Returned::Text(String::from_utf8_lossy(text).into_owned()),
        _ => {
            return Err(invalid("RETURNING returns a blob, or a number that JSON cannot hold.")
                .with_hint("Return it as text, such as hex(data), or read it with memory.query()."));
        }
    })
}

fn in_words(error: Error, timeout: f64, graph: &Graph) -> Error {
    match error.code() {
        ErrorCode::QueryTimeout => {
            let message =
                format!("The statements ran longer than {timeout} s and were stopped. None of their changes was kept.");
            error.recast(ErrorCode::QueryTimeout, message)
        }
        ErrorCode::Internal | ErrorCode::SchemaMismatch => not_understood("statement", error, graph),
        _ => error,
    }
}
