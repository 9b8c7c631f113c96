//! How hits are ranked: each part by itself, all parts together, and texts that say the same.

use synth_memory::ErrorCode;
use synth_memory::recall::MemoryReference;
use synth_memory::recall::{MemoryTable, QuestionFilter, RecallHit, RecallParts, RecallQuestion, RecallWeights};
use synth_memory::tables::episodes::NewEpisode;
use synth_memory::tables::long_term::NewEntry;
use synth_memory::tables::semantic::NewSemanticMemory;
use synth_memory::tables::turns::NewTurn;
use synth_memory::tables::uncertainty::NewUncertainty;

use super::support::{NOW, in_memory};
use super::{asked, embed, fact, remember, texts};

const NOTHING: RecallWeights = RecallWeights {
    words: 0.0,
    meaning: 0.0,
    recency: 0.0,
    importance: 0.0,
    valence: 0.0,
    lessons: 0.0,
    conversation: 0.0,
    diversity: 0.0,
};

#[test]
fn each_part_orders_by_itself() {
    let memory = in_memory();
    let tea = |content: &str, importance, hours: f64| NewSemanticMemory {
        content: content.into(),
        importance: Some(importance),
        timestamp: Some(NOW - hours * 3600.0),
        ..NewSemanticMemory::default()
    };
    memory
        .semantic()
        .add(vec![tea("tea a", 0.1, 1.0), tea("tea b tea", 0.9, 500.0), tea("tea c c c c", 0.5, 40.0)])
        .unwrap();
    memory.recall().use_model("test", 2).unwrap();
    embed(&memory, |text| {
        Some(match text {
            "tea a" => vec![0.6, 0.8],
            "tea b tea" => vec![0.0, 1.0],
            _ => vec![1.0, 0.1],
        })
    });
    let doubt = NewUncertainty { user_message: "which?".into(), confidence_score: 0.1, ..NewUncertainty::default() };
    memory.uncertainty().add(vec![doubt]).unwrap();
    memory
        .recall()
        .resolve(1, "asked", &[MemoryReference::Semantic { id: 3 }], &[MemoryReference::Semantic { id: 1 }])
        .unwrap();

    let order = |weights: RecallWeights| {
        let question = RecallQuestion { weights, text: "tea".into(), ..asked(&[1.0, 0.0]) };
        let hits = memory.recall().recall(&question).unwrap();
        for hit in &hits {
            assert!((hit.parts.sum() - hit.score).abs() < 1e-12);
        }
        hits.iter().map(|hit| hit.item.row()).collect::<Vec<_>>()
    };
    for (weights, expected) in [
        (RecallWeights { words: 1.0, ..NOTHING }, [2, 1, 3]),
        (RecallWeights { meaning: 1.0, words: 1e-9, ..NOTHING }, [3, 1, 2]),
        (RecallWeights { recency: 1.0, words: 1e-9, ..NOTHING }, [1, 3, 2]),
        (RecallWeights { importance: 1.0, words: 1e-9, ..NOTHING }, [2, 3, 1]),
        (RecallWeights { lessons: 1.0, words: 1e-9, ..NOTHING }, [3, 2, 1]),
    ] {
        assert_eq!(order(weights), expected, "{weights:?}");
    }
}

#[test]
fn the_parts_are_made_of_what_they_say() {
    let memory = in_memory();
    let episode = NewEpisode {
        event_type: "row".into(),
        valence: Some(-0.8),
        timestamp: Some(NOW - 7200.0),
        ..NewEpisode::default()
    };
    memory.episodes().add(vec![episode]).unwrap();
    memory
        .semantic()
        .add(vec![NewSemanticMemory { importance: Some(0.75), timestamp: Some(NOW), ..fact("a row") }])
        .unwrap();
    let hits = memory.recall().recall(&RecallQuestion { half_life_hours: 2.0, ..RecallQuestion::of("row") }).unwrap();
    let of = |source: MemoryTable| hits.iter().find(|hit| hit.item.table() == source).unwrap();
    let (episode, fact) = (of(MemoryTable::Episodes), of(MemoryTable::Semantic));
    assert_eq!((episode.evidence.valence, episode.evidence.age_hours), (Some(-0.8), Some(2.0)));
    assert!((episode.parts.recency - 0.1).abs() < 1e-9, "half of its weight after a half-life");
    assert!((episode.parts.valence - 0.08).abs() < 1e-9);
    assert_eq!((episode.parts.importance, fact.parts.importance, fact.parts.valence), (0.0, 0.1, 0.0));
    assert_eq!((fact.parts.recency, fact.parts.meaning, fact.evidence.similarity), (0.2, 0.0, None));
    let nothing = memory
        .recall()
        .recall(&RecallQuestion { weights: RecallWeights { words: 1.0, ..NOTHING }, ..RecallQuestion::of("row") })
        .unwrap();
    assert_eq!(nothing[0].parts, RecallParts { words: nothing[0].score, ..RecallParts::default() });
}

