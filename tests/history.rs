//! The history of applied revisions and its uses: edited files, newer files, an app's own branch.
#![cfg(not(target_arch = "wasm32"))]

#[path = "history/edited.rs"]
mod edited;
mod support;

use std::path::Path;

use support::{NOW, fixture, migrations_at, open, open_with, rows, schema, still};
use synth_memory::db::Location;
use synth_memory::memory::{OnNewerSchema, Standing};
use synth_memory::migrate::autogenerate::Renames;
use synth_memory::migrate::{Graph, MigrationDirection, Revision, file};
use synth_memory::tables::turns::NewTurn;
use synth_memory::{Durability, ErrorCode, Memory, Result};

type File = (String, String);

fn file(id: &str, headers: &str, up: &str, down: &str) -> File {
    let text = format!(
        "-- Revision {id}\n--\n-- Revision ID: {id}\n{headers}\n-- Create Date: 2026-01-01\n\
         -- migrate:up\n{up}\n-- migrate:down\n{down}\n"
    );
    (format!("20260101_0000_{id}_test.sql"), text)
}

/// An app's branch of three revisions: a table, a column, and a rebuild of the table.
fn app() -> Vec<File> {
    vec![
        file(
            "app1",
            "-- Revises:\n-- Branch Labels: app",
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);",
            "DROP TABLE notes;",
        ),
        file(
            "app2",
            "-- Revises: app1",
            "ALTER TABLE notes ADD COLUMN mood TEXT;",
            "ALTER TABLE notes DROP COLUMN mood;",
        ),
        file(
            "app3",
            "-- Revises: app2",
            "-- batch: notes\nCREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL DEFAULT '', mood TEXT);",
            "-- batch: notes\nCREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, mood TEXT);",
        ),
    ]
}

fn with(files: &[File]) -> Graph {
    Graph::with_bundled(files).unwrap()
}

fn reopen(folder: &Path, graph: Graph, on_newer: OnNewerSchema) -> Result<Memory> {
    let path = folder.join("memory.db");
    let mut migrations = migrations_at(folder, graph);
    migrations.on_newer = on_newer;
    Memory::open(Location::File { path: path.to_str().unwrap(), vfs: None }, Durability::Strict, still(), migrations)
}

fn add(memory: &Memory, text: &str) -> Result<Vec<i64>> {
    memory.turns().add(vec![NewTurn { user_input: text.into(), ..NewTurn::default() }])
}

#[test]
fn an_apps_own_branch_goes_beside_ours_release_after_release() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path()).unwrap();
    add(&memory, "before").unwrap();
    memory.close().unwrap();
    let releases = [(1, vec!["app1"]), (2, vec!["app2"]), (3, vec!["app3"]), (3, vec![])];
    for (known, migrated) in releases {
        let memory = open_with(folder.path(), with(&app()[..known])).unwrap();
        assert_eq!(memory.migrated(), migrated);
        assert_eq!(memory.revisions().unwrap(), ["002", &format!("app{known}")]);
        memory.db().connection().execute_batch("INSERT INTO notes (body) VALUES ('kept')").unwrap();
        assert_eq!(memory.turns().count(Default::default()).unwrap(), 1);
        memory.close().unwrap();
    }
    let mut memory = open_with(folder.path(), with(&app())).unwrap();
    assert_eq!(rows(memory.db().connection(), "notes").len(), 4);

    // A file for Synth Mind contains only Synth Mind's schema.
    let (_folder, out) = support::open_bytes(&memory.export_at("001").unwrap());
    let (_folder, theirs) = support::open_bytes(&fixture("synth-mind-alembic.db"));
    assert_eq!(schema(&out), schema(&theirs));

    assert_eq!(memory.downgrade("app@base").unwrap(), ["app3", "app2", "app1"]);
    assert_eq!(memory.revisions().unwrap(), ["002"]);
    assert_eq!(memory.upgrade("app@head").unwrap(), ["app1", "app2", "app3"]);
    assert!(memory.upgrade("head").unwrap().is_empty());
}

