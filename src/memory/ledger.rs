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

use super::Memory;
use crate::db::{Clock, Db, ask, has_table};
use crate::error::Result;
use crate::migrate::backup::Backup;
use crate::migrate::history::REQUESTS;

/// How long an answer is kept for a client that does not come back, in seconds.
const KEPT_FOR: f64 = 86_400.0;

/// A row holds the answers to several calls of one client that shared a transaction; `sequence` is the number of the last.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS synth_requests (client TEXT NOT NULL, sequence INTEGER NOT NULL, \
                      answers TEXT NOT NULL, answered_at REAL NOT NULL, PRIMARY KEY (client, sequence)) WITHOUT ROWID";
const INSERT: &str = "INSERT INTO synth_requests (client, sequence, answers, answered_at) VALUES (?, ?, ?, ?)";
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
        let answers = "SELECT json_array(json_array(?, json_object('value', json(?))))";
        let answers: String = connection.query_one(answers, (sequence, answer.json(connection)?), |row| row.get(0))?;
        insert(connection, &client, sequence, &answers, self.clock.now())
    }
}

fn insert(connection: &Connection, client: &str, sequence: i64, answers: &str, at: f64) -> Result<()> {
    // Where the table is there, as it nearly always is, this compiles to nothing.
    connection.prepare_cached(CREATE)?.execute([])?;
    connection.prepare_cached(INSERT)?.execute((client, sequence, answers, at))?;
    Ok(())
}

/// Removes the table from a copy that leaves the memory, and its bytes with it.
pub(super) fn leave_out(copy: &Connection) -> Result<()> {
    if !has_table(copy, REQUESTS)? {
        return Ok(());
    }
    Ok(copy.execute_batch("PRAGMA secure_delete = ON; DROP TABLE synth_requests")?)
}

/// Removes the table if it holds nothing.
pub(super) fn drop_empty(connection: &Connection) -> Result<()> {
    if has_table(connection, REQUESTS)? && ask(connection, "SELECT NOT EXISTS (SELECT 1 FROM synth_requests)")? {
        connection.execute_batch("DROP TABLE synth_requests")?;
    }
    Ok(())
}

/// Gives a database that takes the place of the live one the entries of the live one; its own were of another file.
pub(super) fn take_over(live: &Connection, source: &Connection) -> Result<()> {
    source.execute_batch("DROP TABLE IF EXISTS synth_requests")?;
    if !has_table(live, REQUESTS)? {
        return Ok(());
    }
    let mut entries = live.prepare("SELECT client, sequence, answers, answered_at FROM synth_requests")?;
    let mut rows = entries.query([])?;
    while let Some(row) = rows.next()? {
        let (client, answers): (String, String) = (row.get(0)?, row.get(2)?);
        insert(source, &client, row.get(1)?, &answers, row.get(3)?)?;
    }
    Ok(())
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
        let quoted = |text: &String| connection.query_one("SELECT json_quote(?)", [text], |row| row.get(0));
        let all = self.iter().map(quoted).collect::<rusqlite::Result<Vec<String>>>()?;
        Ok(format!("[{}]", all.join(",")))
    }
}

impl Answer for Backup {
    fn json(&self, connection: &Connection) -> Result<String> {
        let sql = "SELECT json_object('id', ?, 'createdAt', ?, 'revisions', json(?))";
        let values = (&self.id, self.created_at as i64, self.revisions.json(connection)?);
        Ok(connection.query_one(sql, values, |row| row.get(0))?)
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
        let sql = "SELECT answers FROM synth_requests WHERE client = ? ORDER BY sequence";
        let mut statement = connection.prepare_cached(sql)?;
        let answers = statement.query_map([client], |row| row.get(0))?;
        Ok(answers.collect::<rusqlite::Result<_>>()?)
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
            insert(connection, client, last, answers, self.db.now())?;
            connection.prepare_cached(ACKNOWLEDGE)?.execute((client, acknowledged))?;
            Ok(())
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
        self.db.atomically(&mut || {
            connection.prepare_cached(ACKNOWLEDGE)?.execute((client, below))?;
            Ok(())
        })
    }

    /// Deletes what was kept for clients that have not come back for a day; if nothing is left, the table.
    pub(super) fn forget_requests(&self) -> Result<()> {
        let connection = self.db.connection();
        if self.db.is_read_only() || !has_table(connection, REQUESTS)? {
            return Ok(());
        }
        let before = self.db.now() - KEPT_FOR;
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM synth_requests WHERE answered_at >= ?1), \
                   EXISTS (SELECT 1 FROM synth_requests WHERE answered_at < ?1)";
        match connection.query_one(sql, [before], |row| Ok((row.get(0)?, row.get(1)?)))? {
            (true, _) => self.db.atomically(&mut || Ok(connection.execute_batch("DROP TABLE synth_requests")?)),
            (false, true) => self.db.atomically(&mut || {
                connection.execute("DELETE FROM synth_requests WHERE answered_at < ?", [before])?;
                Ok(())
            }),
            (false, false) => Ok(()),
        }
    }

    /// Carries out a call that has a transaction of its own. Where that has not entered the answer, as there was nothing to
    /// do in the database, it is entered here.
    pub(super) fn answering<T: Answer>(&mut self, call: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let result = call(self);
        let Self { db, ledger, .. } = self;
        let entered = match &result {
            Ok(answer) => enter_alone(db, ledger, answer),
            Err(_) => Ok(()),
        };
        ledger.expected.take();
        entered.and(result)
    }
}

fn enter_alone(db: &Db, ledger: &Ledger, answer: &dyn Answer) -> Result<()> {
    if ledger.expected.borrow().is_none() || db.is_read_only() {
        return Ok(());
    }
    db.atomically(&mut || ledger.enter(db.connection(), answer))
}
