//! Search by words: any string is safe, and the index always matches the tables.

use proptest::prelude::*;
use synth_memory::db::Location;
use synth_memory::memory::OnNewerSchema;
use synth_memory::migrate::Graph;
use synth_memory::recall::{MemoryReference, MemoryTable, RecallQuestion};
use synth_memory::tables::episodes::{EpisodePatch, NewEpisode};
use synth_memory::tables::long_term::{EntryFilter, EntryPatch, NewEntry};
use synth_memory::tables::semantic::SemanticMemoryPatch;
use synth_memory::tables::table::Listing;
use synth_memory::tables::turns::{NewTurn, TurnPatch};
use synth_memory::tables::uncertainty::NewUncertainty;
use synth_memory::{Durability, Memory, recall::QuestionFilter};

use super::support::{in_memory, indexed, migrations_at, open, rows, still};
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

    // The `search` filter of a table uses the same index.
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
    // A missing row cannot be changed; other tests check the error.
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
        // As other programs write: without the API, but with the schema's triggers.
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
    fn the_index_is_what_the_tables_say(changes in prop::collection::vec((0..16_u8, 1..8_i64, word()), 1..40)) {
        let memory = in_memory();
        for (at, (kind, id, text)) in changes.into_iter().enumerate() {
            apply(&memory, Change(kind, id, text));
            if at % 3 == 0 {
                memory.recall().index_slice().unwrap();
            }
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
        // A text with a letter or a digit has a word, and a search for the text finds it.
        if question.chars().any(|letter| letter.is_ascii_alphanumeric()) {
            prop_assert!(found.iter().any(|text| text.trim() == question.trim()), "{found:?}");
        }
    }
}

#[test]
fn what_another_program_writes_is_found_and_a_row_keeps_its_place_when_rows_are_numbered_anew() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path()).unwrap();
    let entry = |key: &str, value: &str| NewEntry { key: key.into(), value: value.into(), updated_at: None };
    memory.long_term().add(vec![entry("first", "1"), entry("city", "\"Oslo\""), entry("tea", "\"green\"")]).unwrap();
    let doubt =
        NewUncertainty { user_message: "which tea?".into(), confidence_score: 0.5, ..NewUncertainty::default() };
    memory.uncertainty().add(vec![doubt]).unwrap();
    let tea = MemoryReference::LongTerm { key: "tea".into() };
    memory.recall().resolve(1, "asked", &[tea], &[]).unwrap();
    remember(&memory, &["walnuts"]);
    memory.close().unwrap();

    let other = rusqlite::Connection::open(folder.path().join("memory.db")).unwrap();
    other
        .execute_batch(
            "REPLACE INTO long_term VALUES ('city', '\"Bergen\"', 1);
             INSERT OR IGNORE INTO semantic_memories (id, content) VALUES (2, 'hazelnuts');
             DELETE FROM long_term WHERE key = 'first';
             VACUUM",
        )
        .unwrap();
    let checked: String = other.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(checked, "ok");
    other.close().unwrap();

    let memory = open(folder.path()).unwrap();
    let recall = |question: &str| memory.recall().recall(&RecallQuestion::of(question)).unwrap();
    assert_eq!(texts(&recall("Bergen")), ["city\nBergen"]);
    assert_eq!(texts(&recall("Oslo")), [""; 0]);
    assert_eq!(texts(&recall("walnuts")), ["walnuts"]);
    assert_eq!(texts(&recall("hazelnuts")), ["hazelnuts"]);
    assert_eq!(recall("green")[0].evidence.settled, 1);
    let [is, should_be] = indexed(&memory);
    assert_eq!(is, should_be);
}

