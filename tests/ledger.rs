//! An answer is entered in the transaction of its change, and outlives whatever happens to the file.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::cell::Cell;

use rusqlite::Connection;
use serde_json::json;
use support::{NOW, fixture, in_memory, migrations_at, open, open_bytes, schema, still};
use synth_memory::db::Location;
use synth_memory::memory::OnNewerSchema;
use synth_memory::migrate::Graph;
use synth_memory::tables::turns::NewTurn;
use synth_memory::{Clock, Durability, ErrorCode, Memory, Result};

const CLIENT: &str = "a client";
const OTHER: &str = "another client";

fn turn(text: &str) -> Vec<NewTurn> {
    vec![NewTurn { user_input: text.into(), ..NewTurn::default() }]
}

/// Makes a change and enters its answer in one transaction, as a leader does.
fn write(memory: &Memory, text: &str, sequence: i64) -> Result<()> {
    memory.db().begin_batch();
    let ids = memory.turns().add(turn(text))?;
    memory.keep_answers(CLIENT, sequence, sequence, &format!("[[{sequence},{ids:?}]]"))?;
    memory.end_batch()
}

fn texts(memory: &Memory) -> Vec<String> {
    let page = memory.turns().list(Default::default()).unwrap();
    page.rows.into_iter().filter_map(|turn| turn.user_input).collect()
}

fn has_table(connection: &Connection) -> bool {
    schema(connection).iter().any(|(_, name, _)| name == "synth_requests")
}

#[test]
fn answers_are_kept_until_they_are_acknowledged() {
    let memory = in_memory();
    assert_eq!(memory.answers(CLIENT).unwrap(), [""; 0]);
    memory.acknowledge(CLIENT, 9).unwrap();
    assert!(!has_table(memory.db().connection()), "it is made by the first entry");
    memory.take_changes();
    for (acknowledged, last) in [(0, 0), (0, 3), (1, 4), (4, 5)] {
        memory.db().begin_batch();
        memory.turns().add(turn("kept")).unwrap();
        memory.keep_answers(CLIENT, acknowledged, last, &last.to_string()).unwrap();
        memory.keep_answers(OTHER, 0, last, "theirs").unwrap();
        memory.end_batch().unwrap();
    }
    assert_eq!(memory.answers(CLIENT).unwrap(), ["4", "5"]);
    assert_eq!(memory.answers(OTHER).unwrap(), ["theirs"; 4]);
    let changes = memory.take_changes().unwrap();
    assert_eq!(changes.tables.len(), 1, "the feed of changes knows nothing of it");
    memory.acknowledge(CLIENT, 5).unwrap();
    assert_eq!(memory.answers(CLIENT).unwrap(), ["5"]);
    memory.acknowledge(OTHER, i64::MAX).unwrap();
    assert_eq!(memory.answers(OTHER).unwrap(), [""; 0]);
    // Outside a batch, the entry is a transaction of its own.
    memory.keep_answers(OTHER, 0, 1, "alone").unwrap();
    assert_eq!(memory.answers(OTHER).unwrap(), ["alone"]);
}

#[test]
fn what_cannot_be_entered_takes_its_batch_with_it() {
    let memory = in_memory();
    write(&memory, "before", 1).unwrap();
    memory.take_changes();
    memory.db().begin_batch();
    memory.keep_answers(OTHER, 0, 1, "lost").unwrap();
    memory.turns().add(turn("lost")).unwrap();
    // The same call cannot be answered twice.
    memory.keep_answers(CLIENT, 0, 1, "again").unwrap_err();
    assert_eq!(texts(&memory), ["before"]);
    assert_eq!(memory.answers(OTHER).unwrap(), [""; 0]);
    assert!(memory.take_changes().is_none());
    memory.end_batch().unwrap();
    write(&memory, "after", 2).unwrap();
    assert_eq!(texts(&memory), ["before", "after"]);
    assert_eq!(memory.answers(CLIENT).unwrap(), ["[[2,[2]]]"]);
}

/// A call that has a transaction of its own; it returns its answer as JSON.
type Call<'a> = &'a dyn Fn(&mut Memory) -> Result<serde_json::Value>;

