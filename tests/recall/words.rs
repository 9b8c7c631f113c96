//! Finding by words: any string is safe, and the index is what the tables say.

use proptest::prelude::*;
use synth_memory::recall::{MemoryTable, RecallQuestion};
use synth_memory::tables::episodes::{EpisodePatch, NewEpisode};
use synth_memory::tables::long_term::{EntryFilter, EntryPatch, NewEntry};
use synth_memory::tables::semantic::SemanticMemoryPatch;
use synth_memory::tables::table::Listing;
use synth_memory::tables::turns::{NewTurn, TurnPatch};
use synth_memory::tables::uncertainty::NewUncertainty;
use synth_memory::{Memory, recall::QuestionFilter};

use super::support::{in_memory, open, rows};
use super::{remember, texts};

#[test]
fn questions_of_every_kind_find_what_they_should() {
    let memory = in_memory();
    let cases = [
        (
            "Ada is allergic to peanuts",
            vec!["peanut allergies", "ALLERGIC", "\"peanuts\"", "peanuts*", "NEAR(peanuts)", "-peanuts"],
        ),
        ("Café Zoë opens at 8", vec!["cafe zoe", "CAFÉ", "cafe\u{301}"]),
        ("我对花生过敏", vec!["花生", "我不能吃花生", "过敏"]),
        ("京都でラーメンを食べた", vec!["ラーメン", "京都"]),
        ("학교에서 만나요", vec!["학교", "학교는"]),
        ("ฉันกินข้าว", vec!["กิน", "ข้าว"]),
        ("Party 🎉 on Friday", vec!["🎉", "friday's"]),
        ("हिन्दी में लिखा", vec!["हिन्दी"]),
        ("Das Besprechungszimmer ist im Keller", vec!["besprechung", "Besprechungszimmers"]),
        ("Ella trabajaba en Bilbao", vec!["trabajando"]),
        ("user.home: text:foo AND (bar", vec!["text:foo", "(bar", "AND bar OR"]),
        ("C++ and don't", vec!["c++", "don't"]),
    ];
    remember(&memory, &cases.iter().map(|(content, _)| *content).collect::<Vec<_>>());
    for (content, questions) in cases {
        for question in questions {
            let hits = memory.recall().recall(&RecallQuestion::of(question)).unwrap();
            assert_eq!(texts(&hits).first(), Some(&content), "{question}");
        }
    }
    for nothing in ["", "  ", "* \" - ( ) \u{0}", "zzzz", "…"] {
        assert_eq!(memory.recall().recall(&RecallQuestion::of(nothing)).unwrap(), [], "{nothing}");
    }
}