#[test]
fn rows_that_are_new_and_rows_that_changed_are_taken_up_together() {
    let memory = in_memory();
    let many: Vec<String> = (1..=600).map(|at| format!("word{at} common")).collect();
    remember(&memory, &many.iter().map(String::as_str).collect::<Vec<_>>());
    memory.recall().index().unwrap();
    // More rows of each kind than a slice processes, mixed: changed, new, new and changed, deleted and added again.
    let script = "UPDATE semantic_memories SET content = content || ' changed' WHERE id <= 100;
                  INSERT INTO semantic_memories (content) SELECT 'new' || id FROM semantic_memories WHERE id <= 500;
                  UPDATE semantic_memories SET content = 'new and changed' WHERE id > 600 AND id % 2;
                  DELETE FROM semantic_memories WHERE id IN (5, 600, 650, 1100);
                  INSERT INTO semantic_memories (id, content) VALUES (600, 'came again'), (650, 'came again'), (-9, 'below');
                  UPDATE semantic_memories SET id = 2000 WHERE id = 6;
                  UPDATE semantic_memories SET id = 7000 WHERE id = 900;
                  INSERT INTO semantic_memories (content) VALUES ('the last')";
    memory.db().connection().execute_batch(script).unwrap();
    let mut left = memory.recall().unindexed().unwrap();
    while memory.recall().index_slice().unwrap() {
        let still = memory.recall().unindexed().unwrap();
        assert!(still < left, "{still} of {left}");
        left = still;
    }
    assert_eq!(memory.recall().unindexed().unwrap(), 0);
    let [is, should_be] = indexed(&memory);
    assert_eq!(is.iter().filter(|(term, ..)| term.is_empty()).count(), 1100);
    assert_eq!(is, should_be);
}

#[test]
fn what_is_deleted_takes_with_it_what_it_had_learnt_though_another_row_comes_with_its_id() {
    let memory = in_memory();
    remember(&memory, &["walnuts", "hazelnuts"]);
    let doubt = NewUncertainty { user_message: "which?".into(), confidence_score: 0.5, ..NewUncertainty::default() };
    memory.uncertainty().add(vec![doubt]).unwrap();
    memory.recall().resolve(1, "asked", &[MemoryReference::Semantic { id: 2 }], &[]).unwrap();
    memory.semantic().delete(&[2]).unwrap();
    assert_eq!(remember(&memory, &["pecans"]), [2]);
    let hits = memory.recall().recall(&RecallQuestion::of("pecans")).unwrap();
    assert_eq!((hits[0].text.as_str(), hits[0].evidence.settled), ("pecans", 0));
}

#[test]
fn most_rows_can_be_cleared_and_the_rest_is_found_with_its_vectors() {
    let memory = in_memory();
    let many: Vec<String> = (0..12_000).map(|at| format!("word{at} common")).collect();
    remember(&memory, &many.iter().map(String::as_str).collect::<Vec<_>>());
    memory.turns().add(vec![NewTurn { user_input: "a turn that stays".into(), ..NewTurn::default() }]).unwrap();
    memory.recall().use_model("test", 2).unwrap();
    super::embed(&memory, |_| Some(vec![1.0, 0.0]));
    memory.turns().add(vec![NewTurn { user_input: "a second one".into(), ..NewTurn::default() }]).unwrap();
    assert_eq!(memory.semantic().clear(Default::default()).unwrap(), 12_000);
    while memory.recall().index_slice().unwrap() {}
    let status = memory.recall().embedding_status().unwrap();
    assert_eq!((status.embedded, status.pending), (1, 1));
    assert_eq!(texts(&memory.recall().recall(&RecallQuestion::of("stays common")).unwrap())[0], "a turn that stays");
    let [is, should_be] = indexed(&memory);
    assert_eq!(is, should_be);
    memory.turns().clear(Default::default()).unwrap();
    memory.recall().index().unwrap();
    assert_eq!(memory.recall().embedding_status().unwrap().pending, 0);
}

