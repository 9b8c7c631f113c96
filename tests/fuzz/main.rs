//! Untrusted bytes: seeds are mutated at random, and the invariants must still hold.
//!
//! Each target first runs its corpus, `tests/fuzz/corpus/<target>/`, then mutated seeds for its default time, or for
//! `FUZZ_SECONDS`. An input that fails is written to `target/fuzz/`; once the failure is fixed, it belongs in the
//! corpus.
#![cfg(not(target_arch = "wasm32"))]

#[path = "../support/embedder.rs"]
#[allow(dead_code)]
mod embedder;
#[path = "../support/mod.rs"]
mod support;

mod allocations;
mod database;
mod harness;
mod import;
mod model;
mod mutate;
mod revision;
mod script;
