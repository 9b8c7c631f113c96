//! The bytes of a file that somebody has, as a database in memory that a memory can become: in UTF-8, without auto-vacuum.

use rusqlite::Connection;

use crate::db::{ask, check_integrity, execute, has_table, rows_of_texts, run, texts, turn_off_auto_vacuum};
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::foreign::copy_rows;

/// Opens the bytes of a file; `ours` are the tables that have to be whole.
///
/// # Errors
///
/// `not_a_database`, `corrupt_database`.
pub(super) fn read_file(mut file: Vec<u8>, ours: &dyn Fn() -> Result<Vec<String>>) -> Result<Connection> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    const HEADER: usize = 100;
    if file.len() < HEADER || !file.starts_with(MAGIC) {
        return Err(not_a_memory("it does not begin as an SQLite file does"));
    }
    turn_off_auto_vacuum(&mut file);
    // SQLite takes another number for one of the three at first, and for none when it reads the schema again.
    const ENCODING: std::ops::Range<usize> = 56..60;
    match file[ENCODING] {
        [0, 0, 0, 1..=3] => {}
        // Of a file without tables.
        [0, 0, 0, 0] => file[ENCODING].copy_from_slice(&[0, 0, 0, 1]),
        _ => return Err(not_a_memory("it is in no encoding that SQLite has")),
    }
    // SQLite itself would say of such a file that it is read-only.
    if file[18..20].iter().any(|version| *version > 2) {
        return Err(not_a_memory("it is of a later version of SQLite's format"));
    }
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
        run(&target, &format!("PRAGMA {number} = {value}"))?;
    }
    // Its rows are as their own program wrote them.
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
    // SQLite makes these two itself. Further statistics are made again by ANALYZE.
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
    // What has no pages is written down as it is, and nothing of it is run. A virtual table has its tables already.
    for object in rows_of_texts(source, "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE rootpage = 0")? {
        let insert = "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, 0, ?)";
        execute(&target, insert, &[&object[0], &object[1], &object[2], &object[3]])?;
    }
    run(&target, "COMMIT; PRAGMA writable_schema = RESET; PRAGMA ignore_check_constraints = OFF")?;
    Ok(target)
}

/// Makes a table or an index of a file in UTF-16 again.
fn make(target: &Connection, sql: &str) -> Result<()> {
    // What SQLite keeps of a declaration may have more statements behind it, which are refused.
    let Err(error) = target.execute(sql, []).map_err(Error::from) else { return Ok(()) };
    if error.code() == ErrorCode::OutOfMemory {
        return Err(error);
    }
    let message = format!("The file is in UTF-16 and declares what cannot be made here: {}.", error.reason());
    Err(error
        .recast(ErrorCode::NotADatabase, message)
        .with_hint("Copy it into a file in UTF-8 with the program that wrote it, and import that."))
}