#[test]
fn what_changes_while_most_is_cleared_has_the_vector_of_its_new_text() {
    let memory = in_memory();
    let many: Vec<String> = (0..24_000).map(|at| format!("word{at} common")).collect();
    remember(&memory, &many.iter().map(String::as_str).collect::<Vec<_>>());
    memory.recall().use_model("test", 2).unwrap();
    super::embed(&memory, |_| Some(vec![1.0, 0.0]));
    let connection = memory.db().connection();
    connection.execute_batch("DELETE FROM semantic_memories WHERE id <= 22000").unwrap();
    // The index is being built again, and most of the remaining rows are not indexed yet.
    assert!(memory.recall().index_slice().unwrap());
    let patch = SemanticMemoryPatch { content: Some("changed".into()), ..SemanticMemoryPatch::default() };
    memory.semantic().update(&23_990, patch).unwrap();
    memory.semantic().delete(&[24_000]).unwrap();
    assert_eq!(remember(&memory, &["another"]), [24_000]);
    memory.recall().index().unwrap();
    let waiting: Vec<_> = memory.recall().pending(5).unwrap().into_iter().map(|waiting| waiting.text).collect();
    assert_eq!(waiting, ["another", "changed"]);
    assert_eq!(memory.recall().embedding_status().unwrap().embedded, 1998);
    let [is, should_be] = indexed(&memory);
    assert_eq!(is, should_be);
}

#[test]
fn a_word_that_says_nothing_ranks_nothing_and_does_not_save_a_hit_from_its_floor() {
    let memory = in_memory();
    for (said, answered) in [
        ("Call me Ada", "Nice to meet you, Ada."),
        ("I am allergic to peanuts", "Noted."),
        ("Ruf mich bitte an", "Gern."),
        ("Ich vertrage keine Nüsse", "Notiert."),
    ] {
        let turn = NewTurn {
            user_input: said.into(),
            assistant_response: Some(answered.into()),
            timestamp: None,
            ..NewTurn::default()
        };
        memory.turns().add(vec![turn]).unwrap();
    }
    let ask = |text: &str| {
        let question = RecallQuestion { min_similarity: Some(0.2), ..RecallQuestion::of(text) };
        memory.recall().recall(&question).unwrap().len()
    };
    for nothing in ["What is it to me?", "Was hast du mich?", "me", "mich"] {
        assert_eq!(ask(nothing), 0, "{nothing}");
    }
    // Without a minimum similarity, rows that share only function words are still found.
    assert!(!memory.recall().recall(&RecallQuestion::of("me")).unwrap().is_empty());
    let best = memory.recall().recall(&RecallQuestion::of("Which peanuts are for me?")).unwrap();
    assert!(best[0].text.starts_with("I am allergic"), "{:?}", texts(&best));
}

#[test]
fn much_json_of_characters_that_stand_alone_is_taken() {
    let memory = in_memory();
    let value = serde_json::to_string(&vec!["中文"; 30_000]).unwrap();
    memory.long_term().add(vec![NewEntry { key: "k".into(), value, updated_at: None }]).unwrap();
    // If the JSON were read again for each part of the text, this would take minutes.
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

#[test]
fn a_memory_that_can_only_be_read_is_searched_as_far_as_it_is_indexed_and_says_how_far() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path()).unwrap();
    remember(&memory, &["walnuts"]);
    memory.recall().index().unwrap();
    remember(&memory, &["hazelnuts"]);
    let newer = "UPDATE alembic_version SET version_num = '999'";
    memory.db().connection().execute_batch(newer).unwrap();
    let script = "INSERT INTO synth_migrations (revision, file, script, version) VALUES ('999', '999.sql',
                  '-- Later' || char(10) || '--' || char(10) || '-- Revision ID: 999' || char(10) || '-- Revises: 002'
                  || char(10) || '-- Create Date: 2026-12-01' || char(10) || '-- migrate:up' || char(10) || '-- migrate:down', '9')";
    memory.db().connection().execute_batch(script).unwrap();
    memory.close().unwrap();

    let mut migrations = migrations_at(folder.path(), Graph::bundled());
    migrations.on_newer = OnNewerSchema::ReadOnly;
    let path = folder.path().join("memory.db");
    let location = Location::File { path: path.to_str().unwrap(), vfs: None };
    let memory = Memory::open(location, Durability::Strict, still(), migrations).unwrap();
    assert!(memory.schema_status().unwrap().read_only);
    assert_eq!(memory.schema_status().unwrap().unindexed, 1);
    let found = |question: &str| memory.recall().recall(&RecallQuestion::of(question)).unwrap().len();
    assert_eq!((found("walnuts"), found("hazelnuts")), (1, 0));
}
