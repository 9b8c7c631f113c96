//! `query` reads and rejects every statement that would write, whatever it looks like.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use rusqlite::types::Value;
use support::{fixture, in_memory, open};
use synth_memory::memory::query::{DEFAULT_TIMEOUT, Parameters};
use synth_memory::tables::turns::NewTurn;
use synth_memory::{Clock, ErrorCode, Memory};

fn none() -> Parameters {
    Parameters::Positional(vec![])
}

#[test]
fn statements_that_do_more_than_read_are_refused() {
    let mut memory = in_memory();
    memory.turns().add(vec![NewTurn { user_input: "kept".into(), ..NewTurn::default() }]).unwrap();
    let before = memory.export().unwrap();
    let statements = [
        "DELETE FROM turns",
        "INSERT INTO turns (user_input) VALUES ('x') RETURNING id",
        "UPDATE turns SET user_input = 'x'",
        "REPLACE INTO long_term VALUES ('k', '1', 0)",
        "WITH gone AS (SELECT 1) DELETE FROM turns WHERE id IN gone",
        "CREATE TABLE t (x)",
        "CREATE TEMP TABLE t (x)",
        "CREATE TEMP VIEW v AS SELECT 1",
        "DROP TABLE turns",
        "ALTER TABLE turns RENAME TO t",
        "BEGIN",
        "BEGIN EXCLUSIVE",
        "COMMIT",
        "SAVEPOINT s",
        "ATTACH 'other.db' AS other",
        "DETACH main",
        "VACUUM",
        "VACUUM INTO 'copy.db'",
        "REINDEX",
        "ANALYZE",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA user_version = 5",
        "PRAGMA query_only = 1",
        "PRAGMA wal_checkpoint",
        "PRAGMA foreign_keys = 0",
        "PRAGMA writable_schema = 1",
        "PRAGMA optimize",
        "SELECT * FROM pragma_wal_checkpoint",
        "INSERT INTO memory_fts (memory_fts) VALUES ('rebuild')",
        "EXPLAIN DELETE FROM turns",
        "/* SELECT */ DELETE FROM turns",
        ";DELETE FROM turns",
    ];
    for sql in statements {
        let error = memory.query(sql, &none(), DEFAULT_TIMEOUT).unwrap_err();
        let expected = [ErrorCode::ReadOnlyQuery, ErrorCode::InvalidSql];
        assert!(expected.contains(&error.code()), "{sql}: {error}");
    }
    assert_eq!(memory.export().unwrap(), before, "something was changed");
    // The memory itself can still write.
    memory.turns().add(vec![NewTurn::default()]).unwrap();
}

/// A call that may replace SQLite's authorizer.
type Move<'a> = &'a dyn Fn(&mut Memory);

