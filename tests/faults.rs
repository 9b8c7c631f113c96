//! All or nothing: whichever write, flush or truncation fails or is the last, a file is at the old revision or at the
//! new one, with every row, and the next opening continues without help.
//!
//! `support/fault_points.rs` chooses the operations. `FAULTS=all` (`npm run test:faults`) tests every operation.
#![cfg(not(target_arch = "wasm32"))]

#[path = "support/fault_points.rs"]
mod fault_points;
#[path = "support/fault_vfs.rs"]
mod fault_vfs;
mod support;

use fault_points::{STRIDE, offset, repeat, sample};
use fault_vfs::{Fault, Files, OnFaultyDisk, VFS};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use support::{TABLES, fixture, rows, schema, still};
use synth_memory::db::Location;
use synth_memory::memory::Migrations;
use synth_memory::migrate::Graph;
use synth_memory::migrate::backup::{Backups, KEPT};
use synth_memory::tables::turns::NewTurn;
use synth_memory::{Durability, ErrorCode, Memory, Result};

const FILE: &str = "memory.db";

/// Opens the memory on the disk, and leaves its schema as it is.
fn open(graph: &Graph, durability: Durability) -> Result<Memory> {
    let backups = Backups::new(Box::new(OnFaultyDisk), FILE);
    let location = Location::File { path: FILE, vfs: Some(VFS) };
    Memory::open_as_is(location, durability, still(), Migrations::new(graph.clone()).with_backups(backups))
}

fn open_at_head(graph: &Graph, durability: Durability) -> Result<Memory> {
    let mut memory = open(graph, durability)?;
    memory.bring_to_head()?;
    Ok(memory)
}

/// The contents of a file that are compared.
#[derive(Clone, Debug, PartialEq)]
struct State {
    revision: Vec<Vec<Value>>,
    schema: Vec<(String, String, Option<String>)>,
    rows: Vec<(String, Vec<Vec<Value>>)>,
}

