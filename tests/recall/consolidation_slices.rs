//! A consolidation in slices: whatever happens between them, only facts of the same text are merged.

use proptest::prelude::*;
use synth_memory::recall::consolidate::{Consolidated, ConsolidationOptions, MergedMemories, SimilarMemory};
use synth_memory::tables::semantic::SemanticMemoryPatch;

use super::consolidation::{aged, all};
use super::embed;
use super::support::in_memory;

/// A change to the facts between the slices of a consolidation.
#[derive(Clone, Debug)]
enum Meanwhile {
    Nothing,
    Add(u8),
    Rewrite(usize, u8),
    Move(usize, u8),
    Weigh(usize, u8),
    Delete(usize),
    Another,
    Forget,
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    prop_oneof![
        4 => Just(Meanwhile::Nothing),
        2 => (0..6_u8).prop_map(Meanwhile::Add),
        3 => (0..40_usize, 0..6_u8).prop_map(|(at, text)| Meanwhile::Rewrite(at, text)),
        2 => (0..40_usize, 0..2_u8).prop_map(|(at, category)| Meanwhile::Move(at, category)),
        2 => (0..40_usize, 0..=10_u8).prop_map(|(at, weight)| Meanwhile::Weigh(at, weight)),
        3 => (0..40_usize).prop_map(Meanwhile::Delete),
        1 => Just(Meanwhile::Another),
        1 => Just(Meanwhile::Forget),
    ]
}