#[test]
fn a_question_that_can_find_nothing_is_rejected() {
    let memory = in_memory();
    let filtered = |filter: QuestionFilter| RecallQuestion { filter, ..RecallQuestion::of("tea") };
    let similarity = |least| RecallQuestion { min_similarity: Some(least), ..RecallQuestion::of("tea") };
    let cases = [
        (filtered(QuestionFilter { min_importance: Some(3.0), ..QuestionFilter::default() }), "minImportance is 3;"),
        (filtered(QuestionFilter { min_importance: Some(-1.0), ..QuestionFilter::default() }), "minImportance is -1;"),
        (
            filtered(QuestionFilter { since: Some(NOW), until: Some(NOW - 1.0), ..QuestionFilter::default() }),
            "since is 1 s after until",
        ),
        (similarity(5.0), "minSimilarity is 5; it must be from -1 to 1."),
        (similarity(f64::NAN), "minSimilarity is NaN; it must be from -1 to 1."),
    ];
    for (question, message) in cases {
        for error in
            [memory.recall().recall(&question).unwrap_err(), memory.recall().search(&question).map(drop).unwrap_err()]
        {
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            assert!(error.message().starts_with(message), "{message} {error}");
        }
    }
    assert!(memory.recall().recall(&similarity(-1.0)).unwrap().is_empty());
    assert!(memory.recall().recall(&similarity(1.0)).unwrap().is_empty());
}

#[test]
fn a_resolution_needs_no_lessons_table() {
    let mut memory = in_memory();
    let doubt = NewUncertainty { user_message: "?".into(), confidence_score: 0.1, ..NewUncertainty::default() };
    memory.uncertainty().add(vec![doubt]).unwrap();
    memory.downgrade("001").unwrap();
    memory.uncertainty().resolve(1, "so".into()).unwrap();
    assert_eq!(memory.uncertainty().statistics().unwrap().resolved, 1);
}

#[test]
fn lessons_are_whole_and_go_with_their_memory() {
    let memory = in_memory();
    remember(&memory, &["tea"]);
    memory.long_term().add(vec![NewEntry { key: "tea".into(), value: "1".into(), updated_at: None }]).unwrap();
    let doubts =
        (0..3).map(|_| NewUncertainty { user_message: "?".into(), confidence_score: 0.1, ..NewUncertainty::default() });
    memory.uncertainty().add(doubts.collect()).unwrap();
    let (fact, key) = (MemoryReference::Semantic { id: 1 }, MemoryReference::LongTerm { key: "tea".into() });
    let recall = memory.recall();
    for (doubt, settled, misled, code) in [
        (9, vec![fact.clone()], vec![], ErrorCode::NotFound),
        (1, vec![MemoryReference::Semantic { id: 5 }], vec![], ErrorCode::NotFound),
        (1, vec![fact.clone()], vec![MemoryReference::LongTerm { key: "coffee".into() }], ErrorCode::NotFound),
        (1, vec![fact.clone()], vec![fact.clone()], ErrorCode::InvalidArgument),
    ] {
        assert_eq!(recall.resolve(doubt, "so", &settled, &misled).unwrap_err().code(), code);
        assert_eq!(memory.uncertainty().statistics().unwrap().resolved, 0);
    }
    recall.resolve(1, "so", &[fact.clone(), key.clone()], &[]).unwrap();
    recall.resolve(2, "so", std::slice::from_ref(&fact), &[]).unwrap();
    recall.resolve(3, "so", &[], std::slice::from_ref(&fact)).unwrap();
    let learnt = |source| {
        let hits = recall.recall(&RecallQuestion::of("tea")).unwrap();
        let hit = hits.into_iter().find(|hit| hit.item.table() == source).unwrap();
        (hit.evidence.settled, hit.evidence.misled, hit.parts.lessons)
    };
    assert_eq!(learnt(MemoryTable::Semantic), (2, 1, 0.125));
    assert_eq!(learnt(MemoryTable::LongTerm), (1, 0, 0.25));
    recall.resolve(2, "otherwise", std::slice::from_ref(&key), &[]).unwrap();
    assert_eq!(learnt(MemoryTable::Semantic), (1, 1, 0.0), "a second time says anew");
    // So does one that names no memories, through recall or through the table.
    recall.resolve(2, "otherwise", &[], &[]).unwrap();
    assert_eq!((learnt(MemoryTable::Semantic), learnt(MemoryTable::LongTerm)), ((1, 1, 0.0), (1, 0, 0.25)));
    recall.resolve(2, "so", std::slice::from_ref(&fact), std::slice::from_ref(&key)).unwrap();
    assert_eq!((learnt(MemoryTable::Semantic).0, learnt(MemoryTable::LongTerm).1), (2, 1));
    memory.uncertainty().resolve(2, "otherwise".into()).unwrap();
    assert_eq!((learnt(MemoryTable::Semantic), learnt(MemoryTable::LongTerm)), ((1, 1, 0.0), (1, 0, 0.25)));
    // A resolution that fails keeps what there was.
    assert_eq!(memory.uncertainty().resolve(1, String::new()).unwrap_err().code(), ErrorCode::InvalidArgument);
    assert_eq!(
        recall.resolve(1, "so", &[MemoryReference::Turns { id: 7 }], &[]).unwrap_err().code(),
        ErrorCode::NotFound
    );
    assert_eq!(learnt(MemoryTable::Semantic), (1, 1, 0.0));
    recall.resolve(2, "so", std::slice::from_ref(&fact), &[]).unwrap();
    memory.uncertainty().delete(&[1, 3]).unwrap();
    assert_eq!(learnt(MemoryTable::Semantic), (1, 0, 0.25));
    // SQLite may assign the id again: the lessons of the deleted row must not pass to the new one.
    memory.semantic().delete(&[1]).unwrap();
    assert_eq!(remember(&memory, &["tea"]), [1]);
    assert_eq!(learnt(MemoryTable::Semantic), (0, 0, 0.0));
}

