//! Copies the rows of the table that was set aside into the new one.

use rusqlite::Connection;

use super::block::invalid;
use super::shape::Shape;
use super::{RowProgress, quote};
use crate::error::{Error, ErrorCode, Result};

/// How many rows are copied between two reports of progress, if the rowids have no gaps. With 10,000, copying took a
/// tenth longer.
const ROWS: u64 = 50_000;

/// The table that was set aside.
pub(super) struct Source<'a> {
    /// Its shape under its old name, which expressions see.
    pub(super) shape: &'a Shape,
    /// Its name now.
    pub(super) table: &'a str,
    /// The new name of a column, if it was renamed.
    pub(super) current: &'a dyn Fn(&str) -> Option<String>,
    /// The number of its rows.
    pub(super) total: u64,
}

/// Copies every row; `values` are the columns to fill and their expressions.
pub(super) fn rows(
    connection: &Connection,
    source: &Source<'_>,
    new: &Shape,
    values: &[(String, String)],
    progress: &mut RowProgress<'_>,
) -> Result<()> {
    progress(0, source.total);
    if source.total == 0 {
        return Ok(());
    }
    let old = source.shape;
    let (mut into, mut from): (Vec<_>, Vec<_>) =
        values.iter().map(|(column, value)| (quote(column), value.as_str())).unzip();
    // Rowids are kept, because full-text indexes and triggers rely on them, unless the new table's key sets them.
    let decided = values.iter().any(|(column, _)| new.is_key(column));
    if let (Some(rowid), Some(old_rowid), false) = (new.rowid, old.rowid, decided) {
        into.push(rowid.to_owned());
        from.push(old_rowid);
    }
    if into.is_empty() {
        return Err(invalid(format!("The new table {} has no column in common with the old one.", new.name)));
    }

    // Expressions see the old table by its old names, also in their subqueries.
    let columns = old.columns.iter().map(|column| &column.name);
    let mut names: Vec<_> = columns.clone().map(|name| quote(name)).collect();
    let mut now: Vec<_> = columns.map(|name| quote(&(source.current)(name).unwrap_or_else(|| name.clone()))).collect();
    if let Some(rowid) = old.rowid {
        names.push(rowid.to_owned());
        now.push(rowid.to_owned());
    }
    let (table, aside) = (quote(&old.name), quote(source.table));
    // OR FAIL overrides any ON CONFLICT of the new table that would leave out a row, and needs no statement journal.
    let insert = format!(
        "WITH {table} ({}) AS (SELECT {} FROM main.{aside}) \
         INSERT OR FAIL INTO main.{} ({}) SELECT {} FROM {table}",
        names.join(", "),
        now.join(", "),
        quote(&new.name),
        into.join(", "),
        from.join(", ")
    );

    let mut copied = 0;
    let same = format!("INSERT OR FAIL INTO main.{} SELECT * FROM main.{aside}", quote(&new.name));
    match old.rowid {
        _ if is_same(old, new, values) && copies_records(connection, &same)? => {
            copied += connection.execute(&same, [])? as u64;
        }
        None => copied += connection.execute(&insert, [])? as u64,
        Some(rowid) => {
            // The parts are equal spans of rowids, not equal numbers of rows: finding the ends of those would read all
            // rows twice.
            let span = format!("SELECT min({rowid}), max({rowid}) FROM main.{aside}");
            let (first, last): (i64, i64) = connection.query_row(&span, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut insert = connection.prepare(&format!("{insert} WHERE {table}.{rowid} BETWEEN ? AND ?"))?;
            let parts = i128::from(source.total.div_ceil(ROWS));
            let (mut begin, last) = (i128::from(first), i128::from(last));
            let width = (last - begin) / parts + 1;
            while begin <= last {
                let end = last.min(begin + width - 1);
                copied += insert.execute([begin as i64, end as i64])? as u64;
                progress(copied, source.total);
                begin = end + 1;
            }
        }
    }
    if copied == source.total {
        progress(copied, source.total);
        return Ok(());
    }
    let message = format!("Only {copied} of {} rows of {} were copied.", source.total, old.name);
    Err(Error::new(ErrorCode::MigrationFailed, message))
}

/// Whether every column keeps its place and its value, and the rowid keeps its meaning.
fn is_same(old: &Shape, new: &Shape, values: &[(String, String)]) -> bool {
    let stays = |(at, (name, value)): (usize, &(String, String))| {
        let same = &old.columns[at];
        !same.generated && *value == quote(&same.name) && old.is_key(&same.name) == new.is_key(name)
    };
    let keyed = old.key.is_some() || old.rowid.is_none() && new.rowid.is_none();
    let all = values.len() == old.columns.len() && values.len() == new.columns.len();
    keyed && all && values.iter().enumerate().all(stays)
}

/// Whether SQLite copies whole records without decoding them, as it does if both tables have the same structure. That
/// is so much faster that it is worth having no progress reports.
fn copies_records(connection: &Connection, insert: &str) -> Result<bool> {
    let mut program = connection.prepare(&format!("EXPLAIN {insert}"))?;
    let mut steps = program.query([])?;
    while let Some(step) = steps.next()? {
        if step.get_ref("opcode")?.as_str() == Ok("RowCell") {
            return Ok(true);
        }
    }
    Ok(false)
}
