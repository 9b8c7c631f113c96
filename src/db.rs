//! One SQLite connection: how it is opened, how a change is made atomic, and how changes that wait together share one
//! flush.

mod connection;
mod page;
mod rows;

use std::cell::Cell;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, Statement};
use serde::Deserialize;
use tsify::Tsify;

use crate::changes::{Changed, Deleted, Feed, Mark};
use crate::error::{Error, ErrorCode, Result};
use crate::guard::{Allowed, Guard, Seen};
use crate::recall::matches;
pub(crate) use connection::*;
#[cfg(target_arch = "wasm32")]
pub(crate) use page::zero_unallocated;
pub(crate) use page::{turn_off_auto_vacuum, zero_free_pages_in, zero_unallocated_in};
pub(crate) use rows::RowCopy;

/// The largest text of one column, in bytes of UTF-8: 16 MiB.
pub const MAX_TEXT_BYTES: usize = 16 * 1024 * 1024;

/// What an acknowledged write survives: `strict` a power cut, `relaxed` a killed tab or browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Flushed to the disk: survives a power cut (`synchronous = FULL`).
    #[default]
    Strict,
    /// Handed to the operating system: survives a killed tab or browser, not a power cut (`synchronous = NORMAL`).
    Relaxed,
}

/// Where the time comes from: the browser has a clock of its own.
#[derive(Clone, Copy, Debug)]
pub struct Clock(fn() -> f64);

impl Clock {
    /// A clock that calls `seconds` for the Unix time in seconds, fractions included.
    pub const fn new(seconds: fn() -> f64) -> Self {
        Self(seconds)
    }

    /// The operating system's clock. Not for WebAssembly, where the standard library has no clock.
    pub const fn system() -> Self {
        Self(|| std::time::UNIX_EPOCH.elapsed().map_or(0.0, |elapsed| elapsed.as_secs_f64()))
    }

    /// The Unix time in seconds, fractions included, as the `timestamp` columns hold it.
    pub fn now(self) -> f64 {
        (self.0)()
    }
}

/// Where a database file is.
#[derive(Clone, Copy, Debug)]
pub enum Location<'a> {
    /// In memory only. It is gone when it is closed.
    Memory,
    /// A file.
    File {
        /// Its path as the VFS knows it.
        path: &'a str,
        /// The name of the VFS; `None` for SQLite's default one.
        vfs: Option<&'a str>,
    },
}

/// Makes the settings that every connection of a memory has.
fn configure(connection: &Connection) -> Result<()> {
    // A file from elsewhere is data: its schema must not call functions with side effects or damage the tables that
    // SQLite and FTS5 keep for themselves.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 4 * MAX_TEXT_BYTES as i32)?;
    connection.set_prepared_statement_cache_capacity(128);
    matches::register(connection)?;
    // Deleted data is overwritten with zeros, so that it does not stay in the file.
    let pragmas = "PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON";
    Ok(connection.execute_batch(pragmas)?)
}

/// The connection of an open memory.
pub struct Db {
    connection: Connection,
    clock: Clock,
    in_file: bool,
    durability: Cell<Durability>,
    read_only: Cell<bool>,
    batch: Cell<Batch>,
    feed: Feed,
    guard: Guard,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Batch {
    /// Each change is a transaction of its own.
    None,
    /// Changes share one transaction, which the first of them begins.
    Waiting,
    /// That transaction is open.
    Open,
}

/// A change that has begun: the statements that keep it and undo it.
struct Transaction {
    keep: &'static str,
    undo: &'static str,
    /// What the transaction around it had changed before it.
    mark: Mark,
}

impl Db {
    /// Opens or creates the file for this connection alone: exclusive locking, write-ahead log, foreign keys.
    ///
    /// # Errors
    ///
    /// `not_a_database`, `corrupt_database`, `io_failed`, `quota_exceeded`; `locked` if another process holds the file.
    pub fn open(location: Location<'_>, durability: Durability, clock: Clock) -> Result<Self> {
        let in_file = matches!(location, Location::File { .. });
        let db = Self {
            connection: connect(location)?,
            clock,
            in_file,
            durability: Cell::default(),
            read_only: Cell::new(false),
            batch: Cell::new(Batch::None),
            feed: Feed::default(),
            guard: Guard::default(),
        };
        if in_file {
            // In this order: OPFS has no shared memory, and without it WAL needs exclusive locking.
            db.connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
            db.set_journal_mode("WAL")?;
        }
        configure(&db.connection)?;
        db.set_durability(durability)?;
        Ok(db)
    }

    /// Sets the durability of the writes that are answered from now on.
    ///
    /// # Errors
    ///
    /// If a transaction is open.
    pub fn set_durability(&self, durability: Durability) -> Result<()> {
        self.set_synchronous(durability)?;
        self.durability.set(durability);
        Ok(())
    }

    fn set_synchronous(&self, durability: Durability) -> Result<()> {
        let synchronous = match durability {
            Durability::Strict => "PRAGMA synchronous = FULL",
            Durability::Relaxed => "PRAGMA synchronous = NORMAL",
        };
        Ok(self.connection.execute_batch(synchronous)?)
    }

