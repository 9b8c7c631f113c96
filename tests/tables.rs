//! The five tables, through the public API.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use support::{NOW, in_memory};
use synth_memory::tables::episodes::{EpisodeFilter, EpisodeOrder, NewEpisode};
use synth_memory::tables::long_term::{EntryFilter, EntryPatch, NewEntry};
use synth_memory::tables::semantic::{NewSemanticMemory, SemanticMemoryFilter, SemanticMemoryOrder};
use synth_memory::tables::table::{Listing, MAX_LIMIT};
use synth_memory::tables::turns::{NewTurn, TurnFilter, TurnPatch};
use synth_memory::tables::uncertainty::{NewUncertainty, UncertaintyFilter, UncertaintyPatch};
use synth_memory::words::Match;
use synth_memory::{ErrorCode, Memory};

fn turn(text: &str) -> NewTurn {
    NewTurn { user_input: text.into(), ..NewTurn::default() }
}

fn fact(content: &str, category: &str, importance: f64) -> NewSemanticMemory {
    NewSemanticMemory {
        content: content.into(),
        category: Some(category.into()),
        importance: Some(importance),
        ..NewSemanticMemory::default()
    }
}

fn found(memory: &Memory, search: &str, matching: Match) -> Vec<i64> {
    let filter = TurnFilter { search: Some(search.into()), matching, ..TurnFilter::default() };
    let page = memory.turns().list(Listing { filter, ..Listing::default() }).unwrap();
    page.rows.iter().map(|row| row.id).collect()
}

#[test]
fn defaults_are_filled_in() {
    let memory = in_memory();
    let id = memory.turns().add(vec![turn("hello")]).unwrap()[0];
    let row = memory.turns().get(&id).unwrap().unwrap();
    assert_eq!((row.timestamp, row.assistant_response, row.metadata.as_deref()), (Some(NOW), None, Some("{}")));

    let id = memory.episodes().add(vec![NewEpisode { event_type: "met".into(), ..NewEpisode::default() }]).unwrap()[0];
    let row = memory.episodes().get(&id).unwrap().unwrap();
    assert_eq!((row.content.as_deref(), row.valence), (Some("null"), Some(0.0)));

    let new = NewSemanticMemory { content: "tea".into(), ..NewSemanticMemory::default() };
    let id = memory.semantic().add(vec![new]).unwrap()[0];
    let row = memory.semantic().get(&id).unwrap().unwrap();
    assert_eq!((row.category.as_deref(), row.importance), (Some("general"), Some(0.5)));
    assert_eq!(memory.semantic().get(&(id + 1)).unwrap(), None);
}

#[test]
fn a_key_is_set_again_in_place() {
    let memory = in_memory();
    let set =
        |value: &str| memory.long_term().add(vec![NewEntry { key: "k".into(), value: value.into(), updated_at: None }]);
    set("1").unwrap();
    set("{\"__proto__\":[]}").unwrap();
    assert_eq!(memory.long_term().get(&"k".into()).unwrap().unwrap().value.as_deref(), Some("{\"__proto__\":[]}"));
    assert_eq!(memory.long_term().count(EntryFilter::default()).unwrap(), 1);
    memory.long_term().update(&"k".into(), EntryPatch { value: Some("2".into()), updated_at: Some(5.0) }).unwrap();
    assert_eq!(memory.long_term().get(&"k".into()).unwrap().unwrap().updated_at, Some(5.0));
}

#[test]
fn bad_values_are_refused_and_nothing_is_written() {
    let memory = in_memory();
    let too_long = "x".repeat(16 * 1024 * 1024 + 1);
    let cases: Vec<(NewEpisode, ErrorCode, &str)> = vec![
        (NewEpisode { valence: Some(1.5), ..NewEpisode::default() }, ErrorCode::InvalidArgument, "valence is 1.5"),
        (NewEpisode { valence: Some(f64::NAN), ..NewEpisode::default() }, ErrorCode::InvalidArgument, "valence"),
        (
            NewEpisode { timestamp: Some(f64::INFINITY), ..NewEpisode::default() },
            ErrorCode::InvalidArgument,
            "timestamp",
        ),
        (
            NewEpisode { content: Some("{".into()), ..NewEpisode::default() },
            ErrorCode::InvalidJson,
            "content is not JSON",
        ),
        (NewEpisode { metadata: Some("x".into()), ..NewEpisode::default() }, ErrorCode::InvalidJson, "metadata"),
        (NewEpisode { event_type: too_long, ..NewEpisode::default() }, ErrorCode::TextTooLong, "eventType is 16777217"),
    ];
    for (bad, code, words) in cases {
        let good = NewEpisode { event_type: "fine".into(), ..NewEpisode::default() };
        let error = memory.episodes().add(vec![good, bad]).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(words), "{error}");
        assert_eq!(memory.episodes().count(EpisodeFilter::default()).unwrap(), 0, "the good one was kept alone");
    }
    for key in ["".to_owned(), "k".repeat(1025)] {
        let error = memory.long_term().add(vec![NewEntry { key, value: "1".into(), updated_at: None }]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    }
}

