//! Changes of commits are reported once, whoever made them; changes that were rolled back are not reported.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use support::{fixture, in_memory, open};
use synth_memory::Memory;
use synth_memory::changes::ChangeKind::{self, *};
use synth_memory::changes::{MAX_KEYS, MAX_RUNS};
use synth_memory::memory::{ChangedRows, Changes};
use synth_memory::tables::MemoryTable::{self, *};
use synth_memory::tables::long_term::{EntryFilter, EntryPatch, NewEntry};
use synth_memory::tables::semantic::{NewSemanticMemory, SemanticMemoryPatch};
use synth_memory::tables::turns::NewTurn;

fn told(memory: &Memory) -> Vec<MemoryTable> {
    memory.take_changes().map_or_else(Vec::new, |Changes { tables, replaced, .. }| {
        assert!(!replaced);
        tables
    })
}

fn turn(text: &str) -> NewTurn {
    NewTurn { user_input: text.into(), ..NewTurn::default() }
}

fn fact(text: &str) -> NewSemanticMemory {
    NewSemanticMemory { content: text.into(), ..NewSemanticMemory::default() }
}

fn entry(key: impl Into<String>) -> NewEntry {
    NewEntry { key: key.into(), value: "1".into(), updated_at: None }
}

fn run(table: MemoryTable, kind: ChangeKind, first: i64, last: i64) -> ChangedRows {
    ChangedRows { table, kind, first, last, keys: None }
}

fn keyed(kind: ChangeKind, first: i64, keys: &[&str]) -> ChangedRows {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    ChangedRows { keys: Some(keys.clone()), ..run(LongTerm, kind, first, first + keys.len() as i64 - 1) }
}

fn rows(memory: &Memory) -> Vec<ChangedRows> {
    memory.take_changes().map_or_else(Vec::new, |Changes { rows, missed, .. }| {
        assert!(!missed);
        rows
    })
}

fn opened() -> Memory {
    let memory = in_memory();
    memory.take_changes();
    memory
}

#[test]
fn each_commit_is_told_once() {
    let memory = opened();
    assert_eq!(told(&memory), []);
    memory.turns().add(vec![turn("one"), turn("two")]).unwrap();
    assert_eq!(told(&memory), [Turns]);
    assert_eq!(told(&memory), []);
    memory.semantic().add(vec![fact("tea")]).unwrap();
    memory.long_term().add(vec![NewEntry { key: "k".into(), value: "1".into(), updated_at: None }]).unwrap();
    assert_eq!(told(&memory), [Semantic, LongTerm]);
    memory.semantic().update(&1, SemanticMemoryPatch { importance: Some(0.7), ..Default::default() }).unwrap();
    assert_eq!(told(&memory), [Semantic]);
    memory.turns().delete(&[1]).unwrap();
    assert_eq!(told(&memory), [Turns]);
    memory.turns().clear(Default::default()).unwrap();
    assert_eq!(told(&memory), [Turns]);
    // Calls that change nothing report nothing.
    memory.turns().delete(&[1]).unwrap();
    memory.turns().list(Default::default()).unwrap();
    memory.recall().recall(&synth_memory::recall::RecallQuestion::of("tea")).unwrap();
    assert_eq!(told(&memory), []);
    // Changes made with SQL are reported too.
    memory.db().connection().execute_batch("INSERT INTO episodes (event_type) VALUES ('by hand')").unwrap();
    assert_eq!(told(&memory), [Episodes]);
}

#[test]
fn what_is_taken_back_is_not_told() {
    let memory = opened();
    let bad = NewTurn { metadata: Some("no JSON".into()), ..turn("bad") };
    memory.turns().add(vec![turn("good"), bad.clone()]).unwrap_err();
    assert_eq!(told(&memory), []);
    memory.db().begin_batch();
    memory.turns().add(vec![turn("good"), bad]).unwrap_err();
    memory.semantic().add(vec![fact("kept")]).unwrap();
    assert_eq!(told(&memory), [], "it is not committed yet");
    memory.end_batch().unwrap();
    assert_eq!(told(&memory), [Semantic]);
    memory.db().connection().execute_batch("BEGIN; DELETE FROM semantic_memories; ROLLBACK").unwrap();
    assert_eq!(told(&memory), []);
}

