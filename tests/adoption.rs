//! Files that have tables but no `alembic_version`: completed and stamped if they fit a revision, rejected if not.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use rusqlite::Connection;
use support::{TABLES, fixture, in_memory, open, open_bytes, rows, schema};
use synth_memory::ErrorCode;
use synth_memory::memory::{Foreign, Imported};
use synth_memory::tables::turns::NewTurn;

/// A folder with the app's own file, changed by this SQL.
fn app_file(change: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("memory.db"), fixture("synth-mind-app.db")).unwrap();
    Connection::open(folder.path().join("memory.db")).unwrap().execute_batch(change).unwrap();
    folder
}

#[test]
fn the_file_of_synth_minds_app_is_completed_and_keeps_every_row() {
    let (_folder, theirs) = open_bytes(&fixture("synth-mind-app.db"));
    let folder = app_file("");
    let mut imported = in_memory();
    assert_eq!(
        imported.import(fixture("synth-mind-app.db")).unwrap(),
        Imported { applied: vec!["002".into()], left_out: vec![] }
    );
    for memory in [open(folder.path()).unwrap(), imported] {
        let connection = memory.db().connection();
        assert_eq!(memory.revisions().unwrap(), ["002"]);
        for table in TABLES.iter().chain(&["sqlite_sequence"]) {
            assert_eq!(rows(connection, table), rows(&theirs, table), "{table}");
        }
        let indexes =
            schema(connection).iter().filter(|(kind, name, _)| kind == "index" && name.starts_with("idx_")).count();
        assert_eq!(indexes, 14);
        // AUTOINCREMENT's counter remembers ids that were assigned and are free again.
        let last: i64 =
            connection.query_row("SELECT seq FROM sqlite_sequence WHERE name = 'turns'", [], |row| row.get(0)).unwrap();
        connection.execute_batch("DELETE FROM turns").unwrap();
        assert_eq!(
            memory.turns().add(vec![NewTurn { user_input: "next".into(), ..NewTurn::default() }]).unwrap(),
            [last + 1]
        );
    }
    let memory = open(folder.path()).unwrap();
    assert_eq!((memory.migrated().len(), memory.backups().unwrap().len()), (0, 1), "a copy of what was there is kept");
    let copy = Connection::open(folder.path().join(&memory.backups().unwrap()[0].id)).unwrap();
    assert_eq!(schema(&copy), schema(&theirs));
}

#[test]
fn what_does_not_matter_does_not_matter() {
    let changes = [
        "DROP TABLE semantic_memories",
        "DROP TABLE semantic_memories; DROP TABLE uncertainty_log",
        "CREATE INDEX idx_turns_timestamp ON turns (timestamp)",
        "CREATE TABLE notes (x); INSERT INTO notes VALUES (1)",
        "CREATE TABLE copied (id INTEGER PRIMARY KEY, timestamp DOUBLE PRECISION, event_type VARCHAR(80), content CLOB, \
         valence FLOAT, metadata TEXT); INSERT INTO copied SELECT * FROM episodes; DROP TABLE episodes; \
         ALTER TABLE copied RENAME TO episodes",
    ];
    for change in changes {
        let folder = app_file(change);
        let before = Connection::open(folder.path().join("memory.db")).unwrap();
        let turns = rows(&before, "turns");
        let had_facts = schema(&before).iter().any(|(_, name, _)| name == "semantic_memories");
        let facts = if had_facts { rows(&before, "semantic_memories") } else { vec![] };
        drop(before);
        let mut memory = open(folder.path()).unwrap_or_else(|error| panic!("{change}: {error}"));
        assert_eq!(memory.revisions().unwrap(), ["002"], "{change}");
        assert_eq!(rows(memory.db().connection(), "turns"), turns, "{change}");
        assert_eq!(rows(memory.db().connection(), "semantic_memories"), facts, "{change}");
        memory.downgrade("base").unwrap_or_else(|error| panic!("{change}: {error}"));
        assert_eq!(memory.revisions().unwrap(), [""; 0], "{change}");
    }
}

#[test]
fn what_conflicts_is_refused_with_the_difference_and_left_alone() {
    let changes = [
        ("ALTER TABLE turns RENAME COLUMN user_input TO input", "the table turns has"),
        ("ALTER TABLE turns ADD COLUMN mood TEXT", "mood TEXT"),
        ("CREATE TRIGGER t AFTER INSERT ON turns BEGIN DELETE FROM long_term; END", "the trigger t"),
        ("CREATE VIEW episodes_seen AS SELECT * FROM episodes", "the view episodes_seen"),
        ("DROP TABLE long_term; CREATE VIEW long_term AS SELECT 1 AS key", "long_term"),
        (
            "DROP TABLE long_term; CREATE TABLE long_term (key BLOB PRIMARY KEY, value TEXT, updated_at REAL)",
            "key BLOB",
        ),
    ];
    for (change, words) in changes {
        let folder = app_file(change);
        let path = folder.path().join("memory.db");
        let before = schema(&Connection::open(&path).unwrap());
        let error = open(folder.path()).err().unwrap_or_else(|| panic!("{change}"));
        assert_eq!(error.code(), ErrorCode::UnversionedDatabase, "{change}: {error}");
        assert!(error.message().contains(words) && error.message().contains("revision 001"), "{change}: {error}");
        assert_eq!(schema(&Connection::open(&path).unwrap()), before, "{change}");
        // Importing it changes nothing either.
        let bytes = std::fs::read(&path).unwrap();
        let mut memory = in_memory();
        memory.turns().add(vec![NewTurn { user_input: "kept".into(), ..NewTurn::default() }]).unwrap();
        let refused = memory.import_with(bytes, Foreign::Refuse).unwrap_err();
        let codes = [ErrorCode::UnversionedDatabase, ErrorCode::SchemaMismatch];
        assert!(codes.contains(&refused.code()), "{change}: {refused}");
        assert_eq!(rows(memory.db().connection(), "turns").len(), 1);
    }
}

#[test]
fn tables_of_no_revision_are_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    Connection::open(folder.path().join("memory.db")).unwrap().execute_batch("CREATE TABLE notes (x)").unwrap();
    assert_eq!(open(folder.path()).err().unwrap().code(), ErrorCode::UnversionedDatabase);
}