#[test]
fn update_changes_what_is_named_and_no_more() {
    let memory = in_memory();
    let new = NewTurn { assistant_response: Some("yes".into()), ..turn("peanuts?") };
    let id = memory.turns().add(vec![new]).unwrap()[0];
    let patch = TurnPatch { user_input: Some("walnuts?".into()), ..TurnPatch::default() };
    memory.turns().update(&id, patch).unwrap();
    let row = memory.turns().get(&id).unwrap().unwrap();
    assert_eq!((row.user_input.as_deref(), row.assistant_response.as_deref()), (Some("walnuts?"), Some("yes")));
    memory.turns().update(&id, TurnPatch { assistant_response: Some(None), ..TurnPatch::default() }).unwrap();
    assert_eq!(memory.turns().get(&id).unwrap().unwrap().assistant_response, None);

    let error = memory.turns().update(&99, TurnPatch { user_input: Some("x".into()), ..TurnPatch::default() });
    assert_eq!(error.unwrap_err().code(), ErrorCode::NotFound);
    assert_eq!(memory.turns().update(&id, TurnPatch::default()).unwrap_err().code(), ErrorCode::InvalidArgument);
}

#[test]
fn filters_find_what_they_say() {
    let memory = in_memory();
    let facts = [("tea", "drink", 0.2), ("coffee", "drink", 0.9), ("bread", "food", 0.5)];
    memory.semantic().add(facts.map(|(content, category, weight)| fact(content, category, weight)).to_vec()).unwrap();
    let all = SemanticMemoryFilter::default;
    let cases: Vec<(SemanticMemoryFilter, &[i64])> = vec![
        (all(), &[1, 2, 3]),
        (SemanticMemoryFilter { categories: Some(vec!["drink".into()]), ..all() }, &[1, 2]),
        (SemanticMemoryFilter { categories: Some(vec!["drink".into(), "food".into()]), ..all() }, &[1, 2, 3]),
        (SemanticMemoryFilter { categories: Some(vec![]), ..all() }, &[]),
        (SemanticMemoryFilter { categories: Some(vec!["drink' OR '1'='1".into()]), ..all() }, &[]),
        (SemanticMemoryFilter { min_importance: Some(0.5), ..all() }, &[2, 3]),
        (SemanticMemoryFilter { max_importance: Some(0.5), ..all() }, &[1, 3]),
        (SemanticMemoryFilter { search: Some("TEAS".into()), ..all() }, &[1]),
        (SemanticMemoryFilter { since: Some(NOW), ..all() }, &[1, 2, 3]),
        (SemanticMemoryFilter { until: Some(NOW), ..all() }, &[]),
    ];
    for (filter, expected) in cases {
        let listing = Listing { filter: filter.clone(), ..Listing::default() };
        let ids: Vec<i64> = memory.semantic().list(listing).unwrap().rows.iter().map(|row| row.id).collect();
        assert_eq!(ids, expected, "{filter:?}");
        assert_eq!(memory.semantic().count(filter.clone()).unwrap(), expected.len() as u64, "{filter:?}");
    }
    let drinks = SemanticMemoryFilter { categories: Some(vec!["drink".into()]), ..all() };
    assert_eq!(memory.semantic().clear(drinks).unwrap(), 2);
    assert_eq!(memory.semantic().delete(&[3, 4]).unwrap(), 1);
}

