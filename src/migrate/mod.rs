//! Migrations: one file, one revision; a run is one transaction.
//!
//! The words are Alembic's, and `alembic_version` has Alembic's exact shape, so that a revision id means the same to
//! both.

mod symbol;

pub mod revision;

pub(crate) mod bundled;

pub mod graph;

pub mod sql;

pub mod batch;

pub mod runner;

pub mod history;

#[cfg(feature = "whole")]
pub(crate) mod schema;

#[cfg(feature = "whole")]
pub(crate) mod adopt;

#[cfg(feature = "whole")]
pub mod plan;

#[cfg(feature = "whole")]
pub mod autogenerate;

#[cfg(feature = "whole")]
pub mod file;

#[cfg(feature = "whole")]
pub mod backup;

pub use graph::{Direction, Graph, Step};
pub use revision::Revision;
