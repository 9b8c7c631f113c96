//! The ledger: what clients were answered, entered in the transaction that made the change.
//!
//! Whoever asks from another tab may not learn of the answer, as the tab that has the file can go at any moment. It sends
//! its request again, to whoever has the file next, and is answered from the ledger; so nothing is done twice. An entry
//! goes when its client says that it has the answer, or after a day.
//!
//! The table is no revision's, for the answer to a downgrade must outlive it. It comes with the first entry, and goes at an
//! opening that finds none left.

use std::cell::RefCell;

use rusqlite::Connection;
use rusqlite::types::ToSql;

use super::{Imported, Memory};
use crate::db::{Clock, ask, execute, has_table, texts};
use crate::error::Result;
use crate::migrate::LeftOut;
use crate::migrate::backup::Backup;
use crate::migrate::history::REQUESTS;

/// How long an answer is kept for a client that does not come back, in seconds.
const KEPT_FOR: f64 = 86_400.0;

/// A row holds the answers to several calls of one client that shared a transaction; `sequence` is the number of the last.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS synth_requests (client TEXT NOT NULL, sequence INTEGER NOT NULL, \
                      answers TEXT NOT NULL, answered_at REAL NOT NULL, PRIMARY KEY (client, sequence)) WITHOUT ROWID";
const INSERT: &str = "INSERT INTO synth_requests (client, sequence, answers, answered_at) VALUES (?, ?, ?, ?)";
/// The same with the answer to one call.
const ENTER: &str = "INSERT INTO synth_requests (client, sequence, answers, answered_at) \
                     VALUES (?1, ?2, json_array(json_array(?2, json_object('value', json(?3)))), ?4)";
/// The same with all that another database holds, as JSON.
const TAKE_OVER: &str = "INSERT INTO synth_requests (client, sequence, answers, answered_at) \
                         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)";
const ACKNOWLEDGE: &str = "DELETE FROM synth_requests WHERE client = ? AND sequence < ?";

/// The request whose answer the next transaction of a call enters, if there is one.
pub(super) struct Ledger {
    clock: Clock,
    expected: RefCell<Option<(String, i64)>>,
}

impl Ledger {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, expected: RefCell::default() }
    }

    /// Enters the answer, if one is expected, as a part of the transaction that is open.
    pub(super) fn enter(&self, connection: &Connection, answer: &dyn Answer) -> Result<()> {
        let Some((client, sequence)) = self.expected.take() else { return Ok(()) };
        let answer = answer.json(connection)?;
        insert(connection, ENTER, &[&client, &sequence, &answer, &self.clock.now()])
    }
}

fn insert(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<()> {
    // Where the table is there, as it nearly always is, this compiles to nothing.
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

/// Gives a database that takes the place of the live one the entries of the live one; its own were of another file.
pub(super) fn take_over(live: &Connection, source: &Connection) -> Result<()> {
    source.execute_batch("DROP TABLE IF EXISTS synth_requests")?;
    if !has_table(live, REQUESTS)? {
        return Ok(());
    }
    let entries = "SELECT json_group_array(json_array(client, sequence, answers, answered_at)) FROM synth_requests";
    let entries = texts(live, entries, &[])?.pop();
    insert(source, TAKE_OVER, &[&entries])
}

/// The answer of a call that has a transaction of its own, as JavaScript has it.
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
    /// What is kept for a client, oldest first, as it was given to [`Memory::keep_answers`]; of a call that was announced
    /// by [`Memory::enter`], `[[sequence, { "value": answer }]]`.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub fn answers(&self, client: &str) -> Result<Vec<String>> {
        let connection = self.db.connection();
        if !has_table(connection, REQUESTS)? {
            return Ok(Vec::new());
        }
        texts(connection, "SELECT answers FROM synth_requests WHERE client = ? ORDER BY sequence", &[&client])
    }

    /// Keeps the answers to calls of a client, up to the one with the number `last`, as a part of the batch that made them;
    /// and deletes those to calls before `acknowledged`.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written. The batch is then rolled back, and nothing of it is kept.
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

    /// Announces that the call that comes next is this request, so that its answer is entered in its own transaction. If the
    /// call fails, nothing is entered.
    ///
    /// It is for calls that are no part of a batch: `upgrade`, `downgrade`, `stamp`, `ensure_version`, `accept`, `import`,
    /// `restore` and `back_up`.
    pub fn enter(&self, client: &str, sequence: i64) {
        *self.ledger.expected.borrow_mut() = Some((client.to_owned(), sequence));
    }

    /// Deletes the answers to the calls of a client before this number, which it has.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn acknowledge(&self, client: &str, below: i64) -> Result<()> {
        let connection = self.db.connection();
        if self.db.is_read_only() || !has_table(connection, REQUESTS)? {
            return Ok(());
        }
        self.db.atomically(&mut || execute(connection, ACKNOWLEDGE, &[&client, &below]).map(drop))
    }

    /// Deletes what was kept for clients that have not come back for a day; if nothing is left, the table.
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

    /// Ends a call that has a transaction of its own. If that did not enter the answer, as there was nothing to do in the
    /// database, it is entered here.
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