#[test]
fn all_tables_are_found_and_the_uncertainty_log_where_it_is_asked_for() {
    let memory = in_memory();
    memory.turns().add(vec![NewTurn { user_input: "zebra one".into(), ..NewTurn::default() }]).unwrap();
    let content = Some(r#"{"animals": ["zebra", 2, null]}"#.into());
    memory
        .episodes()
        .add(vec![NewEpisode { event_type: "sighting".into(), content, ..NewEpisode::default() }])
        .unwrap();
    remember(&memory, &["zebra three"]);
    let value = r#"{"favourite": "zebra", "count": 42}"#.into();
    memory.long_term().add(vec![NewEntry { key: "user.animal".into(), value, updated_at: None }]).unwrap();
    let doubt =
        NewUncertainty { user_message: "zebra five?".into(), confidence_score: 0.2, ..NewUncertainty::default() };
    memory.uncertainty().add(vec![doubt]).unwrap();

    let found = |question: &str, sources: Option<Vec<MemoryTable>>| {
        let filter = QuestionFilter { tables: sources, ..QuestionFilter::default() };
        let hits = memory.recall().recall(&RecallQuestion { filter, ..RecallQuestion::of(question) }).unwrap();
        let mut found: Vec<MemoryTable> = hits.iter().map(|hit| hit.item.table()).collect();
        found.sort_by_key(|source| *source as u8);
        found
    };
    assert_eq!(
        found("zebra", None),
        [MemoryTable::Turns, MemoryTable::Episodes, MemoryTable::Semantic, MemoryTable::LongTerm]
    );
    assert_eq!(found("zebra", Some(MemoryTable::ALL.to_vec())), MemoryTable::ALL);
    assert_eq!(found("zebra", Some(vec![MemoryTable::Uncertainty])), [MemoryTable::Uncertainty]);
    for words in ["favourite", "animal", "42"] {
        assert_eq!(found(words, None), [MemoryTable::LongTerm], "{words}");
    }
    assert_eq!(found("sighting", None), [MemoryTable::Episodes]);

    // The tables' own search has the same index.
    let listed = |search: &str| {
        let filter = EntryFilter { search: Some(search.into()), ..EntryFilter::default() };
        memory.long_term().list(Listing { filter, ..Listing::default() }).unwrap().rows.len()
    };
    assert_eq!((listed("zebra favourite"), listed("zebra three"), listed("42")), (1, 0, 1));
}

#[test]
fn common_words_are_left_out_where_there_are_rarer_ones_and_are_found_where_there_are_not() {
    let memory = in_memory();
    let many: Vec<String> =
        (0..8000).map(|at| format!("common number{at} {}", if at % 4000 == 7 { "rare" } else { "" })).collect();
    remember(&memory, &many.iter().map(String::as_str).collect::<Vec<_>>());
    let rare = memory.recall().recall(&RecallQuestion { k: 100, ..RecallQuestion::of("common rare") }).unwrap();
    assert_eq!(texts(&rare), ["common number4007 rare", "common number7 rare"]);
    let common = memory.recall().recall(&RecallQuestion { k: 3, ..RecallQuestion::of("common") }).unwrap();
    assert_eq!(common.len(), 3);
    let both = memory.recall().recall(&RecallQuestion::of("common number77")).unwrap();
    assert_eq!(texts(&both)[0].trim(), "common number77");
}

/// The index as it is, and as it should be.
fn indexed(memory: &Memory) -> [Vec<(i64, String)>; 2] {
    let read = |sql: &str| {
        let mut statement = memory.db().connection().prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<rusqlite::Result<Vec<(i64, String)>>>().unwrap()
    };
    memory.db().connection().execute_batch("INSERT INTO memory_fts (memory_fts) VALUES ('integrity-check')").unwrap();
    [
        read("SELECT rowid, text FROM memory_fts ORDER BY 1"),
        read("SELECT row << 3 | source, text FROM memory_words ORDER BY 1"),
    ]
}

#[derive(Clone, Debug)]
struct Change(u8, i64, String);

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["tea", "花生茶", "\"", "a\0b", "", "{\"a\": [\"x\", 1]}", "กิน🎉", "NULL"])
            .prop_map(str::to_owned),
        "\\PC{0,12}",
    ]
}