/// Only the first three texts are the same.
fn kind(text: u8) -> String {
    ["tea at five", " tea\tat  five", "tea at five\n", "Tea at five", "no tea at five", "coffee"][usize::from(text)]
        .into()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn in_slices_nothing_is_merged_wrongly_whatever_happens_between_them(
        facts in prop::collection::vec((0..6_u8, 0..2_u8, 0..=10_u8), 2..30),
        between in prop::collection::vec(meanwhile(), 1..60),
        floor in prop::option::of(0.0..0.6),
    ) {
        let memory = in_memory();
        let add = |text: u8, category: u8, importance: u8| {
            let new = aged(&kind(text), &category.to_string(), f64::from(importance) / 10.0, f64::from(importance) * 9.0);
            memory.semantic().add(vec![new]).unwrap();
        };
        facts.iter().for_each(|(text, category, importance)| add(*text, *category, *importance));
        memory.recall().use_model("test", 2).unwrap();
        // All facts are near each other, so only the texts decide.
        let embed_all = || embed(&memory, |text| Some(vec![1.0, 0.001 * text.len() as f32]));
        embed_all();
        let how = ConsolidationOptions { floor, ..ConsolidationOptions::default() };
        let ids = || -> Vec<i64> {
            memory.db().connection().prepare("SELECT id FROM semantic_memories ORDER BY id").unwrap()
                .query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
        };
        let mut between = between.into_iter().cycle();
        for _ in 0..200 {
            // The clock stands still, so a slice of 0 ms is the smallest possible.
            if memory.recall().prepare_consolidation(&how, 0.0).unwrap() {
                break;
            }
            let all = ids();
            let of = |at: usize| all.get(at).copied();
            let patch = SemanticMemoryPatch::default();
            let update = |at: usize, patch: SemanticMemoryPatch| {
                of(at).into_iter().for_each(|id| memory.semantic().update(&id, patch.clone()).unwrap());
            };
            match between.next().unwrap() {
                Meanwhile::Nothing => {}
                Meanwhile::Add(text) => add(text, 0, 5),
                Meanwhile::Rewrite(at, text) => update(at, SemanticMemoryPatch { content: Some(kind(text)), ..patch }),
                Meanwhile::Move(at, to) => update(at, SemanticMemoryPatch { category: Some(to.to_string()), ..patch }),
                Meanwhile::Weigh(at, to) => {
                    update(at, SemanticMemoryPatch { importance: Some(f64::from(to) / 10.0), ..patch });
                }
                Meanwhile::Delete(at) => {
                    memory.semantic().delete(&of(at).into_iter().collect::<Vec<_>>()).unwrap();
                }
                // Another page consolidates.
                Meanwhile::Another => {
                    memory.recall().consolidate(&how).unwrap();
                }
                // As if the file had been replaced, or the engine had opened it again.
                Meanwhile::Forget => {
                    memory.recall().use_model("other", 2).unwrap();
                    memory.recall().use_model("test", 2).unwrap();
                    embed_all();
                }
            }
        }
        let content = |id: i64| {
            let row = memory.semantic().get(&id).unwrap().unwrap();
            (row.category.unwrap(), row.content.unwrap(), row.importance.unwrap())
        };
        let before: std::collections::HashMap<_, _> = ids().into_iter().map(|id| (id, content(id))).collect();
        let rows_before = all(&memory);
        let done = memory.recall().consolidate(&how).unwrap();
        for merged in &done.merged {
            let kept = &before[&merged.kept];
            for id in &merged.removed {
                let removed = &before[id];
                prop_assert_eq!(&removed.0, &kept.0);
                prop_assert!(removed.1.split_whitespace().eq(kept.1.split_whitespace()), "{} / {}", removed.1, kept.1);
                prop_assert!(removed.2 <= kept.2 && memory.semantic().get(id).unwrap().is_none());
            }
        }
        // Every reported fact exists and has the reported text.
        for group in &done.similar {
            let mut texts: Vec<Vec<&str>> = Vec::new();
            for SimilarMemory { id, content } in group {
                prop_assert_eq!(&memory.semantic().get(id).unwrap().unwrap().content.unwrap(), content);
                texts.push(content.split_whitespace().collect());
            }
            let told = texts.len();
            texts.sort();
            texts.dedup();
            prop_assert!(told > 1 && texts.len() == told, "the same twice: {group:?}");
        }
        // Only reported facts are gone, and importances are as without the changes in between.
        let gone: Vec<i64> = done.merged.iter().flat_map(|merged| merged.removed.clone()).chain(done.forgotten.clone()).collect();
        prop_assert_eq!(ids().len() + gone.len(), before.len());
        if done.id.is_some() {
            memory.recall().undo_consolidation(done.id).unwrap();
        }
        prop_assert_eq!(all(&memory), rows_before);
    }

    #[test]
    fn in_slices_the_same_is_found_as_at_once(
        facts in prop::collection::vec((0..6_u8, 0..2_u8, 0..=10_u8), 2..40),
        threshold in prop::sample::select(vec![0.5, 0.95, 0.99999, 1.5]),
    ) {
        let [sliced, whole] = [true, false].map(|in_slices| {
            let memory = in_memory();
            for (text, category, importance) in &facts {
                let new = aged(&kind(*text), &category.to_string(), f64::from(*importance) / 10.0, 30.0);
                memory.semantic().add(vec![new]).unwrap();
            }
            memory.recall().use_model("test", 2).unwrap();
            embed(&memory, |text| Some(vec![1.0, 0.001 * text.len() as f32]));
            let how = ConsolidationOptions { similar_threshold: threshold, ..ConsolidationOptions::default() };
            while in_slices && !memory.recall().prepare_consolidation(&how, 0.0).unwrap() {}
            (memory.recall().consolidate(&how).unwrap(), all(&memory))
        });
        prop_assert_eq!(sliced, whole);
    }
}

#[test]
fn one_search_at_a_time_and_none_stands_in_the_way_of_another() {
    let memory = in_memory();
    memory
        .semantic()
        .add(vec![aged("tea", "a", 0.5, 0.0), aged("Tea", "a", 0.5, 0.0), aged("tea", "a", 0.5, 0.0)])
        .unwrap();
    let how = ConsolidationOptions { half_life_days: f64::INFINITY, ..ConsolidationOptions::default() };
    let other = ConsolidationOptions { similar_threshold: 0.9, ..how };
    assert!(!memory.recall().prepare_consolidation(&how, 0.0).unwrap());
    assert!(memory.recall().prepare_consolidation(&other, 0.0).unwrap(), "it is not waited for");
    assert!(!memory.recall().prepare_consolidation(&how, 0.0).unwrap());
    assert_eq!(memory.recall().consolidate(&other).unwrap().merged, [MergedMemories { kept: 3, removed: vec![1] }]);
    assert_eq!(memory.recall().consolidate(&how).unwrap(), Consolidated::default());
}
