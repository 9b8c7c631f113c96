//! What use teaches: which memories were used, which settled an open question, and which misled.

use rusqlite::params;

use super::Recall;
use super::item::Item;
use super::reference::MemoryReference;
use crate::error::{Error, Result};
use crate::tables::table::Rows;
use crate::tables::uncertainty::Uncertainty;

impl Recall<'_> {
    /// Marks a question as resolved, and notes which memories settled it and which misled. Recall ranks them by that. A
    /// second call replaces the first, with all that it noted.
    ///
    /// # Errors
    ///
    /// `not_found` if there is no such question or memory; in that case nothing is noted.
    pub fn resolve(
        &self,
        doubt: i64,
        pattern: &str,
        settled: &[MemoryReference],
        misled: &[MemoryReference],
    ) -> Result<()> {
        // A deleted row may have had one of these ids. Indexing removes its lessons; done later, that would also remove
        // the new ones.
        self.index()?;
        let items =
            |references: &[MemoryReference]| references.iter().map(|one| self.item(one)).collect::<Result<Vec<_>>>();
        let (settled, misled) = (items(settled)?, items(misled)?);
        if settled.iter().any(|item| misled.contains(item)) {
            return Err(Error::invalid_argument("A memory cannot both settle a question and mislead in it."));
        }
        self.db.atomically(&mut || {
            Rows::<Uncertainty>::new(self.db).resolve(doubt, pattern.to_owned())?;
            for (items, effect) in [(&settled, 1), (&misled, -1)] {
                let sql = "INSERT OR REPLACE INTO memory_lessons (id, uncertainty, effect) VALUES (?, ?, ?)";
                let mut statement = self.connection().prepare_cached(sql)?;
                for item in items {
                    statement.execute(params![item.0, doubt, effect])?;
                }
            }
            Ok(())
        })
    }

    /// Counts that rows were used. [`Recall::write_uses`] stores the counts, because a read must not wait for the disk.
    pub(super) fn use_of(&self, items: impl Iterator<Item = Item>) {
        let used = &mut self.state.borrow_mut().used;
        for item in items {
            *used.entry(item.0).or_default() += 1;
        }
    }

    /// Stores the uses counted since the last call.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_uses(&self) -> Result<()> {
        let used = std::mem::take(&mut self.state.borrow_mut().used);
        if used.is_empty() || self.db.is_read_only() {
            return Ok(());
        }
        let now = self.db.now();
        self.db.atomically(&mut || {
            let sql = "INSERT INTO memory_uses (id, uses, used_at) VALUES (?, ?, ?)
                       ON CONFLICT (id) DO UPDATE SET uses = uses + excluded.uses, used_at = excluded.used_at";
            let mut statement = self.connection().prepare_cached(sql)?;
            for (id, times) in &used {
                statement.execute(params![id, times, now])?;
            }
            Ok(())
        })
    }
}