#[test]
fn another_database_or_schema_replaces_everything() {
    let folder = tempfile::tempdir().unwrap();
    let mut on_disk = open(folder.path()).unwrap();
    for memory in [&mut opened(), &mut on_disk] {
        let replaced = |memory: &Memory| memory.take_changes().is_some_and(|changes| changes.replaced);
        memory.take_changes();
        memory.import(fixture("synth-mind-app.db")).unwrap();
        assert!(replaced(memory));
        memory.downgrade("001").unwrap();
        assert!(replaced(memory));
        memory.upgrade("head").unwrap();
        assert!(replaced(memory));
        assert!(!replaced(memory));
        memory.turns().add(vec![turn("after")]).unwrap();
        assert_eq!(told(memory), [Turns]);
    }
}

#[test]
fn each_row_is_reported_in_order() {
    let memory = opened();
    let important = || SemanticMemoryPatch { importance: Some(0.7), ..Default::default() };
    let bad = || NewTurn { metadata: Some("no JSON".into()), ..turn("bad") };
    let by_hand = |sql: &str| memory.db().connection().execute_batch(sql).unwrap();
    let in_a_batch = |calls: &dyn Fn()| {
        memory.db().begin_batch();
        calls();
        memory.end_batch().unwrap();
    };
    // The cases run one after the other on one memory.
    let cases: [(&dyn Fn(), &[ChangedRows]); 14] = [
        (&|| _ = memory.turns().add(vec![turn("a"); 20_000]).unwrap(), &[run(Turns, Insert, 1, 20_000)]),
        (
            &|| _ = memory.turns().delete(&[7, 8, 9, 5, 4, 20]).unwrap(),
            &[run(Turns, Delete, 7, 9), run(Turns, Delete, 4, 5), run(Turns, Delete, 20, 20)],
        ),
        (&|| _ = memory.semantic().add(vec![fact("a"), fact("b")]).unwrap(), &[run(Semantic, Insert, 1, 2)]),
        (
            // A row that is changed twice is reported once, unless something else changes in between.
            &|| {
                in_a_batch(&|| {
                    memory.semantic().update(&1, important()).unwrap();
                    memory.semantic().update(&1, important()).unwrap();
                    memory.turns().add(vec![turn("b")]).unwrap();
                    memory.semantic().update(&1, important()).unwrap();
                });
            },
            &[run(Semantic, Update, 1, 1), run(Turns, Insert, 20_001, 20_001), run(Semantic, Update, 1, 1)],
        ),
        (
            // Runs of two commits stay separate.
            &|| {
                memory.turns().add(vec![turn("c")]).unwrap();
                memory.turns().add(vec![turn("d")]).unwrap();
            },
            &[run(Turns, Insert, 20_002, 20_002), run(Turns, Insert, 20_003, 20_003)],
        ),
        (
            // A change that a savepoint rolled back is not reported, even if it made a run longer.
            &|| {
                in_a_batch(&|| {
                    memory.turns().add(vec![turn("e")]).unwrap();
                    memory.turns().add(vec![turn("f"), bad()]).unwrap_err();
                    memory.semantic().delete(&[2]).unwrap();
                });
            },
            &[run(Turns, Insert, 20_004, 20_004), run(Semantic, Delete, 2, 2)],
        ),
        (&|| by_hand("BEGIN; DELETE FROM turns; ROLLBACK"), &[]),
        (
            &|| _ = memory.long_term().add(vec![entry("a"), entry("b"), entry("c")]).unwrap(),
            &[keyed(Insert, 1, &["a", "b", "c"])],
        ),
        (
            &|| _ = memory.long_term().add(vec![entry("b"), entry("d")]).unwrap(),
            &[keyed(Update, 2, &["b"]), keyed(Insert, 4, &["d"])],
        ),
        (
            &|| {
                memory
                    .long_term()
                    .update(&"c".into(), EntryPatch { value: Some("2".into()), ..Default::default() })
                    .unwrap()
            },
            &[keyed(Update, 3, &["c"])],
        ),
        (
            // After the last row is deleted, SQLite assigns its rowid again.
            &|| {
                in_a_batch(&|| {
                    memory.long_term().delete(&["d".into(), "b".into()]).unwrap();
                    memory.long_term().add(vec![entry("e")]).unwrap();
                    memory.long_term().delete(&["e".into(), "nobody".into()]).unwrap();
                    memory.long_term().add(vec![entry("f")]).unwrap();
                });
            },
            &[
                keyed(Delete, 4, &["d"]),
                keyed(Delete, 2, &["b"]),
                keyed(Insert, 4, &["e"]),
                keyed(Delete, 4, &["e"]),
                keyed(Insert, 4, &["f"]),
            ],
        ),
        (
            &|| _ = memory.long_term().clear(EntryFilter { prefix: Some("c".into()), ..Default::default() }).unwrap(),
            &[keyed(Delete, 3, &["c"])],
        ),
        (
            &|| _ = memory.long_term().clear(Default::default()).unwrap(),
            &[keyed(Delete, 1, &["a"]), keyed(Delete, 4, &["f"])],
        ),
        (&|| _ = memory.semantic().clear(Default::default()).unwrap(), &[run(Semantic, Delete, 1, 1)]),
    ];
    for (at, (change, expected)) in cases.into_iter().enumerate() {
        change();
        assert_eq!(rows(&memory), expected, "case {at}");
    }
}

