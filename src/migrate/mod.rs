//! Migrations: each file is one revision, and a run is one transaction.
//!
//! The terms are Alembic's, and `alembic_version` has Alembic's exact shape, so that a revision id means the same to
//! both.

pub(crate) mod symbol;

pub mod revision;

pub(crate) mod bundled;

pub mod graph;

pub mod sql;

pub mod batch;

pub(crate) mod tried;

pub(crate) mod references;

pub mod runner;

pub mod history;

pub(crate) mod schema;

pub(crate) mod foreign;

pub(crate) mod adopt;

pub mod plan;

pub mod autogenerate;

pub mod file;

pub mod backup;

pub use foreign::LeftOut;
pub use graph::{Graph, MigrationDirection, Step};
pub use revision::Revision;
