//! Synth Mind's judgements, compared with their definitions.

use synth_memory::ErrorCode;
use synth_memory::recall::{MemoryTable, RecallQuestion};
use synth_memory::tables::episodes::NewEpisode;
use synth_memory::tables::semantic::NewSemanticMemory;

use super::support::in_memory;
use super::{asked, embed, fact};

/// A vector that has this cosine with the first axis.
fn at(cosine: f32) -> Vec<f32> {
    vec![cosine, (1.0 - cosine * cosine).sqrt()]
}

/// A question with this vector.
fn about(vector: &[f32]) -> RecallQuestion {
    RecallQuestion { vector: Some(vector.to_vec()), ..RecallQuestion::of("x") }
}

#[test]
fn grounding_confidence_is_as_it_is_defined() {
    // Cosines and importances of the stored facts, and the expected confidence.
    let cases: [(&[(f32, f64)], f64); 8] = [
        (&[], 0.5),
        (&[(0.29, 1.0), (0.1, 1.0)], 0.3),
        (&[(0.5, 0.5)], 0.5),
        (&[(0.9, 0.1), (0.5, 0.3)], 0.6),
        (&[(0.8, 0.5), (0.7, 0.5), (0.6, 0.5)], 0.77),
        (&[(0.8, 0.0), (0.4, 0.0)], 0.6),
        (&[(1.0, 1.0), (0.95, 1.0), (0.9, 1.0), (0.1, 1.0)], 1.0),
        (&[(0.8, 0.5), (0.5, 0.5), (0.4, 0.5), (0.35, 0.9)], 0.5666666),
    ];
    for (stored, expected) in cases {
        let memory = in_memory();
        let facts = stored.iter().map(|(cosine, importance)| NewSemanticMemory {
            importance: Some(*importance),
            ..fact(&cosine.to_string())
        });
        memory.semantic().add(facts.collect()).unwrap();
        memory.recall().use_model("test", 2).unwrap();
        embed(&memory, |text| Some(at(text.parse().unwrap())));
        let confidence = memory.recall().grounding_confidence(&about(&[1.0, 0.0])).unwrap();
        // As exact as 16-bit floats allow.
        assert!((confidence - expected).abs() < 3e-4, "{stored:?}: {confidence}");
    }
}

#[test]
fn coherence_drift_is_as_it_is_defined() {
    let memory = in_memory();
    let recall = memory.recall();
    let drift = |threshold| {
        let drift = recall.coherence_drift(threshold).unwrap();
        (drift.drifting, drift.coherence.map(|coherence| (coherence * 1e4).round() / 1e4), drift.contexts)
    };
    let (east, north) = ([1.0, 0.0], [0.0, 1.0]);
    assert_eq!(drift(0.7), (false, None, 0));
    recall.track_context(&about(&east)).unwrap();
    recall.track_context(&about(&east)).unwrap();
    assert_eq!(drift(1.0), (false, None, 2));
    recall.track_context(&about(&at(0.6))).unwrap();
    assert_eq!(drift(0.7), (false, Some(0.7333), 3), "all three with each other: 1, 0.6 and 0.6");
    assert_eq!(drift(0.74), (true, Some(0.7333), 3));
    recall.track_context(&about(&north)).unwrap();
    assert_eq!(drift(0.7), (true, Some(0.5333), 4), "the last three with the one before: 1, 0.6 and 0");
    for _ in 0..20 {
        recall.track_context(&about(&north)).unwrap();
    }
    assert_eq!(drift(0.7), (false, Some(1.0), 20), "what is longer ago than twenty does not count");
    assert_eq!(recall.coherence_drift(1.5).unwrap_err().code(), ErrorCode::InvalidArgument);
    assert_eq!(recall.track_context(&about(&[0.0, 0.0])).unwrap_err().code(), ErrorCode::InvalidEmbedding);
    // Another model's vectors cannot be compared with these.
    recall.track_context(&about(&[1.0, 0.0, 0.0])).unwrap();
    assert_eq!(drift(0.7), (false, None, 1));
}

#[test]
fn what_is_related_is_the_nearest_and_recent_episodes_where_asked_for() {
    let memory = in_memory();
    memory.semantic().add(["0.9", "0.2", "0.7", "0.5"].map(fact).to_vec()).unwrap();
    let episode = |content: f32| NewEpisode {
        event_type: "e".into(),
        content: Some(format!("\"{content}\"")),
        ..NewEpisode::default()
    };
    memory.episodes().add(vec![episode(0.99)]).unwrap();
    memory.episodes().add((0..20).map(|at| episode(if at == 3 { 0.8 } else { 0.01 * at as f32 })).collect()).unwrap();
    memory.recall().use_model("test", 2).unwrap();
    embed(&memory, |text| Some(at(text.rsplit('\n').next().unwrap().parse().unwrap())));
    let related = |episodes| {
        let found = memory.recall().related(&RecallQuestion { k: 3, ..asked(&[1.0, 0.0]) }, episodes).unwrap();
        found.iter().map(|near| (near.item.table(), (near.similarity.unwrap() * 100.0).round())).collect::<Vec<_>>()
    };
    assert_eq!(
        related(false),
        [(MemoryTable::Semantic, 90.0), (MemoryTable::Semantic, 70.0), (MemoryTable::Semantic, 50.0)]
    );
    assert_eq!(
        related(true),
        [(MemoryTable::Semantic, 90.0), (MemoryTable::Episodes, 80.0), (MemoryTable::Semantic, 70.0)]
    );
}

#[test]
fn the_map_tells_groups_apart() {
    let memory = in_memory();
    let contents: Vec<String> = (0..40).map(|at| format!("{at}")).collect();
    memory.semantic().add(contents.iter().map(|content| fact(content)).collect()).unwrap();
    assert_eq!(memory.recall().map(10).unwrap(), []);
    memory.recall().use_model("test", 4).unwrap();
    embed(&memory, |text| {
        let number: f32 = text.parse().unwrap();
        Some(if number < 20.0 { vec![1.0, 0.01 * number, 0.0, 0.0] } else { vec![0.0, 0.0, 1.0, 0.005 * number] })
    });
    let points = memory.recall().map(100).unwrap();
    assert_eq!(points.len(), 40);
    let side = |row: std::ops::RangeInclusive<i64>| {
        points.iter().filter(|point| row.contains(&point.item.row())).map(|point| point.x).collect::<Vec<_>>()
    };
    let (first, second) = (side(1..=20), side(21..=40));
    assert!(first.iter().all(|x| x.signum() == first[0].signum() && x.abs() > 0.5));
    assert!(second.iter().all(|x| x.signum() == -first[0].signum() && x.abs() > 0.5));
    assert!(points.iter().all(|point| point.x.abs() <= 1.0 && point.y.abs() <= 1.0));
    assert_eq!(memory.recall().map(0).unwrap_err().code(), ErrorCode::InvalidArgument);
}
