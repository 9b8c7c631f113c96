//! One SQLite connection: how it is opened, how a change is made whole, how changes that wait together share one flush.

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

/// What an acknowledged write has survived: `strict` a power cut, `relaxed` a killed tab or browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Flushed to the disk: survives a power cut (`synchronous = FULL`).
    #[default]
    Strict,
    /// Handed to the operating system: survives a killed tab or browser, not a power cut (`synchronous = NORMAL`).
    Relaxed,
}

/// Where the time comes from, for the browser has a clock of its own.
#[derive(Clone, Copy, Debug)]
pub struct Clock(fn() -> f64);

impl Clock {
    /// A clock that reads Unix seconds, fractions included, from this function.
    pub const fn new(seconds: fn() -> f64) -> Self {
        Self(seconds)
    }

    /// The operating system's clock. Not for WebAssembly, where the standard library has none.
    pub const fn system() -> Self {
        Self(|| std::time::UNIX_EPOCH.elapsed().map_or(0.0, |elapsed| elapsed.as_secs_f64()))
    }

    /// Unix seconds, fractions included: what the `timestamp` columns hold.
    pub fn now(self) -> f64 {
        (self.0)()
    }
}

/// Where a database file is.
#[derive(Clone, Copy, Debug)]
pub enum Location<'a> {
    /// In memory only, gone when closed.
    Memory,
    /// A file, of the named VFS or of SQLite's default one.
    File {
        /// Its path as the VFS knows it.
        path: &'a str,
        /// The name of the VFS.
        vfs: Option<&'a str>,
    },
}

/// Sets up what every connection of a memory has.
fn configure(connection: &Connection) -> Result<()> {
    // A file from elsewhere is data: its schema may not call functions with side effects, nor damage what SQLite and
    // FTS5 keep for themselves.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 4 * MAX_TEXT_BYTES as i32)?;
    connection.set_prepared_statement_cache_capacity(128);
    matches::register(connection)?;
    // What is deleted is overwritten with zeros, so that the file does not keep it.
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
    /// Changes are to share one transaction, which the first of them begins.
    Waiting,
    /// That transaction is open.
    Open,
}

/// How a change that has begun ends.
struct Transaction {
    keep: &'static str,
    undo: &'static str,
    /// What the transaction around it had changed before.
    mark: Mark,
}

