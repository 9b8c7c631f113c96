//! Copies the rows of one table into another, one by one.

use rusqlite::Connection;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use super::execute;
use crate::error::{Error, ErrorCode, Result};

/// The rows to copy, and their target.
pub(crate) struct RowCopy<'r> {
    pub(crate) from: &'r Connection,
    pub(crate) to: &'r Connection,
    pub(crate) target: &'r str,
    /// The statement that reads the rows. It must not use an index, so that no values are compared.
    pub(crate) read: String,
    /// The statement that inserts one row into the target.
    pub(crate) insert: String,
    /// The index of the id column, if there is one. An id must not be null, because SQLite would choose one.
    pub(crate) id: Option<usize>,
}

impl RowCopy<'_> {
    /// Copies the rows.
    ///
    /// # Errors
    ///
    /// `unexpected_value`, naming the table and the row, if the target does not accept a row.
    pub(crate) fn run(&self) -> Result<()> {
        let mut statement = self.from.prepare(&self.read)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        let mut at = 0;
        while let Some(row) = rows.next()? {
            at += 1;
            let mut values = Vec::with_capacity(columns);
            for column in 0..columns {
                values.push(ToSqlOutput::Borrowed(row.get_ref(column)?));
            }
            let id = match self.id.map(|place| &values[place]) {
                Some(ToSqlOutput::Borrowed(id)) => Some(*id),
                _ => None,
            };
            let inserted = match id {
                Some(ValueRef::Null) => Err(Error::new(ErrorCode::UnexpectedValue, "Its id is null.")),
                _ => {
                    let values: Vec<&dyn ToSql> = values.iter().map(|value| value as &dyn ToSql).collect();
                    execute(self.to, &self.insert, &values)
                }
            };
            if let Err(error) = inserted {
                return Err(self.unfit(error, id, at));
            }
        }
        Ok(())
    }

    fn unfit(&self, error: Error, id: Option<ValueRef<'_>>, at: usize) -> Error {
        // If memory is full, the row is not the cause.
        if error.code() == ErrorCode::OutOfMemory {
            return error;
        }
        let row = match id {
            Some(ValueRef::Integer(id)) => format!("a row with id {id}"),
            _ => format!("a row (number {at})"),
        };
        let message = format!("{} has {row} that does not fit: {}.", self.target, error.reason());
        error
            .recast(ErrorCode::UnexpectedValue, message)
            .with_hint("Correct or delete the row with the program that wrote it. Nothing was changed.")
    }
}
