//! What use teaches: which memories were of use, which settled a doubt, which misled.

use rusqlite::{OptionalExtension, params};

use super::Recall;
use super::item::Item;
use crate::error::{Error, ErrorCode, Result};
use crate::tables::Source;
use crate::tables::table::Rows;
use crate::tables::uncertainty::Uncertainty;

/// A row as a caller knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// By its table and its id.
    Row(Source, i64),
    /// An entry of long-term knowledge, by its key.
    Key(String),
}

impl Recall<'_> {
    /// The row that is meant.
    ///
    /// # Errors
    ///
    /// `not_found` where there is none.
    pub fn item(&self, reference: &Reference) -> Result<Item> {
        let (item, name) = match reference {
            Reference::Row(source, id) => (Some(Item::new(*source, *id)), format!("row {id} of {source:?}")),
            Reference::Key(key) => {
                let mut statement = self.connection().prepare_cached("SELECT rowid FROM long_term WHERE key = ?")?;
                let row: Option<i64> = statement.query_row([key], |row| row.get(0)).optional()?;
                (row.map(|row| Item::new(Source::LongTerm, row)), format!("entry {key:?} of long-term knowledge"))
            }
        };
        let found = match item {
            Some(item) => self.evidence(item)?.map(|_| item),
            None => None,
        };
        found.ok_or_else(|| Error::new(ErrorCode::NotFound, format!("There is no {name} to refer to.")))
    }

    /// Marks a doubt as settled, and notes which memories settled it and which misled: recall ranks them by it.
    ///
    /// # Errors
    ///
    /// `not_found` where there is no such doubt or memory; nothing is noted then.
    pub fn resolve(&self, doubt: i64, pattern: &str, settled: &[Reference], misled: &[Reference]) -> Result<()> {
        let items = |references: &[Reference]| references.iter().map(|one| self.item(one)).collect::<Result<Vec<_>>>();
        let (settled, misled) = (items(settled)?, items(misled)?);
        if settled.iter().any(|item| misled.contains(item)) {
            return Err(Error::invalid_argument("A memory cannot both have settled a doubt and misled in it."));
        }
        self.db.atomically(&mut || {
            Rows::<Uncertainty>::new(self.db).resolve(doubt, pattern.to_owned())?;
            self.connection().prepare_cached("DELETE FROM memory_lessons WHERE uncertainty = ?")?.execute([doubt])?;
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

    /// Notes that rows were of use. It is written down by [`Recall::write_uses`]: a read shall not wait for the disk.
    pub(super) fn use_of(&self, items: impl Iterator<Item = Item>) {
        let used = &mut self.state.borrow_mut().used;
        for item in items {
            *used.entry(item.0).or_default() += 1;
        }
    }

    /// Writes down what was of use since it last was.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn write_uses(&self) -> Result<()> {
        let used = std::mem::take(&mut self.state.borrow_mut().used);
        if used.is_empty() || self.db.is_read_only() {
            return Ok(());
        }
        let now = self.db.now();
        self.db.atomically(&mut || {
            let sql = "UPDATE memory_items SET uses = uses + ?, used_at = ? WHERE id = ?";
            let mut statement = self.connection().prepare_cached(sql)?;
            for (id, times) in &used {
                statement.execute(params![times, now, id])?;
            }
            Ok(())
        })
    }
}
