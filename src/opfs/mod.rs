//! The files of a memory: a pool of them in OPFS, and the VFS through which SQLite writes to them.

mod vfs;

pub(crate) mod pool;

pub(crate) use pool::Pool;
