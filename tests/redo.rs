//! A migration that is still being written: it is taken back by the script that was applied, and applied again by its
//! current script.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::path::Path;

use support::{migrations_at, open_with, rows, schema, still};
use synth_memory::db::Location;
use synth_memory::memory::Standing;
use synth_memory::migrate::Graph;
use synth_memory::{Durability, ErrorCode, Memory};

type File = (String, String);

fn revision(id: &str, revises: &str, up: &str, down: &str) -> File {
    let text = format!(
        "-- Revision {id}\n--\n-- Revision ID: {id}\n-- Revises: {revises}\n-- migrate:up\n{up}\n-- migrate:down\n{down}\n"
    );
    (format!("20260101_0000_{id}_test.sql"), text)
}

fn app() -> Vec<File> {
    vec![
        revision("app1", "", "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);", "DROP TABLE notes;"),
        revision("app2", "app1", "ALTER TABLE notes ADD COLUMN mood TEXT;", "ALTER TABLE notes DROP COLUMN mood;"),
        revision("app3", "app2", "CREATE INDEX by_body ON notes (body);", "DROP INDEX by_body;"),
    ]
}

/// Opens the memory as it is, which is necessary if a revision was edited.
fn as_it_is(folder: &Path, files: &[File]) -> Memory {
    let path = folder.join("memory.db");
    let location = Location::File { path: path.to_str().unwrap(), vfs: None };
    let migrations = migrations_at(folder, Graph::with_bundled(files).unwrap());
    Memory::open_as_is(location, Durability::Strict, still(), migrations).unwrap()
}

/// A file with all of the app's revisions applied, and a row.
fn applied(folder: &Path) {
    let memory = open_with(folder, Graph::with_bundled(&app()).unwrap()).unwrap();
    memory.db().connection().execute_batch("INSERT INTO notes (body, mood) VALUES ('kept', 'lost')").unwrap();
    memory.close().unwrap();
}

/// A name; the index of the revision that is edited; the edits; the revision to redo; and the revisions that were
/// applied again, or the code and words of the error.
type Case<'c> =
    (&'c str, usize, &'c [(&'c str, &'c str)], Option<&'c str>, Result<&'c [&'c str], (ErrorCode, &'c str)>);

const INDEX: (&str, &str) = ("(body)", "(body, id)");
const COLUMN: (&str, &str) = ("mood", "feeling");

const CASES: &[Case<'_>] = &[
    ("the last one", 2, &[INDEX], None, Ok(&["app3"])),
    ("the last one, by its id", 2, &[INDEX], Some("app3"), Ok(&["app3"])),
    ("one below it, and what builds on that", 1, &[COLUMN], Some("app2"), Ok(&["app2", "app3"])),
    ("the first", 0, &[("body TEXT", "body TEXT, tags TEXT")], Some("app1"), Ok(&["app1", "app2", "app3"])),
    ("what was not edited", 0, &[], None, Ok(&["app3"])),
    (
        "the way down was edited: the old one is run",
        2,
        &[("DROP INDEX by_body", "DROP INDEX IF EXISTS by_body")],
        None,
        Ok(&["app3"]),
    ),
    ("another one is edited", 1, &[COLUMN], None, Err((ErrorCode::EditedRevision, "app2"))),
    (
        "the new text fails",
        2,
        &[("notes (body)", "notes (nothing)")],
        None,
        Err((ErrorCode::MigrationFailed, "nothing")),
    ),
    (
        "its new way down fails",
        2,
        &[("DROP INDEX", "DROP INDEXES")],
        None,
        Err((ErrorCode::MigrationFailed, "way down")),
    ),
    ("one of ours", 0, &[], Some("002"), Err((ErrorCode::InvalidArgument, "comes with the package"))),
    ("of no revision", 0, &[], Some("base"), Err((ErrorCode::InvalidArgument, "base"))),
    ("of several", 0, &[], Some("heads"), Err((ErrorCode::InvalidArgument, "002, app3"))),
    ("of an unknown one", 0, &[], Some("nope"), Err((ErrorCode::UnknownSymbol, "nope"))),
];

#[test]
fn a_revision_is_redone_whole_or_not_at_all() {
    for (what, at, edits, symbol, expected) in CASES {
        let folder = tempfile::tempdir().unwrap();
        applied(folder.path());
        let mut files = app();
        for (from, to) in *edits {
            assert!(files[*at].1.contains(from), "{what}");
            files[*at].1 = files[*at].1.replace(from, to);
        }
        let mut memory = as_it_is(folder.path(), &files);
        let before = (schema(memory.db().connection()), rows(memory.db().connection(), "notes"));
        match (memory.redo(*symbol), expected) {
            (Ok(again), Ok(ids)) => {
                assert_eq!(again, *ids, "{what}");
                assert_eq!(memory.last_backup().unwrap().revisions, ["002", "app3"], "{what}");
                assert!(memory.verify().unwrap().iter().all(|one| one.standing == Standing::Ok), "{what}");
                memory.close().unwrap();
                // The file equals a new one.
                let ours = open_with(folder.path(), Graph::with_bundled(&files).unwrap()).unwrap();
                assert!(ours.migrated().is_empty(), "{what}");
                let new = tempfile::tempdir().unwrap();
                let new = open_with(new.path(), Graph::with_bundled(&files).unwrap()).unwrap();
                assert_eq!(schema(ours.db().connection()), schema(new.db().connection()), "{what}");
                let kept = usize::from(symbol != &Some("app1"));
                assert_eq!(rows(ours.db().connection(), "notes").len(), kept, "{what}");
            }
            (Err(error), Err((code, words))) => {
                assert_eq!(error.code(), *code, "{what}: {error}");
                assert!(error.message().contains(words), "{what}: {error}");
                let after = (schema(memory.db().connection()), rows(memory.db().connection(), "notes"));
                assert_eq!((after, memory.backups().unwrap().len()), (before, 0), "{what}");
            }
            (found, _) => panic!("{what}: {found:?}"),
        }
    }
}

#[test]
fn without_anything_applied_there_is_nothing_to_redo() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = as_it_is(folder.path(), &app());
    assert_eq!(memory.redo(None).unwrap_err().code(), ErrorCode::InvalidArgument);
    assert_eq!(memory.redo(Some("app1")).unwrap_err().code(), ErrorCode::InvalidArgument);
    memory.upgrade("heads").unwrap();
    memory.close().unwrap();
    let mut memory = as_it_is(folder.path(), &app()[..2]);
    assert_eq!(memory.redo(None).unwrap_err().code(), ErrorCode::UnknownRevision);
}