fn apply(memory: &Memory, Change(kind, id, text): Change) {
    let json = format!("{{\"said\": {}}}", serde_json::to_string(&text).unwrap());
    let key = format!("key{id}");
    // What is not there is not changed; that is somebody else's test.
    match kind {
        0 => drop(memory.turns().add(vec![NewTurn { user_input: text, ..NewTurn::default() }]).unwrap()),
        1 => {
            drop(memory.turns().update(&id, TurnPatch { assistant_response: Some(Some(text)), ..TurnPatch::default() }))
        }
        2 => drop(memory.turns().delete(&[id])),
        3 => drop(
            memory
                .episodes()
                .add(vec![NewEpisode { event_type: text, content: Some(json), ..NewEpisode::default() }])
                .unwrap(),
        ),
        4 => drop(memory.episodes().update(&id, EpisodePatch { content: Some(json), ..EpisodePatch::default() })),
        5 => drop(memory.episodes().clear(Default::default())),
        6 => drop(remember(memory, &[&text])),
        7 => drop(
            memory
                .semantic()
                .update(&id, SemanticMemoryPatch { content: Some(text), ..SemanticMemoryPatch::default() }),
        ),
        8 => drop(memory.semantic().delete(&[id])),
        9 => drop(memory.long_term().add(vec![NewEntry { key, value: json, updated_at: None }]).unwrap()),
        10 => drop(memory.long_term().update(&key, EntryPatch { value: Some(json), ..EntryPatch::default() })),
        11 => drop(memory.long_term().delete(&[key])),
        12 => drop(
            memory
                .uncertainty()
                .add(vec![NewUncertainty { user_message: text, confidence_score: 0.5, ..NewUncertainty::default() }])
                .unwrap(),
        ),
        13 => drop(memory.uncertainty().delete(&[id])),
        // As other programs write: past the API, but not past the schema.
        14 => drop(
            memory.db().connection().execute("UPDATE OR IGNORE turns SET id = id + 100 WHERE id = ?", [id]).unwrap(),
        ),
        _ => drop(
            memory
                .db()
                .connection()
                .execute("UPDATE semantic_memories SET importance = 0.1 WHERE id = ?", [id])
                .unwrap(),
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_schema_keeps_the_index_in_step(changes in prop::collection::vec((0..16_u8, 1..8_i64, word()), 1..40)) {
        let memory = in_memory();
        for (kind, id, text) in changes {
            apply(&memory, Change(kind, id, text));
        }
        let [is, should_be] = indexed(&memory);
        prop_assert_eq!(is, should_be);
    }

    #[test]
    fn any_string_can_be_asked(question in "\\PC{0,40}|[\\x00-\\x7f]{0,30}") {
        let memory = in_memory();
        remember(&memory, &["tea and peanuts", &question]);
        let hits = memory.recall().recall(&RecallQuestion::of(question.as_str())).unwrap();
        let found = texts(&hits);
        prop_assert!(
            found.iter().all(|text| text.trim() == question.trim() || *text == "tea and peanuts"),
            "{found:?}"
        );
        // What has a letter or a digit has a word, and finds itself.
        if question.chars().any(|letter| letter.is_ascii_alphanumeric()) {
            prop_assert!(found.iter().any(|text| text.trim() == question.trim()), "{found:?}");
        }
    }
}

#[test]
fn what_another_program_wrote_past_the_triggers_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path()).unwrap();
    let entry = |key: &str, value: &str| NewEntry { key: key.into(), value: value.into(), updated_at: None };
    memory.long_term().add(vec![entry("city", "\"Oslo\""), entry("tea", "\"green\"")]).unwrap();
    remember(&memory, &["walnuts"]);
    memory.close().unwrap();

    let other = rusqlite::Connection::open(folder.path().join("memory.db")).unwrap();
    // REPLACE deletes without telling the triggers; and somebody damaged the index.
    other
        .execute_batch(
            "REPLACE INTO long_term VALUES ('city', '\"Bergen\"', 1); DELETE FROM memory_items WHERE id & 7 = 2",
        )
        .unwrap();
    other.close().unwrap();

    let memory = open(folder.path()).unwrap();
    let recall = |question: &str| memory.recall().recall(&RecallQuestion::of(question)).unwrap();
    assert_eq!(texts(&recall("Bergen")), ["city\nBergen"]);
    assert_eq!(texts(&recall("Oslo")), [""; 0]);
    assert_eq!(texts(&recall("walnuts")), ["walnuts"]);
    let [is, should_be] = indexed(&memory);
    assert_eq!(is, should_be);

    // A dump and its reload number the rows of a table anew that has no INTEGER PRIMARY KEY.
    memory
        .db()
        .connection()
        .execute_batch(
            "CREATE TEMP TABLE kept AS SELECT id + 800 AS id FROM memory_items WHERE id & 7 = 3;
         DELETE FROM memory_items WHERE id & 7 = 3;
         INSERT INTO memory_items (id) SELECT id FROM kept;
         INSERT OR REPLACE INTO memory_fts (rowid, text) SELECT id, 'of another key' FROM kept",
        )
        .unwrap();
    let mut copy = in_memory();
    copy.load(memory.export().unwrap()).unwrap();
    assert_eq!(texts(&copy.recall().recall(&RecallQuestion::of("Bergen")).unwrap()), ["city\nBergen"]);
    let [is, should_be] = indexed(&copy);
    assert_eq!(is, should_be);
}

#[test]
fn much_json_of_characters_that_stand_alone_is_taken() {
    let memory = in_memory();
    let value = serde_json::to_string(&vec!["中文"; 30_000]).unwrap();
    memory.long_term().add(vec![NewEntry { key: "k".into(), value, updated_at: None }]).unwrap();
    // Where the JSON is walked again for each part of the text, this takes minutes, and nobody waits for it.
    assert_eq!(texts(&memory.recall().recall(&RecallQuestion::of("中文")).unwrap()).len(), 1);
}

#[test]
fn what_is_no_text_keeps_nothing_else_back() {
    let memory = in_memory();
    remember(&memory, &["lion one", "lion two"]);
    memory
        .db()
        .connection()
        .execute("UPDATE semantic_memories SET content = x'FF6C', importance = 'much' WHERE id = 2", [])
        .unwrap();
    memory.recall().use_model("test", 2).unwrap();
    super::embed(&memory, |_| Some(vec![1.0, 0.0]));
    assert_eq!(memory.recall().embedding_status().unwrap().embedded, 2);
    assert_eq!(texts(&memory.recall().recall(&RecallQuestion::of("lion")).unwrap()), ["lion one"]);
    let facts = rows(memory.db().connection(), "semantic_memories");
    memory.recall().consolidate(&Default::default()).unwrap();
    assert_eq!(rows(memory.db().connection(), "semantic_memories"), facts);
}