#[test]
fn it_is_written_down_when_and_by_what() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path()).unwrap();
    let entries = memory.applied().unwrap();
    assert_eq!(entries.iter().map(|entry| entry.revision.as_str()).collect::<Vec<_>>(), ["001", "002"]);
    for entry in &entries {
        assert_eq!((entry.applied_at, entry.duration), (Some(NOW), Some(0.0)));
        assert_eq!(entry.version, env!("CARGO_PKG_VERSION"));
        let path = format!("{}/migrations/versions/{}", env!("CARGO_MANIFEST_DIR"), entry.file);
        assert_eq!(std::fs::read_to_string(path).unwrap(), entry.text);
    }
    // The checksum is that of sha256sum.
    let empty = synth_memory::migrate::history::Entry { text: String::new(), ..entries[0].clone() };
    assert_eq!(empty.checksum(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    // If another program changed or removed the entries, they are made again.
    memory.db().connection().execute_batch("DROP TABLE synth_migrations").unwrap();
    memory.close().unwrap();
    let memory = open(folder.path()).unwrap();
    let standing = |memory: &Memory| memory.verify().unwrap().iter().map(|found| found.standing).collect::<Vec<_>>();
    assert_eq!(standing(&memory), [Standing::Ok; 2]);
    assert_eq!((memory.applied().unwrap()[0].applied_at, memory.backups().unwrap().len()), (None, 0));
}

#[test]
fn a_newer_file_in_older_code_is_refused_read_or_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open_with(folder.path(), with(&app())).unwrap();
    memory.db().connection().execute_batch("INSERT INTO notes (body, mood) VALUES ('kept', 'gone')").unwrap();
    add(&memory, "kept").unwrap();
    memory.close().unwrap();
    let older = || with(&app()[..1]);
    let before = std::fs::read(folder.path().join("memory.db")).unwrap();

    let error = reopen(folder.path(), older(), OnNewerSchema::Error).err().unwrap();
    assert_eq!(error.code(), ErrorCode::NewerSchema);
    assert!(error.message().contains("app3") && error.message().contains("app2"), "{error}");
    assert_eq!(std::fs::read(folder.path().join("memory.db")).unwrap(), before);

    let mut memory = reopen(folder.path(), older(), OnNewerSchema::ReadOnly).unwrap();
    assert!(memory.db().is_read_only());
    assert_eq!(memory.turns().count(Default::default()).unwrap(), 1);
    assert_eq!(add(&memory, "lost").unwrap_err().code(), ErrorCode::ReadOnlyMemory);
    let another = fixture("synth-mind-app.db");
    assert_eq!(memory.import(another).unwrap_err().code(), ErrorCode::ReadOnlyMemory);
    assert_eq!(memory.revisions().unwrap(), ["002", "app3"]);
    memory.close().unwrap();

    let memory = reopen(folder.path(), older(), OnNewerSchema::Downgrade).unwrap();
    assert_eq!(memory.revisions().unwrap(), ["002", "app1"]);
    assert_eq!(memory.last_backup().unwrap().revisions, ["002", "app3"]);
    assert_eq!(rows(memory.db().connection(), "notes"), [["1".into(), "kept".into()]].map(as_row));
    add(&memory, "more").unwrap();
    memory.close().unwrap();

    // The newer code can continue from there.
    let memory = open_with(folder.path(), with(&app())).unwrap();
    assert_eq!(memory.migrated(), ["app2", "app3"]);
    assert_eq!(memory.turns().count(Default::default()).unwrap(), 2);
    memory.close().unwrap();
    // Code without the branch takes the whole branch back, but only after a backup.
    let memory = reopen(folder.path(), Graph::bundled(), OnNewerSchema::Downgrade).unwrap();
    assert_eq!(memory.revisions().unwrap(), ["002"]);
    let id = memory.backups().unwrap()[0].id.clone();
    memory.close().unwrap();
    let mut memory = open_with(folder.path(), with(&app())).unwrap();
    memory.restore(&id).unwrap();
    assert_eq!(rows(memory.db().connection(), "notes").len(), 1);
}

fn as_row(values: [String; 2]) -> Vec<rusqlite::types::Value> {
    let [id, body] = values;
    vec![rusqlite::types::Value::Integer(id.parse().unwrap()), rusqlite::types::Value::Text(body)]
}

#[test]
fn a_migration_that_fails_at_every_opening_pushes_no_backup_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = open(folder.path()).unwrap();
    for text in ["one", "two", "three"] {
        add(&memory, text).unwrap();
        memory.back_up().unwrap();
    }
    let kept = memory.backups().unwrap();
    assert_eq!(kept.len(), 3);
    memory.close().unwrap();
    let broken = [file("app1", "-- Revises:", "CREATE TABLE turns (id);", "")];
    for _ in 0..4 {
        let error = open_with(folder.path(), with(&broken)).err().unwrap();
        assert_eq!(error.code(), ErrorCode::MigrationFailed);
    }
    let memory = open(folder.path()).unwrap();
    assert_eq!(memory.backups().unwrap(), kept);
    memory.close().unwrap();
    let memory = open_with(folder.path(), with(&app()[..1])).unwrap();
    assert_eq!(memory.backups().unwrap()[1..], kept[..2], "the oldest goes when the migration is done");
}