fn state(connection: &Connection) -> State {
    let found: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
    let broken = "SELECT count(*) FROM pragma_foreign_key_check";
    assert_eq!(connection.query_row(broken, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    let schema = schema(connection);
    let has = |table: &str| schema.iter().any(|(_, name, _)| name == table);
    let rows_of = |table: &str| (table.to_owned(), if has(table) { rows(connection, table) } else { vec![] });
    assert!(!schema.iter().any(|(_, name, _)| name.contains("_alembic_tmp_") || name.contains("_synth_tmp_")));
    let revision = if has("alembic_version") { rows(connection, "alembic_version") } else { vec![] };
    State { revision, rows: TABLES.iter().chain(&["notes"]).map(|table| rows_of(table)).collect(), schema }
}

/// The contents of a file on the disk, read with plain SQLite.
fn look(name: &str) -> State {
    let connection = Connection::open_with_flags_and_vfs(name, OpenFlags::SQLITE_OPEN_READ_WRITE, VFS).unwrap();
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE").unwrap();
    state(&connection)
}

/// The revisions of the package, and one that rebuilds a table.
fn with_a_rebuild() -> Graph {
    let bundled = Graph::bundled();
    let head = &bundled.heads()[0].id;
    let rebuild = |columns: &str| format!("-- batch: long_term\nCREATE TABLE long_term ({columns});");
    let old = "\n\t\"key\" TEXT NOT NULL, \n\tvalue TEXT, \n\tupdated_at FLOAT, \n\tPRIMARY KEY (\"key\")\n";
    let text = format!(
        "-- Rebuilds a table\n--\n-- Revision ID: rebuilt\n-- Revises: {head}\n-- Create Date: 2099-01-01\n\
         -- migrate:up\n{}\n\
         CREATE TABLE notes (entry TEXT NOT NULL REFERENCES long_term ON DELETE CASCADE, words TEXT);\n\
         INSERT INTO notes SELECT \"key\", value FROM long_term;\n\
         -- migrate:down\nDROP TABLE notes;\n{}\n",
        rebuild("\"key\" TEXT PRIMARY KEY NOT NULL, value TEXT, updated_at REAL, origin TEXT DEFAULT 'told'"),
        rebuild(old),
    );
    Graph::with_bundled(&[("20990101_0000_rebuilt_test.sql".to_owned(), text)]).unwrap()
}

/// Rows in every table of 001, some larger than a page, with every kind of value that a column can hold.
const ROWS: &str = "
    CREATE TEMP TABLE n AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 12)
        SELECT n, 'WORD ' || n || ' 日本語 ' || replace(hex(zeroblob(n / 12 * 1000)), '0', 'ab ') AS words FROM n;
    INSERT INTO turns SELECT n * 3, n / 7.0, words, iif(n % 2, words, NULL), '{}' FROM n;
    INSERT INTO episodes SELECT n, n, 'WORD', json_array(words, n), -0.5, NULL FROM n;
    INSERT INTO long_term SELECT 'WORD ' || n, json_quote(words), n FROM n;
    INSERT INTO uncertainty_log SELECT n, n, words, 'intent', 0.25, NULL, '{}', n % 2, NULL FROM n;
    INSERT INTO semantic_memories SELECT n, n, words, 'WORD', n / 12.0, '{\"a\":1}' FROM n;
    DROP TABLE n;";

/// A memory at 001 with rows, as a killed process leaves it: much of it is in the log.
fn at_001(word: &str) -> Files {
    fault_vfs::load(&Files::new());
    let mut memory = open_at_head(&Graph::bundled(), Durability::Strict).unwrap();
    memory.downgrade("001").unwrap();
    memory.db().connection().execute_batch(&ROWS.replace("WORD", word)).unwrap();
    alone(fault_vfs::files())
}

/// A closed memory at the head of these revisions, with rows.
fn at_head(graph: &Graph) -> Files {
    fault_vfs::load(&at_001("remembered"));
    open_at_head(graph, Durability::Strict).unwrap().close().unwrap();
    alone(fault_vfs::files())
}

/// The memory without its backups.
fn alone(mut files: Files) -> Files {
    files.retain(|name, _| !name.contains("-backup-"));
    files
}

/// The bytes of another memory, for an import.
fn another() -> Vec<u8> {
    fault_vfs::load(&at_001("imported"));
    open(&Graph::bundled(), Durability::Strict).unwrap().close().unwrap();
    fault_vfs::files().remove(FILE).unwrap()
}

/// The operation during which a fault occurs.
enum Act<'a> {
    /// Opens the memory, which brings it to head, and closes it, which copies the log into the file.
    Open,
    /// A call on an open memory.
    Call(&'a dyn Fn(&mut Memory) -> Result<()>),
}

/// The faults. Only a power cut shows what was flushed, so it is tested with both durabilities.
const ERRORS: &[(Fault, Durability)] = &[(Fault::IoError, Durability::Strict), (Fault::Full, Durability::Strict)];
const ENDS: &[(Fault, Durability)] =
    &[(Fault::Kill, Durability::Strict), (Fault::PowerCut, Durability::Strict), (Fault::PowerCut, Durability::Relaxed)];

/// Runs an act once for each fault and operation, and checks what is left.
fn strike(faults: &[(Fault, Durability)], graph: &Graph, start: &Files, act: &Act<'_>) {
    println!("{} repeats this run", repeat());
    let trial = Trial::new(graph, start, act);
    for &(fault, durability) in faults {
        let ends = matches!(fault, Fault::Kill | Fault::PowerCut);
        fault_vfs::load(start);
        let (memory, result) = run(graph, durability, act, || fault_vfs::arm(fault, u64::MAX));
        result.unwrap();
        let operations = fault_vfs::operations();
        drop(memory);

        // One more than the last: the act ends before the fault occurs.
        let points = sample(operations + 1);
        let (mut old, mut new) = (0, 0);
        for &at in &points {
            let case = format!("{fault:?} at {at} of {operations}, {durability:?}, {}", repeat());
            fault_vfs::load(start);
            let (memory, result) = run(graph, durability, act, || fault_vfs::arm(fault, at));
            assert_eq!(fault_vfs::reached(), at <= operations, "{case}");
            if ends {
                let durable = result.is_ok() && (fault, durability) != (Fault::PowerCut, Durability::Relaxed);
                let is_new = trial.after_the_end(memory, durability, &case);
                assert!(is_new || !durable, "{case}: what was answered is lost");
                *if is_new { &mut new } else { &mut old } += 1;
            } else {
                trial.after_an_error(memory, result, fault, &case);
            }
        }
        let tried = points.len();
        println!(
            "{fault:?} {durability:?}: {operations} operations, {tried} tried, left old {old} times, new {new} times"
        );
        let new_is_due = ends && durability == Durability::Strict;
        let enough = if offset().is_none() { 50 } else { 50 / STRIDE };
        assert!(
            operations > 50 && (!ends || old > enough) && (!new_is_due || new > 0),
            "the faults do not strike where they should"
        );
    }
}

/// Runs the act; returns the memory if it is open, and the result.
fn run(graph: &Graph, durability: Durability, act: &Act<'_>, armed: impl Fn()) -> (Option<Memory>, Result<()>) {
    let mut memory = match act {
        Act::Open => None,
        Act::Call(_) => Some(open(graph, durability).unwrap()),
    };
    armed();
    let result = match (act, &mut memory) {
        (Act::Call(call), Some(memory)) => call(memory),
        _ => open_at_head(graph, durability).and_then(Memory::close),
    };
    (memory, result)
}

/// An act, and the only states that it is allowed to leave.
struct Trial<'a> {
    graph: &'a Graph,
    act: &'a Act<'a>,
    before: State,
    after: State,
    /// The same states after the next opening.
    before_at_head: State,
    after_at_head: State,
    /// The backups from before the act.
    kept: Vec<State>,
}

