//! Compares a declared schema with an existing one: the differences, and whether the revision written for them works in
//! both directions.
#![cfg(not(target_arch = "wasm32"))]

#[path = "../support/mod.rs"]
mod support;

mod cases;
mod model;
mod random;
mod render;
mod types;

use rusqlite::Connection;
use synth_memory::ErrorCode;
use synth_memory::migrate::Graph;
use synth_memory::migrate::autogenerate::{Renames, SchemaCheck, compare, declared};

fn database(schema: &str) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(schema).unwrap();
    connection
}

/// A revision that makes a schema, and the revision written for the difference.
fn graph(schema: &str, difference: &SchemaCheck) -> Graph {
    let file = |id: &str, revises: &str, up: &str, down: &str| {
        let head = format!("-- Test\n-- Revision ID: {id}\n-- Revises: {revises}\n-- Create Date: 2026-01-01\n");
        (format!("20260101_0000_{id}_test.sql"), format!("{head}-- migrate:up\n{up}\n-- migrate:down\n{down}\n"))
    };
    let files = [file("0a", "", schema, ""), file("0b", "0a", &difference.up, &difference.down)];
    Graph::parse(files.iter().map(|(name, text)| (name.as_str(), text.as_str()))).unwrap()
}

fn check(connection: &Connection, declaration: &Connection) -> Vec<String> {
    compare(connection, declaration, &Renames::default()).unwrap().operations
}

