//! A revision that breaks a trigger or a view is rejected when it is applied, not when a row is first written.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use rusqlite::Connection;
use support::{open, open_with, schema};
use synth_memory::migrate::autogenerate::Renames;
use synth_memory::migrate::{Graph, file};
use synth_memory::{ErrorCode, Memory};

/// A revision of an app. Without `revises`, it begins a branch.
fn revision(id: &str, revises: &str, up: &str, down: &str) -> (String, String) {
    let text = format!(
        "-- Revision {id}\n--\n-- Revision ID: {id}\n-- Revises: {revises}\n-- migrate:up\n{up}\n-- migrate:down\n{down}\n"
    );
    (format!("20260101_0000_{id}_test.sql"), text)
}

fn graph(files: &[(String, String)]) -> Graph {
    Graph::with_bundled(files).unwrap()
}

const REMINDERS: &str = "CREATE TABLE reminders (id INTEGER PRIMARY KEY, episode INTEGER);
    CREATE TRIGGER remind AFTER INSERT ON episodes BEGIN INSERT INTO reminders VALUES (NULL, new.id); END;
    CREATE TABLE quiet (a, b);";

/// A name, the script of a revision on top of `REMINDERS`, and words of the error; none if it is applied.
const CASES: &[(&str, &str, &[&str])] = &[
    (
        "a column more than an INSERT has values",
        "ALTER TABLE reminders ADD COLUMN due REAL;",
        &["the trigger remind on episodes does not work: table reminders has 3 columns but 2 values were supplied"],
    ),
    (
        "the trigger is made again in the same revision",
        "DROP TRIGGER remind; ALTER TABLE reminders ADD COLUMN due REAL;
         CREATE TRIGGER remind AFTER INSERT ON episodes BEGIN INSERT INTO reminders VALUES (NULL, new.id, 1); END;",
        &[],
    ),
    (
        "a table that a trigger fills is gone",
        "DROP TABLE reminders;",
        &["the trigger remind on episodes", "no such table"],
    ),
    (
        "of an UPDATE of one column",
        "CREATE TRIGGER moved AFTER UPDATE OF valence ON episodes BEGIN INSERT INTO quiet VALUES (1); END;",
        &["the trigger moved on episodes does not work: table quiet has 2 columns but 1 values were supplied"],
    ),
    (
        "of a DELETE",
        "CREATE TRIGGER gone AFTER DELETE ON turns BEGIN DELETE FROM quiet WHERE c = old.id; END;",
        &["the trigger gone on turns does not work: no such column: c"],
    ),
    (
        "in its WHEN",
        "CREATE TRIGGER picky AFTER INSERT ON turns WHEN new.mood > 1 BEGIN DELETE FROM quiet; END;",
        &["the trigger picky on turns does not work: no such column: new.mood"],
    ),
    (
        "a trigger of a trigger: the one that is wrong is named",
        "CREATE TRIGGER a_first AFTER INSERT ON turns BEGIN INSERT INTO quiet VALUES (1, 2); END;
         CREATE TRIGGER b_then AFTER INSERT ON quiet BEGIN INSERT INTO reminders VALUES (1); END;",
        &["the trigger b_then on quiet does not work: table reminders has 2 columns but 1 values"],
    ),
    (
        "a view of nothing",
        "CREATE VIEW lost AS SELECT * FROM nowhere;",
        &["the view lost does not work: no such table"],
    ),
    (
        "a view of a column that is gone",
        "CREATE VIEW seen AS SELECT b FROM quiet; DROP TABLE quiet; CREATE TABLE quiet (a);",
        &["the view seen does not work: no such column: b"],
    ),
    (
        "INSTEAD OF one change only",
        "CREATE VIEW seen AS SELECT a FROM quiet;
         CREATE TRIGGER fill INSTEAD OF INSERT ON seen BEGIN INSERT INTO quiet VALUES (new.a, 1); END;",
        &[],
    ),
    (
        "INSTEAD OF, wrongly",
        "CREATE VIEW seen AS SELECT a FROM quiet;
         CREATE TRIGGER fill INSTEAD OF INSERT ON seen BEGIN INSERT INTO quiet VALUES (new.a); END;",
        &["the trigger fill on seen does not work: table quiet has 2 columns but 1 values"],
    ),
    (
        "odd names",
        "CREATE TABLE \"insert \"\" on\" (a, b AS (a + 1));
         CREATE TRIGGER \"update; of\" AFTER UPDATE ON \"insert \"\" on\" BEGIN SELECT 1; END;
         CREATE VIEW \"delete\" AS SELECT * FROM \"insert \"\" on\";",
        &[],
    ),
    (
        "after a batch that fits nothing else",
        "-- batch: reminders\nCREATE TABLE reminders (id INTEGER PRIMARY KEY, episode INTEGER, due REAL);",
        &["remind", "does not work: table reminders has 3 columns but 2 values were supplied"],
    ),
];

