//! The files a memory is kept in: a pool of them in OPFS, and how SQLite writes to them.

mod vfs;

pub(crate) mod pool;

pub(crate) use pool::Pool;
