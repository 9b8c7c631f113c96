//! Chooses the operations of an act at which a fault occurs.
//!
//! An act has about a hundred operations. A run tests every eighth of them, from an offset that changes from run to
//! run, and always the first and last few. `FAULT_OFFSET=n` repeats a run; `FAULTS=all` tests every operation.
#![allow(dead_code, unreachable_pub)]

use std::env;
use std::sync::LazyLock;
use std::time::UNIX_EPOCH;

/// A sampled run tests one operation of this many.
pub const STRIDE: u64 = 8;
/// Every run tests this many operations at either end.
const ENDMOST: u64 = 3;

/// The offset of this run's sample, or `None` to test every operation.
pub fn offset() -> Option<u64> {
    static OFFSET: LazyLock<Option<u64>> = LazyLock::new(|| match (env::var("FAULTS"), env::var("FAULT_OFFSET")) {
        (Ok(which), _) => {
            assert_eq!(which, "all", "FAULTS");
            None
        }
        (_, Ok(offset)) => Some(offset.parse::<u64>().expect("FAULT_OFFSET is a number") % STRIDE),
        _ => Some(UNIX_EPOCH.elapsed().unwrap().as_secs() % STRIDE),
    });
    *OFFSET
}

/// The operations to test among `count`, counted from 1.
pub fn sample(count: u64) -> Vec<u64> {
    let is_struck = |at| offset().is_none_or(|offset| at % STRIDE == offset);
    (1..=count).filter(|&at| at <= ENDMOST || at + ENDMOST > count || is_struck(at)).collect()
}

/// The environment variable that repeats this run.
pub fn repeat() -> String {
    offset().map_or("FAULTS=all".to_owned(), |offset| format!("FAULT_OFFSET={offset}"))
}
