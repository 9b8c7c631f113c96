//! Makes random calls on a table and the same calls on a map: both must always hold the same.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use support::{in_memory, indexed};
use synth_memory::ErrorCode;
use synth_memory::tables::long_term::{EntryFilter, NewEntry};
use synth_memory::tables::table::Listing;
use synth_memory::tables::turns::{NewTurn, TurnFilter, TurnPatch};

#[derive(Clone, Debug)]
enum Change {
    Add(Vec<String>),
    Update(usize, String),
    Delete(Vec<usize>),
    ClearWith(String),
    Batch(Vec<Change>),
}

/// Words that often occur together, and some that are difficult for an index.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["tea", "green", "peanut", "café", "日本", "\"", "'; --", "", "a\0b", "NULL"])
            .prop_map(str::to_owned),
        "\\PC{0,12}",
    ]
}

fn change(depth: u32) -> BoxedStrategy<Change> {
    let flat = prop_oneof![
        4 => prop::collection::vec(word(), 1..4).prop_map(Change::Add),
        2 => (0..40_usize, word()).prop_map(|(at, text)| Change::Update(at, text)),
        2 => prop::collection::vec(0..40_usize, 0..3).prop_map(Change::Delete),
        1 => word().prop_map(Change::ClearWith),
    ];
    if depth == 0 {
        return flat.boxed();
    }
    prop_oneof![4 => flat, 1 => prop::collection::vec(change(0), 0..6).prop_map(Change::Batch)].boxed()
}

fn apply(memory: &synth_memory::Memory, model: &mut BTreeMap<i64, String>, change: Change) {
    match change {
        Change::Add(texts) => {
            let new = texts.iter().map(|text| NewTurn { user_input: text.clone(), ..NewTurn::default() }).collect();
            let ids = memory.turns().add(new).unwrap();
            model.extend(ids.into_iter().zip(texts));
        }
        Change::Update(at, text) => {
            let id = at as i64;
            let patch = TurnPatch { user_input: Some(text.clone()), ..TurnPatch::default() };
            let refused = memory.turns().update(&id, patch).err().map(|error| error.code());
            assert_eq!(refused, (!model.contains_key(&id)).then_some(ErrorCode::NotFound));
            model.entry(id).and_modify(|old| *old = text);
        }
        Change::Delete(ats) => {
            let ids: Vec<i64> = ats.into_iter().map(|at| at as i64).collect();
            let removed = ids.iter().filter(|id| model.remove(id).is_some()).count();
            assert_eq!(memory.turns().delete(&ids).unwrap(), removed as u64);
        }
        Change::ClearWith(word) => {
            // The map does not model what the index finds, only that `clear` deletes exactly those rows.
            let filter = || TurnFilter { search: Some(word.clone()), ..TurnFilter::default() };
            let listing = Listing { filter: filter(), limit: Some(1000), ..Listing::default() };
            let ids: Vec<i64> = memory.turns().list(listing).unwrap().rows.iter().map(|row| row.id).collect();
            assert_eq!(memory.turns().clear(filter()).unwrap(), ids.len() as u64);
            ids.iter().for_each(|id| assert!(model.remove(id).is_some()));
        }
        Change::Batch(changes) => {
            memory.db().begin_batch();
            changes.into_iter().for_each(|change| apply(memory, model, change));
            memory.db().end_batch().unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn turns_hold_what_a_map_holds(changes in prop::collection::vec(change(1), 0..30)) {
        let memory = in_memory();
        let mut model = BTreeMap::new();
        for change in changes {
            apply(&memory, &mut model, change);
            prop_assert_eq!(memory.turns().count(TurnFilter::default()).unwrap(), model.len() as u64);
        }
        let rows = memory.turns().list(Listing { limit: Some(1000), ..Listing::default() }).unwrap().rows;
        let held: BTreeMap<i64, String> = rows.into_iter().map(|row| (row.id, row.user_input.unwrap())).collect();
        prop_assert_eq!(held, model);
        let [is, should_be] = indexed(&memory);
        prop_assert_eq!(is, should_be);
    }

    #[test]
    fn long_term_holds_what_a_map_holds(sets in prop::collection::vec(("\\PC{1,20}", any::<i32>(), any::<bool>()), 0..40)) {
        let memory = in_memory();
        let mut model = HashMap::new();
        for (key, number, remove) in sets {
            if remove {
                let removed = memory.long_term().delete(std::slice::from_ref(&key)).unwrap();
                prop_assert_eq!(removed, u64::from(model.remove(&key).is_some()));
            } else {
                let new = NewEntry { key: key.clone(), value: number.to_string(), updated_at: None };
                memory.long_term().add(vec![new]).unwrap();
                model.insert(key, number.to_string());
            }
        }
        prop_assert_eq!(memory.long_term().count(EntryFilter::default()).unwrap(), model.len() as u64);
        for (key, value) in &model {
            let entry = memory.long_term().get(key).unwrap().unwrap();
            prop_assert_eq!(entry.value.as_ref(), Some(value));
        }
        let [is, should_be] = indexed(&memory);
        prop_assert_eq!(is, should_be);
    }
}