impl<'a> Trial<'a> {
    fn new(graph: &'a Graph, start: &Files, act: &'a Act<'a>) -> Self {
        let brought_to_head = || state(open_at_head(graph, Durability::Strict).unwrap().db().connection());
        fault_vfs::load(start);
        let before = look(FILE);
        let kept = start.keys().filter(|name| name.contains("-backup-")).map(|name| look(name)).collect();
        let before_at_head = brought_to_head();
        fault_vfs::load(start);
        let (memory, result) = run(graph, Durability::Strict, act, || ());
        result.unwrap();
        drop(memory);
        let after = look(FILE);
        let after_at_head = brought_to_head();
        assert_ne!(before, after);
        Self { graph, act, before, after, before_at_head, after_at_head, kept }
    }

    /// Checks what is left after a kill or a power cut. Returns whether the file has the new state.
    fn after_the_end(&self, memory: Option<Memory>, durability: Durability, case: &str) -> bool {
        fault_vfs::strike();
        drop(memory);
        fault_vfs::restart();
        let left = fault_vfs::files();
        let found = look(FILE);
        let is_new = found == self.after;
        assert!(is_new || found == self.before, "{case}: neither old nor new, but {found:#?}");

        fault_vfs::load(&left);
        let memory = open_at_head(self.graph, durability).unwrap_or_else(|error| panic!("{case}: {error}"));
        let expected = if is_new { &self.after_at_head } else { &self.before_at_head };
        assert_eq!(&state(memory.db().connection()), expected, "{case}");
        self.check_backups(&memory, is_new, case);
        goes_on(memory, case);
        is_new
    }

