//! Migrations: one file, one revision; a run is one transaction.
//!
//! The words are Alembic's, and `alembic_version` has Alembic's exact shape, so that a revision id means the same to
//! both.

pub mod revision;

pub(crate) mod bundled;

pub mod graph;

pub mod sql;

pub mod batch;

pub mod runner;

pub mod history;

#[cfg(feature = "migrations")]
pub(crate) mod schema;

#[cfg(feature = "migrations")]
pub(crate) mod adopt;

#[cfg(feature = "migrations")]
pub mod plan;

#[cfg(feature = "migrations")]
pub mod autogenerate;

#[cfg(feature = "migrations")]
pub mod script;

#[cfg(feature = "migrations")]
pub mod backup;

pub use graph::{Direction, Graph, Step};
pub use revision::Revision;