#[test]
fn a_revision_that_nobody_knows_can_be_got_out_of() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path()).unwrap();
    add(&memory, "kept").unwrap();
    memory.db().connection().execute_batch("UPDATE alembic_version SET version_num = 'lost'").unwrap();
    memory.close().unwrap();
    for on_newer in [OnNewerSchema::Error, OnNewerSchema::ReadOnly, OnNewerSchema::Downgrade] {
        let error = reopen(folder.path(), Graph::bundled(), on_newer).err().unwrap();
        assert_eq!(error.code(), ErrorCode::UnknownRevision, "{error}");
    }
    let path = folder.path().join("memory.db");
    let location = Location::File { path: path.to_str().unwrap(), vfs: None };
    let migrations = migrations_at(folder.path(), Graph::bundled());
    let mut memory = Memory::open_as_is(location, Durability::Strict, still(), migrations).unwrap();
    assert_eq!(memory.stamp(&["head"], false, false).unwrap_err().code(), ErrorCode::UnknownRevision);
    assert_eq!(memory.stamp(&["001"], true, false).unwrap_err().code(), ErrorCode::SchemaMismatch);
    memory.stamp(&["head"], true, false).unwrap();
    memory.close().unwrap();
    assert_eq!(rows(open(folder.path()).unwrap().db().connection(), "turns").len(), 1);
}

#[test]
fn a_plan_tells_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = open_with(folder.path(), with(&app())).unwrap();
    add(&memory, "kept").unwrap();
    memory.db().connection().execute_batch("INSERT INTO notes (body) VALUES ('one'), ('two')").unwrap();
    let before = memory.export().unwrap();
    let plan = memory.plan("app@base", true).unwrap();
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.revision.as_str(), step.direction)).collect();
    assert_eq!(
        steps,
        [("app3", MigrationDirection::Down), ("app2", MigrationDirection::Down), ("app1", MigrationDirection::Down)]
    );
    assert!(plan.steps[2].script.contains("DROP TABLE notes"));
    let rows =
        |name: &str| plan.tables.iter().find(|table| table.table == name).map(|table| (table.before, table.after));
    assert_eq!(rows("notes"), Some((Some(2), None)));
    assert_eq!(rows("turns"), Some((Some(1), Some(1))));
    assert_eq!(memory.export().unwrap(), before);
    assert!(memory.backups().unwrap().is_empty());

    let sql = memory.sql("base", "001", false).unwrap();
    let plain = rusqlite::Connection::open_in_memory().unwrap();
    plain.execute_batch(&sql).unwrap();
    let (_folder, theirs) = support::open_bytes(&fixture("synth-mind-alembic.db"));
    assert_eq!(schema(&plain), schema(&theirs));
    plain.execute_batch(&memory.sql("001", "002", false).unwrap()).unwrap();
    plain.execute_batch(&memory.sql("002", "001", true).unwrap()).unwrap();
    assert_eq!(schema(&plain), schema(&theirs));
    assert_eq!(support::rows(&plain, "alembic_version"), support::rows(&theirs, "alembic_version"));
    assert_eq!(memory.sql("app2", "app3", false).unwrap_err().code(), ErrorCode::InvalidArgument);
}

#[test]
fn new_files_fit_the_graph() {
    let graph = with(&app());
    let new = |heads: &[&str], splice: bool| {
        let heads = heads.iter().map(|head| (*head).to_owned()).collect();
        let message = "Add a Mood: how it felt!".to_owned();
        file::revision(&graph, &file::NewRevision { message, heads, splice, ..Default::default() }, NOW)
    };
    assert_eq!(Revision::parse("f", &new(&[], false).unwrap().text).unwrap().revises, ["app3"]);
    assert_eq!(new(&["app1"], false).unwrap_err().code(), ErrorCode::NotAHead);
    let file = new(&["app@head"], false).unwrap();
    assert_eq!(file.name, format!("20260102_0304_{}_add_a_mood_how_it_felt.sql", file.id));
    assert_eq!(file.id.len(), 12);
    let parsed = Revision::parse(&file.name, &file.text).unwrap();
    assert_eq!((parsed.revises, parsed.create_date.as_str()), (vec!["app3".to_owned()], "2026-01-02 03:04"));
    assert_eq!(Revision::parse("f", &new(&["app1"], true).unwrap().text).unwrap().revises, ["app1"]);
    assert!(Revision::parse("f", &new(&["base"], false).unwrap().text).unwrap().revises.is_empty());

    let merged = file::merge(&graph, &["002".into(), "app3".into()], "", None, NOW).unwrap();
    assert_eq!(Revision::parse("f", &merged.text).unwrap().revises, ["002", "app3"]);
    assert_eq!(file::merge(&graph, &["app3".into()], "", None, NOW).unwrap_err().code(), ErrorCode::InvalidArgument);
}

