//! What is done with any connection: opened, copied, asked, and whether its transaction is still there.

use rusqlite::backup::{Backup, StepResult};
use rusqlite::types::{FromSql, ToSql};
use rusqlite::{Connection, OpenFlags};

use super::Location;
use crate::error::{Error, ErrorCode, Result};

/// Opens a connection that is not yet set up for anything.
pub(crate) fn connect(location: Location<'_>) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(match location {
        Location::Memory => Connection::open_in_memory_with_flags(flags)?,
        Location::File { path, vfs: None } => Connection::open_with_flags(path, flags)?,
        Location::File { path, vfs: Some(vfs) } => Connection::open_with_flags_and_vfs(path, flags, vfs)?,
    })
}

/// Makes `target` a copy of `source`, page by page, in one transaction of `target`.
pub(crate) fn copy(source: &Connection, target: &mut Connection) -> Result<()> {
    copy_telling(source, target, &mut |_, _| {})
}

/// The same, telling how many pages are copied and how many there are.
pub(crate) fn copy_telling(
    source: &Connection,
    target: &mut Connection,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<()> {
    const PAGES: i32 = 4096;
    let backup = Backup::new(source, target)?;
    loop {
        let step = backup.step(PAGES)?;
        let pages = backup.progress();
        progress((pages.pagecount - pages.remaining) as u64, pages.pagecount as u64);
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => return Err(Error::new(ErrorCode::Locked, "The database is in use and could not be copied.")),
        }
    }
}

/// Fails if the transaction of `what` is gone. On some errors SQLite rolls it back by itself, and may report something else;
/// every statement after that would be committed by itself.
pub(crate) fn still_inside(connection: &Connection, what: &str) -> Result<()> {
    if connection.is_autocommit() {
        return Err(Error::new(ErrorCode::IoFailed, format!("SQLite rolled back the transaction of {what}.")));
    }
    Ok(())
}

/// Runs `undo` if the change failed, unless SQLite rolled it back by itself, as it does on errors such as a full disk.
pub(crate) fn undo_failed(connection: &Connection, result: Result<()>, undo: &str) -> Result<()> {
    if result.is_err() && !connection.is_autocommit() {
        connection.execute_batch(undo)?;
    }
    result
}

/// Lets SQLite read every page of a database.
///
/// # Errors
///
/// `corrupt_database` with what it found.
pub(crate) fn check_integrity(connection: &Connection) -> Result<()> {
    let what = |found: &str| format!("The database is damaged: {found}.");
    let found: String = ask(connection, "PRAGMA integrity_check(1)").map_err(|error: Error| match error.code() {
        // There is no statement here that could be wrong. SQLite has no code for a file of a later format, nor FTS5 for one
        // of its tables that it cannot read.
        ErrorCode::Internal => {
            let what = what(error.reason());
            error.recast(ErrorCode::CorruptDatabase, what)
        }
        _ => error,
    })?;
    if found == "ok" {
        return Ok(());
    }
    Err(Error::new(ErrorCode::CorruptDatabase, what(&found)))
}

/// Whether there is a table of this name.
pub(crate) fn has_table(connection: &Connection, name: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?)";
    Ok(connection.query_row(sql, [name], |row| row.get(0))?)
}

/// How many bytes a page has.
pub(crate) fn page_size(connection: &Connection) -> Result<i64> {
    ask(connection, "PRAGMA page_size")
}

/// The one value that a statement without parameters gives, run to its end: a pragma answers before it commits. Not
/// inlined, as there is much behind it.
#[inline(never)]
pub(crate) fn ask<T: FromSql>(connection: &Connection, sql: &str) -> Result<T> {
    Ok(connection.query_one(sql, [], |row| row.get(0))?)
}

/// Runs a statement that is used often, and returns how many rows it changed. Not generic, as there is much behind it.
pub(crate) fn execute(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<usize> {
    Ok(connection.prepare_cached(sql)?.execute(values)?)
}

/// The texts that a statement finds in its first column.
pub(crate) fn texts(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut texts = Vec::new();
    while let Some(row) = rows.next()? {
        texts.push(row.get(0)?);
    }
    Ok(texts)
}
