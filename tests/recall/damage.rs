//! Changes that other programs make to vectors and their copies are noticed, and deleted vectors leave no unused space.

use half::f16;
use rusqlite::types::Value;
use synth_memory::Memory;
use synth_memory::recall::RecallQuestion;
use synth_memory::tables::semantic::{SemanticMemoryFilter, SemanticMemoryPatch};
use synth_memory::tables::table::Listing;

use super::support::{in_memory, indexed, open};
use super::{Random, asked, embed, remember, semantic};

const DIMENSIONS: usize = 128;

/// A vector made from the text, so that each fact can be searched for.
fn vector(text: &str) -> Vec<f32> {
    let seed = text.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    Random::new(seed).vector(DIMENSIONS)
}

fn embed_all(memory: &Memory) {
    embed(memory, |text| Some(vector(text)));
}

fn filled(memory: &Memory, many: usize) {
    let contents: Vec<String> = (1..=many).map(|at| format!("fact {at}")).collect();
    remember(memory, &contents.iter().map(String::as_str).collect::<Vec<_>>());
    memory.recall().use_model("test", DIMENSIONS).unwrap();
    embed_all(memory);
}

/// Whether a search for the vector of this text finds this fact first.
fn is_found(memory: &Memory, id: i64, text: &str) -> bool {
    let found = memory.recall().search(&asked(&vector(text))).unwrap();
    found.first().is_some_and(|near| near.item == semantic(id) && near.similarity.unwrap() > 0.9999)
}

fn bytes(memory: &Memory) -> u64 {
    memory.recall().embedding_status().unwrap().bytes
}

#[test]
fn updates_and_new_rows_in_place_of_old_ones_leave_no_room_behind() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path()).unwrap();
    filled(&memory, 3000);
    let before = bytes(&memory);
    // Adds four times as many vectors as there are rows.
    for round in 0..40 {
        for at in 0..150 {
            let id = round * 150 + 1 + at * 13 % 3000;
            let patch =
                SemanticMemoryPatch { content: Some(format!("fact {id}, {round}")), ..SemanticMemoryPatch::default() };
            memory.semantic().update(&id, patch).unwrap();
        }
        memory.semantic().delete(&(round * 150 + 1..=round * 150 + 150).collect::<Vec<i64>>()).unwrap();
        let new: Vec<String> = (0..150).map(|at| format!("new {round} {at}")).collect();
        remember(&memory, &new.iter().map(String::as_str).collect::<Vec<_>>());
        embed_all(&memory);
    }
    let after = bytes(&memory);
    assert!(after < before * 2, "{before} bytes became {after}");
    let newest = memory.semantic().count(SemanticMemoryFilter::default()).unwrap();
    assert_eq!(newest, 3000);
    let check = |memory: &Memory| {
        for (at, id) in [(0, 8851), (149, 9000)] {
            assert!(is_found(memory, id, &format!("new 39 {at}")));
        }
    };
    check(&memory);
    // The file has no more blocks than its vectors need either, and they hold the same.
    let blocks = "SELECT count(*) FROM embedding_blocks";
    let blocks: i64 = memory.db().connection().query_one(blocks, [], |row| row.get(0)).unwrap();
    assert!(blocks <= 5, "{blocks}");
    memory.close().unwrap();
    check(&open(folder.path()).unwrap());
}