#[test]
fn nothing_that_moves_the_schema_lifts_the_guard() {
    let folder = tempfile::tempdir().unwrap();
    for mut memory in [in_memory(), open(folder.path()).unwrap()] {
        let moves: [(&str, Move<'_>); 6] = [
            ("none", &|_| ()),
            ("downgrade", &|memory| _ = memory.downgrade("001").unwrap()),
            ("upgrade", &|memory| _ = memory.upgrade("head").unwrap()),
            ("stamp", &|memory| memory.stamp(&["head"], false, false).unwrap()),
            ("import", &|memory| _ = memory.import(fixture("synth-mind-app.db")).unwrap()),
            ("plan", &|memory| _ = memory.plan("base", true).unwrap()),
        ];
        for (name, change) in moves {
            change(&mut memory);
            for _ in 0..2 {
                let error = memory.query("DELETE FROM turns", &none(), DEFAULT_TIMEOUT).unwrap_err();
                assert_eq!(error.code(), ErrorCode::ReadOnlyQuery, "{name}: {error}");
                let found = memory.query("SELECT id FROM turns", &none(), DEFAULT_TIMEOUT).unwrap();
                assert_eq!(found.tables, ["turns"], "{name}");
            }
            memory.turns().add(vec![NewTurn::default()]).unwrap();
        }
    }
}

#[test]
fn questions_are_answered() {
    let mut memory = in_memory();
    memory.turns().add(vec![NewTurn { user_input: "green tea".into(), ..NewTurn::default() }]).unwrap();
    memory.recall().index().unwrap();
    let positional = Parameters::Positional(vec![Value::Integer(1)]);
    let named = Parameters::Named(vec![("id".into(), Value::Integer(1)), ("also".into(), Value::Null)]);
    let cases: [(&str, Parameters, Value); 9] = [
        ("SELECT user_input FROM turns WHERE id = ?", positional, Value::Text("green tea".into())),
        ("SELECT count(*) FROM turns WHERE id = :id AND $also IS NULL", named, Value::Integer(1)),
        ("SELECT count(*) FROM memory_fts WHERE memory_fts MATCH 'tea'", none(), Value::Integer(1)),
        (
            "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5) SELECT max(x) FROM c",
            none(),
            Value::Integer(5),
        ),
        ("SELECT count(*) FROM pragma_table_info('turns')", none(), Value::Integer(5)),
        ("PRAGMA integrity_check", none(), Value::Text("ok".into())),
        ("SELECT value FROM json_each('[7]')", none(), Value::Integer(7)),
        ("VALUES (9223372036854775807)", none(), Value::Integer(i64::MAX)),
        ("SELECT x'00ff'", none(), Value::Blob(vec![0, 255])),
    ];
    for (sql, parameters, expected) in cases {
        let result = memory.query(sql, &parameters, DEFAULT_TIMEOUT).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(result.rows[0][0], expected, "{sql}");
        assert_eq!(result.columns.len(), result.rows[0].len());
    }
}

#[test]
fn the_tables_that_were_read_are_named() {
    let mut memory = in_memory();
    let app = "CREATE TABLE Mine (x); CREATE VIEW both AS SELECT x, (SELECT count(*) FROM turns) AS n FROM Mine;
               CREATE VIEW deeper AS SELECT n FROM both";
    memory.db().connection().execute_batch(app).unwrap();
    let cases: [(&str, &[&str]); 14] = [
        ("SELECT 1", &[]),
        ("SELECT value FROM json_each('[7]')", &[]),
        ("PRAGMA table_info(turns)", &[]),
        ("SELECT user_input FROM turns", &["turns"]),
        ("SELECT count(*) FROM turns", &["turns"]),
        ("SELECT rowid FROM main.TURNS", &["turns"]),
        ("SELECT 1 FROM semantic_memories, turns AS t", &["semantic_memories", "turns"]),
        ("SELECT x FROM mine WHERE EXISTS (SELECT 1 FROM episodes)", &["Mine", "episodes"]),
        ("SELECT * FROM both", &["Mine", "turns"]),
        ("SELECT n FROM deeper", &["Mine", "turns"]),
        ("WITH long_past AS (SELECT id FROM turns) SELECT count(*) FROM long_past", &["turns"]),
        ("SELECT rowid FROM memory_fts WHERE memory_fts MATCH 'tea'", &["memory_fts"]),
        // By now, FTS5 has prepared its own statements.
        ("SELECT rowid FROM memory_fts WHERE memory_fts MATCH 'tea'", &["memory_fts"]),
        (
            "SELECT version_num FROM alembic_version UNION SELECT revision FROM synth_migrations",
            &["alembic_version", "synth_migrations"],
        ),
    ];
    for (sql, expected) in cases {
        let result = memory.query(sql, &none(), DEFAULT_TIMEOUT).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(result.tables, expected, "{sql}");
    }
}

#[test]
fn what_is_no_question_is_told() {
    let mut memory = in_memory();
    let two = || Parameters::Positional(vec![Value::Null, Value::Null]);
    let cases = [
        ("", none()),
        ("-- nothing", none()),
        ("SELEC 1", none()),
        ("SELECT * FROM nowhere", none()),
        ("SELECT nothing FROM turns", none()),
        ("SELECT 1; SELECT 2", none()),
        ("SELECT ?", none()),
        ("SELECT ?", two()),
        ("SELECT :a", Parameters::Named(vec![("b".into(), Value::Null)])),
        ("SELECT :a", Parameters::Named(vec![])),
        ("SELECT 1\0", none()),
    ];
    for (sql, parameters) in cases {
        let error = memory.query(sql, &parameters, DEFAULT_TIMEOUT).unwrap_err();
        let expected = [ErrorCode::InvalidSql, ErrorCode::InvalidArgument];
        assert!(expected.contains(&error.code()), "{sql:?}: {error}");
    }
}

#[test]
fn a_query_without_end_is_stopped() {
    // A clock that advances by a second whenever it is read.
    use std::sync::atomic::{AtomicU32, Ordering};
    static SECONDS: AtomicU32 = AtomicU32::new(0);
    let clock = Clock::new(|| f64::from(SECONDS.fetch_add(1, Ordering::Relaxed)));
    let mut memory = Memory::in_memory(clock).unwrap();
    let endless = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
    let error = memory.query(endless, &none(), 3.0).unwrap_err();
    assert_eq!(error.code(), ErrorCode::QueryTimeout, "{error}");

    let large =
        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 90) SELECT zeroblob(60000000) FROM c";
    let error = memory.query(large, &none(), f64::INFINITY).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ResultTooLarge, "{error}");

    let many = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c";
    let error = memory.query(many, &none(), f64::INFINITY).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ResultTooLarge, "{error}");
    assert_eq!(memory.query("SELECT 1", &none(), 3.0).unwrap().rows.len(), 1);
}