#[test]
fn only_the_same_text_is_told_once() {
    let memory = in_memory();
    let alike = [
        "Анна ест рыбу",
        "Анна не ест рыбу",
        "keep at -18 °C",
        "keep at 18 °C",
        "when the pulse is < 60",
        "when the pulse is > 60",
        "developer of C++",
        "developer of C",
        "x = 5",
        "x != 5",
        "the key is dQw4w9WgXcQ",
        "the key is dqw4w9wgxcq",
        "tea at five",
        "Tea at five",
        "anna syö kalaa",
        "anna ei syö kalaa",
        "안나는 생선을 먹는다",
        "안나는 생선을 안 먹는다",
        "חנה אוכלת דגים",
        "חנה לא אוכלת דגים",
    ];
    remember(&memory, &alike);
    remember(&memory, &["tea  at\nfive ", "caf\u{e9}", "cafe\u{301}"]);
    let turn = NewTurn { user_input: "tea at five".into(), ..NewTurn::default() };
    memory.turns().add(vec![turn]).unwrap();
    memory.recall().use_model("test", 2).unwrap();
    // All texts have the same vector.
    embed(&memory, |_| Some(vec![1.0, 0.0]));
    let ask = |k, diversity| {
        let weights = RecallWeights { diversity, ..RecallWeights::default() };
        let question = RecallQuestion { k, weights, text: "tea at five".into(), ..asked(&[1.0, 0.0]) };
        memory.recall().recall(&RecallQuestion { filter: QuestionFilter::default(), ..question }).unwrap()
    };
    for diversity in [0.0, 0.5, 3.0] {
        let hits = ask(100, diversity);
        assert_eq!(hits.len(), alike.len() + 1, "{diversity}");
        for text in alike {
            assert!(hits.iter().any(|hit| hit.text == text || hit.duplicates.len() == 2), "{text}");
        }
        let duplicates = |text: &str| {
            let same = |hit: &&RecallHit| hit.text.split_whitespace().eq(text.split_whitespace());
            hits.iter().find(same).map(|hit| hit.duplicates.len())
        };
        assert_eq!((duplicates("tea at five"), duplicates("Tea at five")), (Some(2), Some(0)));
    }
    assert_eq!(ask(3, 0.5).len(), 3, "k asked is k given where there are so many that differ");
}

