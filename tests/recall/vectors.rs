//! Embeddings: kept with their texts, searched exactly, read back in blocks.

use std::collections::HashMap;

use synth_memory::ErrorCode;
use synth_memory::Memory;
use synth_memory::recall::{QuestionFilter, RecallQuestion};
use synth_memory::tables::semantic::{NewSemanticMemory, SemanticMemoryPatch};

use super::support::{in_memory, open};
use super::{Random, asked, embed, only_semantic, remember, semantic};

fn unit(vector: &[f32]) -> Vec<f64> {
    let length = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    vector.iter().map(|value| f64::from(*value) / length).collect()
}

/// The cosine of each vector with the question, by id.
fn cosines(units: &[(i64, Vec<f64>)], asked: &[f32]) -> HashMap<i64, f64> {
    let asked = unit(asked);
    let cosine = |unit: &[f64]| {
        let mut sum = 0.0;
        for at in 0..asked.len() {
            sum += unit[at] * asked[at];
        }
        sum
    };
    units.iter().map(|(id, unit)| (*id, cosine(unit))).collect()
}

/// Adds this many facts, `fact 1` and so on, each with a vector; returns ids and vectors.
fn filled(memory: &Memory, many: usize, dimensions: usize) -> Vec<(i64, Vec<f32>)> {
    let contents: Vec<String> = (1..=many).map(|at| format!("fact {at}")).collect();
    let ids = remember(memory, &contents.iter().map(String::as_str).collect::<Vec<_>>());
    let mut random = Random::new(dimensions as u64);
    let vectors: Vec<(i64, Vec<f32>)> = ids.into_iter().map(|id| (id, random.embedding(dimensions))).collect();
    memory.recall().use_model("test", dimensions).unwrap();
    embed_from(memory, &vectors);
    vectors
}

fn embed_from(memory: &Memory, vectors: &[(i64, Vec<f32>)]) {
    let by_id: HashMap<i64, &Vec<f32>> = vectors.iter().map(|(id, vector)| (*id, vector)).collect();
    embed(memory, |text| {
        let id: i64 = text.strip_prefix("fact ").unwrap().parse().unwrap();
        by_id.get(&id).map(|vector| (*vector).clone())
    });
}

/// The share of the ten nearest that are found, over this many questions. Also checks that every reported cosine is as
/// exact as 16-bit floats allow.
fn found(memory: &Memory, vectors: &[(i64, Vec<f32>)], filter: &QuestionFilter, questions: usize) -> f64 {
    let units: Vec<_> = vectors.iter().map(|(id, vector)| (*id, unit(vector))).collect();
    let mut random = Random::new(7);
    let mut hits = 0;
    for _ in 0..questions {
        let question = random.embedding(vectors[0].1.len());
        let exact = cosines(&units, &question);
        let mut nearest: Vec<i64> = exact.keys().copied().collect();
        nearest.sort_by(|a, b| exact[b].total_cmp(&exact[a]));
        nearest.truncate(10);
        let found = memory.recall().search(&RecallQuestion { filter: filter.clone(), ..asked(&question) }).unwrap();
        assert_eq!(found.len(), nearest.len());
        for near in &found {
            assert!((near.similarity.unwrap() - exact[&near.item.row()]).abs() < 3e-4);
        }
        hits += nearest.iter().filter(|id| found.iter().any(|near| near.item.row() == **id)).count();
    }
    hits as f64 / (questions * vectors.len().min(10)) as f64
}

fn the_nearest_are_found(many: usize, dimensions: usize) {
    let memory = in_memory();
    let vectors = filled(&memory, many, dimensions);
    let share = found(&memory, &vectors, &only_semantic(), 20);
    assert!(share >= 0.99, "{share} of the nearest of {many} in {dimensions} dimensions");
}

#[test]
fn the_nearest_are_found_in_every_dimension() {
    for (many, dimensions) in [(1, 4), (9, 2), (700, 3), (700, 16), (700, 100), (60, 1536), (60, 4096)] {
        the_nearest_are_found(many, dimensions);
    }
}

