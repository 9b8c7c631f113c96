//! Compares a database's schema with a declared one, and writes the scripts that take one to the other.
//!
//! ```
//! use rusqlite::Connection;
//! use synth_memory::migrate::autogenerate::{Renames, compare, declared};
//!
//! let from = Connection::open_in_memory()?;
//! from.execute_batch("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")?;
//! let to = declared("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, mood TEXT);")?;
//!
//! let difference = compare(&from, &to, &Renames::default())?;
//! assert_eq!(difference.operations, ["add column notes.mood TEXT"]);
//! assert_eq!(difference.up, "ALTER TABLE notes ADD COLUMN mood TEXT;\n");
//! assert_eq!(difference.down, "ALTER TABLE notes DROP COLUMN mood;\n");
//! # Ok::<(), synth_memory::Error>(())
//! ```

mod describe;
mod fill;
mod reflect;
mod renames;
mod script;

use rusqlite::Connection;
use serde::Serialize;
use tsify::Tsify;

use crate::error::{Error, ErrorCode, Result};
use crate::migrate::{MigrationDirection, sql};
pub(crate) use reflect::Schema;
use reflect::tokens;
pub use renames::Renames;

/// How a declared schema differs from what the revisions make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Tsify)]
pub struct SchemaCheck {
    /// Each difference in words, such as `add column turns.mood TEXT`; empty if the schemas are the same.
    pub operations: Vec<String>,
    /// Possible renames, as questions to answer before a revision is written.
    pub questions: Vec<String>,
    /// The statements that take the revisions' schema to the declared one; empty while there are questions.
    pub up: String,
    /// The statements that take the declared schema back to the revisions' one; empty while there are questions.
    pub down: String,
    /// Why a revision of the app cannot be taken back exactly and applied again, one text for each. Tried in memory, on
    /// tables without rows.
    pub failures: Vec<String>,
}

impl SchemaCheck {
    /// The difference, if no questions are left.
    ///
    /// # Errors
    ///
    /// `invalid_argument` with the questions, if there are any.
    pub fn answered(self) -> Result<Self> {
        if self.questions.is_empty() {
            return Ok(self);
        }
        Err(Error::invalid_argument(self.questions.join(" "))
            .with_hint("Answer each with a rename or a drop. This decides whether the values are kept."))
    }
}

/// Compares two schemas and writes the scripts from one to the other and back.
///
/// Comments, white space, the case of words and the quotes of names make no difference; the order of columns does. The
/// tables that SQLite, FTS5, Alembic and this crate keep for themselves are ignored.
///
/// A script cannot know the existing rows. So its comments say which values are made up, which values change with their
/// column's type, and which values a STRICT table would reject. Rejected values make the revision fail; no value is
/// lost to a `CAST`.
///
/// # Errors
///
/// `invalid_argument` if the renames do not fit; `migration_failed` if no script was found.
pub fn compare(from: &Connection, to: &Connection, renames: &Renames) -> Result<SchemaCheck> {
    let (before, after) = (Schema::read(from)?, Schema::read(to)?);
    renames.check(&before, &after)?;
    if before.equals(&after) {
        return Ok(SchemaCheck::default());
    }
    let questions = renames.questions(&before, &after);
    if !questions.is_empty() {
        let operations = describe::differences(&before, &after);
        return Ok(SchemaCheck { operations, questions, ..SchemaCheck::default() });
    }
    let up = script::write(&before, to, &after, renames, MigrationDirection::Up)?;
    let down = script::write(&after, from, &before, &renames.inverse(), MigrationDirection::Down)?;
    let mut operations = renames.descriptions();
    operations.extend(describe::differences(&up.renamed, &after));
    Ok(SchemaCheck { operations, up: up.text, down: down.text, questions, ..SchemaCheck::default() })
}

/// The differences of two schemas, one line for each; none if they are the same.
pub(crate) fn in_words(from: &Schema, to: &Schema) -> Vec<String> {
    if from.equals(to) { Vec::new() } else { describe::differences(from, to) }
}

/// Creates a declared schema in an empty database in memory.
///
/// # Errors
///
/// `invalid_sql`, naming the statement, if SQLite rejects it or if it does not create a table, index, trigger, view or
/// virtual table; `invalid_sql` also if a view or trigger names something that does not exist.
pub fn declared(schema: &str) -> Result<Connection> {
    let connection = Connection::open_in_memory()?;
    declare(&connection, schema)?;
    Ok(connection)
}

/// Adds a declared schema to what a database has already.
///
/// # Errors
///
/// As for [`declared`].
pub(crate) fn declare(connection: &Connection, schema: &str) -> Result<()> {
    for (at, statement) in sql::split(schema).into_iter().enumerate() {
        let found = tokens(statement);
        let Some(first) = found.first().filter(|first| !first.is_sign(";")) else { continue };
        let text = &statement[first.start..];
        let wrong = |error: Option<Error>, why: &str| {
            let begin: String = text.lines().next().unwrap_or_default().chars().take(60).collect();
            let message = format!("Statement {} of the schema ({}): {why}.", at + 1, begin.trim_end());
            let code = ErrorCode::InvalidSql;
            error
                .map_or_else(|| Error::new(code, message.clone()), |error| error.recast(code, message.clone()))
                .with_hint("Correct it in the declared schema. Nothing was written.")
        };
        let is =
            |at: usize, words: &[&str]| words.iter().any(|word| found.get(at).is_some_and(|token| token.is_word(word)));
        if !is(0, &["CREATE"]) || !is(1, &["TABLE", "INDEX", "UNIQUE", "TRIGGER", "VIEW", "VIRTUAL"]) {
            return Err(wrong(None, "only CREATE TABLE, INDEX, TRIGGER, VIEW and VIRTUAL TABLE are allowed"));
        }
        if let Err(error) = connection.execute_batch(text).map_err(Error::from) {
            let why = error.reason().to_owned();
            return Err(wrong(Some(error), &why));
        }
    }
    // A rename makes SQLite check every view and trigger. Creating them does not.
    const LOOK: &str =
        "CREATE TABLE synth_look (x); ALTER TABLE synth_look RENAME TO synth_looked; DROP TABLE synth_looked";
    connection.execute_batch(LOOK).map_err(|error| {
        let error = Error::from(error);
        let message = format!("The declared schema is inconsistent: {}.", error.reason());
        error
            .recast(ErrorCode::InvalidSql, message)
            .with_hint("Correct it in the declared schema. Nothing was written.")
    })
}
