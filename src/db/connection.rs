//! Functions for any connection: open it, copy it, query it, and check that its transaction is still open.

use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::types::{FromSql, ToSql};
use rusqlite::{Connection, OpenFlags};

use super::Location;
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::sql::quote;

/// Opens a connection without any settings.
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

/// As [`copy`]; `progress` receives the number of pages copied and the total.
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

/// Fails if the transaction of `what` is no longer open. On some errors, SQLite rolls it back by itself and may report
/// something else. Every statement after that would be committed on its own.
pub(crate) fn still_inside(connection: &Connection, what: &str) -> Result<()> {
    if connection.is_autocommit() {
        return Err(Error::new(ErrorCode::IoFailed, format!("SQLite rolled back the transaction of {what}.")));
    }
    Ok(())
}

/// Runs `undo` if the change failed, unless SQLite already rolled it back, as it does on errors such as a full disk.
pub(crate) fn undo_failed(connection: &Connection, result: Result<()>, undo: &str) -> Result<()> {
    if result.is_err() && !connection.is_autocommit() {
        connection.execute_batch(undo)?;
    }
    result
}

/// Lets SQLite read every page of a database.
///
/// Some things can be checked only by the program that defined them: an index that uses its collation, a CHECK that
/// calls its function, or its own `lower`. So if the check fails, it is run again on a copy without the virtual tables
/// of other programs, and if SQLite cannot check that either, on one without any of their tables. Dropping a table reads
/// its pages, but evaluates nothing in it.
///
/// # Errors
///
/// `corrupt_database` with what SQLite found.
pub(crate) fn check_integrity(connection: &Connection, ours: &dyn Fn() -> Result<Vec<String>>) -> Result<()> {
    let found = match examine(connection) {
        Ok(None) => return Ok(()),
        // SQLite checks the pages before the rows, so the pages are sound.
        Ok(Some(found)) if is_of_rows(&found) => found,
        Ok(Some(found)) => return Err(Error::damaged(&found)),
        Err(error) if error.code() == ErrorCode::Internal => error.reason().to_owned(),
        Err(error) => return Err(error),
    };
    // SQLite may have failed on another program's table, in which nothing must be evaluated.
    if is_sound(connection, &ours()?).unwrap_or(false) {
        return Ok(());
    }
    Err(Error::damaged(&found))
}

/// Whether what the check found is a row that a CHECK rejects, and not damage.
fn is_of_rows(found: &str) -> bool {
    found.starts_with("CHECK constraint failed in ")
}

/// Whether a database is sound apart from the tables that are not in `ours`. False if it has no such tables.
fn is_sound(connection: &Connection, ours: &[String]) -> Result<bool> {
    let mut scratch = Connection::open_in_memory()?;
    copy(connection, &mut scratch)?;
    let has_virtual = drop_virtual(&scratch, ours)?;
    match examine(&scratch) {
        Ok(None) => return Ok(has_virtual),
        Ok(Some(found)) if !is_of_rows(&found) => return Ok(false),
        Err(error) if error.code() != ErrorCode::Internal => return Ok(false),
        _ => {}
    }
    Ok(drop_all_but(&scratch, ours)? && examine(&scratch)?.is_none())
}

/// The first problem of a database, if it has one.
fn examine(connection: &Connection) -> Result<Option<String>> {
    let found: String = ask(connection, "PRAGMA integrity_check(1)")?;
    Ok((found != "ok").then_some(found))
}

/// Removes every virtual table that is not in `ours`; returns whether there was one. It has no pages of its own, and its
/// module may be missing here.
fn drop_virtual(scratch: &Connection, ours: &[String]) -> Result<bool> {
    run(scratch, "PRAGMA foreign_keys = OFF; PRAGMA writable_schema = ON")?;
    let mut dropped = false;
    for name in texts(scratch, "SELECT name FROM sqlite_schema WHERE rootpage = 0 AND type = 'table'", &[])? {
        if !ours.contains(&name) {
            execute(scratch, "DELETE FROM sqlite_schema WHERE rootpage = 0 AND type = 'table' AND name = ?", &[&name])?;
            dropped = true;
        }
    }
    run(scratch, "PRAGMA writable_schema = RESET")?;
    Ok(dropped)
}

