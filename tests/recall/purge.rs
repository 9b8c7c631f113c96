//! What was deleted is gone from the file: the text, its words, and the codes of its vector.

use std::path::Path;

use synth_memory::Memory;
use synth_memory::recall::RecallQuestion;
use synth_memory::tables::episodes::{EpisodeFilter, NewEpisode};
use synth_memory::tables::long_term::{EntryFilter, NewEntry};
use synth_memory::tables::semantic::{SemanticMemoryFilter, SemanticMemoryPatch};
use synth_memory::tables::turns::{NewTurn, TurnFilter};

use super::support::open;
use super::{Random, asked, embed, fact, only_semantic, remember};

const DIMENSIONS: usize = 128;
/// No other word has the same beginning, so FTS5 stores it in one piece.
const WORD: &str = "xqvwzk";

fn holds(bytes: &[u8]) -> bool {
    bytes.windows(WORD.len()).any(|window| window.eq_ignore_ascii_case(WORD.as_bytes()))
}

/// The files of the folder that contain the word.
fn found(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| holds(&std::fs::read(path).unwrap()))
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

/// Whether an export of the whole memory, or at a revision, contains the word.
fn export_holds(memory: &mut Memory, revision: Option<&str>) -> bool {
    holds(
        &match revision {
            Some(revision) => memory.export_at(revision),
            None => memory.export(),
        }
        .unwrap(),
    )
}

fn vector(text: &str) -> Vec<f32> {
    let seed = text.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    Random::new(seed).vector(DIMENSIONS)
}

fn embed_all(memory: &Memory) {
    memory.recall().use_model("test", DIMENSIONS).unwrap();
    embed(memory, |text| Some(vector(text)));
}

/// Adds rows to each table; some of them contain the word.
fn filled(memory: &Memory, many: usize) {
    let text = |at: usize| if at.is_multiple_of(3) { format!("fact {at} of {WORD}") } else { format!("fact {at}") };
    let contents: Vec<String> = (0..many).map(text).collect();
    memory.semantic().add(contents.iter().map(|text| fact(text)).collect()).unwrap();
    let turn = |text: &String| NewTurn { user_input: text.clone(), ..NewTurn::default() };
    memory.turns().add(contents.iter().take(90).map(turn).collect()).unwrap();
    let episode = |text: &String| NewEpisode {
        event_type: "told".into(),
        content: Some(format!("\"{text}\"")),
        ..NewEpisode::default()
    };
    memory.episodes().add(contents.iter().take(90).map(episode).collect()).unwrap();
    let entry = |text: &String| NewEntry { key: text.clone(), value: format!("\"{text}\""), updated_at: None };
    memory.long_term().add(contents.iter().take(90).map(entry).collect()).unwrap();
}

fn delete_all_with_the_word(memory: &Memory) {
    let search = || Some(WORD.to_owned());
    memory.semantic().clear(SemanticMemoryFilter { search: search(), ..SemanticMemoryFilter::default() }).unwrap();
    memory.turns().clear(TurnFilter { search: search(), ..TurnFilter::default() }).unwrap();
    memory.episodes().clear(EpisodeFilter { search: search(), ..EpisodeFilter::default() }).unwrap();
    memory.long_term().clear(EntryFilter { search: search(), ..EntryFilter::default() }).unwrap();
}

#[test]
fn what_was_deleted_is_nowhere_in_the_file() {
    type Delete = fn(&Memory);
    let ways: [(&str, Delete); 3] = [
        ("deleted", delete_all_with_the_word),
        ("cleared", |memory| {
            memory.semantic().clear(SemanticMemoryFilter::default()).unwrap();
            memory.turns().clear(TurnFilter::default()).unwrap();
            memory.episodes().clear(EpisodeFilter::default()).unwrap();
            memory.long_term().clear(EntryFilter::default()).unwrap();
        }),
        ("changed", |memory| {
            delete_all_with_the_word(memory);
            let id = memory.semantic().add(vec![fact(&format!("again {WORD}"))]).unwrap()[0];
            memory.recall().index().unwrap();
            let content = Some("something else".to_owned());
            memory.semantic().update(&id, SemanticMemoryPatch { content, ..SemanticMemoryPatch::default() }).unwrap();
        }),
    ];
    for (way, delete) in ways {
        for indexed in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let memory = open(folder.path()).unwrap();
            filled(&memory, 3000);
            if indexed {
                embed_all(&memory);
            }
            memory.close().unwrap();
            assert_eq!(found(folder.path()), ["memory.db"], "it is there at first");
            // Each export is the first call after the deletion.
            let file = std::fs::read(folder.path().join("memory.db")).unwrap();
            for revision in [Some("002"), Some("001"), None] {
                std::fs::write(folder.path().join("memory.db"), &file).unwrap();
                let mut memory = open(folder.path()).unwrap();
                assert!(export_holds(&mut memory, revision));
                delete(&memory);
                assert!(!export_holds(&mut memory, revision), "{way}, {indexed}: in the export at {revision:?}");
                memory.close().unwrap();
            }
            assert!(found(folder.path()).is_empty(), "{way}, {indexed}");
        }
    }
}

