//! `execute` writes to an app's own tables, all or nothing, and never to the memory's tables.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use rusqlite::types::Value;
use support::{in_memory, open, open_with};
use synth_memory::db::Location;
use synth_memory::memory::Migrations;
use synth_memory::memory::execute::{Executed, Returned};
use synth_memory::memory::query::{DEFAULT_TIMEOUT, Parameters};
use synth_memory::migrate::Graph;
use synth_memory::tables::turns::NewTurn;
use synth_memory::{Clock, Durability, ErrorCode, Memory, Result};

const APP: &str = "-- Lists
--
-- Revision ID: app1
-- Revises:
-- Depends On: 001
-- migrate:up
CREATE TABLE lists (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE items (list INTEGER REFERENCES lists (id) ON DELETE CASCADE, text TEXT CHECK (length(text) < 10));
CREATE TABLE keyed (key TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
CREATE TABLE log (what TEXT);
CREATE TRIGGER logs AFTER INSERT ON lists BEGIN INSERT INTO log VALUES (new.name); END;
CREATE TABLE meddles (text TEXT);
CREATE TRIGGER meddling AFTER INSERT ON meddles BEGIN UPDATE turns SET user_input = new.text; END;
CREATE VIEW open_lists AS SELECT * FROM lists WHERE NOT done;
-- migrate:down
DROP VIEW open_lists;
DROP TABLE meddles;
DROP TABLE items;
DROP TABLE lists;
DROP TABLE keyed;
DROP TABLE log;
";

fn graph() -> Graph {
    Graph::with_bundled(&[("app1_lists.sql".to_owned(), APP.to_owned())]).unwrap()
}

fn with_lists(folder: &std::path::Path) -> Memory {
    let memory = open_with(folder, graph()).unwrap();
    memory.turns().add(vec![NewTurn { user_input: "kept".into(), ..NewTurn::default() }]).unwrap();
    memory.take_changes();
    memory
}

fn run(memory: &mut Memory, statements: &[(&str, &[Value])]) -> Result<Vec<Executed>> {
    let statements: Vec<_> =
        statements.iter().map(|(sql, values)| ((*sql).to_owned(), Parameters::Positional(values.to_vec()))).collect();
    memory.execute(&statements, DEFAULT_TIMEOUT)
}

fn one(memory: &mut Memory, sql: &str) -> Result<Executed> {
    run(memory, &[(sql, &[])]).map(|mut done| done.remove(0))
}

fn count(memory: &Memory, sql: &str) -> i64 {
    memory.db().connection().query_one(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn own_tables_are_written_and_every_commit_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = with_lists(folder.path());
    let done = run(
        &mut memory,
        &[
            (
                "INSERT INTO lists (name) VALUES (?), ('b') RETURNING id, name, done * 0.5, NULL",
                &[Value::from("a".to_owned())],
            ),
            ("INSERT INTO items SELECT id, 'milk' FROM lists", &[]),
            ("UPDATE lists SET done = 1 WHERE name = 'a'", &[]),
        ],
    )
    .unwrap();
    assert_eq!(done.iter().map(|done| done.changes).collect::<Vec<_>>(), [2, 2, 1]);
    let text = |text: &str| Returned::Text(text.into());
    assert_eq!(done[0].rows[1], [Returned::Number(2.0), text("b"), Returned::Number(0.0), Returned::Null]);
    assert_eq!(count(&memory, "SELECT count(*) FROM log"), 2, "its triggers run");
    let changes = memory.take_changes().unwrap();
    assert_eq!((changes.own, changes.tables.len()), (vec!["lists".to_owned(), "log".into(), "items".into()], 0));
    one(&mut memory, "REPLACE INTO keyed VALUES ('k', 1)").unwrap();
    assert_eq!(memory.take_changes().unwrap().own, ["keyed"]);
    one(&mut memory, "DELETE FROM lists").unwrap();
    assert_eq!(count(&memory, "SELECT count(*) FROM items"), 0, "foreign keys act");
    assert!(memory.take_changes().unwrap().own.contains(&"items".to_owned()));
    // In a batch with other calls it is part of their transaction.
    memory.db().begin_batch();
    one(&mut memory, "INSERT INTO keyed VALUES ('b', 2)").unwrap();
    memory.turns().add(vec![NewTurn { user_input: "with it".into(), ..NewTurn::default() }]).unwrap();
    memory.end_batch().unwrap();
    memory.close().unwrap();
    let memory = open_with(folder.path(), graph()).unwrap();
    assert_eq!(count(&memory, "SELECT count(*) FROM keyed"), 2);
}

#[test]
fn whatever_touches_the_memory_or_the_schema_is_refused_and_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = with_lists(folder.path());
    let before = memory.export().unwrap();
    let refused = [
        "INSERT INTO turns (user_input) VALUES ('x')",
        "UPDATE turns SET user_input = 'x'",
        "DELETE FROM turns",
        "REPLACE INTO long_term VALUES ('k', '1', 0)",
        "DELETE FROM memory_fts",
        "INSERT INTO memory_fts (memory_fts) VALUES ('delete-all')",
        "DELETE FROM memory_fts_data",
        "DELETE FROM embeddings",
        "UPDATE alembic_version SET version_num = 'x'",
        "DELETE FROM synth_migrations",
        "DELETE FROM sqlite_master",
        "UPDATE sqlite_schema SET sql = ''",
        "WITH a AS (SELECT 1) DELETE FROM turns",
        "INSERT INTO meddles VALUES ('by a trigger')",
        "CREATE TABLE t (x)",
        "CREATE TEMP TABLE t (x)",
        "DROP TABLE lists",
        "ALTER TABLE lists ADD COLUMN x",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT s",
        "ROLLBACK",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA user_version = 5",
        "ATTACH ':memory:' AS other",
        "VACUUM",
        "REINDEX",
        "ANALYZE",
        "SELECT 1",
        "EXPLAIN DELETE FROM lists",
        "DELETE FROM lists; DELETE FROM turns",
        "DELETE FROM lists WHERE id = ?",
        "DELETE FROM nothing",
        "DELETE FROM open_lists",
        "INSERT INTO log VALUES ('x') RETURNING x'00'",
        "INSERT INTO log VALUES ('x') RETURNING 1 << 60",
        "INSERT INTO log VALUES ('x') RETURNING 9e999",
        "nonsense",
        "",
        "DELETE FROM lists\0",
    ];
    for sql in refused {
        let error = run(&mut memory, &[("INSERT INTO lists (name) VALUES ('first')", &[]), (sql, &[])]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidSql, "{sql}: {error}");
        assert!(error.message().starts_with("statement 1: "), "{sql}: {error}");
    }
    assert_eq!(memory.take_changes(), None);
    assert_eq!(memory.export().unwrap(), before);
    for (sql, code) in [
        ("INSERT INTO lists (name) VALUES (NULL)", ErrorCode::ConstraintFailed),
        ("INSERT INTO items VALUES (99, 'x')", ErrorCode::ConstraintFailed),
        ("INSERT INTO items VALUES (NULL, 'longer than that')", ErrorCode::ConstraintFailed),
    ] {
        assert_eq!(one(&mut memory, sql).unwrap_err().code(), code, "{sql}");
    }
    // The schema can still be migrated, and other tables written.
    memory.downgrade("app1@base").unwrap();
    memory.turns().add(vec![NewTurn::default()]).unwrap();
}

#[test]
fn no_table_of_a_memory_is_taken_for_an_apps_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = open(folder.path()).unwrap();
    memory.keep_answers("client", 0, 0, "[]").unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let names: Vec<String> = {
        let mut statement = memory.db().connection().prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    };
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let error = one(&mut memory, &format!("DELETE FROM \"{name}\"")).unwrap_err();
        assert!(
            error.message().contains(&format!("it deletes from {name}")) || name.starts_with("memory_fts_"),
            "{error}"
        );
    }
    assert_eq!(one(&mut in_memory(), "DELETE FROM lists").unwrap_err().code(), ErrorCode::InvalidSql);
}