#[test]
fn on_a_line_there_are_two_directions() {
    let memory = in_memory();
    let vectors = filled(&memory, 500, 1);
    let found = memory.recall().search(&asked(&[2.0])).unwrap();
    assert_eq!(found.len(), 10);
    for near in found {
        let (_, vector) = vectors.iter().find(|(id, _)| *id == near.item.row()).unwrap();
        assert_eq!((near.similarity, vector[0] > 0.0), (Some(1.0), true));
    }
}

// From 4,096 vectors and 128 dimensions on, there is a first pass over the bits.

#[test]
fn the_nearest_are_found_in_two_passes() {
    the_nearest_are_found(17_000, 128);
}

#[test]
fn the_nearest_are_found_in_two_passes_of_more_dimensions() {
    the_nearest_are_found(17_000, 384);
}

#[test]
fn filters_come_before_the_cut() {
    let memory = in_memory();
    let mut random = Random::new(3);
    let facts: Vec<NewSemanticMemory> = (1..=5000)
        .map(|at| NewSemanticMemory {
            content: format!("fact {at}"),
            category: Some(format!("c{}", random.below(50))),
            importance: Some(random.below(101) as f64 / 100.0),
            timestamp: Some(at.into()),
            ..NewSemanticMemory::default()
        })
        .collect();
    let ids = memory.semantic().add(facts.clone()).unwrap();
    let vectors: Vec<(i64, Vec<f32>)> = ids.into_iter().map(|id| (id, random.vector(200))).collect();
    memory.recall().use_model("test", 200).unwrap();
    embed_from(&memory, &vectors);
    type Counts<'a> = &'a dyn Fn(&NewSemanticMemory) -> bool;
    let cases: [(QuestionFilter, Counts<'_>); 4] = [
        (QuestionFilter { categories: Some(vec!["c7".into()]), ..QuestionFilter::default() }, &|fact| {
            fact.category.as_deref() == Some("c7")
        }),
        (QuestionFilter { min_importance: Some(0.97), ..QuestionFilter::default() }, &|fact| {
            fact.importance >= Some(0.97)
        }),
        (QuestionFilter { since: Some(4000.0), until: Some(4012.0), ..QuestionFilter::default() }, &|fact| {
            (4000.0..4012.0).contains(&fact.timestamp.unwrap())
        }),
        (
            QuestionFilter {
                categories: Some(vec!["c1".into(), "c2".into()]),
                min_importance: Some(0.5),
                ..QuestionFilter::default()
            },
            &|fact| matches!(fact.category.as_deref(), Some("c1" | "c2")) && fact.importance >= Some(0.5),
        ),
    ];
    for (filter, counts) in cases {
        let those: Vec<_> = vectors.iter().filter(|(id, _)| counts(&facts[*id as usize - 1])).cloned().collect();
        let filter = QuestionFilter { tables: only_semantic().tables, ..filter };
        assert!(found(&memory, &those, &filter, 5) >= 0.99, "{filter:?}");
    }
    let none = QuestionFilter { categories: Some(vec![]), ..only_semantic() };
    assert_eq!(memory.recall().search(&RecallQuestion { filter: none, ..asked(&vectors[0].1) }).unwrap(), []);
    let near =
        memory.recall().search(&RecallQuestion { k: 1000, min_similarity: Some(0.9), ..asked(&vectors[0].1) }).unwrap();
    assert_eq!(near.iter().map(|near| near.item).collect::<Vec<_>>(), [semantic(1)]);
}

#[test]
fn deletes_and_updates_are_seen_at_once() {
    let memory = in_memory();
    let mut vectors = filled(&memory, 17_500, 128);
    let mut random = Random::new(11);
    assert!(found(&memory, &vectors, &only_semantic(), 3) >= 0.99);
    // A byte and a bit per dimension, and little else.
    let copies = 17_500 * (128 + 128 / 8);
    let bytes = memory.recall().embedding_status().unwrap().bytes;
    assert!((copies..copies * 13 / 10).contains(&bytes), "{bytes} for {copies}");
    for round in 0..4 {
        let gone: Vec<i64> = (0..300).map(|_| vectors.swap_remove(random.below(vectors.len())).0).collect();
        memory.semantic().delete(&gone).unwrap();
        for _ in 0..100 {
            let at = random.below(vectors.len());
            let (id, _) = vectors[at];
            // The text changes, so the vector is removed and added again as another one.
            let patch = SemanticMemoryPatch { content: Some(format!("fact  {id}")), ..SemanticMemoryPatch::default() };
            memory.semantic().update(&id, patch).unwrap();
            let patch = SemanticMemoryPatch { content: Some(format!("fact {id}")), ..SemanticMemoryPatch::default() };
            memory.semantic().update(&id, patch).unwrap();
            vectors[at].1 = random.embedding(128);
        }
        let waiting = memory.recall().embedding_status().unwrap().pending as usize;
        assert!(waiting > 0 && waiting <= 100);
        embed_from(&memory, &vectors);
        assert!(found(&memory, &vectors, &only_semantic(), 5) >= 0.99, "round {round}");
    }
}

#[test]
fn what_was_stored_is_read_back_in_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path()).unwrap();
    let mut vectors = filled(&memory, 5000, 128);
    let blocks = |memory: &Memory| -> i64 {
        memory.db().connection().query_one("SELECT count(*) FROM embedding_blocks", [], |row| row.get(0)).unwrap()
    };
    memory.recall().search(&asked(&vectors[0].1)).unwrap();
    memory.recall().write_blocks().unwrap();
    assert_eq!(blocks(&memory), 4, "of 1,024 each; the rest is read by row");
    memory.close().unwrap();

    let memory = open(folder.path()).unwrap();
    assert!(found(&memory, &vectors, &only_semantic(), 5) >= 0.99);
    // Most vectors of the first blocks are deleted, and the rest is combined.
    memory.semantic().delete(&(1..=1900).collect::<Vec<i64>>()).unwrap();
    vectors.retain(|(id, _)| *id > 1900);
    memory.close().unwrap();
    let memory = open(folder.path()).unwrap();
    assert!(found(&memory, &vectors, &only_semantic(), 5) >= 0.99);
    memory.recall().write_blocks().unwrap();
    memory.close().unwrap();
    let memory = open(folder.path()).unwrap();
    assert!(found(&memory, &vectors, &only_semantic(), 5) >= 0.99);

    // Blocks are copies: if they are missing or hold nonsense, everything is still found.
    for damage in [
        "DELETE FROM embedding_blocks WHERE last % 2 = 0",
        "UPDATE embedding_blocks SET codes = 'x', ids = x'00'",
        "DELETE FROM embedding_blocks",
    ] {
        memory.db().connection().execute_batch(damage).unwrap();
        let copy = tempfile::tempdir().unwrap();
        std::fs::write(copy.path().join("memory.db"), memory.export().unwrap()).unwrap();
        let opened = open(copy.path()).unwrap();
        assert!(found(&opened, &vectors, &only_semantic(), 3) >= 0.99, "{damage}");
    }
}

