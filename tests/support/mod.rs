//! What the native tests share: a clock that stands still, databases in folders, and their schemas and rows.
#![allow(dead_code, unreachable_pub)]

use std::path::{Path, PathBuf};

use synth_memory::db::Location;
use synth_memory::memory::Migrations;
use synth_memory::migrate::backup::{Backups, Folder};
use synth_memory::migrate::runner::{self, Run};
use synth_memory::migrate::{Graph, Step};
use synth_memory::{Clock, Durability, Memory, Result};

/// 2026-01-02T03:04:05.5Z
pub const NOW: f64 = 1_767_323_045.5;

pub fn still() -> Clock {
    Clock::new(|| NOW)
}

pub fn in_memory() -> Memory {
    Memory::in_memory(still()).unwrap()
}

/// A folder on the disk for backups.
pub struct OnDisk(pub PathBuf);

impl Folder for OnDisk {
    fn names(&self) -> Result<Vec<String>> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        Ok(entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
    }

    fn remove(&self, name: &str) -> Result<()> {
        let _ = std::fs::remove_file(self.0.join(name));
        Ok(())
    }

    fn location<'a>(&'a self, name: &'a str) -> (String, Option<&'a str>) {
        (self.0.join(name).to_str().unwrap().to_owned(), None)
    }
}

/// These revisions, with backups in a folder.
pub fn migrations_at(folder: &Path, graph: Graph) -> Migrations {
    Migrations::new(graph).with_backups(Backups::new(Box::new(OnDisk(folder.to_owned())), "memory.db"))
}

/// Opens `memory.db` in a folder, with these migrations.
pub fn open_with(folder: &Path, graph: Graph) -> Result<Memory> {
    let path = folder.join("memory.db");
    let location = Location::File { path: path.to_str().unwrap(), vfs: None };
    Memory::open(location, Durability::Strict, still(), migrations_at(folder, graph))
}

pub fn open(folder: &Path) -> Result<Memory> {
    open_with(folder, Graph::bundled())
}

/// Upgrades a bare connection, as a memory does with its own.
pub fn upgrade(connection: &mut rusqlite::Connection, graph: &Graph, target: &str) -> Result<Vec<String>> {
    let current = runner::current(connection)?;
    carry_out(connection, &graph.upgrade(&current, target)?)
}

/// Downgrades a bare connection.
pub fn downgrade(connection: &mut rusqlite::Connection, graph: &Graph, target: &str) -> Result<Vec<String>> {
    let current = runner::current(connection)?;
    carry_out(connection, &graph.downgrade(&current, target)?)
}

fn carry_out(connection: &mut rusqlite::Connection, steps: &[Step<'_>]) -> Result<Vec<String>> {
    let Some(last) = steps.last() else { return Ok(Vec::new()) };
    runner::run(connection, steps, &last.heads, &mut Run { clock: still(), progress: &mut |_| {} })
}

pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// Every object of a schema: type, name and SQL, as SQLite stores them.
pub fn schema(connection: &rusqlite::Connection) -> Vec<(String, String, Option<String>)> {
    let sql = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

/// Every row of a table.
pub fn rows(connection: &rusqlite::Connection, table: &str) -> Vec<Vec<rusqlite::types::Value>> {
    let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
    let columns = statement.column_count();
    let found = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
    found.collect::<rusqlite::Result<_>>().unwrap()
}

/// Opens the bytes of a file with plain SQLite, in a folder of its own.
pub fn open_bytes(bytes: &[u8]) -> (tempfile::TempDir, rusqlite::Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.db");
    std::fs::write(&path, bytes).unwrap();
    let connection = rusqlite::Connection::open(path).unwrap();
    (folder, connection)
}

pub const TABLES: [&str; 5] = ["episodes", "long_term", "turns", "uncertainty_log", "semantic_memories"];

/// What the index of words holds (terms, rows, positions), and what it holds after it is made again from the tables.
pub fn indexed(memory: &Memory) -> [Vec<(String, i64, i64)>; 2] {
    let connection = memory.db().connection();
    let read = || {
        memory.recall().index().unwrap();
        connection.execute_batch("INSERT INTO memory_fts (memory_fts) VALUES ('integrity-check')").unwrap();
        connection
            .execute_batch(
                "CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, memory_fts, instance)",
            )
            .unwrap();
        let sql = "SELECT term, doc, offset FROM temp.vocabulary UNION ALL SELECT '', id, 0 FROM memory_fts_docsize
                   ORDER BY 1, 2, 3";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.collect::<rusqlite::Result<Vec<_>>>().unwrap()
    };
    let is = read();
    connection
        .execute_batch(
            "INSERT INTO memory_fts (memory_fts) VALUES ('delete-all');
             DELETE FROM memory_indexed",
        )
        .unwrap();
    [is, read()]
}

/// The bytes of a database.
pub fn file_of(mut connection: rusqlite::Connection) -> Vec<u8> {
    connection.serialize("main").unwrap().to_vec()
}

/// A fixture, changed by this SQL.
pub fn changed(name: &str, sql: &str) -> rusqlite::Connection {
    let mut file = rusqlite::Connection::open_in_memory().unwrap();
    let bytes = fixture(name);
    file.deserialize_read_exact("main", bytes.as_slice(), bytes.len(), false).unwrap();
    file.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON").unwrap();
    file.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    file
}

/// Changes the declarations in a file, as if a program with its own functions and collations had made it.
pub fn relabelled(file: rusqlite::Connection, words: &[(&str, &str)]) -> Vec<u8> {
    file.execute_batch("PRAGMA writable_schema = ON").unwrap();
    for (from, to) in words {
        let count =
            file.execute("UPDATE sqlite_schema SET sql = replace(sql, ?1, ?2) WHERE instr(sql, ?1)", [from, to]);
        assert!(count.unwrap() > 0, "{from}");
    }
    file_of(file)
}

/// The result of SQLite's integrity check: errors, or `ok`.
pub fn integrity(connection: &rusqlite::Connection) -> String {
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

/// The names of what was left out, with their types.
pub fn left_out(imported: &synth_memory::memory::Imported) -> Vec<String> {
    imported.left_out.iter().map(|object| format!("{} {}", object.kind, object.name)).collect()
}

/// Every row of the five tables and of the tables named here, with its rowid.
pub fn contents(connection: &rusqlite::Connection) -> Vec<(String, Vec<Vec<rusqlite::types::Value>>)> {
    let own = ["keyed", "long_term", "many", "notes", "numbered", "empty", "sqlite_sequence", "sqlite_stat1"];
    let names = schema(connection).into_iter().filter(|(kind, ..)| kind == "table").map(|(_, name, _)| name);
    let names = names.filter(|name| TABLES.contains(&name.as_str()) || own.contains(&name.as_str()));
    let read = |name: String| {
        let rowid = if ["keyed", "sqlite_sequence"].contains(&name.as_str()) { "1" } else { "_rowid_" };
        let mut found = rows(connection, &format!("(SELECT {rowid}, * FROM {name})"));
        if name == "sqlite_sequence" {
            found.sort_by_key(|row| format!("{row:?}"));
        }
        (name, found)
    };
    names.map(read).collect()
}
