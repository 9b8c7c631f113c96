//! Consolidation: facts are merged, faded and forgotten; it is reported, and can be undone.

use proptest::prelude::*;
use rusqlite::types::Value;
use synth_memory::recall::MemoryReference;
use synth_memory::recall::consolidate::{ConsolidationOptions, MergedMemories, SimilarMemory};
use synth_memory::tables::semantic::{NewSemanticMemory, SemanticMemoryPatch};
use synth_memory::tables::uncertainty::NewUncertainty;
use synth_memory::{ErrorCode, Memory};

use super::support::{NOW, in_memory, rows};
use super::{Random, embed, fact};

const DAY: f64 = 86_400.0;

pub(crate) fn aged(content: &str, category: &str, importance: f64, days: f64) -> NewSemanticMemory {
    NewSemanticMemory {
        category: Some(category.into()),
        importance: Some(importance),
        timestamp: Some(NOW - days * DAY),
        metadata: Some(r#"{"a":[1,"x"]}"#.into()),
        ..fact(content)
    }
}

pub(crate) fn all(memory: &Memory) -> Vec<Vec<Value>> {
    rows(memory.db().connection(), "semantic_memories")
}

fn importance(memory: &Memory, id: i64) -> f64 {
    memory.semantic().get(&id).unwrap().unwrap().importance.unwrap()
}

#[test]
fn duplicates_are_merged_into_the_most_important() {
    let memory = in_memory();
    let facts = [
        ("Tea at five", "a", 0.3),
        (" Tea  at\nfive", "a", 0.8),
        ("Tea at five", "b", 0.9),
        ("tea at five", "a", 0.5),
        ("coffee", "a", 0.5),
    ];
    memory
        .semantic()
        .add(facts.map(|(content, category, importance)| aged(content, category, importance, 0.0)).to_vec())
        .unwrap();
    let how = ConsolidationOptions { half_life_days: f64::INFINITY, ..ConsolidationOptions::default() };
    let tried = memory.recall().consolidate(&ConsolidationOptions { dry_run: true, ..how }).unwrap();
    assert_eq!((tried.id, tried.merged.as_slice()), (None, &[MergedMemories { kept: 2, removed: vec![1] }][..]));
    assert_eq!((all(&memory).len(), memory.recall().consolidations().unwrap().len()), (5, 0));
    // A dry run rolls back nothing of the batch that it is part of.
    memory.db().begin_batch();
    memory.semantic().add(vec![aged("one more", "b", 0.5, 0.0)]).unwrap();
    memory.recall().consolidate(&ConsolidationOptions { dry_run: true, ..how }).unwrap();
    memory.end_batch().unwrap();
    assert_eq!((all(&memory).len(), memory.recall().consolidations().unwrap().len()), (6, 0));
    memory.semantic().delete(&[6]).unwrap();

    memory.recall().use_model("test", 2).unwrap();
    embed(&memory, |text| Some(if text == "coffee" { vec![0.0, 1.0] } else { vec![1.0, 0.002 * text.len() as f32] }));
    let before = all(&memory);
    let done = memory.recall().consolidate(&how).unwrap();
    assert_eq!(done.merged, [MergedMemories { kept: 2, removed: vec![1] }]);
    assert_eq!((done.faded, done.forgotten.len(), all(&memory).len()), (0, 0, 4));
    let similar = |id, content: &str| SimilarMemory { id, content: content.into() };
    assert_eq!(
        done.similar,
        [vec![similar(2, " Tea  at\nfive"), similar(4, "tea at five")]],
        "told of with what stayed"
    );
    assert_eq!(memory.recall().undo_consolidation(None).unwrap(), 1);
    assert_eq!(all(&memory), before);
    let apart = memory.recall().consolidate(&ConsolidationOptions { similar_threshold: 1.5, ..how }).unwrap();
    assert_eq!((apart.merged, apart.similar), (vec![MergedMemories { kept: 2, removed: vec![1] }], vec![]));
}

#[test]
fn what_says_something_else_stays_whatever_the_model_thinks_and_is_told_of() {
    let pairs = [
        ("Ada is allergic to peanuts", "Ada is not allergic to peanuts"),
        ("Ada owes Tom ten euros", "Tom owes Ada ten euros"),
        ("Ada isst Fleisch", "Ada isst kein Fleisch"),
        ("我吃花生", "我不吃花生"),
        ("Анна ест рыбу", "Анна не ест рыбу"),
        ("Ганна їсть рибу", "Ганна не їсть рибу"),
        ("Anna eet vis", "Anna eet geen vis"),
        ("Anna äter fisk", "Anna äter inte fisk"),
        ("Anna spiser fisk", "Anna spiser ikke fisk"),
        ("Anna syö kalaa", "Anna ei syö kalaa"),
        ("Anna balık yer", "Anna balık yemez"),
        ("آنا تأكل السمك", "آنا لا تأكل السمك"),
        ("חנה אוכלת דגים", "חנה לא אוכלת דגים"),
        ("अन्ना मछली खाती है", "अन्ना मछली नहीं खाती है"),
        ("안나는 생선을 먹는다", "안나는 생선을 안 먹는다"),
        ("Anna ăn cá", "Anna không ăn cá"),
        ("Η Άννα τρώει ψάρι", "Η Άννα δεν τρώει ψάρι"),
        ("keep at -18 °C", "keep at 18 °C"),
        ("when the pulse is < 60", "when the pulse is > 60"),
        ("developer of C++", "developer of C"),
        ("x = 5", "x != 5"),
        ("the password is Tr0ub4dor", "the password is tr0ub4dor"),
        ("The train leaves at 14:30", "The train leaves at 14:50"),
        ("Room 12 is free", "Room 12 is free from 9"),
        ("?!", "…"),
    ];
    for (one, other) in pairs {
        let memory = in_memory();
        memory.semantic().add(vec![fact(one), fact(other)]).unwrap();
        memory.recall().use_model("test", 2).unwrap();
        embed(&memory, |_| Some(vec![1.0, 0.0]));
        let done = memory.recall().consolidate(&ConsolidationOptions::default()).unwrap();
        assert_eq!(done.merged, [], "{one} / {other}");
        let told: Vec<Vec<&str>> =
            done.similar.iter().map(|group| group.iter().map(|memory| memory.content.as_str()).collect()).collect();
        assert_eq!(told, [[one, other]]);
        assert_eq!(all(&memory).len(), 2);
    }
}

#[test]
fn what_somebody_read_is_merged_whole_and_taken_back() {
    let memory = in_memory();
    let facts = ["likes tea", "is fond of tea", "drinks tea gladly", "hates coffee"];
    memory.semantic().add(facts.map(|text| aged(text, "a", 0.5, 1.0)).to_vec()).unwrap();
    let doubts =
        (0..2).map(|_| NewUncertainty { user_message: "?".into(), confidence_score: 0.1, ..NewUncertainty::default() });
    memory.uncertainty().add(doubts.collect()).unwrap();
    let recall = memory.recall();
    let settles = |doubt, id| recall.resolve(doubt, "so", &[MemoryReference::Semantic { id }], &[]).unwrap();
    settles(1, 2);
    settles(2, 3);
    recall.index().unwrap();
    memory.db().connection().execute_batch("INSERT INTO memory_uses (id, uses) VALUES (2 << 3 | 2, 4)").unwrap();
    let state = || {
        recall.index().unwrap();
        let connection = memory.db().connection();
        let used = "SELECT group_concat(id || ' ' || uses) FROM (SELECT * FROM memory_uses WHERE uses > 0 ORDER BY id)";
        let used: Option<String> = connection.query_row(used, [], |row| row.get(0)).unwrap();
        (all(&memory), rows(connection, "memory_lessons"), used)
    };
    let before = state();
    for (keep, others, code) in [
        (1, vec![], ErrorCode::InvalidArgument),
        (1, vec![2, 2], ErrorCode::InvalidArgument),
        (1, vec![2, 1], ErrorCode::InvalidArgument),
        (1, vec![2, 9], ErrorCode::NotFound),
        (9, vec![2], ErrorCode::NotFound),
    ] {
        assert_eq!(recall.merge(keep, &others).unwrap_err().code(), code, "{keep} {others:?}");
        assert_eq!((state(), recall.consolidations().unwrap().len()), (before.clone(), 0));
    }
    let done = recall.merge(1, &[2, 3]).unwrap();
    assert_eq!(done.merged, [MergedMemories { kept: 1, removed: vec![2, 3] }]);
    assert_eq!(all(&memory).len(), 2);
    let (_, lessons, used) = state();
    assert_eq!((lessons.len(), used.as_deref()), (2, Some("10 4")), "what was learnt is handed on");
    assert_eq!(recall.undo_consolidation(done.id).unwrap(), 2);
    assert_eq!(state(), before);
}

#[test]
fn what_is_only_merged_fades_as_if_it_had_not_been() {
    let memory = in_memory();
    memory.semantic().add(["old", "as old", "old too"].map(|text| aged(text, "a", 0.8, 90.0)).to_vec()).unwrap();
    memory.recall().merge(1, &[2]).unwrap();
    assert_eq!(memory.recall().consolidate(&ConsolidationOptions::default()).unwrap().faded, 2);
    assert!((importance(&memory, 1) - 0.4).abs() < 1e-9 && (importance(&memory, 3) - 0.4).abs() < 1e-9);
    memory.recall().merge(1, &[3]).unwrap();
    assert_eq!(memory.recall().consolidate(&ConsolidationOptions::default()).unwrap().faded, 0);
}

#[test]
fn what_is_no_text_is_left_alone() {
    let memory = in_memory();
    memory.semantic().add(vec![fact("one"), fact("one"), fact("one"), fact("two"), fact("two")]).unwrap();
    let sql = "UPDATE semantic_memories SET content = unhex('00ff') WHERE id = 1;
               UPDATE semantic_memories SET content = unhex('fe') WHERE id = 2;
               UPDATE semantic_memories SET content = CAST(unhex('ff') AS TEXT) WHERE id = 3;
               UPDATE semantic_memories SET category = unhex('ff') WHERE id = 4;
               UPDATE semantic_memories SET timestamp = 0, importance = 0.01";
    memory.db().connection().execute_batch(sql).unwrap();
    let state = || -> String {
        let sql = "SELECT group_concat(id || ' ' || hex(content) || ' ' || importance, ', ') FROM semantic_memories";
        memory.db().connection().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let before = state();
    let how = ConsolidationOptions { half_life_days: 1.0, floor: Some(0.5), ..ConsolidationOptions::default() };
    let done = memory.recall().consolidate(&how).unwrap();
    assert_eq!((done.merged.as_slice(), done.forgotten.as_slice()), (&[][..], &[5][..]));
    assert!(before.starts_with(&state()) && state().contains("4 74776F 0.01"), "{}", state());
    memory.recall().undo_consolidation(None).unwrap();
    assert_eq!(state(), before);
}

#[test]
fn near_duplicates_are_found_among_many() {
    let memory = in_memory();
    let mut random = Random::new(5);
    let vectors: Vec<Vec<f32>> = (0..2500).map(|_| random.vector(256)).collect();
    let mut facts: Vec<NewSemanticMemory> = (0..2500).map(|at| fact(&format!("{at}"))).collect();
    // Near duplicates of fifty of them.
    facts.extend((0..50).map(|at| fact(&format!("{} again", at * 7))));
    memory.semantic().add(facts).unwrap();
    memory.recall().use_model("test", 256).unwrap();
    embed(&memory, |text| {
        let (number, again) = text.split_once(' ').map_or((text, false), |(number, _)| (number, true));
        let mut vector = vectors[number.parse::<usize>().unwrap()].clone();
        if again {
            vector.iter_mut().zip(random.vector(256)).for_each(|(value, noise)| *value += 0.15 * noise);
        }
        Some(vector)
    });
    let done = memory
        .recall()
        .consolidate(&ConsolidationOptions { half_life_days: f64::INFINITY, ..ConsolidationOptions::default() })
        .unwrap();
    assert!(done.similar.len() >= 49, "{} of 50", done.similar.len());
    assert!(done.similar.iter().all(|group| group.len() == 2
        && (group[0].id - 1) % 7 == 0
        && group[1].content == format!("{} again", group[0].content)));
    assert_eq!(done.merged, []);
}

#[test]
fn importance_fades_with_age_and_without_use_and_only_once_for_the_same_time() {
    let memory = in_memory();
    memory
        .semantic()
        .add(vec![aged("old", "a", 0.8, 90.0), aged("new", "a", 0.8, 0.0), aged("used", "a", 0.8, 90.0)])
        .unwrap();
    memory.db().connection().execute_batch("INSERT INTO memory_uses (id, uses) VALUES (3 << 3 | 2, 1)").unwrap();
    let how = ConsolidationOptions::default();
    let done = memory.recall().consolidate(&how).unwrap();
    assert_eq!(done.faded, 2);
    assert!((importance(&memory, 1) - 0.4).abs() < 1e-9);
    assert_eq!(importance(&memory, 2), 0.8);
    assert!((importance(&memory, 3) - 0.8 * 0.5_f64.sqrt()).abs() < 1e-9);
    let again = memory.recall().consolidate(&how).unwrap();
    assert_eq!((again.id, again.faded), (None, 0));
    // A fact that the user changed since is left alone.
    memory
        .semantic()
        .update(&1, SemanticMemoryPatch { importance: Some(0.9), ..SemanticMemoryPatch::default() })
        .unwrap();
    assert_eq!(memory.recall().undo_consolidation(done.id).unwrap(), 1);
    assert_eq!((importance(&memory, 1), importance(&memory, 3)), (0.9, 0.8));
}

#[test]
fn recall_counts_as_use() {
    let memory = in_memory();
    memory.semantic().add(vec![aged("tea", "a", 0.8, 90.0)]).unwrap();
    memory.recall().recall(&synth_memory::recall::RecallQuestion::of("tea")).unwrap();
    memory.recall().consolidate(&ConsolidationOptions::default()).unwrap();
    assert!((importance(&memory, 1) - 0.8 * 0.5_f64.sqrt()).abs() < 1e-9);
}

#[test]
fn what_is_below_the_floor_is_forgotten_and_put_away() {
    let memory = in_memory();
    memory.semantic().add(vec![aged("dim", "a", 0.3, 90.0), aged("bright", "a", 0.9, 90.0)]).unwrap();
    let doubt = NewUncertainty { user_message: "?".into(), confidence_score: 0.1, ..NewUncertainty::default() };
    memory.uncertainty().add(vec![doubt]).unwrap();
    memory.recall().resolve(1, "so", &[MemoryReference::Semantic { id: 1 }], &[]).unwrap();
    let before = (all(&memory), rows(memory.db().connection(), "memory_lessons"));
    let done = memory
        .recall()
        .consolidate(&ConsolidationOptions { floor: Some(0.2), ..ConsolidationOptions::default() })
        .unwrap();
    assert_eq!((done.forgotten.as_slice(), done.faded), (&[1][..], 1));
    assert_eq!(memory.semantic().get(&1).unwrap(), None);
    let kept = memory.recall().consolidations().unwrap();
    assert_eq!((kept[0].removed, kept[0].changed, kept[0].timestamp, kept[0].undone_at), (1, 1, NOW, None));
    memory.recall().undo_consolidation(done.id).unwrap();
    assert_eq!((all(&memory), rows(memory.db().connection(), "memory_lessons")), before);
    assert_eq!(memory.recall().consolidations().unwrap()[0].undone_at, Some(NOW));
    assert_eq!(memory.recall().discard_consolidations().unwrap(), 1);
    assert_eq!(memory.recall().undo_consolidation(None).unwrap_err().code(), ErrorCode::NotFound);
    for wrong in [
        ConsolidationOptions { similar_threshold: 0.0, ..ConsolidationOptions::default() },
        ConsolidationOptions { half_life_days: f64::NAN, ..ConsolidationOptions::default() },
        ConsolidationOptions { floor: Some(1.5), ..ConsolidationOptions::default() },
    ] {
        assert_eq!(memory.recall().consolidate(&wrong).unwrap_err().code(), ErrorCode::InvalidArgument);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_consolidated_can_be_taken_back(
        facts in prop::collection::vec((0..5_u8, 0..2_u8, 0..=10_u8, 0..400_u16, 0..3_u8), 0..25),
        floor in prop::option::of(0.0..1.0),
        half_life in 1.0..400.0,
        runs in 1..3_u8,
    ) {
        let memory = in_memory();
        let doubts = (0..3).map(|_| NewUncertainty { user_message: "?".into(), confidence_score: 0.1, ..NewUncertainty::default() });
        memory.uncertainty().add(doubts.collect()).unwrap();
        for (content, category, importance, days, doubt) in facts {
            let new = aged(&format!("fact {content}"), &category.to_string(), f64::from(importance) / 10.0, days.into());
            let id = memory.semantic().add(vec![new]).unwrap()[0];
            if doubt > 0 {
                memory.recall().resolve(doubt.into(), "so", &[MemoryReference::Semantic { id }], &[]).unwrap();
            }
        }
        let state = || {
            memory.recall().index().unwrap();
            let connection = memory.db().connection();
            let uses = connection.prepare("SELECT id, uses FROM memory_uses WHERE uses > 0 ORDER BY id").unwrap()
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().collect::<rusqlite::Result<Vec<(i64, i64)>>>().unwrap();
            (all(&memory), rows(connection, "memory_lessons"), uses)
        };
        let mut states = vec![state()];
        let mut ids = Vec::new();
        for _ in 0..runs {
            let done = memory.recall().consolidate(&ConsolidationOptions { floor, half_life_days: half_life, ..ConsolidationOptions::default() }).unwrap();
            if let Some(id) = done.id {
                ids.push(id);
                states.push(state());
            }
        }
        if let [first, _] = ids.as_slice() {
            prop_assert_eq!(memory.recall().undo_consolidation(Some(*first)).unwrap_err().code(), ErrorCode::InvalidArgument);
        }
        for id in ids.iter().rev() {
            states.pop();
            memory.recall().undo_consolidation(Some(*id)).unwrap();
            prop_assert_eq!(&state(), states.last().unwrap());
        }
    }
}

#[test]
fn near_duplicates_are_found_among_many_of_one_kind() {
    // More than 1,024 facts of a category are not compared each with each.
    let memory = in_memory();
    let mut random = Random::new(5);
    let facts: Vec<(String, Vec<f32>)> = (0..1500).map(|at| (words(at), random.embedding(128))).collect();
    let again: Vec<(String, Vec<f32>)> = facts
        .iter()
        .step_by(15)
        .map(|(text, vector)| {
            let noise = random.vector(128);
            let length = |vector: &[f32]| vector.iter().map(|value| value * value).sum::<f32>().sqrt();
            let far = 0.25 * length(vector) / length(&noise);
            (format!("{text} indeed"), vector.iter().zip(&noise).map(|(value, noise)| value + far * noise).collect())
        })
        .collect();
    let all: std::collections::HashMap<String, Vec<f32>> = facts.into_iter().chain(again).collect();
    let mut texts: Vec<&String> = all.keys().collect();
    texts.sort();
    memory.semantic().add(texts.iter().map(|text| fact(text)).collect()).unwrap();
    memory.recall().use_model("test", 128).unwrap();
    embed(&memory, |text| Some(all[text].clone()));
    let how = ConsolidationOptions { half_life_days: f64::INFINITY, ..ConsolidationOptions::default() };
    while !memory.recall().prepare_consolidation(&how, 0.0).unwrap() {}
    let done = memory.recall().consolidate(&how).unwrap();
    let is_again = |group: &&Vec<SimilarMemory>| group[1].content == format!("{} indeed", group[0].content);
    let again = done.similar.iter().filter(is_again).count();
    // Some other facts are near each other too.
    assert!(again >= 98 && done.similar.len() < 110, "{again} of 100, {} in all", done.similar.len());
}

/// A number in words, because figures alone would distinguish facts.
fn words(mut number: usize) -> String {
    let mut words = Vec::new();
    for _ in 0..4 {
        words.push(["tea", "river", "train", "garden", "letter", "winter", "bread"][number % 7]);
        number /= 7;
    }
    words.join(" ")
}