#[test]
fn damage_to_each_part_of_a_block_is_noticed_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path()).unwrap();
    filled(&memory, 2100);
    let first = "last = (SELECT min(last) FROM embedding_blocks)";
    for damage in [
        format!("UPDATE embedding_blocks SET last = 7 WHERE {first}"),
        format!("UPDATE embedding_blocks SET ids = zeroblob(length(ids)) WHERE {first}"),
        // The ids of other vectors.
        format!("UPDATE embedding_blocks SET ids = substr(ids, 17) || substr(ids, 1, 16) WHERE {first}"),
        format!("UPDATE embedding_blocks SET ids = substr(ids, 17) WHERE {first}"),
        format!("UPDATE embedding_blocks SET codes = zeroblob(length(codes)) WHERE {first}"),
        // One number of one vector.
        format!("UPDATE embedding_blocks SET codes = x'00000001' || substr(codes, 5) WHERE {first}"),
        format!("UPDATE embedding_blocks SET codes = substr(codes, 101) || substr(codes, 1, 100) WHERE {first}"),
        format!("UPDATE embedding_blocks SET codes = substr(codes, 1, length(codes) - 1) WHERE {first}"),
        format!("UPDATE embedding_blocks SET codes = 'text' WHERE {first}"),
        format!("UPDATE embedding_blocks SET checksum = checksum + 1 WHERE {first}"),
        format!("UPDATE embedding_blocks SET checksum = 'text' WHERE {first}"),
        "INSERT INTO embedding_models (id, name, dimensions) VALUES (9, 'other', 128);
         UPDATE embedding_blocks SET model = 9"
            .into(),
        "UPDATE embedding_blocks SET (ids, codes) = (SELECT ids, codes FROM embedding_blocks AS b
                                                     WHERE b.last <> embedding_blocks.last)"
            .into(),
    ] {
        let copy = tempfile::tempdir().unwrap();
        let path = copy.path().join("memory.db");
        std::fs::write(&path, memory.export().unwrap()).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute_batch(&damage).unwrap();
        let opened = open(copy.path()).unwrap();
        for id in (1..=2100).step_by(30) {
            assert!(is_found(&opened, id, &format!("fact {id}")), "{id} after {damage}");
        }
        // The block that is written in its place is valid.
        opened.recall().write_blocks().unwrap();
        opened.close().unwrap();
        let opened = open(copy.path()).unwrap();
        assert!((1..=2100).step_by(70).all(|id| is_found(&opened, id, &format!("fact {id}"))), "{damage}");
        let whole =
            "SELECT count(*) FROM embedding_blocks WHERE typeof(checksum) = 'integer' AND length(ids) = 16 * 1024";
        let whole: i64 = opened.db().connection().query_one(whole, [], |row| row.get(0)).unwrap();
        assert_eq!(whole, 2, "{damage}");
    }
}

#[test]
fn a_stored_vector_that_is_none_is_embedded_again() {
    let finite =
        |numbers: [f32; 3]| numbers.map(f16::from_f32).iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    for (what, stored) in [
        ("too short", Value::Blob(finite([1.0, 0.0, 0.0])[..4].to_vec())),
        ("too long", Value::Blob([finite([1.0, 0.0, 0.0]), vec![0; 2]].concat())),
        ("half a number more", Value::Blob([finite([1.0, 0.0, 0.0]), vec![0; 1]].concat())),
        ("empty", Value::Blob(vec![])),
        ("not a number", Value::Blob(finite([1.0, f32::NAN, 0.0]))),
        ("infinite", Value::Blob(finite([f32::NEG_INFINITY, 0.0, 0.0]))),
        ("of no length", Value::Blob(finite([0.0, -0.0, 0.0]))),
        ("a text", Value::Text("vector".into())),
        ("a number", Value::Integer(7)),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let memory = open(folder.path()).unwrap();
        remember(&memory, &["one", "two"]);
        memory.recall().use_model("test", 3).unwrap();
        let vector = |text: &str| Some(if text == "one" { vec![1.0, 0.0, 0.0] } else { vec![0.0, 1.0, 0.0] });
        embed(&memory, vector);
        memory.close().unwrap();
        let other = rusqlite::Connection::open(folder.path().join("memory.db")).unwrap();
        other.execute("UPDATE embeddings SET vector = ? WHERE id = 1 << 3 | 2", [stored]).unwrap();
        drop(other);

        let memory = open(folder.path()).unwrap();
        memory.recall().use_model("test", 3).unwrap();
        let near = |memory: &Memory| memory.recall().search(&asked(&[1.0, 0.1, 0.0])).unwrap()[0].item;
        assert_eq!(near(&memory), semantic(2), "{what}");
        let status = memory.recall().embedding_status().unwrap();
        assert_eq!((status.pending, status.embedded), (1, 1), "{what}");
        assert_eq!(memory.recall().pending(5).unwrap()[0].text, "one");
        embed(&memory, vector);
        assert_eq!(near(&memory), semantic(1), "{what}");
    }
}

#[test]
fn a_vector_that_is_damaged_behind_its_copy_is_embedded_again() {
    let memory = in_memory();
    filled(&memory, 1500);
    let sql = "UPDATE embeddings SET vector = zeroblob(length(vector)) WHERE id IN (SELECT id FROM embeddings LIMIT 3)";
    assert_eq!(memory.db().connection().execute(sql, []).unwrap(), 3);
    for id in 1..=3 {
        assert!(!is_found(&memory, id, &format!("fact {id}")));
    }
    assert_eq!(memory.recall().embedding_status().unwrap().pending, 3);
    embed_all(&memory);
    assert!((1..=3).all(|id| is_found(&memory, id, &format!("fact {id}"))));
}