#[test]
fn clearing_is_reported_without_triggers() {
    let mut memory = opened();
    memory.downgrade("001").unwrap();
    memory.turns().add(vec![turn("a"), turn("b")]).unwrap();
    memory.long_term().add(vec![entry("k")]).unwrap();
    memory.take_changes();
    assert_eq!(memory.turns().clear(Default::default()).unwrap(), 2);
    assert_eq!(memory.long_term().clear(Default::default()).unwrap(), 1);
    assert_eq!(rows(&memory), [run(Turns, Delete, 1, 2), keyed(Delete, 1, &["k"])]);
}

#[test]
fn rows_that_are_left_out_are_reported_as_missed() {
    let memory = opened();
    let by_hand = |sql: &str| memory.db().connection().execute_batch(sql).unwrap();
    let keys = |range: std::ops::Range<usize>| range.map(|at| entry(format!("{at:05}"))).collect::<Vec<_>>();
    let every_second: Vec<i64> = (1..=2 * MAX_RUNS as i64 + 2).step_by(2).collect();
    memory.turns().add(vec![turn("a"); 2 * MAX_RUNS + 2]).unwrap();
    memory.take_changes();
    // Each case has the number of runs and of keys that are reported.
    let cases: [(&dyn Fn(), usize, usize); 6] = [
        (&|| _ = memory.turns().delete(&every_second).unwrap(), MAX_RUNS, 0),
        (&|| every_second.iter().for_each(|id| _ = memory.turns().delete(&[id + 1]).unwrap()), MAX_RUNS, 0),
        (&|| _ = memory.long_term().add(keys(0..MAX_KEYS + 1)).unwrap(), 1, MAX_KEYS),
        (&|| _ = memory.long_term().clear(Default::default()).unwrap(), 1, MAX_KEYS),
        // A key that was not noted when its row was deleted, and an id that a JavaScript number cannot hold.
        (&|| by_hand("INSERT INTO long_term (key, value) VALUES ('k', '1'); DELETE FROM long_term"), 0, 0),
        (&|| by_hand("INSERT INTO turns (id, user_input) VALUES (1 << 53, 'far')"), 0, 0),
    ];
    for (at, (change, runs, keys)) in cases.into_iter().enumerate() {
        change();
        let changes = memory.take_changes().unwrap();
        assert!(changes.missed, "case {at}");
        assert_eq!(changes.tables.len(), 1, "case {at}");
        assert_eq!(changes.rows.len(), runs, "case {at}");
        let reported: usize = changes.rows.iter().filter_map(|rows| rows.keys.as_ref()).map(Vec::len).sum();
        assert_eq!(reported, keys, "case {at}");
    }
    memory.semantic().add(vec![fact("after")]).unwrap();
    assert_eq!(rows(&memory), [run(Semantic, Insert, 1, 1)]);
}
