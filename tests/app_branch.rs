//! An app's branch next to the package's: what symbols mean, what new files build on, and the errors for missing
//! tables.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use support::{NOW, open, open_with};
use synth_memory::migrate::autogenerate::Renames;
use synth_memory::migrate::{Graph, Revision, file};
use synth_memory::tables::turns::NewTurn;
use synth_memory::{ErrorCode, Memory};

fn revision(id: &str, headers: &str, up: &str, down: &str) -> (String, String) {
    let text = format!(
        "-- Revision {id}\n--\n-- Revision ID: {id}\n{headers}\n-- migrate:up\n{up}\n-- migrate:down\n{down}\n"
    );
    (format!("20260101_0000_{id}_test.sql"), text)
}

fn empty(id: &str, revises: &str) -> (String, String) {
    revision(id, &format!("-- Revises: {revises}"), "", "")
}

/// One branch of an app: two revisions.
fn one() -> Vec<(String, String)> {
    vec![empty("app1", ""), empty("app2", "app1")]
}

fn with(files: &[(String, String)]) -> Graph {
    Graph::with_bundled(files).unwrap()
}

type Expected = Result<&'static [&'static str], ErrorCode>;

/// The revisions that a file is at, a command, and the revisions that it applies or takes back, or its error code.
type Cases = &'static [(&'static [&'static str], &'static str, Expected)];

fn check(graph: &Graph, cases: Cases) {
    for (rows, command, expected) in cases {
        let rows: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
        let (name, target) = command.split_once(' ').unwrap();
        let steps = if name == "upgrade" { graph.upgrade(&rows, target) } else { graph.downgrade(&rows, target) };
        let found = steps.map(|steps| steps.into_iter().map(|step| step.revision.id.clone()).collect::<Vec<_>>());
        match expected {
            Ok(ids) => assert_eq!(
                found.as_deref(),
                Ok(&ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()[..]),
                "{rows:?} {command}"
            ),
            Err(code) => assert_eq!(found.map_err(|error| error.code()), Err(*code), "{rows:?} {command}"),
        }
    }
}

const SYMBOLS: Cases = &[
    // Where Alembic has no answer, the symbol means the app's branch.
    (&[], "upgrade head", Ok(&["001", "002", "app1", "app2"])),
    (&["002"], "upgrade head", Ok(&["app1", "app2"])),
    (&["001", "app1"], "upgrade head", Ok(&["002", "app2"])),
    (&["002", "app2"], "upgrade head", Ok(&[])),
    (&["002", "app1"], "upgrade +1", Ok(&["app2"])),
    (&["001", "app1"], "upgrade +1", Ok(&["app2"])),
    (&["002"], "upgrade +1", Ok(&["app1"])),
    (&["002"], "upgrade +2", Ok(&["app1", "app2"])),
    (&["002", "app2"], "upgrade +1", Err(ErrorCode::UnknownSymbol)),
    (&["002", "app2"], "downgrade -1", Ok(&["app2"])),
    (&["002", "app2"], "downgrade -2", Ok(&["app2", "app1"])),
    (&["002", "app1"], "downgrade -2", Err(ErrorCode::UnknownSymbol)),
    (&["001", "app1"], "downgrade -1", Ok(&["app1"])),
    // Where the symbol is not ambiguous, the answer is Alembic's.
    (&["001"], "upgrade +1", Ok(&["002"])),
    (&["002"], "downgrade -1", Ok(&["002"])),
    (&["002", "app2"], "downgrade base", Ok(&["app2", "app1", "002", "001"])),
    (&["002", "app2"], "downgrade app1", Ok(&["app2"])),
    (&["002", "app2"], "downgrade app1@base", Ok(&["app2", "app1"])),
    (&[], "upgrade 001", Ok(&["001"])),
    (&[], "upgrade heads", Ok(&["001", "002", "app1", "app2"])),
];

#[test]
fn a_symbol_means_the_apps_branch_if_there_is_one_next_to_ours() {
    let graph = with(&one());
    check(&graph, SYMBOLS);
    let show = |symbol: &str| graph.resolve(symbol, &[]).unwrap();
    assert_eq!((show("head"), show("heads")), (vec!["app2".to_owned()], vec!["002".to_owned(), "app2".to_owned()]));
    assert_eq!(graph.stamp(&[], &["head"]).unwrap(), ["002", "app2"]);
}

const TOO_FAR: Expected = Err(ErrorCode::UnknownSymbol);

