//! Which changes to an applied file count as an edit, and how an edit is handled.

use synth_memory::db::Location;
use synth_memory::memory::Standing;
use synth_memory::{Durability, ErrorCode, Memory, Result};

use super::support::{migrations_at, open_with, still};
use super::{app, with};

#[test]
fn an_edited_revision_is_an_error_that_names_it_until_it_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    open_with(folder.path(), with(&app()[..2])).unwrap().close().unwrap();
    let mut edited = app();
    edited[0].1 = edited[0].1.replace("body TEXT", "body TEXT, tags TEXT");
    for known in [2, 3] {
        let error = open_with(folder.path(), with(&edited[..known])).err().unwrap();
        assert_eq!(error.code(), ErrorCode::EditedRevision);
        assert!(error.message().contains("app1") && error.message().contains("20260101_0000_app1_test.sql"), "{error}");
        // There is no memory to call anything on.
        let hint = error.hint();
        assert!(
            hint.contains("Memory.open({ migrations, upgrade: false })") && hint.contains("Memory.delete"),
            "{hint}"
        );
    }
    let path = folder.path().join("memory.db");
    let location = Location::File { path: path.to_str().unwrap(), vfs: None };
    let migrations = migrations_at(folder.path(), with(&edited));
    let mut memory = Memory::open_as_is(location, Durability::Strict, still(), migrations).unwrap();
    let verified = memory.verify().unwrap();
    let found = |id: &str| verified.iter().find(|one| one.revision == id).unwrap().standing;
    assert_eq!((found("app1"), found("app2"), found("001")), (Standing::Edited, Standing::Ok, Standing::Ok));
    for error in [memory.plan("heads", false).unwrap_err(), memory.upgrade("heads").unwrap_err()] {
        assert_eq!(error.code(), ErrorCode::EditedRevision);
        assert!(error.hint().contains("redo") && !error.hint().contains("Memory.open"), "{error}");
    }
    assert_eq!(memory.accept("app3").unwrap_err().code(), ErrorCode::NotFound);
    assert_eq!(memory.accept("zzz").unwrap_err().code(), ErrorCode::UnknownSymbol);
    memory.accept("app1").unwrap();
    assert_eq!(memory.upgrade("heads").unwrap(), ["app3"]);
    memory.close().unwrap();
    assert!(open_with(folder.path(), with(&edited)).unwrap().migrated().is_empty());
}

#[test]
fn line_endings_and_white_space_at_the_end_of_a_file_are_no_edit() {
    let text = &app()[0].1;
    let bare = text.trim_end();
    let sql = "body TEXT";
    assert!(text.ends_with(";\n") && text.contains(sql));
    // The applied text, the current text, and whether the change counts as an edit.
    let cases = [
        ("no newline at the end", text.clone(), bare.to_owned(), false),
        ("a newline at the end", bare.to_owned(), text.clone(), false),
        ("newlines at the end", text.clone(), format!("{text}\n\n"), false),
        ("spaces and a tab at the end", text.clone(), format!("{bare} \t \n"), false),
        ("CRLF", text.clone(), text.replace('\n', "\r\n"), false),
        ("LF", text.replace('\n', "\r\n"), text.clone(), false),
        ("CRLF without the last", text.clone(), bare.replace('\n', "\r\n"), false),
        ("CRLF and empty lines", bare.to_owned(), format!("{text}\n\n").replace('\n', "\r\n"), false),
        ("a byte order mark", text.clone(), format!("\u{feff}{bare}"), false),
        ("a column", text.clone(), text.replace(sql, "body BLOB"), true),
        ("a space within the SQL", text.clone(), text.replace(sql, "body  TEXT"), true),
        ("an empty line within the SQL", text.clone(), text.replace(sql, "body\n\nTEXT"), true),
        ("a comment at the end", text.clone(), format!("{text}-- Done\n"), true),
        ("a statement at the end", bare.to_owned(), format!("{bare}\nSELECT 1;"), true),
    ];
    for (what, applied, now, is_edit) in cases {
        let graph = |text: &str| {
            let mut files = app();
            files[0].1 = text.to_owned();
            with(&files[..2])
        };
        let folder = tempfile::tempdir().unwrap();
        open_with(folder.path(), graph(&applied)).unwrap().close().unwrap();
        let path = folder.path().join("memory.db");
        let before = std::fs::read(&path).unwrap();

        let opened = open_with(folder.path(), graph(&now)).map(|memory| {
            assert!(memory.migrated().is_empty(), "{what}");
            memory.close().unwrap();
        });
        assert_eq!(opened.err().map(|error| error.code()), is_edit.then_some(ErrorCode::EditedRevision), "{what}");
        assert_eq!(std::fs::read(&path).unwrap(), before, "{what}: an opening writes nothing");

        let location = Location::File { path: path.to_str().unwrap(), vfs: None };
        let migrations = migrations_at(folder.path(), graph(&now));
        let mut memory = Memory::open_as_is(location, Durability::Strict, still(), migrations).unwrap();
        let standings = memory.verify().unwrap().into_iter().map(|found| (found.revision, found.standing));
        let edited: Vec<_> = standings.filter(|(_, standing)| *standing != Standing::Ok).collect();
        assert_eq!(edited, if is_edit { vec![("app1".to_owned(), Standing::Edited)] } else { vec![] }, "{what}");
        let code = |result: Result<()>| result.err().map(|error| error.code());
        let expected = is_edit.then_some(ErrorCode::EditedRevision);
        assert_eq!(code(memory.plan("heads", false).map(drop)), expected, "{what}");
        assert_eq!(code(memory.upgrade("heads").map(drop)), expected, "{what}");
    }
}
