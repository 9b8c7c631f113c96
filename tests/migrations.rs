//! Upgrade, downgrade and stamp: all or nothing, with version rows as Alembic writes them.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use rusqlite::Connection;
use support::{
    TABLES, downgrade, fixture, in_memory, indexed, open, open_bytes, open_with, rows, schema, still, upgrade,
};
use synth_memory::db::Location;
use synth_memory::memory::Migrations;
use synth_memory::migrate::{Graph, Revision, runner};
use synth_memory::tables::turns::{NewTurn, TurnFilter};
use synth_memory::{Durability, ErrorCode, Memory};

/// A migration file with the scripts `up` and `down`.
fn file(id: &str, revises: &str, up: &str, down: &str) -> (String, String) {
    let text = format!(
        "-- Revision {id}\n--\n-- Revision ID: {id}\n-- Revises: {revises}\n-- Create Date: 2026-01-01\n\
         -- migrate:up\n{up}\n-- migrate:down\n{down}\n"
    );
    (format!("20260101_0000_{id}_test.sql"), text)
}

fn graph(files: &[(String, String)]) -> synth_memory::Result<Graph> {
    Graph::parse(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

fn line() -> Vec<(String, String)> {
    vec![
        file("a1b2c3d4", "", "CREATE TABLE parent (id INTEGER PRIMARY KEY);", "DROP TABLE parent;"),
        file(
            "a1ffffff",
            "a1b2c3d4",
            "CREATE TABLE child (parent REFERENCES parent ON DELETE CASCADE);",
            "DROP TABLE child;",
        ),
        file("e5", "a1ffffff", "CREATE INDEX of_parent ON child (parent);", "DROP INDEX of_parent;"),
    ]
}

#[test]
fn the_baseline_is_alembics_to_the_letter() {
    let (_folder, theirs) = open_bytes(&fixture("synth-mind-alembic.db"));
    let mut memory = in_memory();
    memory.downgrade("001").unwrap();
    let ours = schema(memory.db().connection());
    let beside = |(_, name, _): &&(_, String, _)| name.contains("synth_migrations");
    assert_eq!(ours.iter().filter(beside).count(), 2, "the history and its key");
    assert_eq!(
        ours.iter().filter(|object| !beside(object)).collect::<Vec<_>>(),
        schema(&theirs).iter().collect::<Vec<_>>()
    );
    assert_eq!(rows(memory.db().connection(), "alembic_version"), rows(&theirs, "alembic_version"));
}

#[test]
fn every_downgrade_goes_back_exactly() {
    let mut connection = Connection::open_in_memory().unwrap();
    let graph = Graph::bundled();
    let mut before = vec![];
    for revision in graph.revisions() {
        before.push(schema(&connection));
        upgrade(&mut connection, &graph, &revision.id).unwrap();
    }
    for expected in before.iter().skip(1).rev() {
        assert_eq!(downgrade(&mut connection, &graph, "-1").unwrap().len(), 1);
        assert_eq!(&schema(&connection), expected);
    }
    downgrade(&mut connection, &graph, "base").unwrap();
    let left: Vec<_> = schema(&connection).into_iter().map(|(_, name, _)| name).collect();
    assert_eq!(left, ["sqlite_autoindex_alembic_version_1", "alembic_version"]);
    assert!(runner::current(&connection).unwrap().is_empty());
}

#[test]
fn rows_survive_the_way_down_and_up() {
    let further = file(
        "further",
        "002",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT); INSERT INTO notes SELECT id, user_input FROM turns;",
        "DROP TABLE notes;",
    );
    let migrations = Migrations::new(Graph::with_bundled(&[further]).unwrap());
    let mut memory = Memory::open(Location::Memory, Durability::Strict, still(), migrations).unwrap();
    memory.import(fixture("synth-mind-alembic.db")).unwrap();
    let (_folder, theirs) = open_bytes(&fixture("synth-mind-alembic.db"));
    let by_index =
        |memory: &Memory| memory.turns().count(TurnFilter { search: Some("peanuts".into()), ..TurnFilter::default() });
    let ask = |memory: &Memory, sql: &str| -> u64 {
        memory.db().connection().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() as u64
    };
    let sql = "SELECT count(*) FROM turns WHERE user_input || assistant_response LIKE '%peanuts%'";
    let by_reading = ask(&memory, sql);
    assert_eq!(by_reading, 15);
    let walks: [(&str, &[&str]); 4] =
        [("001", &["further", "002"]), ("head", &["002", "further"]), ("-1", &["further"]), ("head", &["further"])];
    for (target, steps) in walks {
        let run = if target == "head" { memory.upgrade(target) } else { memory.downgrade(target) };
        assert_eq!(run.unwrap(), steps);
        for table in TABLES {
            assert_eq!(rows(memory.db().connection(), table), rows(&theirs, table), "{table} at {target}");
        }
        if target == "001" {
            assert_eq!(by_index(&memory).unwrap_err().code(), ErrorCode::SchemaMismatch);
            continue;
        }
        // The index has every row again.
        assert_eq!(by_index(&memory).unwrap(), by_reading, "{target}");
        let [is, should_be] = indexed(&memory);
        assert_eq!(is, should_be, "{target}");
        if target == "head" {
            assert_eq!(rows(memory.db().connection(), "notes").len(), rows(&theirs, "turns").len());
        }
    }
}

#[test]
fn symbols_mean_what_alembic_means_by_them() {
    let graph = graph(&line()).unwrap();
    let current = |connection: &Connection| match &runner::current(connection).unwrap()[..] {
        [] => "base".to_owned(),
        ids => ids.join(", "),
    };
    let cases = [
        ("base", "head", Ok("e5")),
        ("base", "heads", Ok("e5")),
        ("base", "a1b2", Ok("a1b2c3d4")),
        ("base", "+2", Ok("a1ffffff")),
        ("a1b2c3d4", "+1", Ok("a1ffffff")),
        ("a1b2c3d4", "current", Ok("a1b2c3d4")),
        ("e5", "head", Ok("e5")),
        ("e5", "+1", Err(ErrorCode::UnknownSymbol)),
        ("base", "a1", Err(ErrorCode::AmbiguousRevision)),
        ("base", "+x", Err(ErrorCode::UnknownSymbol)),
        ("base", "", Err(ErrorCode::UnknownSymbol)),
        ("base", "nothing", Err(ErrorCode::UnknownSymbol)),
        ("e5", "a1b2c3d4", Err(ErrorCode::InvalidArgument)),
    ];
    for (from, target, expected) in cases {
        let mut connection = Connection::open_in_memory().unwrap();
        upgrade(&mut connection, &graph, from).unwrap();
        let result = upgrade(&mut connection, &graph, target);
        match expected {
            Ok(id) => assert_eq!((result.is_ok(), current(&connection).as_str()), (true, id), "{from} to {target}"),
            Err(code) => {
                assert_eq!(result.unwrap_err().code(), code, "{from} to {target}");
                assert_eq!(current(&connection), from, "{from} to {target}");
            }
        }
    }
    for (target, expected) in [("-1", "a1ffffff"), ("-3", "base"), ("a1ff", "a1ffffff"), ("base", "base")] {
        let mut connection = Connection::open_in_memory().unwrap();
        upgrade(&mut connection, &graph, "head").unwrap();
        downgrade(&mut connection, &graph, target).unwrap();
        assert_eq!(current(&connection), expected, "head to {target}");
    }
    let mut connection = Connection::open_in_memory().unwrap();
    assert_eq!(downgrade(&mut connection, &graph, "-1").unwrap_err().code(), ErrorCode::UnknownSymbol);
}

#[test]
fn a_run_that_fails_leaves_no_trace() {
    let broken = [
        ("CREATE TABLE half (x); CREATE TABLE half (x);", ErrorCode::MigrationFailed, "already exists"),
        ("CREATE TABLE half (x); SELEC 1;", ErrorCode::MigrationFailed, "syntax error"),
        ("CREATE TABLE half (x); COMMIT;", ErrorCode::MigrationFailed, "not authorized"),
        ("CREATE TABLE half (x); BEGIN;", ErrorCode::MigrationFailed, "not authorized"),
        ("INSERT INTO child VALUES (7);", ErrorCode::MigrationFailed, "parent that does not exist"),
        ("INSERT INTO parent VALUES (1), (1);", ErrorCode::MigrationFailed, "UNIQUE"),
    ];
    for (sql, code, words) in broken {
        let mut files = line();
        files.push(file("f6", "e5", sql, ""));
        let graph = graph(&files).unwrap();
        let mut connection = Connection::open_in_memory().unwrap();
        upgrade(&mut connection, &graph, "a1b2c3d4").unwrap();
        let before = schema(&connection);
        let error = upgrade(&mut connection, &graph, "head").unwrap_err();
        assert_eq!(error.code(), code, "{sql}: {error}");
        assert!(error.message().contains(words), "{sql}: {error}");
        assert_eq!(error.hint().contains("one transaction"), words == "not authorized", "{sql}: {error}");
        assert!(words.contains("parent that") || error.message().contains("20260101_0000_f6_test.sql"), "{error}");
        assert_eq!((schema(&connection), runner::current(&connection).unwrap()), (before, vec!["a1b2c3d4".to_owned()]));
        assert!(connection.is_autocommit());
        let foreign_keys: bool = connection.query_row("PRAGMA foreign_keys", [], |row| row.get(0)).unwrap();
        assert!(foreign_keys, "foreign keys are off after {sql}");
    }
}

#[test]
fn a_rebuilt_table_keeps_the_children_of_its_rows() {
    let mut files = line();
    let rebuild = "CREATE TABLE new_parent (id INTEGER PRIMARY KEY, name TEXT);
                   INSERT INTO new_parent (id) SELECT id FROM parent; DROP TABLE parent;
                   ALTER TABLE new_parent RENAME TO parent;";
    files.push(file("f6", "e5", rebuild, ""));
    let graph = graph(&files).unwrap();
    let mut connection = Connection::open_in_memory().unwrap();
    upgrade(&mut connection, &graph, "e5").unwrap();
    connection.execute_batch("INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1);").unwrap();
    upgrade(&mut connection, &graph, "head").unwrap();
    assert_eq!(rows(&connection, "child").len(), 1);
}

#[test]
fn files_that_break_the_format_are_named() {
    let good = file("x1", "", "SELECT 1;", "").1;
    let cases = [
        (good.replace("-- Revision ID: x1", ""), "Revision ID"),
        (good.replace("Revision ID: x1", "Revision ID: x-1"), "revision id must be"),
        (good.replace("Revision ID: x1", "Revision ID: head"), "must not be head"),
        (good.replace("-- Revises: ", ""), "Revises"),
        (good.replace("-- migrate:up", ""), "migrate:up"),
        (good.replace("-- migrate:down", ""), "migrate:down"),
        (good.replace("-- Revision x1\n", "DROP TABLE turns;\n"), "SQL before"),
        (good.replace("-- Revision x1\n", ""), "does not say what it does"),
    ];
    for (text, words) in cases {
        let error = Revision::parse("the_file.sql", &text).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidMigration);
        assert!(error.message().contains("the_file.sql") && error.message().contains(words), "{error}");
    }
    Revision::parse("windows.sql", &good.replace('\n', "\r\n")).unwrap();

    let twin = file("a1b2c3d4", "e5", "", "");
    let orphan = file("f6", "unknown", "", "");
    for extra in [twin, orphan] {
        let mut files = line();
        files.push(extra.clone());
        let error = graph(&files).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidMigration);
        assert!(error.message().contains(&extra.0), "{error}");
    }
}