    /// The connection itself, to read from and to prepare statements on.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection, to migrate its schema. A migration sets its own authorizers, so the guard is installed again
    /// later.
    pub(crate) fn connection_mut(&mut self) -> &mut Connection {
        self.guard.lose();
        &mut self.connection
    }

    /// Runs `question`, which may only read and is stopped after `seconds`. Also returns what it did.
    pub(crate) fn guarded<T>(&mut self, seconds: f64, question: impl FnOnce(&Connection) -> T) -> Result<(T, Seen)> {
        self.guard.install(&mut self.connection)?;
        self.stop_after(Some(seconds))?;
        self.guard.begin(Allowed::Reads);
        let answer = question(&self.connection);
        let seen = self.guard.end();
        self.stop_after(None)?;
        Ok((answer, seen))
    }

    /// Makes a change atomically by statements that [`Db::prepare_own`] prepares. It is stopped after `seconds`.
    pub(crate) fn change_own(&mut self, seconds: f64, change: &mut dyn FnMut(&Self) -> Result<()>) -> Result<()> {
        self.guard.install(&mut self.connection)?;
        self.stop_after(Some(seconds))?;
        let db = &*self;
        let changed = db.atomically(&mut || change(db));
        self.stop_after(None)?;
        changed
    }

    /// Prepares a statement that may write only to an app's own tables. If it would do anything else, also returns what
    /// that is. The tables that it writes to are reported as changed.
    pub(crate) fn prepare_own(&self, sql: &str) -> (rusqlite::Result<Statement<'_>>, Option<String>) {
        self.guard.begin(Allowed::OwnTables);
        let statement = self.connection.prepare(sql);
        let Seen { refused, written, .. } = self.guard.end();
        self.feed.note_own(written);
        (statement, refused)
    }

    /// Stops statements that still run when `seconds` have passed from now; `None` removes the limit.
    fn stop_after(&mut self, seconds: Option<f64>) -> Result<()> {
        const STEPS_BETWEEN_LOOKS: i32 = 20_000;
        let clock = self.clock;
        let is_over = seconds.map(|seconds| clock.now() + seconds).map(|deadline| move || clock.now() > deadline);
        let steps = if is_over.is_some() { STEPS_BETWEEN_LOOKS } else { 0 };
        Ok(self.connection.progress_handler(steps, is_over)?)
    }

    /// Watches these tables from now on, at most [`MAX_TABLES`](crate::changes::MAX_TABLES). `keyed` is the index of
    /// the table whose rows are identified by a key.
    pub(crate) fn watch(&mut self, tables: &'static [&'static str], keyed: usize) -> Result<()> {
        self.feed = Feed::of(tables, keyed);
        self.feed.listen(&mut self.connection)
    }

    /// What was changed and committed since the last call; `None` if nothing was.
    pub fn take_changes(&self) -> Option<Changed> {
        if self.connection.is_autocommit() {
            self.feed.settle();
        }
        self.feed.take()
    }

    /// Adds the keys of rows that a statement has just deleted to the feed of changes.
    pub(crate) fn name_deleted(&self, named: Vec<Deleted>) {
        self.feed.name_deleted(named);
    }

    /// Reports to the feed of changes that everything was replaced: the schema, or the whole database.
    pub(crate) fn report_replaced(&self) {
        self.feed.replace();
    }

    /// Rejects every change from now on.
    pub(crate) fn make_read_only(&self) -> Result<()> {
        self.read_only.set(true);
        Ok(self.connection.execute_batch("PRAGMA query_only = ON")?)
    }

