//! Import of a database: it is rejected and the memory is unchanged, or it is accepted and the memory is valid.

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
    // At head, with an index of words; made here, so that it always has the current schema.
    let (_folder, mut head) = open_bytes(&kept().1);
    head.execute_batch("PRAGMA page_size = 512; VACUUM").unwrap();
    let head = head.serialize("main").unwrap().to_vec();
    assert!(head.len() <= LONGEST_INPUT, "the seed has {} bytes", head.len());
    Target { name: "import", seeds: vec![head], mutate, check: &|bytes| check(&live, bytes), seconds: 15.0 }.run();
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

/// The memory is used again as long as it rejects inputs.
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
            // An input that fails the first checks is no seed for the later ones.
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
    let hits = memory.recall().recall(&RecallQuestion::of("tea on the train")).unwrap().len().min(3);
    memory.export().unwrap();
    format!("{} {hits}", unreadable.min(3))
}

/// A row with wrong values is listed as far as it can be read.
fn list<T: Table>(rows: &Rows<'_, T>)
where
    T::Filter: Default,
    T::Order: Default,
{
    rows.list(Listing { limit: Some(1000), ..Listing::default() }).unwrap();
}