#[test]
fn stamp_writes_the_version_where_it_is_true_and_nothing_else() {
    let mut memory = in_memory();
    let before = schema(memory.db().connection());
    for (target, code) in
        [("001", ErrorCode::SchemaMismatch), ("base", ErrorCode::SchemaMismatch), ("zzz", ErrorCode::UnknownSymbol)]
    {
        assert_eq!(memory.stamp(&[target], false, false).unwrap_err().code(), code, "{target}");
        assert_eq!(memory.revisions().unwrap(), ["002"]);
    }
    memory.db().connection().execute_batch("DELETE FROM alembic_version").unwrap();
    memory.stamp(&["head"], false, false).unwrap();
    assert_eq!(memory.revisions().unwrap(), ["002"]);
    assert_eq!(schema(memory.db().connection()), before);
    memory.downgrade("base").unwrap();
    assert_eq!(memory.stamp(&["001"], false, false).unwrap_err().code(), ErrorCode::SchemaMismatch);
}

#[test]
fn a_file_that_is_not_understood_is_refused_and_left_alone() {
    let cases = [
        ("CREATE TABLE turns (id)", ErrorCode::UnversionedDatabase),
        (
            "CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('ffff')",
            ErrorCode::UnknownRevision,
        ),
        (
            "CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('001'), ('002')",
            ErrorCode::SchemaMismatch,
        ),
    ];
    for (sql, code) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory.db");
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = schema(&Connection::open(&path).unwrap());
        let error = open(folder.path()).err().unwrap();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(schema(&Connection::open(&path).unwrap()), before);
    }
    for bytes in [&b"not a database, but long enough to have a header of a hundred bytes, which is what SQLite looks at first of all"[..], &fixture("synth-mind-alembic.db")[..5000]] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("memory.db"), bytes).unwrap();
        let error = open(folder.path()).err().unwrap();
        assert!([ErrorCode::NotADatabase, ErrorCode::CorruptDatabase].contains(&error.code()), "{error}");
    }
}