    /// Checks that the memory still works after an act that may have failed.
    fn after_an_error(&self, memory: Option<Memory>, result: Result<()>, fault: Fault, case: &str) {
        let struck = fault_vfs::disarm();
        let mut memory = match memory {
            Some(memory) => memory,
            None => open_at_head(self.graph, Durability::Strict).unwrap_or_else(|error| panic!("{case}: {error}")),
        };
        if let Err(error) = &result {
            let expected = if fault == Fault::Full { ErrorCode::QuotaExceeded } else { ErrorCode::IoFailed };
            // If FTS5 fails while SQLite reads its tables to rename another table, it does not report the cause.
            let hidden = error.message().contains("vtable constructor failed");
            // SQLite does not report that it could not remove a journal when it closed the copy.
            let unsaid = error.message().contains("could not be finished");
            assert!(struck && (error.code() == expected || hidden || unsaid), "{case}: {error}");
            if let Act::Call(call) = self.act {
                // Pages of another size go through a rollback journal. If its last flush fails, the change may have
                // reached the disk or not.
                let journaled = "SELECT page_size <> 4096 FROM pragma_page_size";
                if !memory.db().connection().query_row(journaled, [], |row| row.get::<_, bool>(0)).unwrap() {
                    assert_eq!(state(memory.db().connection()), self.before, "{case}: {error}");
                }
                call(&mut memory).unwrap_or_else(|error| panic!("{case}, again: {error}"));
            }
        }
        assert_eq!(state(memory.db().connection()), self.after, "{case}");
        self.check_backups(&memory, true, case);
        goes_on(memory, case);
    }

    /// Checks that each backup is whole, that one of the old state exists before the new state does, and that nothing
    /// else is left behind.
    fn check_backups(&self, memory: &Memory, is_new: bool, case: &str) {
        let backups = memory.backups().unwrap();
        let mut states = backups.iter().map(|backup| (backup, look(&backup.id)));
        let mut found_old = false;
        assert!(
            states.all(|(_, state)| {
                found_old |= state == self.before;
                state == self.before || state == self.after || self.kept.contains(&state)
            }),
            "{case}: a backup is not whole among {backups:?}"
        );
        assert!(found_old || !is_new, "{case}: there is no way back");
        if memory.last_backup().is_some() {
            for name in fault_vfs::files().keys().filter(|name| !name.starts_with(FILE) || name.contains("-backup-")) {
                assert!(backups.iter().any(|backup| name.starts_with(&backup.id)), "{case}: {name} was left behind");
            }
        }
    }
}

/// Brings a memory to head, writes to it, closes it, and checks that the file has the same contents.
fn goes_on(mut memory: Memory, case: &str) {
    memory.bring_to_head().unwrap_or_else(|error| panic!("{case}: {error}"));
    memory.turns().add(vec![NewTurn { user_input: "goes on".into(), ..NewTurn::default() }]).unwrap();
    let kept = state(memory.db().connection());
    memory.close().unwrap_or_else(|error| panic!("{case}: {error}"));
    assert_eq!(look(FILE), kept, "{case}");
}

#[test]
fn a_file_that_is_upgraded_when_it_is_opened() {
    strike(ENDS, &Graph::bundled(), &at_001("remembered"), &Act::Open);
}

#[test]
fn errors_as_a_file_is_upgraded_when_it_is_opened() {
    strike(&ERRORS[..1], &Graph::bundled(), &at_001("remembered"), &Act::Open);
}

#[test]
fn errors_in_an_upgrade_of_an_open_memory() {
    let act = |memory: &mut Memory| memory.upgrade("head").map(drop);
    strike(ERRORS, &Graph::bundled(), &at_001("remembered"), &Act::Call(&act));
}

fn during_a_downgrade(faults: &[(Fault, Durability)]) {
    let act = |memory: &mut Memory| memory.downgrade("001").map(drop);
    strike(faults, &Graph::bundled(), &at_head(&Graph::bundled()), &Act::Call(&act));
}

#[test]
fn a_downgrade() {
    during_a_downgrade(ENDS);
}

#[test]
fn errors_in_a_downgrade() {
    during_a_downgrade(ERRORS);
}

#[test]
fn a_downgrade_to_the_base() {
    let act = |memory: &mut Memory| memory.downgrade("base").map(drop);
    strike(ENDS, &Graph::bundled(), &at_head(&Graph::bundled()), &Act::Call(&act));
}

