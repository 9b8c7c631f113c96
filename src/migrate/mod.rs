//! Migrations: one file, one revision; a run is one transaction.
//!
//! The words are Alembic's, and `alembic_version` has Alembic's exact shape, so that a revision id means the same to
//! both.

pub mod revision;

pub mod graph;

pub mod runner;

pub(crate) mod schema;

pub mod backup;

pub use graph::Graph;
pub use revision::Revision;
