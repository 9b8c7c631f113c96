//! The ledger: the answers to clients, entered in the transaction that made the change.
//!
//! A client in another tab may not receive an answer, because the leader can go at any moment. It sends its request
//! again to the next leader, which answers from the ledger, so nothing is done twice. An entry is deleted when its
//! client acknowledges the answer, or after a day.
//!
//! The table belongs to no revision, because the answer to a downgrade must outlive it. It is created with the first
//! entry, and dropped at an opening that finds it empty.

use std::cell::RefCell;

use rusqlite::Connection;
use rusqlite::types::ToSql;

use super::{Imported, Memory};
use crate::db::{Clock, ask, execute, has_table, texts};
use crate::error::Result;
use crate::migrate::LeftOut;
use crate::migrate::backup::Backup;
use crate::migrate::history::REQUESTS;

/// How long an answer is kept for a client that does not come back: a day, in seconds.
const KEPT_FOR: f64 = 86_400.0;

/// A row holds the answers to the calls of one client that shared a transaction; `sequence` is the number of the last
/// call.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS synth_requests (client TEXT NOT NULL, sequence INTEGER NOT NULL, \
                      answers TEXT NOT NULL, answered_at REAL NOT NULL, PRIMARY KEY (client, sequence)) WITHOUT ROWID";
const INSERT: &str = "INSERT INTO synth_requests (client, sequence, answers, answered_at) VALUES (?, ?, ?, ?)";
/// Inserts a row with the answer to one call.
const ENTER: &str = "INSERT INTO synth_requests (client, sequence, answers, answered_at) \
                     VALUES (?1, ?2, json_array(json_array(?2, json_object('value', json(?3)))), ?4)";
/// Inserts all rows of another database, passed as JSON.
const TAKE_OVER: &str = "INSERT INTO synth_requests (client, sequence, answers, answered_at) \
                         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)";
const ACKNOWLEDGE: &str = "DELETE FROM synth_requests WHERE client = ? AND sequence < ?";

/// Holds the request whose answer the next transaction enters, if one was announced.
pub(super) struct Ledger {
    clock: Clock,
    expected: RefCell<Option<(String, i64)>>,
}

impl Ledger {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, expected: RefCell::default() }
    }

    /// Enters the answer in the open transaction, if one is expected.
    pub(super) fn enter(&self, connection: &Connection, answer: &dyn Answer) -> Result<()> {
        let Some((client, sequence)) = self.expected.take() else { return Ok(()) };
        let answer = answer.json(connection)?;
        insert(connection, ENTER, &[&client, &sequence, &answer, &self.clock.now()])
    }
}