/// An app's file can use the package's tables without declaring it; the name of the file does not matter.
#[test]
fn the_packages_revisions_come_first_and_go_last() {
    for name in ["0_app.sql", "app.sql", "zebra.sql"] {
        let text =
            file("app", "", "CREATE VIEW said AS SELECT user_input FROM turns;", "SELECT * FROM said; DROP VIEW said;")
                .1;
        let graph = Graph::with_bundled(&[(name.to_owned(), text)]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut memory = open_with(folder.path(), graph).unwrap();
        assert_eq!(memory.migrated(), ["001", "002", "app"], "{name}");
        assert_eq!(memory.downgrade("base").unwrap(), ["app", "002", "001"], "{name}");
    }
}

#[test]
fn an_existing_file_is_backed_up_before_it_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let first: Vec<_> = Graph::bundled().revisions()[..1].to_vec();
    let text = std::fs::read_to_string(format!("{}/migrations/versions/{}", env!("CARGO_MANIFEST_DIR"), first[0].file))
        .unwrap();
    let memory = open_with(folder.path(), Graph::parse([(first[0].file.as_str(), text.as_str())]).unwrap()).unwrap();
    assert_eq!((memory.migrated(), memory.last_backup()), (&["001".to_owned()][..], None));
    memory.turns().add(vec![NewTurn { user_input: "kept".into(), ..NewTurn::default() }]).unwrap();
    memory.close().unwrap();

    let memory = open(folder.path()).unwrap();
    assert_eq!(memory.migrated(), ["002"]);
    let backup = memory.last_backup().unwrap();
    assert_eq!(backup.revisions, ["001"]);
    let copy = Connection::open(folder.path().join(&backup.id)).unwrap();
    assert_eq!((rows(&copy, "turns").len(), runner::current(&copy).unwrap()), (1, vec!["001".to_owned()]));
    memory.close().unwrap();

    let memory = open(folder.path()).unwrap();
    assert_eq!((memory.migrated().len(), memory.last_backup()), (0, None));
}