#[test]
fn a_squash_stands_for_its_line_and_leaves_files_at_its_end_alone() {
    let at = |known: usize| {
        let folder = tempfile::tempdir().unwrap();
        let memory = open_with(folder.path(), with(&app()[..known])).unwrap();
        memory.db().connection().execute_batch("INSERT INTO notes (body) VALUES ('kept')").unwrap();
        memory.close().unwrap();
        folder
    };
    assert_eq!(file::squash(&with(&app()), "001", "app3", "", NOW).unwrap_err().code(), ErrorCode::InvalidArgument);
    assert_eq!(file::squash(&with(&app()), "app2", "app3", "", NOW).unwrap_err().code(), ErrorCode::InvalidArgument);
    assert!(file::squash(&with(&app()), "base", "app3", "", NOW).unwrap().text.contains("-- Branch Labels: app\n"));
    let squash = file::squash(&with(&app()), "app1", "app3", "All of the app", NOW).unwrap();
    assert_eq!(squash.id, "app3");
    let files = vec![app()[0].clone(), (squash.name, squash.text)];

    let done = at(3);
    let memory = open_with(done.path(), with(&files)).unwrap();
    assert_eq!((memory.migrated().len(), rows(memory.db().connection(), "notes").len()), (0, 1));
    assert!(memory.verify().unwrap().iter().all(|one| one.standing == Standing::Ok));
    memory.close().unwrap();

    let fresh = at(1);
    let mut memory = open_with(fresh.path(), with(&files)).unwrap();
    assert_eq!(memory.migrated(), ["app3"]);
    let (_folder, original) = (at(3), with(&app()));
    let whole = open_with(_folder.path(), original).unwrap();
    let tables = |memory: &Memory| {
        schema(memory.db().connection()).into_iter().filter(|(_, name, _)| name == "notes").collect::<Vec<_>>()
    };
    assert_eq!(tables(&memory), tables(&whole));
    assert_eq!(memory.downgrade("app1").unwrap(), ["app3"]);
    assert_eq!(rows(memory.db().connection(), "notes").len(), 1);

    // A file at a revision in between cannot be migrated: the error says so, and the file is unchanged.
    let between = at(2);
    let error = open_with(between.path(), with(&files)).err().unwrap();
    assert_eq!(error.code(), ErrorCode::NewerSchema);
    assert!(error.hint().contains("squash"), "{error}");
}

#[test]
fn a_migration_cannot_stand_before_what_is_kept() {
    let cases = [
        "CREATE TEMP TABLE turns (id)",
        "CREATE TEMP TABLE alembic_version (version_num)",
        "CREATE TEMP TRIGGER t AFTER INSERT ON turns BEGIN DELETE FROM turns; END",
        "CREATE TEMP VIEW v AS SELECT 1",
        "CREATE TRIGGER t BEFORE INSERT ON alembic_version BEGIN SELECT RAISE(IGNORE); END",
    ];
    for up in cases {
        let folder = tempfile::tempdir().unwrap();
        add(&open(folder.path()).unwrap(), "kept").unwrap();
        let error = open_with(folder.path(), with(&[file("app1", "-- Revises:", up, "")])).err().unwrap();
        assert_eq!(error.code(), ErrorCode::MigrationFailed, "{up}: {error}");
        let memory = open(folder.path()).unwrap();
        assert_eq!(
            (memory.revisions().unwrap(), rows(memory.db().connection(), "turns").len()),
            (vec!["002".into()], 1)
        );
    }
    let (name, text) = file("app1", "-- Revises:", "CREATE TABLE one (a);\0 CREATE TABLE two (a);", "");
    assert_eq!(Revision::parse(&name, &text).unwrap_err().code(), ErrorCode::InvalidMigration);
}

#[test]
fn a_schema_of_an_app_drops_nothing_of_ours_and_waits_for_what_it_names() {
    let graph = Graph::bundled();
    let none = Renames::default();
    let refused = [
        "CREATE TABLE alembic_version (x);",
        "CREATE TABLE synth_migrations (x);",
        "CREATE TABLE synth_requests (x);",
        "CREATE TABLE turns (id);",
    ];
    for schema in refused {
        let error = file::difference(&graph, schema, &none).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidSql, "{schema}: {error}");
    }
    let cases = [
        "CREATE INDEX of_metadata ON turns (metadata);",
        "CREATE VIEW words AS SELECT terms FROM memory_fts;",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY);",
    ];
    for schema in cases {
        let new = file::NewRevision { message: "App".into(), heads: vec!["base".into()], ..Default::default() };
        let made = file::autogenerated(&graph, schema, &none, &new, NOW).unwrap().unwrap();
        assert_eq!(Revision::parse(&made.name, &made.text).unwrap().depends_on, ["002"], "{schema}");
        let files = [(made.name, made.text)];
        let folder = tempfile::tempdir().unwrap();
        open_with(folder.path(), with(&files)).unwrap_or_else(|error| panic!("{schema}: {error}"));
        assert!(file::difference(&with(&files), schema, &none).unwrap().operations.is_empty(), "{schema}");
    }
}