#[test]
fn a_filter_that_can_find_nothing_is_rejected() {
    let memory = in_memory();
    let importance = |least: Option<f64>, most: Option<f64>| {
        memory.semantic().count(SemanticMemoryFilter {
            min_importance: least,
            max_importance: most,
            ..SemanticMemoryFilter::default()
        })
    };
    let confidence = |least: Option<f64>| {
        memory.uncertainty().count(UncertaintyFilter { min_confidence: least, ..UncertaintyFilter::default() })
    };
    let valence =
        |least: Option<f64>| memory.episodes().count(EpisodeFilter { min_valence: least, ..EpisodeFilter::default() });
    let (since, until) = (Some(NOW), Some(NOW - 60.0));
    let cases = [
        (importance(Some(3.0), None), "minImportance is 3; it must be from 0 to 1."),
        (importance(None, Some(-0.1)), "maxImportance is -0.1; it must be from 0 to 1."),
        (importance(Some(0.9), Some(0.1)), "minImportance is 0.9, above maxImportance, which is 0.1."),
        (importance(Some(f64::NAN), None), "minImportance is NaN; it must be from 0 to 1."),
        (confidence(Some(80.0)), "minConfidence is 80; it must be from 0 to 1."),
        (valence(Some(-1.5)), "minValence is -1.5; it must be from -1 to 1."),
        (memory.turns().count(TurnFilter { since, until, ..TurnFilter::default() }), "since is 60 s after until"),
        (memory.turns().clear(TurnFilter { since, until, ..TurnFilter::default() }), "since is 60 s after until"),
        (memory.episodes().count(EpisodeFilter { since, until, ..EpisodeFilter::default() }), "since is 60 s"),
        (memory.long_term().count(EntryFilter { since, until, ..EntryFilter::default() }), "since is 60 s"),
        (memory.uncertainty().count(UncertaintyFilter { since, until, ..UncertaintyFilter::default() }), "since is 60"),
        (
            memory.semantic().count(SemanticMemoryFilter { since, until, ..SemanticMemoryFilter::default() }),
            "since is 60 s",
        ),
    ];
    for (found, message) in cases {
        let error = found.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().starts_with(message), "{message}: {error}");
    }
    // The ends themselves are valid.
    assert_eq!(importance(Some(0.0), Some(1.0)).unwrap() + valence(Some(-1.0)).unwrap(), 0);
    let now = TurnFilter { since: Some(NOW), until: Some(NOW), ..TurnFilter::default() };
    assert_eq!(memory.turns().count(now).unwrap(), 0);
}

#[test]
fn a_search_is_words_whatever_is_typed() {
    let memory = in_memory();
    let texts = ["Ada likes green tea", "the café on the corner", "say \"green\" again", "NEAR the AND gate"];
    memory.turns().add(texts.map(turn).to_vec()).unwrap();
    let cases: [(&str, Match, &[i64]); 14] = [
        ("green", Match::All, &[1, 3]),
        ("liked teas", Match::All, &[1]),
        ("CAFE", Match::All, &[2]),
        ("green corner", Match::All, &[]),
        ("green corner", Match::Any, &[1, 2, 3]),
        ("\"green", Match::All, &[1, 3]),
        ("NEAR(", Match::All, &[4]),
        ("green OR", Match::All, &[]),
        ("AND", Match::All, &[4]),
        ("user_input:green", Match::All, &[]),
        ("*", Match::All, &[]),
        ("", Match::All, &[]),
        ("😀 ^ - + ( ) { } :", Match::Any, &[]),
        ("green\0tea", Match::All, &[1]),
    ];
    for (search, matching, expected) in cases {
        assert_eq!(found(&memory, search, matching), expected, "{search:?}");
    }
    let many = "word ".repeat(101);
    let filter = TurnFilter { search: Some(many), ..TurnFilter::default() };
    assert_eq!(memory.turns().count(filter).unwrap_err().code(), ErrorCode::InvalidArgument);
}

#[test]
fn the_strings_inside_an_episode_are_found_and_its_keys_are_not() {
    let memory = in_memory();
    let content = r#"{"place": "caf\u00e9", "cup": ["\u65e5\u672c \"quoted\""], "n": 17}"#;
    let new = NewEpisode { event_type: "visit".into(), content: Some(content.into()), ..NewEpisode::default() };
    let id = memory.episodes().add(vec![new]).unwrap()[0];
    let count = |search: &str| {
        memory.episodes().count(EpisodeFilter { search: Some(search.into()), ..EpisodeFilter::default() }).unwrap()
    };
    assert_eq!(["cafe", "日本", "quoted", "visit", "place", "u65e5", "17"].map(count), [1, 1, 1, 1, 0, 0, 0]);
    memory.episodes().delete(&[id]).unwrap();
    assert_eq!(count("cafe"), 0);
}