#[test]
fn calls_with_a_transaction_of_their_own_enter_their_answers() {
    let folder = tempfile::tempdir().unwrap();
    let memory = &mut open(folder.path()).unwrap();
    let calls: [(&str, Call<'_>); 13] = [
        ("nothing to do", &|memory| memory.upgrade("head").map(|ids| json!(ids))),
        ("down", &|memory| memory.downgrade("001").map(|ids| json!(ids))),
        ("up", &|memory| memory.upgrade("head").map(|ids| json!(ids))),
        ("stamp", &|memory| memory.stamp(&["head"], false, false).map(|()| json!(null))),
        ("ensure_version", &|memory| memory.ensure_version().map(|()| json!(null))),
        ("accept", &|memory| memory.accept("head").map(|()| json!(null))),
        ("import", &|memory| memory.import(fixture("synth-mind-app.db")).map(|ids| json!(ids))),
        ("import of other pages", &|memory| memory.import(fixture("page-size-1024.db")).map(|ids| json!(ids))),
        ("restore", &|memory| {
            let newest = memory.backups()?.swap_remove(0).id;
            memory.restore(&newest).map(|ids| json!(ids))
        }),
        ("back_up", &|memory| {
            let made = memory.back_up()?;
            Ok(json!({ "id": made.id, "createdAt": made.created_at, "revisions": made.revisions }))
        }),
        ("base", &|memory| memory.downgrade("base").map(|ids| json!(ids))),
        ("nothing to do at the base", &|memory| memory.upgrade("base").map(|ids| json!(ids))),
        ("from the base", &|memory| memory.upgrade("head").map(|ids| json!(ids))),
    ];
    let mut kept = 0;
    for (name, call) in calls {
        kept += 1;
        memory.enter(CLIENT, kept);
        let value = call(memory).unwrap_or_else(|error| panic!("{name}: {error}"));
        let answers = memory.answers(CLIENT).unwrap();
        assert_eq!(answers.len(), kept as usize, "{name}");
        let answer: serde_json::Value = serde_json::from_str(&answers[kept as usize - 1]).unwrap();
        assert_eq!(answer, json!([[kept, { "value": value }]]), "{name}");
        // The next call was not announced, so it has no entry.
        memory.ensure_version().unwrap();
        assert_eq!(memory.answers(CLIENT).unwrap().len(), kept as usize, "{name}");
    }
    // A call that fails enters nothing, neither at once nor with the next call.
    let failing: [(&str, Call<'_>); 6] = [
        ("upgrade", &|memory| memory.upgrade("nowhere").map(|ids| json!(ids))),
        ("stamp", &|memory| memory.stamp(&["001"], false, false).map(|()| json!(null))),
        ("accept", &|memory| memory.accept("nowhere").map(|()| json!(null))),
        ("import", &|memory| memory.import(vec![0; 200]).map(|ids| json!(ids))),
        ("restore", &|memory| memory.restore("no backup").map(|ids| json!(ids))),
        ("downgrade", &|memory| memory.downgrade("nowhere").map(|ids| json!(ids))),
    ];
    for (name, call) in failing {
        memory.enter(CLIENT, 99);
        assert!(call(memory).is_err(), "{name}");
        memory.upgrade("head").unwrap();
        assert_eq!(memory.answers(CLIENT).unwrap().len(), kept as usize, "{name}");
    }
}

#[test]
fn a_file_that_leaves_has_no_answers_and_one_that_comes_brings_none() {
    const SECRET: &str = "an answer that stays at home";
    let folder = tempfile::tempdir().unwrap();
    let mut memory = open(folder.path()).unwrap();
    memory.turns().add(turn("home")).unwrap();
    let holds = |file: &[u8], text: &str| file.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    memory.keep_answers(CLIENT, 0, 1, SECRET).unwrap();
    let (whole, at_head) = (memory.export().unwrap(), memory.export_at("head").unwrap());
    for file in [&whole, &at_head] {
        assert!(holds(file, "home") && !holds(file, SECRET));
        assert!(!has_table(&open_bytes(file).1));
    }
    assert_eq!(memory.answers(CLIENT).unwrap(), [SECRET], "it is still at home");

    // A file with another program's table of that name.
    let (stranger, connection) = open_bytes(&whole);
    connection.execute_batch("CREATE TABLE synth_requests (x); INSERT INTO synth_requests VALUES ('theirs')").unwrap();
    drop(connection);
    let stranger = std::fs::read(stranger.path().join("file.db")).unwrap();
    // A backup holds the answers from the time when it was made.
    let backup = memory.back_up().unwrap().id;
    memory.acknowledge(CLIENT, 2).unwrap();
    memory.keep_answers(OTHER, 0, 7, "live").unwrap();
    memory.import(stranger).unwrap();
    assert_eq!((memory.answers(CLIENT).unwrap(), memory.answers(OTHER).unwrap()), (vec![], vec!["live".into()]));
    memory.restore(&backup).unwrap();
    assert_eq!((memory.answers(CLIENT).unwrap(), memory.answers(OTHER).unwrap()), (vec![], vec!["live".into()]));

    // Without any answers, no table is made.
    let mut without = in_memory();
    without.import(whole).unwrap();
    assert!(!has_table(without.db().connection()));
}

thread_local! {
    static TIME: Cell<f64> = const { Cell::new(NOW) };
}

#[test]
fn answers_go_when_nobody_comes_for_them_within_a_day() {
    const DAY: f64 = 86_400.0;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.db");
    let reopened = |at: f64| {
        TIME.set(at);
        let location = Location::File { path: path.to_str().unwrap(), vfs: None };
        let migrations = migrations_at(folder.path(), Graph::bundled());
        Memory::open(location, Durability::Strict, Clock::new(|| TIME.get()), migrations).unwrap()
    };
    let memory = reopened(NOW);
    memory.keep_answers(CLIENT, 0, 1, "early").unwrap();
    TIME.set(NOW + 1.0);
    memory.keep_answers(OTHER, 0, 1, "late").unwrap();
    memory.close().unwrap();
    let memory = reopened(NOW + DAY);
    assert_eq!((memory.answers(CLIENT).unwrap().len(), memory.answers(OTHER).unwrap().len()), (1, 1));
    memory.close().unwrap();
    let memory = reopened(NOW + DAY + 1.0);
    assert_eq!((memory.answers(CLIENT).unwrap().len(), memory.answers(OTHER).unwrap().len()), (0, 1));
    memory.close().unwrap();
    let memory = reopened(NOW + 2.0 * DAY);
    assert!(!has_table(memory.db().connection()), "with the last of them goes the table");
}

#[test]
fn at_the_base_only_what_may_be_asked_for_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let names = |memory: &Memory| -> Vec<String> {
        schema(memory.db().connection()).into_iter().map(|(_, name, _)| name).collect()
    };
    let alembics = ["sqlite_autoindex_alembic_version_1", "alembic_version"];
    let mut memory = open(folder.path()).unwrap();
    write(&memory, "one", 1).unwrap();
    memory.acknowledge(CLIENT, 2).unwrap();
    memory.downgrade("base").unwrap();
    assert_eq!(names(&memory), alembics);
    memory.upgrade("head").unwrap();
    memory.enter(CLIENT, 3);
    memory.downgrade("base").unwrap();
    assert_eq!(names(&memory), [alembics[0], alembics[1], "synth_requests"]);
    memory.close().unwrap();
    let memory = open(folder.path()).unwrap();
    assert_eq!(memory.answers(CLIENT).unwrap().len(), 1, "that it is taken up again makes no difference");
}

#[test]
fn the_table_is_of_no_revision() {
    let folder = tempfile::tempdir().unwrap();
    let location = || folder.path().join("memory.db");
    // A file that holds only the ledger still counts as empty.
    let path = location();
    let migrations = || migrations_at(folder.path(), Graph::bundled());
    let place = Location::File { path: path.to_str().unwrap(), vfs: None };
    let mut memory = Memory::open_as_is(place, Durability::Strict, still(), migrations()).unwrap();
    memory.enter(CLIENT, 1);
    let _ = memory.back_up();
    memory.keep_answers(CLIENT, 0, 2, "kept").unwrap();
    memory.bring_to_head().unwrap();
    // The ledger does not count as a difference of the schema either.
    memory.stamp(&["head"], true, false).unwrap();
    assert!(memory.verify().unwrap().iter().all(|revision| revision.revision.starts_with("00")));
    let plan = memory.plan("base", true).unwrap();
    assert!(plan.tables.iter().all(|table| table.table != "synth_requests"));
    memory.db().connection().execute_batch("DROP TABLE alembic_version").unwrap();
    memory.close().unwrap();
    let memory = open(folder.path()).unwrap();
    assert!(!memory.answers(CLIENT).unwrap().is_empty(), "it was adopted");
    memory.db().connection().execute_batch("UPDATE alembic_version SET version_num = 'newer'").unwrap();
    let newer = "INSERT INTO synth_migrations VALUES ('newer', 'newer.sql', '-- Newer
--
-- Revision ID: newer
-- Revises: 002
-- Create Date: 2099-01-01
-- migrate:up
SELECT 1;
-- migrate:down
SELECT 1;
', NULL, NULL, '9')";
    memory.db().connection().execute_batch(newer).unwrap();
    memory.close().unwrap();
    let mut migrations = migrations();
    migrations.on_newer = OnNewerSchema::ReadOnly;
    let mut memory = Memory::open(place, Durability::Strict, still(), migrations).unwrap();
    let before = memory.answers(CLIENT).unwrap();
    memory.db().begin_batch();
    assert_eq!(memory.turns().add(turn("no")).unwrap_err().code(), ErrorCode::ReadOnlyMemory);
    memory.keep_answers(CLIENT, 9, 9, "nothing is entered").unwrap();
    memory.end_batch().unwrap();
    memory.acknowledge(CLIENT, 9).unwrap();
    memory.enter(CLIENT, 9);
    let _ = memory.back_up().unwrap();
    assert_eq!(memory.answers(CLIENT).unwrap(), before);
}