/// Drops every view, trigger, table and index that is not in `ours`; returns whether it dropped anything.
fn drop_all_but(scratch: &Connection, ours: &[String]) -> Result<bool> {
    let mut dropped = false;
    let all = "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
               ORDER BY type = 'table', type = 'view', type";
    for object in rows_of_texts(scratch, all)? {
        let [kind, name] = &object[..] else { continue };
        let name = quote(name);
        // One of our tables may be declared with another program's collation.
        let is_unknown = || scratch.prepare(&format!("PRAGMA integrity_check({name})")).is_err();
        if !ours.contains(&object[1]) || kind == "table" && is_unknown() {
            run(scratch, &format!("DROP {kind} IF EXISTS {name}"))?;
            dropped = true;
        }
    }
    Ok(dropped)
}

/// Rebuilds a database without free pages, if that is [possible](unless_foreign).
pub(crate) fn vacuum(connection: &Connection) -> Result<()> {
    unless_foreign(connection, run(connection, "VACUUM")).map(drop)
}

/// A copy of a database in which every page is written anew, without free pages. Every row keeps its rowid, which a plain
/// `VACUUM` does not promise. None if that is not [possible](unless_foreign).
pub(crate) fn rebuilt(connection: &Connection) -> Result<Option<Connection>> {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    // A file of SQLite's own `memdb` is one for all connections of a process, and goes with the last of them.
    let name = format!("file:/rebuilt-{}?vfs=memdb", MADE.fetch_add(1, Ordering::Relaxed));
    let target = Connection::open(&name)?;
    let made = execute(connection, "VACUUM INTO ?", &[&name]).map(|_| target);
    unless_foreign(connection, made)
}

/// The result of a rebuild. None if the database declares something that only another program defines, such as a
/// collation: SQLite creates every table and index again for a rebuild.
fn unless_foreign<T>(connection: &Connection, rebuilt: Result<T>) -> Result<Option<T>> {
    match rebuilt {
        Err(error) if error.code() == ErrorCode::Internal && !can_be_made(connection)? => Ok(None),
        rebuilt => rebuilt.map(Some),
    }
}

/// Whether every table and index that a database declares can be created here. A stored declaration may be followed by
/// more statements, so only its first one is run.
fn can_be_made(connection: &Connection) -> Result<bool> {
    let scratch = Connection::open_in_memory()?;
    let declared = "SELECT sql FROM sqlite_schema WHERE rootpage > 0 AND sql NOT NULL \
                    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type DESC";
    Ok(texts(connection, declared, &[])?.iter().all(|sql| scratch.execute(sql, []).is_ok()))
}

/// Whether there is a table of this name.
pub(crate) fn has_table(connection: &Connection, name: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?)";
    Ok(connection.query_row(sql, [name], |row| row.get(0))?)
}

/// The page size, in bytes.
pub(crate) fn page_size(connection: &Connection) -> Result<i64> {
    ask(connection, "PRAGMA page_size")
}

/// The one value that a statement without parameters returns. The statement is run to its end, because a pragma returns
/// its row before it commits. Not inlined, to keep the module small.
#[inline(never)]
pub(crate) fn ask<T: FromSql>(connection: &Connection, sql: &str) -> Result<T> {
    Ok(connection.query_one(sql, [], |row| row.get(0))?)
}

/// Runs a statement that is used often and returns how many rows it changed. Not generic, to keep the module small.
pub(crate) fn execute(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<usize> {
    Ok(connection.prepare_cached(sql)?.execute(values)?)
}

/// Runs a script. Not inlined, to keep the module small: handling an SQLite error takes much code.
#[inline(never)]
pub(crate) fn run(connection: &Connection, script: &str) -> Result<()> {
    Ok(connection.execute_batch(script)?)
}

/// The rows that a statement returns, all of whose columns are texts.
pub(crate) fn rows_of_texts(connection: &Connection, sql: &str) -> Result<Vec<Vec<String>>> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut texts = Vec::with_capacity(columns);
        for column in 0..columns {
            texts.push(row.get(column)?);
        }
        found.push(texts);
    }
    Ok(found)
}

/// The texts in the first column of what a statement returns.
pub(crate) fn texts(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut texts = Vec::new();
    while let Some(row) = rows.next()? {
        texts.push(row.get(0)?);
    }
    Ok(texts)
}
