//! The rows of a table copied into another one, one by one.

use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::error::{Error, ErrorCode, Result};
use crate::migrate::sql::quote;

/// Which rows are copied, and where to.
pub(crate) struct RowCopy<'r> {
    pub(crate) from: &'r Connection,
    pub(crate) source: &'r str,
    pub(crate) to: &'r Connection,
    pub(crate) target: &'r str,
    pub(crate) columns: &'r [String],
    /// The place of the column that is the rowid, which must not be null: SQLite would choose one.
    pub(crate) key: Option<usize>,
    /// The names that the rowids answer to, if they are no column and are to be kept.
    pub(crate) rowids: Option<(&'r str, &'r str)>,
}

impl RowCopy<'_> {
    /// Copies them. No index is used, so nothing is compared in the source.
    ///
    /// # Errors
    ///
    /// `unexpected_value` for a row that the target does not take, naming the table and the row.
    pub(crate) fn run(&self) -> Result<()> {
        let mut columns: Vec<String> = self.columns.iter().map(|column| quote(column)).collect();
        let (mut selected, count) = (columns.clone(), self.columns.len());
        if let Some((from, to)) = self.rowids {
            selected.push(from.to_owned());
            columns.push(to.to_owned());
        }
        let read = format!("SELECT {} FROM {} NOT INDEXED", selected.join(", "), quote(self.source));
        let places = vec!["?"; columns.len()].join(", ");
        let insert = format!("INSERT INTO {} ({}) VALUES ({places})", quote(self.target), columns.join(", "));
        let mut insert = self.to.prepare(&insert)?;
        let mut read = self.from.prepare(&read)?;
        let mut rows = read.query([])?;
        let mut at = 0;
        while let Some(row) = rows.next()? {
            at += 1;
            for column in 0..columns.len() {
                insert.raw_bind_parameter(column + 1, ToSqlOutput::Borrowed(row.get_ref(column)?))?;
            }
            let place = self.key.or(self.rowids.map(|_| count));
            let id = place.map(|place| row.get_ref(place)).transpose()?;
            let inserted = match id {
                Some(ValueRef::Null) => Err(Error::new(ErrorCode::UnexpectedValue, "Its id is null.")),
                _ => insert.raw_execute().map_err(Error::from),
            };
            inserted.map_err(|error| self.unfit(error, id, at))?;
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
