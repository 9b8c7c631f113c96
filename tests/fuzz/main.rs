//! Bytes from elsewhere: seeds that are changed at random, and what must hold whatever they have become.
//!
//! Each target first runs its corpus, `tests/fuzz/corpus/<target>/`, then changed seeds for its seconds, or for `FUZZ_SECONDS`. An input that
//! fails is written to `target/fuzz/`; once it is fixed, it belongs into the corpus.
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
