//! Changes that an app's own constraints and triggers reject: they have a code of their own and are undone entirely.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use support::in_memory;
use synth_memory::tables::long_term::{EntryPatch, NewEntry};
use synth_memory::tables::semantic::{NewSemanticMemory, SemanticMemoryPatch};
use synth_memory::tables::turns::NewTurn;
use synth_memory::{ErrorCode, Memory, Result};

fn remember(memory: &Memory, contents: &[&str]) -> Result<()> {
    let new = |content: &&str| NewSemanticMemory { content: (*content).into(), ..NewSemanticMemory::default() };
    memory.semantic().add(contents.iter().map(new).collect()).map(drop)
}

type Change = fn(&Memory) -> Result<()>;

#[test]
fn what_refuses_a_change_is_named() {
    let cases: [(&str, &str, Change, &str); 8] = [
        (
            "a unique index",
            "CREATE UNIQUE INDEX once ON semantic_memories (content)",
            |memory| remember(memory, &["new", "first"]),
            "UNIQUE constraint failed: semantic_memories.content",
        ),
        (
            "a unique index of an expression",
            "CREATE UNIQUE INDEX once ON semantic_memories (lower(content))",
            |memory| remember(memory, &["new", "FIRST"]),
            "UNIQUE constraint failed: index 'once'",
        ),
        (
            "a trigger that raises",
            "CREATE TRIGGER short BEFORE INSERT ON semantic_memories WHEN length(new.content) > 8
             BEGIN SELECT RAISE(ABORT, 'facts are short here'); END",
            |memory| remember(memory, &["new", "a long one"]),
            "facts are short here",
        ),
        (
            "a trigger that rolls back",
            "CREATE TRIGGER short BEFORE INSERT ON semantic_memories WHEN length(new.content) > 8
             BEGIN SELECT RAISE(ROLLBACK, 'facts are short here'); END",
            |memory| remember(memory, &["new", "a long one"]),
            "facts are short here",
        ),
        (
            "a check of a table that a trigger fills",
            "CREATE TABLE seen (content TEXT CONSTRAINT short CHECK (length(content) < 8));
             CREATE TRIGGER see AFTER INSERT ON semantic_memories BEGIN INSERT INTO seen VALUES (new.content); END",
            |memory| remember(memory, &["new", "a long one"]),
            "CHECK constraint failed: short",
        ),
        (
            "a column that must not be empty",
            "CREATE TABLE seen (category TEXT NOT NULL);
             CREATE TRIGGER see AFTER UPDATE ON semantic_memories BEGIN INSERT INTO seen VALUES (new.metadata); END",
            |memory| {
                memory.db().connection().execute("UPDATE semantic_memories SET metadata = NULL", [])?;
                memory
                    .semantic()
                    .update(&1, SemanticMemoryPatch { importance: Some(0.7), ..SemanticMemoryPatch::default() })
            },
            "NOT NULL constraint failed: seen.category",
        ),
        (
            "a foreign key",
            "CREATE TABLE seen (fact INTEGER REFERENCES semantic_memories (id));
             INSERT INTO seen VALUES (1)",
            |memory| memory.semantic().delete(&[1]).map(drop),
            "FOREIGN KEY constraint failed",
        ),
        (
            "a trigger of another table",
            "CREATE TRIGGER fixed BEFORE UPDATE ON long_term BEGIN SELECT RAISE(FAIL, 'settings are fixed'); END",
            |memory| {
                memory.turns().add(vec![NewTurn { user_input: "hello".into(), ..NewTurn::default() }])?;
                memory.turns().delete(&[1])?;
                memory
                    .long_term()
                    .update(&"key".to_owned(), EntryPatch { value: Some("2".into()), ..EntryPatch::default() })
            },
            "settings are fixed",
        ),
    ];
    for (what, script, change, words) in cases {
        let memory = in_memory();
        remember(&memory, &["first"]).unwrap();
        memory.long_term().add(vec![NewEntry { key: "key".into(), value: "1".into(), updated_at: None }]).unwrap();
        memory.db().connection().execute_batch(script).unwrap();
        let error = change(&memory).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ConstraintFailed, "{what}: {error}");
        assert!(error.to_string().contains(words), "{what}: {error}");
        assert_eq!(error.cause().unwrap().message, words);
        // Nothing of the rejected change is kept, and the next change succeeds.
        let contents = "SELECT group_concat(content) FROM semantic_memories";
        let left: String = memory.db().connection().query_row(contents, [], |row| row.get(0)).unwrap();
        assert_eq!(left, "first", "{what}");
        remember(&memory, &["next"]).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
}
