//! Makes the index of words again from the rows. It holds nothing else, so a damaged one is replaced, and one that
//! another program may have written is not trusted.

use rusqlite::Connection;

use super::index::Index;
use crate::db::{ask, run};
use crate::error::Result;

impl Index<'_> {
    /// Asks a question of an index that is up to date.
    ///
    /// # Errors
    ///
    /// Those of the question; `schema_mismatch` if the memory is at a revision without an index.
    pub(super) fn answer<T>(&self, question: &mut dyn FnMut() -> Result<T>) -> Result<T> {
        self.prepare_question()?;
        self.repaired(question)
    }

    /// Asks a question. If SQLite finds the index damaged, makes it again and asks once more. In a read-only memory it
    /// cannot be made again.
    ///
    /// # Errors
    ///
    /// Those of the question.
    pub(crate) fn repaired<T>(&self, question: &mut dyn FnMut() -> Result<T>) -> Result<T> {
        match question() {
            Err(error) if error.is_of_virtual_table() && !self.db.is_read_only() => {
                let made = self.db.atomically_relaxed(&mut || reset(self.db.connection()));
                // If it cannot be made again, more than the index is damaged, as the first error says.
                if made.and_then(|()| self.bring_up_to_date()).is_err() {
                    return Err(error);
                }
                question()
            }
            answer => answer,
        }
    }
}

/// Replaces the index by an empty one. Every row is new then, and keeps its vector.
///
/// # Errors
///
/// If the file is damaged beyond the index, or cannot be written.
pub(crate) fn reset(connection: &Connection) -> Result<()> {
    let declared: String = ask(connection, "SELECT sql FROM sqlite_schema WHERE name = 'memory_fts'")?;
    run(connection, &format!("DROP TABLE memory_fts; {declared}; DELETE FROM memory_indexed WHERE tbl >= 0"))
}