/// With an app's branch that depends on the package's newest revision, as a new file of an app does.
const STEPS: Cases = &[
    // Steps count within the branch of the revision that they start from.
    (&["app2"], "downgrade -2", Ok(&["app2", "app1"])),
    (&["app2"], "downgrade app2-1", Ok(&["app2"])),
    (&["app2"], "downgrade app2-2", Ok(&["app2", "app1"])),
    (&["app2"], "downgrade app1-1", Ok(&["app2", "app1"])),
    (&["app1"], "downgrade app1-1", Ok(&["app1"])),
    (&["app2"], "downgrade head-2", Ok(&["app2", "app1"])),
    (&["app2"], "downgrade heads-2", Ok(&["app2", "app1"])),
    (&["app2"], "downgrade current-2", Ok(&["app2", "app1"])),
    (&["app2"], "downgrade app1@head-2", Ok(&["app2", "app1"])),
    (&["app2"], "downgrade app1@app1-1", Ok(&["app2", "app1"])),
    (&["app2"], "downgrade app1@current-2", Ok(&["app2", "app1"])),
    // There are no more steps than the branch has.
    (&["app2"], "downgrade -3", TOO_FAR),
    (&["app2"], "downgrade app2-3", TOO_FAR),
    (&["app2"], "downgrade app1-2", TOO_FAR),
    (&["app2"], "downgrade head-3", TOO_FAR),
    (&["app2"], "downgrade current-4", TOO_FAR),
    (&["app2"], "downgrade 002-3", TOO_FAR),
    (&[], "downgrade current-1", TOO_FAR),
    (&["app1"], "upgrade app1+2", TOO_FAR),
    (&["app1"], "upgrade head+1", TOO_FAR),
    (&["app1"], "upgrade current+2", TOO_FAR),
    (&["002"], "upgrade 001+2", TOO_FAR),
    // Upwards, too, a branch is never left.
    (&["002"], "upgrade app1+1", Ok(&["app1", "app2"])),
    (&["001"], "upgrade 001+1", Ok(&["002"])),
    (&["002"], "upgrade current+1", Ok(&["app1"])),
    (&["app1"], "upgrade current+1", Ok(&["app2"])),
    // In the package's branch, and to the base of everything.
    (&["app2"], "downgrade 002-1", Ok(&["app2", "app1", "002"])),
    (&["app2"], "downgrade 001-1", Ok(&["app2", "app1", "002", "001"])),
    (&["app2"], "downgrade 001", Ok(&["app2", "app1", "002"])),
    (&["app2"], "downgrade base", Ok(&["app2", "app1", "002", "001"])),
    // As in Alembic, what only depends on a revision does not revise it.
    (&["app2"], "downgrade 002", Err(ErrorCode::InvalidArgument)),
];

#[test]
fn steps_are_counted_within_a_branch() {
    check(&with(&[revision("app1", "-- Revises:\n-- Depends On: 002", "", ""), empty("app2", "app1")]), STEPS);
    // Branches that do not depend on each other.
    let graph = with(&[empty("app1", ""), empty("other1", "")]);
    check(
        &graph,
        &[
            (&["002", "app1", "other1"], "downgrade app1-1", Ok(&["app1"])),
            (&["002", "app1", "other1"], "downgrade other1-1", Ok(&["other1"])),
            (&["002", "app1", "other1"], "downgrade 002-2", Ok(&["002", "001"])),
            (&["002", "app1", "other1"], "downgrade app1-2", TOO_FAR),
            (&["002", "app1", "other1"], "downgrade current-1", Err(ErrorCode::AmbiguousRevision)),
        ],
    );
    check(
        &with(&one()),
        &[
            (&["002", "app2"], "downgrade current-2", Ok(&["app2", "app1"])),
            (&["002", "app2"], "downgrade head-2", Ok(&["app2", "app1"])),
            (&["002", "app1"], "upgrade current+1", Ok(&["app2"])),
        ],
    );
    // An app that continues the package's branch.
    check(&with(&[empty("app1", "002")]), &[(&["app1"], "downgrade app1-2", Ok(&["app1", "002"]))]);
}