#[test]
fn what_was_rolled_back_is_not_found() {
    let memory = in_memory();
    let ids = remember(&memory, &["fact 1", "fact 2"]);
    memory.recall().use_model("test", 2).unwrap();
    memory.recall().search(&asked(&[1.0, 0.0])).unwrap();
    let waiting = memory.recall().pending(10).unwrap();
    let vector = |item| (item, waiting.iter().find(|one| one.item == item).unwrap().version, Some(vec![1.0_f32, 0.1]));
    memory.db().begin_batch();
    memory.recall().keep(&[vector(semantic(ids[0]))]).unwrap();
    memory.db().connection().execute_batch("ROLLBACK").unwrap();
    assert_eq!(memory.db().end_batch().unwrap_err().code(), ErrorCode::IoFailed);
    assert_eq!(memory.recall().search(&asked(&[1.0, 0.0])).unwrap(), []);
    memory.recall().keep(&[vector(semantic(ids[1]))]).unwrap();
    let found = memory.recall().search(&asked(&[1.0, 0.0])).unwrap();
    assert_eq!(found.iter().map(|near| near.item).collect::<Vec<_>>(), [semantic(ids[1])]);
    // If it is stored again after the batch that could not be committed, it is there once.
    memory.recall().keep(&[vector(semantic(ids[0]))]).unwrap();
    let found = memory.recall().search(&asked(&[1.0, 0.0])).unwrap();
    assert_eq!(found.len(), 2);
}

