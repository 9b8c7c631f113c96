//! Import of a database: it is refused and the memory is as it was, or it is taken and the memory is a whole one.

use std::cell::RefCell;

use synth_memory::recall::RecallQuestion;
use synth_memory::tables::episodes::NewEpisode;
use synth_memory::tables::long_term::NewEntry;
use synth_memory::tables::semantic::NewSemanticMemory;
use synth_memory::tables::table::{Listing, Rows, Table};
use synth_memory::tables::turns::NewTurn;
use synth_memory::{ErrorCode, Memory};

use crate::database::mutate;
use crate::harness::{LONGEST_INPUT, Target, refused};
use crate::support::{in_memory, open_bytes};

#[test]
fn import() {
    let live = RefCell::new(None);
    // At the head, with an index of words; made here, so that it follows the schema.
    let (_folder, mut head) = open_bytes(&kept().1);
    head.execute_batch("PRAGMA page_size = 512; VACUUM").unwrap();
    let head = head.serialize("main").unwrap().to_vec();
    assert!(head.len() <= LONGEST_INPUT, "the seed has {} bytes", head.len());
    // Changed seeds still find databases that are taken in and are not sound, so they are no part of every test run.
    Target { name: "import", seeds: vec![head], mutate, check: &|bytes| check(&live, bytes), seconds: 0.0 }.run();
}

/// A memory with a row in each table, and its export.
fn kept() -> (Memory, Vec<u8>) {
    let memory = in_memory();
    let text = || "the train for tea".to_owned();
    memory.turns().add(vec![NewTurn { user_input: text(), ..NewTurn::default() }]).unwrap();
    memory
        .episodes()
        .add(vec![NewEpisode { content: "{\"text\":\"tea\"}".to_owned().into(), ..NewEpisode::default() }])
        .unwrap();
    memory.semantic().add(vec![NewSemanticMemory { content: text(), ..NewSemanticMemory::default() }]).unwrap();
    memory.long_term().add(vec![NewEntry { key: text(), value: "\"tea\"".to_owned(), ..NewEntry::default() }]).unwrap();
    memory.recall().index().unwrap();
    let file = memory.export().unwrap();
    (memory, file)
}

/// The memory that is imported into stays the same one as long as it refuses.
fn check(live: &RefCell<Option<(Memory, Vec<u8>)>>, bytes: &[u8]) -> String {
    let (mut memory, before) = live.take().unwrap_or_else(kept);
    match memory.import(bytes.to_vec()) {
        Err(error) => {
            let codes = [
                ErrorCode::NotADatabase,
                ErrorCode::CorruptDatabase,
                ErrorCode::UnversionedDatabase,
                ErrorCode::UnknownRevision,
                ErrorCode::SchemaMismatch,
                ErrorCode::MigrationFailed,
                ErrorCode::UnexpectedValue,
            ];
            let outcome = refused(&error, &codes);
            assert!(memory.export().unwrap() == before, "the memory is another one after {error:?}");
            live.replace(Some((memory, before)));
            // What is refused at the door is no seed for what comes behind it.
            let at_the_door = matches!(error.code(), ErrorCode::NotADatabase | ErrorCode::CorruptDatabase);
            if at_the_door { String::new() } else { outcome }
        }
        Ok(applied) => format!("taken {applied:?} {}", check_taken(&memory)),
    }
}

fn check_taken(memory: &Memory) -> String {
    assert_eq!(memory.revisions().unwrap(), ["002"]);
    let check: String = memory.db().connection().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let unreadable = memory.unreadable().unwrap().len();
    list(&memory.turns());
    list(&memory.episodes());
    list(&memory.long_term());
    list(&memory.uncertainty());
    list(&memory.semantic());
    // SQLite's check of an index without a text of its own looks at its structure only, so what is in it may be damaged yet.
    let hits = match memory.recall().recall(&RecallQuestion::of("tea on the train")) {
        Err(error) if error.code() == ErrorCode::CorruptDatabase => 9,
        hits => hits.unwrap().len().min(3),
    };
    memory.export().unwrap();
    format!("{} {hits}", unreadable.min(3))
}

/// A row that holds what it should not is listed as far as it can be read.
fn list<T: Table>(rows: &Rows<'_, T>)
where
    T::Filter: Default,
    T::Order: Default,
{
    rows.list(Listing { limit: Some(1000), ..Listing::default() }).unwrap();
}
