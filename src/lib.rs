//! Persistent memory for AI agents that run in the browser.
//!
//! SQLite in the origin private file system (OPFS), migrated to the head of its bundled migrations whenever it is
//! opened, behind a typed API for five tables. This crate is the core of the npm package `synth-memory`. All modules
//! but the last three are independent of JavaScript and the browser, and also run natively.
//!
//! ```
//! use synth_memory::{Clock, Memory, tables::turns::NewTurn};
//!
//! let memory = Memory::in_memory(Clock::system())?;
//! assert_eq!(memory.revisions()?, ["002"]);
//!
//! let ids = memory.turns().add(vec![NewTurn { user_input: "Call me Ada".into(), ..NewTurn::default() }])?;
//! assert_eq!(memory.turns().get(&ids[0])?.unwrap().user_input.as_deref(), Some("Call me Ada"));
//! # Ok::<(), synth_memory::Error>(())
//! ```

pub mod error;

pub mod changes;

mod guard;

pub mod db;

pub mod words;

pub mod embed;

pub mod tables;

pub mod migrate;

pub mod recall;

pub mod memory;

#[cfg(target_arch = "wasm32")]
mod opfs;

#[cfg(target_arch = "wasm32")]
mod wasm;
#[cfg(target_arch = "wasm32")]
mod wire;

pub use db::{Clock, Durability};
pub use error::{Error, ErrorCode, Result};
pub use memory::Memory;

#[cfg(target_arch = "wasm32")]
pub use wasm::Engine;