fn assert_sound(connection: &Connection) {
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let broken = "SELECT count(*) FROM pragma_foreign_key_check";
    assert_eq!(connection.query_row(broken, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn style_makes_no_difference() {
    let from = database(
        "CREATE TABLE Turns (id INTEGER PRIMARY KEY, \"mood\" TEXT DEFAULT 'Calm', CHECK (mood <> 'Sad'));
         CREATE INDEX by_mood ON Turns (mood DESC) WHERE mood NOT NULL;
         CREATE VIEW moods AS SELECT DISTINCT mood FROM Turns;
         CREATE TRIGGER log AFTER INSERT ON Turns BEGIN SELECT 'A'; END;
         CREATE TABLE k (x TEXT REFERENCES Turns (id) ON DELETE SET DEFAULT NOT NULL);
         CREATE VIRTUAL TABLE words USING fts5(mood, content = 'Turns', tokenize = 'porter ascii');
         CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL); CREATE TABLE synth_migrations (x);
         ANALYZE;",
    );
    let to = declared(
        "-- What they said
         create table if not exists [turns]( ID integer primary key -- its number
           ,mood /* how */ text default 'Calm',check(\"Mood\"<>'Sad') );
         Create Index `by_mood`on turns(mood desc)where mood not null;
         create view if not exists moods as select distinct mood from turns;
         create trigger log after insert on turns begin select 'A'; end;
         create table K(x text references turns(id)on delete set default not null);
         create virtual table words using FTS5(mood, content='Turns', tokenize='porter ascii')
         -- the end",
    );
    assert_eq!(compare(&from, &to.unwrap(), &Renames::default()).unwrap(), SchemaCheck::default());
}

#[test]
fn a_comment_at_the_end_takes_nothing_with_it() {
    let from = database("CREATE TABLE t (a)");
    let to = declared("CREATE TABLE t (a -- its only column\n);\nCREATE VIEW v AS SELECT a FROM t -- all of it\n;\nCREATE VIEW w AS SELECT a FROM t").unwrap();
    let difference = compare(&from, &to, &Renames::default()).unwrap();
    assert_eq!(difference.operations, ["add view v", "add view w"]);
    from.execute_batch(&difference.up).unwrap();
    assert_eq!(check(&from, &to), [""; 0]);
}

#[test]
fn what_cannot_come_back_is_said() {
    let from = database(
        "CREATE TABLE t (a, b TEXT NOT NULL); CREATE TABLE gone (id INTEGER PRIMARY KEY);
         CREATE TABLE k (x REFERENCES gone); CREATE TABLE alone (x);",
    );
    let to = declared("CREATE TABLE t (a); CREATE TABLE k (x);").unwrap();
    let down = compare(&from, &to, &Renames::default()).unwrap().down;
    for words in [
        "-- The values of t.b cannot come back.\n-- t.b must not be NULL: decide what it should be.\n-- batch: t\n-- column: b = ''\n",
        "-- The rows of gone cannot come back, and this fails if others refer to them.\nCREATE TABLE gone",
        "-- The rows of alone cannot come back.\nCREATE TABLE alone",
    ] {
        assert!(down.contains(words), "{down}");
    }
}

#[test]
fn texts_make_a_difference() {
    let pairs = [
        ("CREATE TABLE t (a DEFAULT 'x')", "CREATE TABLE t (a DEFAULT 'X')"),
        ("CREATE TABLE t (a DEFAULT \"x\")", "CREATE TABLE t (a DEFAULT \"X\")"),
        ("CREATE TABLE t (a DEFAULT x)", "CREATE TABLE t (a DEFAULT X)"),
        ("CREATE TABLE t (a, x DEFAULT a)", "CREATE TABLE t (a, x DEFAULT A)"),
        ("CREATE TABLE t (a CHECK (a <> \"x\"))", "CREATE TABLE t (a CHECK (a <> \"X\"))"),
        ("CREATE TABLE t (a DEFAULT '--')", "CREATE TABLE t (a DEFAULT '-- ')"),
    ];
    for (from, to) in pairs {
        let difference = compare(&database(from), &declared(to).unwrap(), &Renames::default()).unwrap();
        assert_eq!(difference.operations.len(), 1, "{from} {to}");
    }
}

#[test]
fn the_bundled_revisions_are_what_they_declare() {
    let mut memory = Connection::open_in_memory().unwrap();
    support::upgrade(&mut memory, &Graph::bundled(), "head").unwrap();
    let sql = "SELECT sql || ';' FROM sqlite_schema WHERE sql NOT NULL AND name NOT LIKE '%\\_fts\\__%' ESCAPE '\\' \
               OR type = 'trigger'";
    let mut statement = memory.prepare(sql).unwrap();
    let all: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let declaration = declared(&all.concat()).unwrap();
    assert_eq!(check(&memory, &declaration), [""; 0]);
    declaration.execute_batch("DROP TRIGGER turns_deleted; DROP INDEX idx_turns_timestamp").unwrap();
    assert_eq!(check(&memory, &declaration), ["remove index idx_turns_timestamp", "remove trigger turns_deleted"]);
}

#[test]
fn what_could_be_a_rename_is_asked() {
    let from = database("CREATE TABLE t (id, mood TEXT, v AS (id)); CREATE TABLE old (a, b, c);");
    let to = declared("CREATE TABLE t (id, feeling TEXT, tone TEXT); CREATE TABLE new (a, b, d);").unwrap();
    let ask = |renames: &[&str], drops: &[&str]| {
        compare(&from, &to, &Renames::parse(renames, drops).unwrap()).unwrap().questions
    };
    let column = "t.mood is gone, t.feeling, t.tone is new: was it renamed (--rename t.mood:t.feeling) or dropped \
                  (--drop t.mood)?";
    let table = "old is gone, new is new: was it renamed (--rename old:new) or dropped (--drop old)?";
    assert_eq!(ask(&[], &[]), [column, table]);
    assert_eq!(ask(&["t.mood:t.tone"], &[]), [table]);
    assert_eq!(ask(&["old:new", "t.mood:t.feeling"], &["old.c"]), [""; 0]);
    assert_eq!(ask(&["old:new", "old.c:new.d"], &["t.mood"]), [""; 0]);
    assert_eq!(ask(&[], &["old", "t.mood"]), [""; 0]);
    let error = compare(&from, &to, &Renames::default()).unwrap().answered().unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains(column) && error.message().contains(table), "{error}");
}

#[test]
fn answers_that_do_not_fit_are_refused() {
    let from = database("CREATE TABLE t (id, mood TEXT); CREATE TABLE u (a);");
    let to = declared("CREATE TABLE t (id, feeling TEXT); CREATE TABLE u (a);").unwrap();
    let cases: [(&[&str], &[&str]); 10] = [
        (&["t.mood:t.tone"], &[]),
        (&["t.id:t.feeling"], &[]),
        (&["t.mood:t.id"], &[]),
        (&["t.mood:u.feeling"], &[]),
        (&["t:u"], &[]),
        (&["t.mood:t.feeling", "t.mood:t.feeling"], &[]),
        (&["t.mood:t.feeling"], &["t.mood"]),
        (&[], &["t.feeling"]),
        (&[], &["t.id"]),
        (&[], &["t"]),
    ];
    for (renames, drops) in cases {
        let error = compare(&from, &to, &Renames::parse(renames, drops).unwrap()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{renames:?} {drops:?}");
    }
    for pair in ["", "t", ":", "t:", "a.b:", "a.b:c.d.e", "t.a:\"", "a:b:c", "a-b:c", "\"a:b"] {
        assert_eq!(Renames::parse(&[pair], &[]).unwrap_err().code(), ErrorCode::InvalidArgument, "{pair}");
    }
    let odd = database("CREATE TABLE \"a:b\" (\"c.d\" TEXT, \"e \"\"f\" INT)");
    let renamed = declared("CREATE TABLE \"a:b\" (\"c.d\" TEXT, \"group\" INT)").unwrap();
    let renames = Renames::parse(&["\"a:b\".\"e \"\"f\":\"a:b\".group"], &[]).unwrap();
    let difference = compare(&odd, &renamed, &renames).unwrap();
    assert_eq!(difference.up, "ALTER TABLE \"a:b\" RENAME COLUMN \"e \"\"f\" TO \"group\";\n");
}

#[test]
fn a_declaration_that_is_wrong_says_where() {
    let cases = [
        ("CREATE TABLE t (a); INSERT INTO t VALUES (1);", "Statement 2 of the schema (INSERT INTO t VALUES (1);)"),
        (
            "CREATE TABLE t (a);\n-- more\nCREATE TABLE t (b);",
            "Statement 2 of the schema (CREATE TABLE t (b);): table t already",
        ),
        ("CREATE TABLE t (a", "Statement 1 of the schema (CREATE TABLE t (a): incomplete input"),
        ("CREATE TEMP TABLE t (a)", "only CREATE"),
        ("DROP TABLE t", "only CREATE"),
        ("ATTACH 'x' AS y", "only CREATE"),
        ("CREATE VIRTUAL TABLE t USING none(a)", "no such module: none"),
        ("CREATE VIEW v AS SELECT b FROM t", "no such table: main.t"),
        ("CREATE TABLE t (a); CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT new.b; END", "no such column: new.b"),
        ("CREATE TABLE t (a); '", "Statement 2"),
    ];
    for (schema, words) in cases {
        let error = declared(schema).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidSql, "{schema}: {error}");
        assert!(error.message().contains(words), "{schema}: {error}");
    }
    for (schema, tables) in [("", 0), ("-- nothing yet", 0), (";;", 0), ("CREATE TABLE t (a);;\n", 1)] {
        assert_eq!(support::schema(&declared(schema).unwrap()).len(), tables, "{schema}");
    }
}