#[test]
fn what_is_left_is_found_while_the_rest_is_removed_a_slice_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = open(folder.path()).unwrap();
    filled(&memory, 6000);
    // So many words that one slice is not enough.
    let words =
        |at: usize| (0..200).map(|word| format!("n{}", at * 7919 + word * 104_729)).collect::<Vec<_>>().join(" ");
    let turn = |at| NewTurn { user_input: words(at), ..NewTurn::default() };
    memory.turns().add((0..3000).map(turn).collect()).unwrap();
    embed_all(&memory);
    delete_all_with_the_word(&memory);
    memory.recall().index().unwrap();
    let mut slices = 1;
    while memory.tidy_slice().unwrap() {
        slices += 1;
        let at = slices % 1000 * 3 + 1;
        // A row deleted in the meantime is removed too.
        memory.semantic().delete(&[at as i64 + 1]).unwrap();
        let text = format!("fact {}", at + 1);
        let hits = memory.recall().recall(&RecallQuestion { filter: only_semantic(), ..RecallQuestion::of(&text) });
        assert_eq!(hits.unwrap()[0].text, text);
    }
    assert!(slices > 1, "{slices}");
    // The log no longer contains the word either, although the memory is open.
    assert!(found(folder.path()).is_empty());
    let check: String = memory.db().connection().query_one("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let compacted = memory.compact().unwrap();
    assert!(compacted.bytes_after <= compacted.bytes_before);
    drop(memory);
    let memory = open(folder.path()).unwrap();
    for at in [1, 2, 2000, 5999] {
        let near = memory.recall().search(&asked(&vector(&format!("fact {at}")))).unwrap();
        let gone = memory.semantic().get(&(at + 1)).unwrap().is_none();
        assert_eq!(near[0].similarity.unwrap() > 0.999, !gone, "{at}");
    }
}

#[test]
fn no_block_holds_the_code_of_a_vector_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path()).unwrap();
    filled(&memory, 5000);
    embed_all(&memory);
    let count = |sql: &str| memory.db().connection().query_one(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let coded = "SELECT coalesce(sum(length(ids)), 0) / 16 FROM embedding_blocks";
    let before = count(coded);
    memory.semantic().delete(&[1501]).unwrap();
    memory.semantic().delete(&[2]).unwrap();
    memory.recall().index().unwrap();
    memory.recall().purge().unwrap();
    assert_eq!(count(coded), before - 2);
    // A block with few vectors left is removed, and the rest is read by row.
    let filter = SemanticMemoryFilter::default();
    for id in 100..900 {
        memory.semantic().delete(&[id]).unwrap();
    }
    memory.recall().index().unwrap();
    memory.recall().purge().unwrap();
    assert!(count(coded) <= count("SELECT count(*) FROM embeddings"));
    let left = memory.semantic().count(filter).unwrap();
    memory.close().unwrap();
    let memory = open(folder.path()).unwrap();
    assert_eq!(left, 5000 - 802);
    let near = memory.recall().search(&asked(&vector("fact 49"))).unwrap();
    assert!(near[0].similarity.unwrap() > 0.999);
}

#[test]
fn a_file_that_is_mostly_free_shrinks_by_itself_and_one_that_is_not_when_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.db");
    let size = || std::fs::metadata(&path).unwrap().len();
    let memory = open(folder.path()).unwrap();
    remember(&memory, &["kept"]);
    let long = "word ".repeat(400);
    memory
        .turns()
        .add((0..3000).map(|_| NewTurn { user_input: long.clone(), ..NewTurn::default() }).collect())
        .unwrap();
    memory.recall().index().unwrap();
    memory.close().unwrap();
    let full = size();
    let mut memory = open(folder.path()).unwrap();
    for id in 1..=1000 {
        memory.turns().delete(&[id]).unwrap();
    }
    let compacted = memory.compact().unwrap();
    assert_eq!(compacted.bytes_after, size());
    assert!(compacted.bytes_after < full * 3 / 4 && compacted.bytes_before > compacted.bytes_after, "{compacted:?}");
    memory.turns().clear(TurnFilter::default()).unwrap();
    memory.recall().index().unwrap();
    while memory.tidy_slice().unwrap() {}
    assert!(size() < full / 10, "{} of {full}", size());
    assert_eq!(memory.recall().recall(&RecallQuestion::of("kept")).unwrap()[0].text, "kept");
}