#[test]
fn what_was_stored_twice_is_found_once() {
    let memory = in_memory();
    let ids = remember(&memory, &["fact 1"]);
    memory.recall().use_model("test", 2).unwrap();
    let waiting = memory.recall().pending(10).unwrap();
    let vector = (semantic(ids[0]), waiting[0].version, Some(vec![1.0, 0.1]));
    memory.db().begin_batch();
    memory.recall().keep(std::slice::from_ref(&vector)).unwrap();
    memory.db().connection().execute_batch("ROLLBACK").unwrap();
    assert_eq!(memory.db().end_batch().unwrap_err().code(), ErrorCode::IoFailed);
    memory.recall().keep(&[vector]).unwrap();
    assert_eq!(memory.recall().search(&asked(&[1.0, 0.0])).unwrap().len(), 1);
    assert_eq!(memory.recall().recall(&RecallQuestion { text: "fact".into(), ..asked(&[1.0, 0.0]) }).unwrap().len(), 1);
}

#[test]
fn a_vector_of_an_older_text_is_not_kept() {
    let memory = in_memory();
    remember(&memory, &["first", "other", "third"]);
    memory.recall().use_model("test", 2).unwrap();
    let waiting = memory.recall().pending(10).unwrap();
    assert_eq!(waiting.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["third", "other", "first"]);
    let patch = SemanticMemoryPatch { content: Some("second".into()), ..SemanticMemoryPatch::default() };
    memory.semantic().update(&1, patch).unwrap();
    memory.semantic().delete(&[3]).unwrap();
    let vectors: Vec<_> = waiting.iter().map(|one| (one.item, one.version, Some(vec![1.0, 0.0]))).collect();
    assert_eq!(memory.recall().keep(&vectors).unwrap(), 1);
    let waiting = memory.recall().pending(10).unwrap();
    assert_eq!(waiting.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["second"]);
}

#[test]
fn another_model_embeds_anew_and_the_former_is_not_lost_at_once() {
    let memory = in_memory();
    remember(&memory, &["one", "two", "three"]);
    let status = || {
        let status = memory.recall().embedding_status().unwrap();
        (status.model.unwrap_or_default(), status.dimensions.unwrap_or_default(), status.embedded, status.pending)
    };
    assert_eq!(status(), (String::new(), 0, 0, 3));
    memory.recall().use_model("a", 2).unwrap();
    embed(&memory, |text| (text != "two").then(|| vec![1.0, 0.0]));
    assert_eq!(status(), ("a".into(), 2, 2, 0), "two has nothing to be embedded");
    memory.recall().use_model("a", 2).unwrap();
    assert_eq!(status(), ("a".into(), 2, 2, 0));
    memory.recall().use_model("a", 3).unwrap();
    assert_eq!(status(), ("a".into(), 3, 0, 3));
    let words = memory.recall().search(&RecallQuestion {
        vector: Some(vec![1.0, 0.0, 0.0]),
        filter: only_semantic(),
        ..RecallQuestion::of("one")
    });
    assert_eq!(
        words.unwrap().iter().map(|near| (near.item, near.similarity)).collect::<Vec<_>>(),
        [(semantic(1), None)]
    );
    let first = memory.recall().pending(1).unwrap();
    memory.recall().keep(&[(first[0].item, first[0].version, Some(vec![0.0, 1.0, 0.0]))]).unwrap();
    memory.recall().use_model("a", 2).unwrap();
    assert_eq!(status(), ("a".into(), 2, 1, 2), "what was not embedded anew meanwhile is still there");
    embed(&memory, |_| Some(vec![1.0, 0.0]));
    assert_eq!(status(), ("a".into(), 2, 3, 0));

    // If another program cleared the vectors, the next opening notices.
    memory.db().connection().execute_batch("DELETE FROM embeddings; DELETE FROM embedding_blocks").unwrap();
    let mut copy = in_memory();
    copy.load(memory.export().unwrap()).unwrap();
    copy.recall().use_model("a", 2).unwrap();
    assert_eq!(copy.recall().embedding_status().unwrap().pending, 3);
}

