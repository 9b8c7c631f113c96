//! What commits changed is told once, whoever changed it, and nothing that was taken back.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use support::{fixture, in_memory, open};
use synth_memory::Memory;
use synth_memory::memory::Changes;
use synth_memory::tables::MemoryTable::{self, *};
use synth_memory::tables::long_term::NewEntry;
use synth_memory::tables::semantic::{NewSemanticMemory, SemanticMemoryPatch};
use synth_memory::tables::turns::NewTurn;

fn told(memory: &Memory) -> Vec<MemoryTable> {
    memory.take_changes().map_or_else(Vec::new, |Changes { tables, replaced }| {
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
    // What changes nothing tells nothing.
    memory.turns().delete(&[1]).unwrap();
    memory.turns().list(Default::default()).unwrap();
    memory.recall().recall(&synth_memory::recall::RecallQuestion::of("tea")).unwrap();
    assert_eq!(told(&memory), []);
    // Whoever makes the change.
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