#[test]
fn what_a_revision_breaks_is_refused_and_named() {
    for (what, up, words) in CASES {
        let folder = tempfile::tempdir().unwrap();
        let first = revision("r1", "", REMINDERS, "");
        open_with(folder.path(), graph(std::slice::from_ref(&first))).unwrap().close().unwrap();
        let before = schema(&Connection::open(folder.path().join("memory.db")).unwrap());
        let opened = open_with(folder.path(), graph(&[first, revision("r2", "r1", up, "")]));
        if words.is_empty() {
            assert_eq!(opened.unwrap_or_else(|error| panic!("{what}: {error}")).migrated(), ["r2"], "{what}");
            continue;
        }
        let error = opened.err().unwrap_or_else(|| panic!("{what}: it was applied"));
        let is_batch = up.starts_with("-- batch");
        let code = if is_batch { ErrorCode::InvalidMigration } else { ErrorCode::MigrationFailed };
        assert_eq!(error.code(), code, "{what}: {error}");
        for words in [&["Revision r2 (20260101_0000_r2_test.sql) failed: "], *words].concat() {
            assert!(error.message().contains(words), "{what}: {error}");
        }
        assert!(error.hint().contains("Drop it before"), "{what}: {error}");
        assert_eq!(schema(&Connection::open(folder.path().join("memory.db")).unwrap()), before, "{what}");
    }
}

/// A trigger that only this file has, so it could not be tried before.
#[test]
fn a_way_down_that_breaks_something_is_refused_too() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        revision("r1", "", "CREATE TABLE notes (a);", "DROP TABLE notes;"),
        revision("r2", "r1", "ALTER TABLE notes ADD COLUMN b;", "ALTER TABLE notes DROP COLUMN b;"),
    ];
    let mut memory = open_with(folder.path(), graph(&files)).unwrap();
    let theirs = "CREATE TRIGGER theirs AFTER INSERT ON turns BEGIN INSERT INTO notes VALUES (1, 2); END";
    memory.db().connection().execute_batch(theirs).unwrap();
    for target in ["r1", "r1@base"] {
        let error = memory.downgrade(target).unwrap_err();
        assert_eq!(error.code(), ErrorCode::MigrationFailed, "{error}");
        let said = "Revision r2 (20260101_0000_r2_test.sql) failed on the way down: the trigger theirs on turns";
        assert!(error.message().starts_with(said), "{error}");
        assert_eq!(memory.revisions().unwrap(), ["002", "r2"]);
    }
}

/// Triggers and views that other programs left broken, with a revision that does not touch them.
#[test]
fn what_was_broken_before_is_in_nobodys_way() {
    let broken = [
        "CREATE VIEW lost AS SELECT * FROM nowhere;",
        "CREATE TABLE quiet (a); CREATE TRIGGER old AFTER INSERT ON quiet BEGIN INSERT INTO nowhere VALUES (1); END;",
        "CREATE TABLE quiet (a); CREATE VIEW lost AS SELECT * FROM nowhere;
         CREATE TRIGGER old INSTEAD OF UPDATE ON lost BEGIN INSERT INTO nowhere VALUES (1); END;",
        "CREATE TRIGGER old AFTER INSERT ON turns BEGIN INSERT INTO nowhere VALUES (1); END;",
    ];
    let up = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);
              CREATE TRIGGER noted AFTER INSERT ON turns BEGIN INSERT INTO notes (body) VALUES ('x'); END;
              ALTER TABLE notes ADD COLUMN mood TEXT;";
    for sql in broken {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).unwrap().close().unwrap();
        Connection::open(folder.path().join("memory.db")).unwrap().execute_batch(sql).unwrap();
        let files = [revision("r1", "", up, "DROP TRIGGER noted; DROP TABLE notes;")];
        let mut memory: Memory =
            open_with(folder.path(), graph(&files)).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(memory.migrated(), ["r1"], "{sql}");
        assert_eq!(memory.downgrade("r1@base").unwrap(), ["r1"], "{sql}");
    }
}

const NOTES: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);";

