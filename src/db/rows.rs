//! The rows of a table copied into another one, one by one.

use rusqlite::Connection;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use super::execute;
use crate::error::{Error, ErrorCode, Result};

/// Which rows are copied, and where to.
pub(crate) struct RowCopy<'r> {
    pub(crate) from: &'r Connection,
    pub(crate) to: &'r Connection,
    pub(crate) target: &'r str,
    /// Reads the rows. No index is to be used, so that nothing is compared.
    pub(crate) read: String,
    /// Inserts one into the target.
    pub(crate) insert: String,
    /// The place of its id, if it has one. It must not be null, for SQLite would choose one.
    pub(crate) id: Option<usize>,
}

impl RowCopy<'_> {
    /// Copies them.
    ///
    /// # Errors
    ///
    /// `unexpected_value` for a row that the target does not take, naming the table and the row.
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
        // A full memory is no fault of the row.
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