impl Db {
    /// Opens the file, or creates it, and makes it ours alone: exclusive locking, write-ahead log, foreign keys.
    ///
    /// # Errors
    ///
    /// `not_a_database`, `corrupt_database`, `io_failed`, `quota_exceeded`; `locked` where another process holds it.
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
            // In this order: without shared memory, which OPFS has not, WAL is open only to the one that holds the file.
            db.connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
            db.set_journal_mode("WAL")?;
        }
        configure(&db.connection)?;
        db.set_durability(durability)?;
        Ok(db)
    }

    /// Changes what a write that is answered from here on has survived.
    ///
    /// # Errors
    ///
    /// Within a transaction.
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

    /// The connection, to move its schema. That sets authorizers of its own.
    pub(crate) fn connection_mut(&mut self) -> &mut Connection {
        self.guard.lose();
        &mut self.connection
    }

    /// Lets a question be asked that may only read, for so many seconds at most. Also returns what it did.
    pub(crate) fn guarded<T>(&mut self, seconds: f64, question: impl FnOnce(&Connection) -> T) -> Result<(T, Seen)> {
        self.guard.install(&mut self.connection)?;
        self.stop_after(Some(seconds))?;
        self.guard.begin(Allowed::Reads);
        let answer = question(&self.connection);
        let seen = self.guard.end();
        self.stop_after(None)?;
        Ok((answer, seen))
    }

    /// Makes a change by statements that [`Db::prepare_own`] prepares, whole, in so many seconds at most.
    pub(crate) fn change_own(&mut self, seconds: f64, change: &mut dyn FnMut(&Self) -> Result<()>) -> Result<()> {
        self.guard.install(&mut self.connection)?;
        self.stop_after(Some(seconds))?;
        let db = &*self;
        let changed = db.atomically(&mut || change(db));
        self.stop_after(None)?;
        changed
    }

    /// Prepares a statement that may write to tables of an app's own only; returns what it would have done if it may not. The
    /// tables that it writes to are told of as changed.
    pub(crate) fn prepare_own(&self, sql: &str) -> (rusqlite::Result<Statement<'_>>, Option<String>) {
        self.guard.begin(Allowed::OwnTables);
        let statement = self.connection.prepare(sql);
        let Seen { refused, written, .. } = self.guard.end();
        self.feed.note_own(written);
        (statement, refused)
    }

    /// Stops statements that run for longer than so many seconds from now on; none where there is no such number.
    fn stop_after(&mut self, seconds: Option<f64>) -> Result<()> {
        const STEPS_BETWEEN_LOOKS: i32 = 20_000;
        let clock = self.clock;
        let is_over = seconds.map(|seconds| clock.now() + seconds).map(|deadline| move || clock.now() > deadline);
        let steps = if is_over.is_some() { STEPS_BETWEEN_LOOKS } else { 0 };
        Ok(self.connection.progress_handler(steps, is_over)?)
    }

    /// Watches these tables from here on, [`MAX_TABLES`](crate::changes::MAX_TABLES) at most; `keyed` is the place of the one
    /// whose rows are known by key.
    pub(crate) fn watch(&mut self, tables: &'static [&'static str], keyed: usize) -> Result<()> {
        self.feed = Feed::of(tables, keyed);
        self.feed.listen(&mut self.connection)
    }

    /// What was changed and committed since this was last called; none if that is nothing.
    pub fn take_changes(&self) -> Option<Changed> {
        if self.connection.is_autocommit() {
            self.feed.settle();
        }
        self.feed.take()
    }

    /// Notes the keys of rows that a statement has just deleted, for the feed of changes.
    pub(crate) fn name_deleted(&self, named: Vec<Deleted>) {
        self.feed.name_deleted(named);
    }

    /// Tells those who listen that everything was replaced: the schema, or the whole database.
    pub(crate) fn report_replaced(&self) {
        self.feed.replace();
    }

    /// Refuses every change from here on.
    pub(crate) fn make_read_only(&self) -> Result<()> {
        self.read_only.set(true);
        Ok(self.connection.execute_batch("PRAGMA query_only = ON")?)
    }

    /// Rejects a change of a memory that is read only.
    ///
    /// # Errors
    ///
    /// `read_only_memory`.
    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.read_only.get() {
            return Err(Error::new(ErrorCode::ReadOnlyMemory, "The memory was opened to be read only."));
        }
        Ok(())
    }

    /// Whether changes are refused.
    pub fn is_read_only(&self) -> bool {
        self.read_only.get()
    }

    /// Unix seconds now.
    pub fn now(&self) -> f64 {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Makes a change whole: all that `change` does is kept, or, if it fails, none of it.
    ///
    /// Outside a batch it is committed on return. Within one it is a part of the batch's transaction and is committed by
    /// [`Db::end_batch`], and within another change it is a part of that; a change that fails there takes nothing of its
    /// neighbors with it.
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

    /// The same for what nobody was promised: a power cut may take it back, unless it is part of a change that must last. The
    /// next strict commit makes it last too, as it flushes the log up to its own end.
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

    /// Makes a change and takes it back, to find out what it would do.
    ///
    /// # Errors
    ///
    /// Those of the change.
    pub(crate) fn rehearse(&self, change: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let transaction = self.begin()?;
        let result = change();
        if !self.connection.is_autocommit() {
            self.connection.execute_batch(transaction.undo)?;
        }
        self.went_back(&transaction);
        result
    }

    /// What a savepoint took back was not changed; a rollback tells the feed itself.
    fn went_back(&self, transaction: &Transaction) {
        if !self.connection.is_autocommit() {
            self.feed.go_back(transaction.mark);
        }
    }

    /// Begins a change: in the batch or the change it is part of, or as a transaction of its own.
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

    /// Begins the transaction of the batch, if there is one, and if no change of it has yet.
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

    /// Makes a change without which the batch must not be committed: if it fails, the batch is rolled back and ends.
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
    /// Where the commit fails, or SQLite gave the transaction up half-way, **no** change of the batch was kept, not even
    /// those that had succeeded: make each again by itself.
    pub fn end_batch(&self) -> Result<()> {
        if self.batch.replace(Batch::None) != Batch::Open {
            return Ok(());
        }
        still_inside(&self.connection, "the batch")?;
        undo_failed(&self.connection, self.run("COMMIT"), "ROLLBACK")
    }

    /// Replaces the whole database by a copy of another, in one transaction.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written; it is then as it was.
    pub(crate) fn replace_contents(&mut self, source: Connection) -> Result<()> {
        if !self.in_file {
            // Both are in memory, so the one can simply be the other.
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
            // Where this fails, what was replaced is replaced all the same, and the next opening sets it again.
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

    /// Whether there is a log. Where it could not be removed, SQLite says that it has another journal mode, and goes on
    /// with the log; a checkpoint knows.
    fn has_log(&self) -> Result<bool> {
        let frames: i64 = self.connection.query_one("PRAGMA wal_checkpoint", [], |row| row.get(1))?;
        Ok(frames >= 0)
    }

    /// Checkpoints the log into the file and closes it.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written; what was committed stays in the log.
    pub fn close(self) -> Result<()> {
        self.connection.flush_prepared_statement_cache();
        self.connection.close().map_err(|(_, error)| error.into())
    }
}
