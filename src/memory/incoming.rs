//! The bytes of a file that somebody has, as a database in memory that a memory can become: in UTF-8, without auto-vacuum.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::db::{RowCopy, ask, check_integrity, execute, has_table, texts, turn_off_auto_vacuum};
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::batch::shape::Shape;

/// Opens the bytes of a file; `ours` are the tables that have to be whole.
///
/// # Errors
///
/// `not_a_database`, `corrupt_database`.
pub(super) fn read_file(mut file: Vec<u8>, ours: &dyn Fn() -> Result<BTreeSet<String>>) -> Result<Connection> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    const HEADER: usize = 100;
    if file.len() < HEADER || !file.starts_with(MAGIC) {
        return Err(not_a_memory("it does not begin as an SQLite file does"));
    }
    turn_off_auto_vacuum(&mut file);
    // A file that was left in WAL mode says so in these two bytes; in memory there is no log to open.
    for version in &mut file[18..20] {
        if *version == 2 {
            *version = 1;
        }
    }
    let length = file.len();
    let mut source = Connection::open_in_memory()?;
    source.deserialize_read_exact("main", std::io::Cursor::new(file), length, false)?;
    check_integrity(&source, ours)?;
    match ask::<String>(&source, "PRAGMA encoding")?.as_str() {
        "UTF-8" => Ok(source),
        _ => to_utf8(&source),
    }
}

/// The error for a database that is to be replaced by one that cannot be understood.
pub(super) fn not_a_memory(why: &str) -> Error {
    Error::new(ErrorCode::NotADatabase, format!("The file is not a memory: {why}."))
}

/// A copy in UTF-8 of a database in UTF-16. Texts have other lengths in it, so every row is copied and every index is made
/// again.
fn to_utf8(source: &Connection) -> Result<Connection> {
    let target = Connection::open_in_memory()?;
    for number in ["page_size", "application_id", "user_version"] {
        let value: i64 = ask(source, &format!("PRAGMA {number}"))?;
        target.execute_batch(&format!("PRAGMA {number} = {value}"))?;
    }
    // Its rows are as their own program wrote them.
    target.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; BEGIN")?;
    copy_tables(source, &target)?;
    let made = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql NOT NULL ORDER BY rowid";
    texts(source, made, &[])?.iter().try_for_each(|sql| make(&target, sql))?;
    // What has no pages is written down as it is, and nothing of it is run. A virtual table has its tables already.
    target.execute_batch("PRAGMA writable_schema = ON")?;
    let mut statement = source.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE rootpage = 0")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let values: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
        let [kind, name, table, sql] = &values;
        let insert = "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, 0, ?)";
        execute(&target, insert, &[kind, name, table, sql])?;
    }
    target.execute_batch("COMMIT; PRAGMA writable_schema = RESET; PRAGMA ignore_check_constraints = OFF")?;
    Ok(target)
}

fn copy_tables(source: &Connection, target: &Connection) -> Result<()> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 \
                  AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid";
    let mut tables = texts(source, tables, &[])?;
    for table in &tables {
        let sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?";
        make(target, &texts(source, sql, &[table])?.concat())?;
    }
    // SQLite makes these two itself. Further statistics are made again by ANALYZE.
    if has_table(source, "sqlite_stat1")? {
        target.execute_batch("ANALYZE sqlite_schema")?;
        tables.push("sqlite_stat1".to_owned());
    }
    if has_table(source, "sqlite_sequence")? {
        tables.push("sqlite_sequence".to_owned());
    }
    for table in &tables {
        let Some(shape) = Shape::of(source, table)? else { continue };
        if table == "sqlite_sequence" {
            target.execute_batch("DELETE FROM sqlite_sequence")?;
        }
        let columns: Vec<String> =
            shape.columns.iter().filter(|column| !column.generated).map(|column| column.name.clone()).collect();
        let key = columns.iter().position(|column| shape.is_key(column));
        let rowids = shape.rowid.filter(|_| key.is_none()).map(|name| (name, name));
        let (from, to) = (source, target);
        RowCopy { from, source: table, to, target: table, columns: &columns, key, rowids }.run()?;
    }
    Ok(())
}

/// Makes a table or an index of a file in UTF-16 again.
fn make(target: &Connection, sql: &str) -> Result<()> {
    let Err(error) = target.execute_batch(sql).map_err(Error::from) else { return Ok(()) };
    if error.code() == ErrorCode::OutOfMemory {
        return Err(error);
    }
    let message = format!("The file is in UTF-16 and declares what cannot be made here: {}.", error.reason());
    Err(error
        .recast(ErrorCode::NotADatabase, message)
        .with_hint("Copy it into a file in UTF-8 with the program that wrote it, and import that."))
}