    /// Rejects a change if the memory is read-only.
    ///
    /// # Errors
    ///
    /// `read_only_memory`.
    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.read_only.get() {
            return Err(Error::new(ErrorCode::ReadOnlyMemory, "The memory was opened read-only."));
        }
        Ok(())
    }

    /// Whether changes are rejected.
    pub fn is_read_only(&self) -> bool {
        self.read_only.get()
    }

    /// The Unix time now, in seconds.
    pub fn now(&self) -> f64 {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Makes a change atomically: all that `change` does is kept, or none of it if it fails.
    ///
    /// Outside a batch, the change is committed on return. Within a batch, it is part of the batch's transaction, which
    /// [`Db::end_batch`] commits. Within another change, it is part of that change. If it fails there, only its own
    /// changes are undone.
    pub fn atomically(&self, change: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let transaction = self.begin()?;
        let result = change().and_then(|()| self.run(transaction.keep));
        let is_kept = result.is_ok();
        let result = undo_failed(&self.connection, result, transaction.undo);
        if !is_kept {
            self.went_back(&transaction);
        }
        result
    }

    /// As [`Db::atomically`], for a change that need not survive a power cut. It is not flushed, unless it is part of a
    /// change that is. The next strict commit makes it durable too, because it flushes the log up to its own end.
    pub(crate) fn atomically_relaxed(&self, change: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let is_strict = self.durability.get() == Durability::Strict;
        if !is_strict || !self.connection.is_autocommit() || self.batch.get() != Batch::None {
            return self.atomically(change);
        }
        self.set_synchronous(Durability::Relaxed)?;
        let result = self.atomically(change);
        self.set_synchronous(Durability::Strict)?;
        result
    }

    /// Makes a change and undoes it, to find out what it would do.
    ///
    /// # Errors
    ///
    /// The errors of the change.
    pub(crate) fn rehearse(&self, change: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let transaction = self.begin()?;
        let result = change();
        if !self.connection.is_autocommit() {
            self.connection.execute_batch(transaction.undo)?;
        }
        self.went_back(&transaction);
        result
    }

    /// Removes from the feed what a savepoint undid. A rollback informs the feed itself.
    fn went_back(&self, transaction: &Transaction) {
        if !self.connection.is_autocommit() {
            self.feed.go_back(transaction.mark);
        }
    }

    /// Begins a change: within the batch or the change that it is part of, or as a transaction of its own.
    fn begin(&self) -> Result<Transaction> {
        self.check_writable()?;
        self.join_batch()?;
        let (begin, keep, undo) = if self.connection.is_autocommit() {
            ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
        } else {
            ("SAVEPOINT change", "RELEASE change", "ROLLBACK TO change; RELEASE change")
        };
        let transaction = Transaction { keep, undo, mark: self.feed.mark() };
        self.run(begin)?;
        Ok(transaction)
    }

    /// Begins the transaction of the batch, if there is a batch and none of its changes has begun it yet.
    fn join_batch(&self) -> Result<()> {
        if self.connection.is_autocommit() {
            self.feed.settle();
        }
        if self.batch.get() == Batch::Waiting {
            self.run("BEGIN IMMEDIATE")?;
            self.batch.set(Batch::Open);
        }
        if self.batch.get() == Batch::Open {
            still_inside(&self.connection, "the batch that this change is part of")?;
        }
        Ok(())
    }

    /// Makes a change that the batch cannot do without: if it fails, the batch is rolled back and ends.
    pub(crate) fn with_batch(&self, change: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        if self.batch.get() == Batch::None {
            return self.atomically(change);
        }
        let result = self.join_batch().and_then(|()| change());
        if result.is_err() {
            self.batch.set(Batch::None);
        }
        undo_failed(&self.connection, result, "ROLLBACK")
    }

    fn run(&self, statement: &'static str) -> Result<()> {
        self.connection.prepare_cached(statement)?.execute([])?;
        Ok(())
    }

    /// Lets the changes that follow share one transaction and one flush, until [`Db::end_batch`].
    pub fn begin_batch(&self) {
        self.batch.set(Batch::Waiting);
    }

    /// Commits what the batch changed.
    ///
    /// # Errors
    ///
    /// If the commit fails, or if SQLite rolled back the transaction before it, **no** change of the batch was kept,
    /// not even those that had succeeded. Make each of them again, one by one.
    pub fn end_batch(&self) -> Result<()> {
        if self.batch.replace(Batch::None) != Batch::Open {
            return Ok(());
        }
        still_inside(&self.connection, "the batch")?;
        undo_failed(&self.connection, self.run("COMMIT"), "ROLLBACK")
    }

    /// Replaces the whole database with a copy of `source`, in one transaction.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; it is unchanged then.
    pub(crate) fn replace_contents(&mut self, source: Connection) -> Result<()> {
        if !self.in_file {
            // Both are in memory, so no copy is needed.
            configure(&source)?;
            self.connection = source;
            self.guard.lose();
            self.report_replaced();
            return self.feed.listen(&mut self.connection);
        }
        self.connection.flush_prepared_statement_cache();
        // Pages are copied as they are, and a write-ahead log holds pages of one size only.
        let without_log = page_size(&source)? != page_size(&self.connection)?;
        if without_log {
            self.set_journal_mode("DELETE")?;
        }
        let result = if without_log && self.has_log()? {
            Err(Error::new(ErrorCode::IoFailed, "The write-ahead log could not be removed."))
        } else {
            copy(&source, &mut self.connection)
        };
        if without_log {
            // A failure here does not undo the replacement, and the next opening sets the mode again.
            let _ = self.set_journal_mode("WAL");
        }
        self.report_replaced();
        result
    }

    fn set_journal_mode(&self, wanted: &str) -> Result<()> {
        let mode: String = ask(&self.connection, &format!("PRAGMA journal_mode = {wanted}"))?;
        if mode.eq_ignore_ascii_case(wanted) {
            return Ok(());
        }
        Err(Error::new(ErrorCode::Internal, format!("SQLite chose journal mode {mode}, not {wanted}.")))
    }

    /// Whether there is a write-ahead log. If SQLite could not remove it, it reports another journal mode but still
    /// uses the log. A checkpoint reports what is true.
    fn has_log(&self) -> Result<bool> {
        let frames: i64 = self.connection.query_one("PRAGMA wal_checkpoint", [], |row| row.get(1))?;
        Ok(frames >= 0)
    }

    /// Checkpoints the log into the file and closes it.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; what was committed stays in the log.
    pub fn close(self) -> Result<()> {
        self.connection.flush_prepared_statement_cache();
        self.connection.close().map_err(|(_, error)| error.into())
    }
}
