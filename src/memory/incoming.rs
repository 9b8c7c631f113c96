//! Opens the bytes of a file as a database in memory that can replace the live one: in UTF-8 and without auto-vacuum.

use rusqlite::Connection;

use crate::db::{ask, check_integrity, execute, has_table, rows_of_texts, run, texts, turn_off_auto_vacuum};
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::foreign::copy_rows;

/// Opens the bytes of a file; `ours` names the tables that must be undamaged.
///
/// # Errors
///
/// `not_a_database`, `corrupt_database`.
pub(super) fn read_file(mut file: Vec<u8>, ours: &dyn Fn() -> Result<Vec<String>>) -> Result<Connection> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    const HEADER: usize = 100;
    if file.len() < HEADER || !file.starts_with(MAGIC) {
        return Err(not_a_memory("it does not begin with an SQLite header"));
    }
    turn_off_auto_vacuum(&mut file);
    // SQLite first accepts any other number as one of the three encodings, and rejects it when it reads the schema
    // again.
    const ENCODING: std::ops::Range<usize> = 56..60;
    match file[ENCODING] {
        [0, 0, 0, 1..=3] => {}
        // A file without tables.
        [0, 0, 0, 0] => file[ENCODING].copy_from_slice(&[0, 0, 0, 1]),
        _ => return Err(not_a_memory("its text encoding is not one of SQLite's")),
    }
    // SQLite itself would report such a file as read-only.
    if file[18..20].iter().any(|version| *version > 2) {
        return Err(not_a_memory("it uses a later version of SQLite's file format"));
    }
    // These two bytes are 2 if the file was left in WAL mode. In memory there is no log to open.
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

/// The error for a file that cannot be read as a memory.
pub(super) fn not_a_memory(why: &str) -> Error {
    Error::new(ErrorCode::NotADatabase, format!("The file is not a memory: {why}."))
}

/// A copy in UTF-8 of a database in UTF-16. Its texts have other lengths, so every row is copied and every index is
/// built again.
fn to_utf8(source: &Connection) -> Result<Connection> {
    let target = Connection::open_in_memory()?;
    for number in ["page_size", "application_id", "user_version"] {
        let value: i64 = ask(source, &format!("PRAGMA {number}"))?;
        run(&target, &format!("PRAGMA {number} = {value}"))?;
    }
    // Rows are copied as their program wrote them, even if they violate constraints.
    run(
        &target,
        "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; PRAGMA writable_schema = ON; BEGIN",
    )?;
    let is_made = "rootpage > 0 AND sql NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let made = |kind: &str, column: &str| {
        let sql = format!("SELECT {column} FROM sqlite_schema WHERE type = '{kind}' AND {is_made} ORDER BY rowid");
        texts(source, &sql, &[])
    };
    made("table", "sql")?.iter().try_for_each(|sql| make(&target, sql))?;
    // SQLite creates sqlite_stat1 and sqlite_sequence itself. Other statistics come back with the next ANALYZE.
    if has_table(source, "sqlite_stat1")? {
        run(&target, "ANALYZE sqlite_schema")?;
        copy_rows(source, "sqlite_stat1", &target, "sqlite_stat1")?;
    }
    made("table", "name")?.iter().try_for_each(|table| copy_rows(source, table, &target, table))?;
    if has_table(source, "sqlite_sequence")? {
        run(&target, "DELETE FROM sqlite_sequence")?;
        copy_rows(source, "sqlite_sequence", &target, "sqlite_sequence")?;
    }
    made("index", "sql")?.iter().try_for_each(|sql| make(&target, sql))?;
    // Views, triggers and virtual tables have no pages. Their declarations are copied without being run; the shadow
    // tables of a virtual table are copied already.
    for object in rows_of_texts(source, "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE rootpage = 0")? {
        let insert = "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, 0, ?)";
        execute(&target, insert, &[&object[0], &object[1], &object[2], &object[3]])?;
    }
    run(&target, "COMMIT; PRAGMA writable_schema = RESET; PRAGMA ignore_check_constraints = OFF")?;
    Ok(target)
}

/// Creates a table or an index of a file in UTF-16 again.
fn make(target: &Connection, sql: &str) -> Result<()> {
    // The SQL that SQLite stores for a table or an index may be followed by more statements, which are rejected.
    let Err(error) = target.execute(sql, []).map_err(Error::from) else { return Ok(()) };
    if error.code() == ErrorCode::OutOfMemory {
        return Err(error);
    }
    let message =
        format!("The file is in UTF-16 and declares something that cannot be created here: {}.", error.reason());
    Err(error
        .recast(ErrorCode::NotADatabase, message)
        .with_hint("Copy it into a file in UTF-8 with the program that wrote it, and import that."))
}