fn insert(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<()> {
    // If the table exists, as it nearly always does, this statement does nothing.
    execute(connection, CREATE, &[])?;
    execute(connection, sql, values).map(drop)
}

/// Removes the table from a copy that leaves the memory.
pub(super) fn leave_out(copy: &Connection) -> Result<()> {
    if !has_table(copy, REQUESTS)? {
        return Ok(());
    }
    Ok(copy.execute_batch("DROP TABLE synth_requests")?)
}

/// Removes the table if it holds nothing.
pub(super) fn drop_empty(connection: &Connection) -> Result<()> {
    if has_table(connection, REQUESTS)? && is_empty(connection)? {
        connection.execute_batch("DROP TABLE synth_requests")?;
    }
    Ok(())
}

fn is_empty(connection: &Connection) -> Result<bool> {
    ask(connection, "SELECT NOT EXISTS (SELECT 1 FROM synth_requests)")
}

/// Copies the entries of the live database into the one that replaces it, whose own entries belong to another file.
pub(super) fn take_over(live: &Connection, source: &Connection) -> Result<()> {
    source.execute_batch("DROP TABLE IF EXISTS synth_requests")?;
    if !has_table(live, REQUESTS)? {
        return Ok(());
    }
    let entries = "SELECT json_group_array(json_array(client, sequence, answers, answered_at)) FROM synth_requests";
    let entries = texts(live, entries, &[])?.pop();
    insert(source, TAKE_OVER, &[&entries])
}

/// The answer of a call that has its own transaction, in the form that JavaScript receives.
pub(super) trait Answer {
    /// The answer as JSON.
    fn json(&self, connection: &Connection) -> Result<String>;
}

impl Answer for () {
    fn json(&self, _: &Connection) -> Result<String> {
        Ok("null".into())
    }
}

impl Answer for Vec<String> {
    fn json(&self, connection: &Connection) -> Result<String> {
        let mut quoted = Vec::new();
        for text in self {
            quoted.extend(texts(connection, "SELECT json_quote(?)", &[text])?);
        }
        Ok(format!("[{}]", quoted.join(",")))
    }
}

impl Answer for Imported {
    fn json(&self, connection: &Connection) -> Result<String> {
        let mut left_out = Vec::new();
        for LeftOut { kind, name, table, sql } in &self.left_out {
            let object = "SELECT json_object('type', ?, 'name', ?, 'table', ?, 'sql', ?)";
            left_out.extend(texts(connection, object, &[kind, name, table, sql])?);
        }
        Ok(format!(r#"{{"applied":{},"leftOut":[{}]}}"#, self.applied.json(connection)?, left_out.join(",")))
    }
}

impl Answer for Backup {
    fn json(&self, connection: &Connection) -> Result<String> {
        let sql = "SELECT json_object('id', ?, 'createdAt', ?, 'revisions', json(?))";
        let (at, revisions) = (self.created_at as i64, self.revisions.json(connection)?);
        Ok(texts(connection, sql, &[&self.id, &at, &revisions])?.concat())
    }
}

impl Memory {
    /// The answers kept for a client, oldest first: as they were passed to [`Memory::keep_answers`], or
    /// `[[sequence, { "value": answer }]]` for a call that was announced by [`Memory::enter`].
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn answers(&self, client: &str) -> Result<Vec<String>> {
        let connection = self.db.connection();
        if !has_table(connection, REQUESTS)? {
            return Ok(Vec::new());
        }
        texts(connection, "SELECT answers FROM synth_requests WHERE client = ? ORDER BY sequence", &[&client])
    }

    /// Keeps the answers to calls of a client, the last of which has the number `last`, as a part of the batch that
    /// made them. Deletes its answers to calls before the number `acknowledged`.
    ///
    /// # Errors
    ///
    /// If the file cannot be written. The whole batch is then rolled back.
    pub fn keep_answers(&self, client: &str, acknowledged: i64, last: i64, answers: &str) -> Result<()> {
        if self.db.is_read_only() {
            return Ok(());
        }
        let kept = self.db.with_batch(&mut || {
            let connection = self.db.connection();
            insert(connection, INSERT, &[&client, &last, &answers, &self.db.now()])?;
            execute(connection, ACKNOWLEDGE, &[&client, &acknowledged]).map(drop)
        });
        self.after_batch(kept)
    }

    /// Announces that the next call is this request, so that its answer is entered in the call's own transaction. If
    /// the call fails, nothing is entered.
    ///
    /// It is for calls that cannot be part of a batch: `upgrade`, `downgrade`, `stamp`, `ensure_version`, `accept`,
    /// `import`, `restore` and `back_up`.
    pub fn enter(&self, client: &str, sequence: i64) {
        *self.ledger.expected.borrow_mut() = Some((client.to_owned(), sequence));
    }

    /// Deletes the answers to the calls of a client before this number, which it has received.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn acknowledge(&self, client: &str, below: i64) -> Result<()> {
        let connection = self.db.connection();
        if self.db.is_read_only() || !has_table(connection, REQUESTS)? {
            return Ok(());
        }
        self.db.atomically(&mut || execute(connection, ACKNOWLEDGE, &[&client, &below]).map(drop))
    }

    /// Deletes the answers of clients that have not come back for a day; drops the table if it is empty then.
    pub(super) fn forget_requests(&self) -> Result<()> {
        let connection = self.db.connection();
        if self.db.is_read_only() || !has_table(connection, REQUESTS)? {
            return Ok(());
        }
        let before = self.db.now() - KEPT_FOR;
        let old = "SELECT client FROM synth_requests WHERE answered_at < ? LIMIT 1";
        if texts(connection, old, &[&before])?.is_empty() && !is_empty(connection)? {
            return Ok(());
        }
        self.db.atomically(&mut || {
            execute(connection, "DELETE FROM synth_requests WHERE answered_at < ?", &[&before])?;
            drop_empty(connection)
        })
    }

    /// Ends a call that has its own transaction. Enters the answer here if the call did not, because it had nothing to
    /// change in the database.
    pub(super) fn answered<T: Answer>(&self, result: Result<T>) -> Result<T> {
        self.end_call(result.as_ref().ok().map(|answer| answer as &dyn Answer)).and(result)
    }

    fn end_call(&self, answer: Option<&dyn Answer>) -> Result<()> {
        let is_expected = self.ledger.expected.borrow().is_some() && !self.db.is_read_only();
        let entered = match answer.filter(|_| is_expected) {
            Some(answer) => self.db.atomically(&mut || self.ledger.enter(self.db.connection(), answer)),
            None => Ok(()),
        };
        self.ledger.expected.take();
        entered
    }
}