#[test]
fn a_downgrade_that_leads_to_the_base_of_an_apps_branch_keeps_the_memory() {
    let headers = "-- Revises:\n-- Depends On: 002";
    let app = || with(&[revision("app1", headers, "CREATE TABLE todos (title TEXT);", "DROP TABLE todos;")]);
    for symbol in ["app1-1", "head-1", "current-1", "-1", "app1@base"] {
        let folder = tempfile::tempdir().unwrap();
        let mut memory = open_with(folder.path(), app()).unwrap();
        memory.turns().add(vec![NewTurn { user_input: "kept".into(), ..NewTurn::default() }]).unwrap();
        // As SQL for another program, it is the same range.
        let sql = memory.sql("head", symbol, true).unwrap();
        assert!(sql.contains("DROP TABLE todos") && !sql.contains("turns"), "{symbol}: {sql}");
        memory.downgrade(symbol).unwrap();
        assert_eq!(memory.revisions().unwrap(), ["002"], "{symbol}");
        assert_eq!(memory.turns().count(Default::default()).unwrap(), 1, "{symbol}");
    }
}

#[test]
fn a_downgrade_to_what_is_only_depended_on_names_the_way() {
    let depends = |id: &str, on: &str| revision(id, &format!("-- Revises:\n-- Depends On: {on}"), "", "");
    let graph = with(&[depends("app1", "002"), empty("app2", "app1"), depends("other1", "002")]);
    let rows = ["app2".to_owned(), "other1".to_owned()];
    let error = graph.downgrade(&rows, "002").unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains("app1") && error.message().contains("other1"), "{error}");
    assert!(error.hint().contains("app1-1, then to other1-1"), "{error}");
    // The way that the hint names leads there.
    let rows = graph.downgrade(&rows, "app1-1").unwrap().pop().unwrap().heads;
    assert_eq!(rows, ["other1"]);
    assert_eq!(graph.downgrade(&rows, "other1-1").unwrap().pop().unwrap().heads, ["002"]);
    // Nothing above the target is applied.
    let error = graph.downgrade(&["001".to_owned()], "002").unwrap_err();
    assert!(error.hint().contains("upgrade"), "{error}");
}

#[test]
fn with_two_branches_of_an_app_nothing_is_guessed() {
    let graph = with(&[empty("app1", ""), empty("other1", "")]);
    let rows = ["002".to_owned(), "app1".to_owned(), "other1".to_owned()];
    for error in [
        graph.upgrade(&rows, "head").unwrap_err(),
        graph.upgrade(&["002".to_owned()], "head").unwrap_err(),
        graph.resolve("head", &[]).unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::AmbiguousRevision, "{error}");
        assert!(error.hint().contains("'heads'"), "{error}");
    }
    assert_eq!(graph.downgrade(&rows, "-1").unwrap_err().code(), ErrorCode::AmbiguousRevision);
}

#[test]
fn new_files_begin_the_apps_branch_on_the_newest_of_ours() {
    let make = |files: &[(String, String)], heads: &[&str], depends_on: &[&str]| {
        let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        let new = file::NewRevision {
            message: "New".into(),
            heads: texts(heads),
            depends_on: texts(depends_on),
            ..Default::default()
        };
        let made = file::revision(&with(files), &new, NOW).unwrap();
        let parsed = Revision::parse(&made.name, &made.text).unwrap();
        (parsed.revises.join(" "), parsed.depends_on.join(" "))
    };
    let is = |revises: &str, depends_on: &str| (revises.to_owned(), depends_on.to_owned());
    assert_eq!(make(&[], &[], &[]), is("", "002"), "the first");
    assert_eq!(make(&[], &["base"], &[]), is("", "002"), "the first, said");
    assert_eq!(make(&[], &["base"], &["001"]), is("", "001"), "with dependencies of its own");
    assert_eq!(make(&[], &["002"], &[]), is("002", ""), "on our own line, where that is said");
    assert_eq!(make(&one(), &[], &[]), is("app2", ""), "the next");
    assert_eq!(make(&one(), &["base"], &[]), is("", "002"), "another branch");
}

#[test]
fn a_generated_branch_has_a_label() {
    let schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY);";
    let make = |files: &[(String, String)], labels: &[&str], heads: &[&str]| {
        let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        let new = file::NewRevision {
            message: "New".into(),
            branch_labels: texts(labels),
            heads: texts(heads),
            ..Default::default()
        };
        let made = file::autogenerated(&with(files), schema, &Renames::default(), &new, NOW).unwrap().unwrap();
        Revision::parse(&made.name, &made.text).unwrap().branch_labels.join(" ")
    };
    assert_eq!(make(&[], &[], &[]), "app");
    assert_eq!(make(&[], &["mine"], &[]), "mine");
    assert_eq!(make(&one(), &[], &[]), "", "it continues a branch");
    assert_eq!(make(&[revision("app", "-- Revises:", "", "")], &[], &["base"]), "app2", "app is taken");
}

