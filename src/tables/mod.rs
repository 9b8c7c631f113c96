//! The five tables: what they have in common, and one file per table.

mod columns;

mod cursor;

pub mod values;

pub mod fields;

mod access;

mod statements;

pub mod table;

pub mod memory_table;

pub mod turns;

pub mod episodes;

pub mod long_term;

pub mod uncertainty;

pub mod semantic;

#[cfg(all(test, not(target_arch = "wasm32")))]
mod growth;

pub use memory_table::MemoryTable;
pub(crate) use memory_table::is_ours;
pub use table::{Columns, Listing, Page, Rows, Table};