#[test]
fn a_vector_of_another_length_is_taken_at_unit_length() {
    let memory = in_memory();
    filled(&memory, 10);
    let long: Vec<u8> = vector("fact 4").iter().flat_map(|value| f16::from_f32(value * 50.0).to_le_bytes()).collect();
    memory.db().connection().execute("UPDATE embeddings SET vector = ? WHERE id = 4 << 3 | 2", [long]).unwrap();
    assert!(is_found(&memory, 4, "fact 4"));
}

/// What another program may have done to the index of words, as SQL on the tables that FTS5 keeps it in.
const DAMAGES: [(&str, &str); 6] = [
    ("no averages", "DELETE FROM memory_fts_data WHERE id = 1"),
    ("averages of another kind", "UPDATE memory_fts_data SET block = x'ffffffffffffffffff' WHERE id = 1"),
    ("no structure", "DELETE FROM memory_fts_data WHERE id = 10"),
    ("a structure of noise", "UPDATE memory_fts_data SET block = x'00000001ff7f7f7f' WHERE id = 10"),
    ("no leaves", "DELETE FROM memory_fts_data WHERE id > 10"),
    ("leaves of noise", "UPDATE memory_fts_data SET block = randomblob(length(block)) WHERE id > 10"),
];

#[test]
fn a_damaged_index_of_words_is_made_again() {
    for (name, sql) in DAMAGES {
        type Asks = fn(&Memory) -> usize;
        let questions: [Asks; 4] = [
            |memory| memory.recall().recall(&RecallQuestion::of("cello")).unwrap().len(),
            |memory| memory.semantic().list(Listing { filter: cello(), ..Listing::default() }).unwrap().rows.len(),
            |memory| memory.semantic().count(cello()).unwrap() as usize,
            |memory| memory.semantic().clear(cello()).unwrap() as usize,
        ];
        for (at, ask) in questions.iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let memory = open(folder.path()).unwrap();
            remember(&memory, &["Ada plays the cello", "Ben tunes his cello", "Zoe is away"]);
            memory.recall().use_model("test", DIMENSIONS).unwrap();
            embed_all(&memory);
            memory.close().unwrap();
            rusqlite::Connection::open(folder.path().join("memory.db")).unwrap().execute_batch(sql).unwrap();
            let memory = open(folder.path()).unwrap();
            remember(&memory, &["A third cello"]);
            assert_eq!(ask(&memory), 3, "{name}, question {at}");
            let [is, anew] = indexed(&memory);
            assert_eq!(is, anew, "{name}, question {at}");
            // Vectors are kept: they may have cost much.
            let embedded = memory.recall().embedding_status().unwrap().embedded;
            assert_eq!(embedded, if at == 3 { 1 } else { 3 }, "{name}, question {at}");
        }
    }
}

#[test]
fn an_imported_index_of_words_is_not_believed() {
    let other = in_memory();
    remember(&other, &["Ada plays the cello", "Zoe is away"]);
    other.recall().index().unwrap();
    other
        .db()
        .connection()
        .execute_batch("DELETE FROM memory_fts WHERE rowid >> 3 = 1; INSERT OR REPLACE INTO memory_fts (rowid, terms) VALUES (2 << 3 | 2, 'cello')")
        .unwrap();
    let file = other.export().unwrap();
    let mut memory = in_memory();
    memory.import(file).unwrap();
    let found = memory.semantic().list(Listing { filter: cello(), ..Listing::default() }).unwrap().rows;
    assert_eq!(found.iter().map(|fact| fact.id).collect::<Vec<_>>(), [1]);
    let [is, anew] = indexed(&memory);
    assert_eq!(is, anew);
}

fn cello() -> SemanticMemoryFilter {
    SemanticMemoryFilter { search: Some("cello".into()), ..SemanticMemoryFilter::default() }
}

#[test]
fn a_row_of_an_index_that_is_made_again_waits_for_a_vector_of_the_model_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path()).unwrap();
    filled(&memory, 3);
    memory.db().connection().execute_batch("UPDATE embedding_models SET in_use = 0").unwrap();
    memory.close().unwrap();
    rusqlite::Connection::open(folder.path().join("memory.db")).unwrap().execute_batch(DAMAGES[0].1).unwrap();
    let memory = open(folder.path()).unwrap();
    memory.recall().recall(&RecallQuestion::of("fact")).unwrap();
    memory.recall().use_model("another", DIMENSIONS).unwrap();
    assert_eq!(memory.recall().embedding_status().unwrap().pending, 3);
    let file = memory.export().unwrap();
    let mut other = in_memory();
    other.import(file).unwrap();
    other.recall().use_model("a third", DIMENSIONS).unwrap();
    assert_eq!(other.recall().embedding_status().unwrap().pending, 3);
    other.recall().index().unwrap();
    assert_eq!(other.recall().embedding_status().unwrap().pending, 3);
}