#[test]
fn what_fails_waits_longer_each_time_and_is_told() {
    let memory = in_memory();
    remember(&memory, &["one"]);
    memory.recall().use_model("a", 2).unwrap();
    let one = memory.recall().pending(5).unwrap().remove(0);
    for (attempt, wait) in [(0, 1.0), (1, 2.0), (2, 4.0), (3, 8.0)] {
        memory.recall().fail(&[(one.item, one.version)], "no network").unwrap();
        let status = memory.recall().embedding_status().unwrap();
        assert_eq!((status.failed, status.pending, status.last_error.as_deref()), (1, 1, Some("no network")));
        assert_eq!(status.retry_at, Some(super::support::NOW + wait), "after attempt {attempt}");
        assert_eq!(memory.recall().pending(5).unwrap(), []);
    }
    memory.recall().retry().unwrap();
    assert_eq!(memory.recall().pending(5).unwrap().len(), 1);
    embed(&memory, |_| Some(vec![1.0, 0.0]));
    assert_eq!(memory.recall().embedding_status().unwrap().failed, 0);
}

#[test]
fn what_is_no_vector_is_refused_and_nothing_is_kept() {
    let memory = in_memory();
    remember(&memory, &["one", "two"]);
    let recall = memory.recall();
    assert_eq!(recall.keep(&[]).unwrap_err().code(), ErrorCode::InvalidArgument);
    for (name, dimensions) in [("", 3), ("a", 0), ("a", 4097)] {
        assert_eq!(recall.use_model(name, dimensions).unwrap_err().code(), ErrorCode::InvalidArgument);
    }
    recall.use_model("a", 3).unwrap();
    let waiting = recall.pending(5).unwrap();
    for (wrong, says) in [
        (vec![1.0, 2.0], "2 dimensions"),
        (vec![], "0 dimensions"),
        (vec![1.0, f32::NAN, 0.0], "Number 1"),
        (vec![f32::INFINITY, 0.0, 0.0], "Number 0"),
        (vec![0.0, -0.0, 0.0], "length 0"),
    ] {
        let vectors = [
            (waiting[0].item, waiting[0].version, Some(vec![1.0, 0.0, 0.0])),
            (waiting[1].item, waiting[1].version, Some(wrong.clone())),
        ];
        let error = recall.keep(&vectors).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidEmbedding);
        assert!(error.message().contains(says), "{error}");
        assert_eq!(recall.embedding_status().unwrap().pending, 2);
        assert_eq!(recall.search(&asked(&wrong)).unwrap_err().code(), ErrorCode::InvalidEmbedding);
        assert_eq!(recall.recall(&asked(&wrong)).unwrap_err().code(), ErrorCode::InvalidEmbedding);
    }
    for k in [0, 1001] {
        assert_eq!(
            recall.search(&RecallQuestion { k, ..asked(&[1.0, 0.0, 0.0]) }).unwrap_err().code(),
            ErrorCode::InvalidArgument
        );
    }
    // Very small and very large numbers are valid.
    recall
        .keep(&[
            (waiting[0].item, waiting[0].version, Some(vec![1e-38, 0.0, 0.0])),
            (waiting[1].item, waiting[1].version, Some(vec![3e38, 3e38, 3e38])),
        ])
        .unwrap();
    let found = recall.search(&asked(&[2.0, 0.0, 0.0])).unwrap();
    assert!(
        (found[0].similarity.unwrap() - 1.0).abs() < 1e-6
            && (found[1].similarity.unwrap() - 3_f64.sqrt().recip()).abs() < 1e-6
    );
}
