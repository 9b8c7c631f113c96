//! Whichever write, flush or truncation fails or is the last, a change and its answer are both there or neither.
//!
//! `support/fault_points.rs` chooses the operations at which a fault occurs.
#![cfg(not(target_arch = "wasm32"))]

#[path = "support/fault_points.rs"]
mod fault_points;
#[path = "support/fault_vfs.rs"]
mod fault_vfs;
mod support;

use fault_points::{repeat, sample};
use fault_vfs::{Fault, Files, OnFaultyDisk, VFS};
use rusqlite::Connection;
use rusqlite::types::Value;
use support::{rows, schema, still};
use synth_memory::db::Location;
use synth_memory::memory::Migrations;
use synth_memory::migrate::Graph;
use synth_memory::migrate::backup::Backups;
use synth_memory::tables::turns::NewTurn;
use synth_memory::{Durability, Memory, Result};

const CLIENT: &str = "a client";
const OTHER: &str = "another client";

const FILE: &str = "memory.db";

fn turn(text: &str) -> Vec<NewTurn> {
    vec![NewTurn { user_input: text.into(), ..NewTurn::default() }]
}

fn has_table(connection: &Connection, table: &str) -> bool {
    schema(connection).iter().any(|(_, name, _)| name == table)
}

fn on_faulty_disk() -> Memory {
    let migrations = Migrations::new(Graph::bundled()).with_backups(Backups::new(Box::new(OnFaultyDisk), FILE));
    let location = Location::File { path: FILE, vfs: Some(VFS) };
    Memory::open_as_is(location, Durability::Strict, still(), migrations).unwrap()
}

/// What a call can change: the revision of the schema, and the rows.
type State = (Vec<Vec<Value>>, Vec<Vec<Value>>);

fn state(connection: &Connection) -> State {
    let turns = if has_table(connection, "turns") { rows(connection, "turns") } else { vec![] };
    (rows(connection, "alembic_version"), turns)
}

/// How many answers the ledger holds, for the client and for the other client.
fn entries(connection: &Connection) -> (usize, usize) {
    let found = if has_table(connection, "synth_requests") { rows(connection, "synth_requests") } else { vec![] };
    let of = |client: &str| found.iter().filter(|row| row[0] == Value::Text(client.into())).count();
    (of(CLIENT), of(OTHER))
}

/// Runs a call with a fault at each operation, and checks that the change and its answer are both there or neither.
fn strike(start: &Files, call: &dyn Fn(&mut Memory) -> Result<()>) {
    println!("{} repeats this run", repeat());
    fault_vfs::load(start);
    let mut memory = on_faulty_disk();
    let before = state(memory.db().connection());
    assert_eq!(entries(memory.db().connection()), (0, 1));
    fault_vfs::arm(Fault::Kill, u64::MAX);
    call(&mut memory).unwrap();
    let operations = fault_vfs::operations();
    let after = state(memory.db().connection());
    assert_eq!(entries(memory.db().connection()), (1, 1));
    assert_ne!(before, after);
    drop(memory);

    for fault in [Fault::Kill, Fault::PowerCut, Fault::IoError, Fault::Full] {
        let (mut old, mut new) = (0, 0);
        for at in sample(operations + 1) {
            let case = format!("{fault:?} at {at} of {operations}, {}", repeat());
            fault_vfs::load(start);
            let mut memory = on_faulty_disk();
            fault_vfs::arm(fault, at);
            let result = call(&mut memory);
            assert_eq!(fault_vfs::reached(), at <= operations, "{case}");
            if matches!(fault, Fault::Kill | Fault::PowerCut) {
                fault_vfs::strike();
                drop(memory);
                fault_vfs::restart();
                memory = on_faulty_disk();
            } else {
                fault_vfs::disarm();
            }
            let (entered, others) = entries(memory.db().connection());
            let is_new = state(memory.db().connection()) == after;
            assert!(is_new || state(memory.db().connection()) == before, "{case}");
            assert_eq!(entered == 1, is_new, "{case}: the change and its answer are not one");
            assert_eq!(others, 1, "{case}: what another was answered is lost");
            assert!(is_new || result.is_err(), "{case}: what was answered is lost");
            *if is_new { &mut new } else { &mut old } += 1;
            // If the call is sent again because it was not answered, the change is there once.
            if entered == 0 {
                call(&mut memory).unwrap_or_else(|error| panic!("{case}, again: {error}"));
            }
            assert_eq!((state(memory.db().connection()), entries(memory.db().connection())), (after.clone(), (1, 1)));
        }
        println!("{fault:?}: {operations} operations, left old {old} times, new {new} times");
        assert!(old > 0 && new > 0, "the faults do not strike where they should");
    }
}

/// A memory at a revision, with a row and an answer to another client, as a killed process leaves it.
fn at(revision: &str, text: &str) -> Files {
    fault_vfs::load(&Files::new());
    let mut memory = on_faulty_disk();
    memory.bring_to_head().unwrap();
    if revision != "head" {
        memory.downgrade(revision).unwrap();
    }
    if revision != "base" {
        memory.turns().add(turn(text)).unwrap();
    }
    memory.keep_answers(OTHER, 0, 1, "theirs").unwrap();
    let mut files = fault_vfs::files();
    files.retain(|name, _| !name.contains("-backup-"));
    files
}

#[test]
fn a_write_and_its_answer_are_one() {
    strike(&at("head", "before"), &|memory| {
        memory.db().begin_batch();
        memory.turns().add(turn("now"))?;
        memory.keep_answers(CLIENT, 1, 1, "[[1,{\"value\":[2]}]]")?;
        memory.end_batch()
    });
}

fn announced(call: impl Fn(&mut Memory) -> Result<()>) -> impl Fn(&mut Memory) -> Result<()> {
    move |memory| {
        memory.enter(CLIENT, 1);
        call(memory)
    }
}

#[test]
fn an_upgrade_and_its_answer_are_one() {
    strike(&at("001", "before"), &announced(|memory| memory.upgrade("head").map(drop)));
}

#[test]
fn a_downgrade_and_its_answer_are_one() {
    strike(&at("head", "before"), &announced(|memory| memory.downgrade("001").map(drop)));
}

#[test]
fn a_downgrade_to_the_base_and_its_answer_are_one() {
    strike(&at("head", "before"), &announced(|memory| memory.downgrade("base").map(drop)));
}

#[test]
fn a_stamp_and_its_answer_are_one() {
    strike(&at("head", "before"), &announced(|memory| memory.stamp(&["001"], false, true)));
}

#[test]
fn an_import_and_its_answer_are_one() {
    fault_vfs::load(&at("001", "imported"));
    on_faulty_disk().close().unwrap();
    let file = fault_vfs::files().remove(FILE).unwrap();
    strike(&at("head", "before"), &announced(|memory| memory.import(file.clone()).map(drop)));
}

#[test]
fn a_restored_backup_and_its_answer_are_one() {
    fault_vfs::load(&at("head", "kept"));
    let mut memory = on_faulty_disk();
    let backup = memory.back_up().unwrap().id;
    memory.turns().add(turn("since")).unwrap();
    memory.close().unwrap();
    strike(&fault_vfs::files(), &announced(|memory| memory.restore(&backup).map(drop)));
}