#[test]
fn a_prefix_is_compared_letter_by_letter() {
    let memory = in_memory();
    let keys = ["user", "user.name", "user.name.first", "user_name", "usez", "user\u{10FFFF}", "%", "日本"];
    let entries = keys.map(|key| NewEntry { key: key.into(), value: "1".into(), updated_at: None });
    memory.long_term().add(entries.to_vec()).unwrap();
    for prefix in ["user", "user.", "u", "usez", "%", "_", "日", "user\u{10FFFF}", "", "\u{10FFFF}"] {
        let filter = EntryFilter { prefix: Some(prefix.into()), ..EntryFilter::default() };
        let expected = keys.iter().filter(|key| key.starts_with(prefix)).count();
        assert_eq!(memory.long_term().count(filter).unwrap(), expected as u64, "{prefix:?}");
    }
}

#[test]
fn doubts_are_settled_and_counted() {
    let memory = in_memory();
    assert_eq!(memory.uncertainty().statistics().unwrap(), Default::default());
    let doubt = |confidence_score, timestamp| NewUncertainty {
        user_message: "the usual?".into(),
        confidence_score,
        timestamp,
        context: Some("é".repeat(3000)),
        ..NewUncertainty::default()
    };
    memory.uncertainty().add(vec![doubt(0.25, None), doubt(0.75, Some(NOW - 90_000.0))]).unwrap();
    memory.uncertainty().resolve(1, "asked which one".into()).unwrap();
    let row = memory.uncertainty().get(&1).unwrap().unwrap();
    assert_eq!((row.resolved, row.resolution_pattern.as_deref()), (true, Some("asked which one")));
    assert_eq!(row.context.unwrap().chars().count(), 2000);

    let statistics = memory.uncertainty().statistics().unwrap();
    assert_eq!((statistics.total, statistics.unresolved, statistics.resolved), (2, 1, 1));
    assert_eq!((statistics.resolution_rate, statistics.average_confidence), (0.5, 0.5));
    assert_eq!(statistics.last_24_hours, 1);

    let open = UncertaintyFilter { resolved: Some(false), ..UncertaintyFilter::default() };
    assert_eq!(memory.uncertainty().count(open).unwrap(), 1);
    assert_eq!(memory.uncertainty().resolve(7, "no".into()).unwrap_err().code(), ErrorCode::NotFound);
    memory.uncertainty().update(&1, UncertaintyPatch { resolved: Some(false), ..Default::default() }).unwrap();
    assert!(!memory.uncertainty().get(&1).unwrap().unwrap().resolved);
}

#[test]
fn pages_follow_each_other_over_nulls_and_equals() {
    let memory = in_memory();
    // Files from other programs have NULLs where this API writes none.
    memory
        .db()
        .connection()
        .execute_batch(
            "INSERT INTO episodes (timestamp, valence) VALUES (1, NULL), (1, 0.5), (NULL, 0.5), (2, -1), (NULL, NULL),
             (1, 1), (3, 0.25), (NULL, 0.5), (2, NULL)",
        )
        .unwrap();
    for order in [EpisodeOrder::Id, EpisodeOrder::Timestamp, EpisodeOrder::Valence] {
        for descending in [false, true] {
            let listing = || Listing { order, descending, ..Listing::default() };
            let whole: Vec<i64> = memory.episodes().list(listing()).unwrap().rows.iter().map(|row| row.id).collect();
            assert_eq!(whole.len(), 9);
            for limit in 1..=10 {
                let (mut read, mut cursor) = (Vec::new(), None);
                loop {
                    let page = memory.episodes().list(Listing { limit: Some(limit), cursor, ..listing() }).unwrap();
                    assert!(page.rows.len() <= limit as usize);
                    read.extend(page.rows.iter().map(|row| row.id));
                    cursor = page.cursor;
                    if cursor.is_none() {
                        break;
                    }
                }
                assert_eq!(read, whole, "{order:?}, descending {descending}, limit {limit}");
            }
        }
    }
}

#[test]
fn a_cursor_stands_while_rows_come_and_go() {
    let memory = in_memory();
    memory.turns().add((0..10).map(|n| turn(&n.to_string())).collect()).unwrap();
    let listing = |cursor| Listing { descending: true, limit: Some(3), cursor, ..Listing::default() };
    let first = memory.turns().list(listing(None)).unwrap();
    memory.turns().add(vec![turn("new")]).unwrap();
    memory.turns().delete(&[8, 7]).unwrap();
    let second = memory.turns().list(listing(first.cursor)).unwrap();
    assert_eq!(second.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [6, 5, 4]);
}