/// A name, the two scripts of a revision, and words of the error of an upgrade and of a check; empty if there is none.
const WAYS: &[(&str, &str, &str, &str, &str)] = &[
    ("exact", NOTES, "DROP TABLE notes;", "", ""),
    ("a name that is mistyped", NOTES, "DROP TABLE note;", "on the way down: no such table: note", "on the way down"),
    ("not SQL", NOTES, "DROP TABEL notes;", "on the way down: near \"TABEL\"", "on the way down"),
    ("a statement that needs the one before it", NOTES, "ALTER TABLE notes RENAME TO old; DROP TABLE old;", "", ""),
    (
        "the second statement is wrong",
        NOTES,
        "ALTER TABLE notes RENAME TO old; DROP TABLE notes;",
        "on the way down: no such table: notes",
        "on the way down",
    ),
    ("nothing on the way down", NOTES, "", "", "still to do: remove table notes"),
    (
        "a column is left",
        "ALTER TABLE quiet ADD COLUMN c; ALTER TABLE quiet ADD COLUMN d;",
        "ALTER TABLE quiet DROP COLUMN c;",
        "",
        "still to do: remove column quiet.d",
    ),
    (
        "an index is lost",
        "CREATE TABLE other (a);",
        "DROP TABLE other; DROP INDEX of_b;",
        "",
        "still to do: add index of_b",
    ),
    (
        "a row is left",
        "INSERT INTO seeds VALUES (1);",
        "",
        "",
        "Revision r2 (20260101_0000_r2_test.sql) failed: UNIQUE",
    ),
    ("a row goes", "INSERT INTO seeds VALUES (1);", "DELETE FROM seeds;", "", ""),
    (
        "a trigger is broken on the way down",
        "ALTER TABLE reminders ADD COLUMN due; DROP TRIGGER remind;
         CREATE TRIGGER remind AFTER INSERT ON episodes BEGIN INSERT INTO reminders VALUES (NULL, new.id, 1); END;",
        "ALTER TABLE reminders DROP COLUMN due;",
        "on the way down: the trigger remind on episodes does not work",
        "on the way down",
    ),
    (
        "a batch",
        "-- batch: quiet\nCREATE TABLE quiet (a);",
        "-- batch: quiet\nCREATE TABLE quiet (a, b)",
        "",
        "index of_b",
    ),
    (
        "tables that only the file has",
        "ALTER TABLE elsewhere ADD COLUMN b;",
        "ALTER TABLE elsewhere DROP COLUMN b;",
        "",
        "up: no such table: elsewhere",
    ),
];

#[test]
fn each_way_down_is_tried() {
    for (what, up, down, upgrade, check) in WAYS {
        let folder = tempfile::tempdir().unwrap();
        let start = format!("{REMINDERS} CREATE TABLE seeds (id INTEGER PRIMARY KEY); CREATE INDEX of_b ON quiet (b);");
        let end = "DROP TRIGGER remind; DROP TABLE reminders; DROP TABLE quiet; DROP TABLE seeds;";
        let first = revision("r1", "", &start, end);
        open_with(folder.path(), graph(std::slice::from_ref(&first))).unwrap().close().unwrap();
        let plain = Connection::open(folder.path().join("memory.db")).unwrap();
        plain.execute_batch("CREATE TABLE elsewhere (a)").unwrap();
        let before = schema(&plain);
        drop(plain);
        let graph = || graph(&[first.clone(), revision("r2", "r1", up, down)]);
        let opened = open_with(folder.path(), graph());
        match opened {
            Ok(memory) => assert_eq!((memory.migrated(), *upgrade), (&["r2".to_owned()][..], ""), "{what}"),
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::MigrationFailed, "{what}: {error}");
                assert!(!upgrade.is_empty() && error.message().contains(upgrade), "{what}: {error}");
                assert!(error.message().contains("Revision r2 (20260101_0000_r2_test.sql)"), "{what}: {error}");
                assert_eq!(schema(&Connection::open(folder.path().join("memory.db")).unwrap()), before, "{what}");
            }
        }
        match file::check(&graph(), None, &Renames::default()) {
            Ok(found) => {
                assert_eq!(
                    (found.operations.len(), found.failures.len()),
                    (0, usize::from(!check.is_empty())),
                    "{what}"
                );
                let failure = found.failures.concat();
                assert!(failure.contains(check) && failure.contains("r2") != check.is_empty(), "{what}: {failure}");
            }
            Err(error) => {
                assert!(check.starts_with("up: ") && error.message().contains(&check[4..]), "{what}: {error}")
            }
        }
    }
}

#[test]
fn a_check_goes_on_after_what_fails_and_compares_the_schema() {
    let files = [
        revision("r1", "", "CREATE TABLE a (x);", ""),
        revision("r2", "r1", "CREATE TABLE b (x);", "DROP TABLE b;"),
        revision("r3", "r2", "CREATE TABLE c (x);", "DROP TABLE d;"),
    ];
    let found = file::check(&graph(&files), Some("CREATE TABLE a (x);"), &Renames::default()).unwrap();
    assert_eq!(found.operations, ["remove table b", "remove table c"]);
    assert!(found.failures[0].contains("r1") && found.failures[1].contains("r3"), "{:?}", found.failures);
    assert_eq!(found.failures.len(), 2);
    assert!(file::check(&Graph::bundled(), None, &Renames::default()).unwrap().failures.is_empty());
}