/// Makes the cache so small that pages are written to the log before the commit, some more than once.
fn spill(memory: &Memory) {
    memory.db().connection().execute_batch("PRAGMA cache_size = 6").unwrap();
}

fn during_an_upgrade_that_rebuilds_a_table(faults: &[(Fault, Durability)]) {
    let act = |memory: &mut Memory| {
        spill(memory);
        memory.upgrade("head").map(drop)
    };
    strike(faults, &with_a_rebuild(), &at_001("remembered"), &Act::Call(&act));
}

#[test]
fn an_upgrade_that_rebuilds_a_table() {
    during_an_upgrade_that_rebuilds_a_table(ENDS);
}

#[test]
fn errors_in_an_upgrade_that_rebuilds_a_table() {
    during_an_upgrade_that_rebuilds_a_table(&ERRORS[..1]);
}

#[test]
fn a_downgrade_that_rebuilds_a_table() {
    let act = |memory: &mut Memory| {
        spill(memory);
        memory.downgrade("001").map(drop)
    };
    strike(ENDS, &with_a_rebuild(), &at_head(&with_a_rebuild()), &Act::Call(&act));
}

fn during_an_import(file: &[u8], faults: &[(Fault, Durability)]) {
    let act = |memory: &mut Memory| memory.import(file.to_vec()).map(drop);
    strike(faults, &Graph::bundled(), &at_head(&Graph::bundled()), &Act::Call(&act));
}

#[test]
fn an_import() {
    during_an_import(&another(), ENDS);
}

#[test]
fn errors_in_an_import() {
    during_an_import(&another(), ERRORS);
}

#[test]
fn an_import_of_a_file_with_pages_of_another_size() {
    during_an_import(&fixture("page-size-1024.db"), &ENDS[..2]);
}

#[test]
fn errors_in_an_import_of_a_file_with_pages_of_another_size() {
    during_an_import(&fixture("page-size-1024.db"), &ERRORS[..1]);
}

#[test]
fn a_restored_backup() {
    fault_vfs::load(&at_001("remembered"));
    let mut memory = open_at_head(&Graph::bundled(), Durability::Strict).unwrap();
    memory.turns().add(vec![NewTurn { user_input: "since".into(), ..NewTurn::default() }]).unwrap();
    let id = memory.last_backup().unwrap().id.clone();
    memory.upgrade("head").unwrap();
    memory.close().unwrap();
    let start = fault_vfs::files();
    let act = |memory: &mut Memory| memory.restore(&id).map(drop);
    strike(&ENDS[..2], &Graph::bundled(), &start, &Act::Call(&act));
}

/// Unfinished copies do not count as backups, and do not displace real ones.
#[test]
fn kills_while_copying_leave_the_backups_that_there_were() {
    let start = at_head(&Graph::bundled());
    for (fault, at) in sample(59).into_iter().flat_map(|at| [(Fault::Kill, at), (Fault::PowerCut, at)]) {
        fault_vfs::load(&start);
        let mut memory = open(&Graph::bundled(), Durability::Strict).unwrap();
        for target in ["001", "head", "001"] {
            if target == "head" { memory.upgrade(target) } else { memory.downgrade(target) }.unwrap();
        }
        let mut kept = memory.backups().unwrap();
        assert_eq!(kept.len(), KEPT);
        kept.truncate(KEPT - 1);
        memory.close().unwrap();
        for _ in 0..KEPT + 1 {
            let mut memory = open(&Graph::bundled(), Durability::Strict).unwrap();
            fault_vfs::arm(fault, at);
            let result = memory.upgrade("head");
            assert!(result.is_err(), "{fault:?} at {at}, {}", repeat());
            drop(memory);
            fault_vfs::restart();
        }
        let memory = open_at_head(&Graph::bundled(), Durability::Strict).unwrap();
        let backups = memory.backups().unwrap();
        for old in kept {
            assert!(backups.contains(&old), "{fault:?} at {at}, {}: {} was pushed out", repeat(), old.id);
        }
    }
}