#[test]
fn a_merge_leaves_our_head_out_unless_it_is_named() {
    let two = [empty("app1", ""), empty("app2", "app1"), empty("other1", "")];
    let merge = |files: &[(String, String)], heads: &[&str]| {
        let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
        file::merge(&with(files), &heads, "", None, NOW)
            .map(|made| Revision::parse(&made.name, &made.text).unwrap().revises.join(" "))
    };
    assert_eq!(merge(&two, &[]).unwrap(), "app2 other1");
    assert_eq!(merge(&two, &["heads"]).unwrap(), "app2 other1");
    assert_eq!(merge(&two, &["002", "app2"]).unwrap(), "002 app2");
    let error = merge(&one(), &["heads"]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.hint().contains("only if named"), "{error}");
}

#[test]
fn a_table_of_ours_that_is_not_there_yet_names_the_revision_to_depend_on() {
    let cases = [
        ("CREATE INDEX i ON turns (metadata);", Some("001")),
        ("INSERT INTO notes SELECT content FROM memory_uses;", Some("002")),
        ("INSERT INTO nowhere VALUES (1);", None),
    ];
    for (up, needed) in cases {
        let files = [revision("app1", "-- Revises:\n-- Branch Labels: app", up, "")];
        let folder = tempfile::tempdir().unwrap();
        let mut memory: Memory = open(folder.path()).unwrap();
        memory.downgrade("base").unwrap();
        memory.close().unwrap();
        let path = folder.path().join("memory.db");
        let location = synth_memory::db::Location::File { path: path.to_str().unwrap(), vfs: None };
        let migrations = support::migrations_at(folder.path(), with(&files));
        let mut memory =
            Memory::open_as_is(location, synth_memory::Durability::Strict, support::still(), migrations).unwrap();
        let error = memory.upgrade("app@head").unwrap_err();
        assert_eq!(error.code(), ErrorCode::MigrationFailed, "{error}");
        assert_eq!(error.hint().contains("`-- Depends On: "), needed.is_some(), "{up}: {error}");
        assert!(error.hint().contains(needed.unwrap_or_default()), "{up}: {error}");
    }
    // With `Depends On`, the revision is applied first.
    let files =
        [revision("app1", "-- Revises:\n-- Depends On: 001", "CREATE INDEX i ON turns (metadata);", "DROP INDEX i;")];
    assert!(open_with(tempfile::tempdir().unwrap().path(), with(&files)).is_ok());
}

#[test]
fn a_file_with_revisions_of_an_app_is_newer_where_they_are_missing() {
    let app = || with(&[revision("app1", "-- Revises:", "CREATE TABLE todos (title TEXT);", "DROP TABLE todos;")]);
    let folder = tempfile::tempdir().unwrap();
    let file = {
        let memory = open_with(folder.path(), app()).unwrap();
        memory.export().unwrap()
    };
    let cases = [
        ("", ErrorCode::NewerSchema, "app1 (Revision app1)"),
        // The history does not match or is missing, so only the name of the revision is known.
        ("UPDATE synth_migrations SET script = 'x'", ErrorCode::UnknownRevision, "app1"),
        ("DELETE FROM synth_migrations", ErrorCode::UnknownRevision, "app1"),
        ("DROP TABLE synth_migrations", ErrorCode::UnknownRevision, "app1"),
    ];
    for (sql, code, named) in cases {
        let (_folder, changed) = support::open_bytes(&file);
        changed.execute_batch(sql).unwrap();
        let other = tempfile::tempdir().unwrap();
        let mut memory = open(other.path()).unwrap();
        let error = memory.import(support::file_of(changed)).unwrap_err();
        assert_eq!(error.code(), code, "{sql}: {error}");
        assert!(
            error.message().contains(named) && error.hint().contains("`migrations`"),
            "{sql}: {error} {}",
            error.hint()
        );
        assert!(memory.backups().unwrap().is_empty());
    }
    // A backup made when the app had more revisions is rejected in the same way.
    let backup = open_with(folder.path(), app()).unwrap().back_up().unwrap();
    let mut memory = open_with(folder.path(), app()).unwrap();
    memory.downgrade("app@base").unwrap();
    memory.close().unwrap();
    let mut memory = open(folder.path()).unwrap();
    assert_eq!(memory.restore(&backup.id).unwrap_err().code(), ErrorCode::NewerSchema);
}