#[test]
fn what_is_near_a_better_hit_comes_a_little_later_and_says_so() {
    let memory = in_memory();
    remember(&memory, &["tea at five", "tea at six", "tea with lemon", "coffee"]);
    memory.recall().use_model("test", 3).unwrap();
    embed(&memory, |text| {
        Some(match text {
            "tea at five" => vec![1.0, 0.1, 0.0],
            "tea at six" => vec![1.0, 0.12, 0.0],
            "tea with lemon" => vec![1.0, 0.0, 0.7],
            _ => vec![0.0, 1.0, 0.0],
        })
    });
    let ask = |diversity| {
        let weights = RecallWeights { meaning: 4.0, diversity, ..NOTHING };
        let hits = memory.recall().recall(&RecallQuestion { weights, ..asked(&[1.0, 0.1, 0.0]) }).unwrap();
        hits.into_iter().map(|hit| (hit.item.row(), hit.parts.diversity, hit.score)).collect::<Vec<_>>()
    };
    let order = |hits: &[(i64, f64, f64)]| hits.iter().map(|(row, ..)| *row).collect::<Vec<_>>();
    let (without, with) = (ask(0.0), ask(2.5));
    assert_eq!(order(&without), [1, 2, 3, 4]);
    assert_eq!(order(&with), [1, 3, 2, 4], "nothing is hidden");
    assert!(with[2].1 < -2.2 && with[0].1 == 0.0 && with[1].1 == 0.0, "{with:?}");
    assert!((with[2].2 - without[1].2 - with[2].1).abs() < 1e-9, "the part is in the score");
    let negative = RecallQuestion {
        weights: RecallWeights { diversity: -0.1, ..RecallWeights::default() },
        ..RecallQuestion::of("tea")
    };
    assert_eq!(memory.recall().recall(&negative).unwrap_err().code(), ErrorCode::InvalidArgument);
}

#[test]
fn what_differs_comes_up_from_behind_many_that_are_near_each_other() {
    let memory = in_memory();
    let near: Vec<String> = (0..40).map(|at| format!("tea number {at}")).collect();
    let turns = near.iter().map(String::as_str).chain(["lemons", "sugar", "milk"]);
    let turns = turns.map(|text| NewTurn { user_input: text.into(), ..NewTurn::default() });
    memory.turns().add(turns.collect()).unwrap();
    memory.recall().use_model("test", 4).unwrap();
    embed(&memory, |text| {
        Some(match text {
            "lemons" => vec![0.8, 0.6, 0.0, 0.0],
            "sugar" => vec![0.8, 0.0, 0.6, 0.0],
            "milk" => vec![0.8, 0.0, 0.0, 0.6],
            _ => vec![1.0, 0.001 * text.len() as f32, 0.0, 0.0],
        })
    });
    let weights = RecallWeights { meaning: 1.0, diversity: 3.0, ..NOTHING };
    let question = RecallQuestion { k: 4, weights, filter: QuestionFilter::default(), ..asked(&[1.0, 0.0, 0.0, 0.0]) };
    let hits = memory.recall().recall(&question).unwrap();
    let mut found = texts(&hits);
    found[1..].sort_unstable();
    assert_eq!(found[1..], ["lemons", "milk", "sugar"]);
}

#[test]
fn what_is_common_elsewhere_and_what_repeats_keeps_nothing_back() {
    let memory = in_memory();
    remember(&memory, &["project one", "project two"]);
    let turns = |text: &dyn Fn(usize) -> String, many| {
        let turns = (0..many).map(|at| NewTurn { user_input: text(at), ..NewTurn::default() });
        memory.turns().add(turns.collect()).unwrap();
    };
    turns(&|at| format!("project number{at}"), 6500);
    let of_facts = QuestionFilter { tables: Some(vec![MemoryTable::Semantic]), ..QuestionFilter::default() };
    for filter in [of_facts, QuestionFilter { categories: Some(vec!["general".into()]), ..QuestionFilter::default() }] {
        let hits = memory.recall().recall(&RecallQuestion { filter, ..RecallQuestion::of("project") }).unwrap();
        assert_eq!(hits.len(), 2);
    }
    turns(&|_| "hello garden".into(), 400);
    turns(&|at| format!("hello person{at}"), 20);
    let hits = memory.recall().recall(&RecallQuestion::of("hello garden")).unwrap();
    assert_eq!((hits.len(), hits[0].duplicates.len()), (10, 399));
}