#[test]
fn a_hint_fits_the_call_and_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (mut with_app, mut without) = (with_lists(folder.path()), in_memory());
    let hints = |memory: &mut Memory, sql: &str, values: &[Value]| {
        let (read, write) = (sql.replace("{}", "SELECT 1 FROM"), sql.replace("{}", "DELETE FROM"));
        let parameters = Parameters::Positional(values.to_vec());
        let queried = memory.query(&read, &parameters, DEFAULT_TIMEOUT).unwrap_err();
        [queried, run(memory, &[(&write, values)]).unwrap_err()].map(|error| {
            assert_eq!(error.code(), ErrorCode::InvalidSql, "{error}");
            error.hint().to_owned()
        })
    };
    for hint in hints(&mut without, "{} todo", &[]) {
        assert!(hint.contains("Were `migrations` passed to Memory.open?"), "{hint}");
    }
    let mistakes: [(&str, &[Value]); 5] = [
        ("{} todo", &[]),
        ("{} lists WHERE nothing = 1", &[]),
        ("{} lists WHERE id = ?", &[]),
        ("{} lists WHERE", &[]),
        ("{} lists WHERE id = ?", &[Value::Null, Value::Null]),
    ];
    for (sql, values) in mistakes {
        for hint in hints(&mut with_app, sql, values) {
            assert!(!hint.contains("memory.query()") && !hint.contains("`migrations`"), "{sql}: {hint}");
        }
    }
    // A column that is missing in one of the memory's own tables has nothing to do with an app.
    let error = without.query("SELECT nothing FROM turns", &Parameters::Positional(vec![]), 1.0).unwrap_err();
    assert!(!error.hint().contains("`migrations`"), "{error}");
}

#[test]
fn a_statement_that_does_not_end_is_stopped_and_nothing_is_kept() {
    let mut memory =
        Memory::open(Location::Memory, Durability::Strict, Clock::system(), Migrations::new(graph())).unwrap();
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) INSERT INTO log SELECT x FROM n";
    let statements = ["INSERT INTO log VALUES ('first')", endless];
    let statements = statements.map(|sql| (sql.to_owned(), Parameters::Positional(vec![])));
    assert_eq!(memory.execute(&statements, 0.2).unwrap_err().code(), ErrorCode::QueryTimeout);
    assert_eq!(count(&memory, "SELECT count(*) FROM log"), 0);
    memory.turns().add(vec![NewTurn::default()]).unwrap();
}
