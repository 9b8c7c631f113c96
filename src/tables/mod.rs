//! The five tables: what they have in common, and one file each.

mod cursor;

pub mod fields;

mod statements;

pub mod table;

pub mod source;

pub mod turns;

pub mod episodes;

pub mod long_term;

pub mod uncertainty;

pub mod semantic;

pub use source::Source;
pub use table::{Listing, Page, Rows, Table};