#[test]
fn a_total_counts_the_rows_of_all_pages() {
    let memory = in_memory();
    memory.turns().add((0..10).map(|n| turn(if n < 7 { "tea" } else { "coffee" })).collect()).unwrap();
    let filter = || TurnFilter { search: Some("tea".into()), ..TurnFilter::default() };
    let listing = |cursor| Listing { filter: filter(), limit: Some(3), cursor, total: true, ..Listing::default() };
    let first = memory.turns().list(listing(None)).unwrap();
    let second = memory.turns().list(listing(first.cursor)).unwrap();
    assert_eq!((first.total, second.total), (Some(7), Some(7)));
    assert_eq!(memory.turns().list(Listing { filter: filter(), ..Listing::default() }).unwrap().total, None);
}

#[test]
fn limits_and_cursors_are_checked() {
    let memory = in_memory();
    memory.semantic().add(vec![fact("a", "x", 0.1), fact("b", "x", 0.2)]).unwrap();
    for limit in [0, MAX_LIMIT + 1] {
        let error = memory.semantic().list(Listing { limit: Some(limit), ..Listing::default() }).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    }
    let by_importance = |cursor| Listing {
        order: SemanticMemoryOrder::Importance,
        limit: Some(1),
        cursor,
        ..Listing::<SemanticMemoryFilter, SemanticMemoryOrder>::default()
    };
    let cursor = memory.semantic().list(by_importance(None)).unwrap().cursor.unwrap();
    assert_eq!(memory.semantic().list(by_importance(Some(cursor.clone()))).unwrap().rows[0].id, 2);
    let wrong = [
        "",
        "x",
        "id.asc.i1.i1",
        "importance.desc.i1.i1",
        "importance.asc.i1",
        "importance.asc.q.i1",
        &(cursor + ".i1"),
    ];
    for text in wrong {
        let error = memory.semantic().list(by_importance(Some(text.to_owned()))).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{text:?}");
    }
}

#[test]
fn a_column_of_the_wrong_type_is_told_and_can_be_mended() {
    let memory = in_memory();
    memory.db().connection().execute_batch("INSERT INTO turns (user_input) VALUES (x'ff')").unwrap();
    let unreadable = memory.turns().get(&1).unwrap().unwrap().unreadable;
    assert_eq!((unreadable, memory.unreadable().unwrap().len()), (vec!["userInput".to_owned()], 1));
    memory.turns().update(&1, TurnPatch { user_input: Some("mended".into()), ..TurnPatch::default() }).unwrap();
    let mended = memory.turns().get(&1).unwrap().unwrap();
    assert_eq!((mended.user_input.as_deref(), mended.unreadable.len()), (Some("mended"), 0));
    assert_eq!(memory.unreadable().unwrap(), []);
}

#[test]
fn a_batch_is_one_transaction_and_each_change_in_it_is_whole() {
    let memory = in_memory();
    memory.db().begin_batch();
    memory.turns().add(vec![turn("first")]).unwrap();
    assert!(!memory.db().connection().is_autocommit());
    let bad = NewTurn { metadata: Some("{".into()), ..turn("bad") };
    assert_eq!(memory.turns().add(vec![turn("half"), bad]).unwrap_err().code(), ErrorCode::InvalidJson);
    memory.turns().add(vec![turn("last")]).unwrap();
    memory.db().end_batch().unwrap();
    assert!(memory.db().connection().is_autocommit());
    let texts: Vec<_> =
        memory.turns().list(Listing::default()).unwrap().rows.into_iter().map(|row| row.user_input.unwrap()).collect();
    assert_eq!(texts, ["first", "last"]);
}

#[test]
fn a_batch_that_sqlite_gave_up_keeps_nothing_and_says_so() {
    let memory = in_memory();
    memory.db().begin_batch();
    memory.turns().add(vec![turn("lost")]).unwrap();
    memory.db().connection().execute_batch("ROLLBACK").unwrap();
    assert_eq!(memory.turns().add(vec![turn("also lost")]).unwrap_err().code(), ErrorCode::IoFailed);
    assert_eq!(memory.db().end_batch().unwrap_err().code(), ErrorCode::IoFailed);
    assert_eq!(memory.turns().count(TurnFilter::default()).unwrap(), 0);
    memory.turns().add(vec![turn("kept")]).unwrap();
    assert_eq!(memory.turns().count(TurnFilter::default()).unwrap(), 1);
}