/// A row with values that cannot be read, written by another program, is replaced by the next hit.
#[test]
fn a_row_that_cannot_be_read_never_makes_fewer_hits() {
    let memory = in_memory();
    let turns = (0..8).map(|at| NewTurn { user_input: format!("tea number {at}"), ..NewTurn::default() });
    memory.turns().add(turns.collect()).unwrap();
    remember(&memory, &["tea one", "tea two", "tea three", "tea four"]);
    memory.recall().use_model("test", 2).unwrap();
    embed(&memory, |_| Some(vec![1.0, 0.0]));
    memory
        .db()
        .connection()
        .execute_batch(
            "INSERT INTO turns (id, user_input) VALUES (1 << 53, 'tea beyond what JavaScript counts');
             UPDATE turns SET timestamp = 'yesterday' WHERE id > 4 AND id < 9;
             UPDATE semantic_memories SET metadata = x'ff' WHERE id < 3;",
        )
        .unwrap();
    let everything = QuestionFilter::default;
    let question = |k| RecallQuestion { k, filter: everything(), ..asked(&[1.0, 0.0]) };
    let recall = memory.recall();
    for (k, found) in [(1, 1), (4, 4), (6, 6), (10, 6)] {
        let hits = recall.recall(&RecallQuestion { text: "tea".into(), ..question(k) }).unwrap();
        assert_eq!(hits.len(), found, "recall, k = {k}");
    }
    let filter = QuestionFilter { tables: Some(vec![MemoryTable::Semantic]), ..QuestionFilter::default() };
    for (k, found) in [(1, 1), (2, 2), (4, 2)] {
        let rows = recall.search(&RecallQuestion { filter: filter.clone(), ..question(k) }).unwrap();
        assert_eq!(rows.len(), found, "search, k = {k}");
    }
    assert_eq!(recall.related(&question(2), true).unwrap().len(), 2);
}

#[test]
fn filters_and_neighbors() {
    let memory = in_memory();
    let turns = (1..=9).map(|at| NewTurn {
        user_input: format!("turn {at} {}", if at == 5 { "tea" } else { "" }),
        timestamp: Some(at.into()),
        ..NewTurn::default()
    });
    memory.turns().add(turns.collect()).unwrap();
    memory.turns().delete(&[4]).unwrap();
    let around = |text: &str, neighbors| {
        let hits = memory.recall().recall(&RecallQuestion { neighbors, k: 1, ..RecallQuestion::of(text) }).unwrap();
        hits[0].neighbors.iter().map(|turn| turn.id).collect::<Vec<_>>()
    };
    assert_eq!(around("tea", 2), [2, 3, 6, 7]);
    assert_eq!(around("turn 1", 1), [2]);
    assert_eq!(around("turn 1", 0), [0; 0]);
    memory
        .semantic()
        .add(vec![
            NewSemanticMemory { category: Some("drink".into()), importance: Some(0.9), ..fact("tea") },
            fact("tea too"),
        ])
        .unwrap();
    memory
        .long_term()
        .add(vec![
            NewEntry { key: "user.tea".into(), value: "\"green\"".into(), updated_at: Some(NOW) },
            NewEntry { key: "shop.tea".into(), value: "1".into(), updated_at: Some(NOW) },
        ])
        .unwrap();
    let ask = |filter: QuestionFilter| {
        let hits = memory.recall().recall(&RecallQuestion { filter, ..RecallQuestion::of("tea") }).unwrap();
        let mut found: Vec<String> = texts(&hits).iter().map(|text| text.trim().replace('\n', " ")).collect();
        found.sort();
        found
    };
    let filter = QuestionFilter::default;
    assert_eq!(ask(QuestionFilter { categories: Some(vec!["drink".into()]), ..filter() }), ["tea"]);
    assert_eq!(ask(QuestionFilter { min_importance: Some(0.6), ..filter() }), ["tea"]);
    assert_eq!(ask(QuestionFilter { prefix: Some("user.".into()), ..filter() }), ["user.tea green"]);
    assert_eq!(ask(QuestionFilter { until: Some(100.0), ..filter() }), ["turn 5 tea"]);
    assert_eq!(ask(QuestionFilter { since: Some(100.0), tables: Some(vec![MemoryTable::Turns]), ..filter() }), [""; 0]);
    assert_eq!(ask(QuestionFilter { tables: Some(vec![]), ..filter() }), [""; 0]);
    assert_eq!(
        ask(QuestionFilter { prefix: Some("user.".into()), categories: Some(vec!["drink".into()]), ..filter() }),
        [""; 0]
    );
    assert_eq!(ask(filter()).len(), 5);
}
