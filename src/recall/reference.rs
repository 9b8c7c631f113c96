//! References to rows, as callers use them: by table and id, or by key; and the rows themselves.

use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::Recall;
use super::item::Item;
use crate::error::{Error, ErrorCode, Result};
use crate::tables::episodes::Episode;
use crate::tables::long_term::Entry;
use crate::tables::semantic::SemanticMemory;
use crate::tables::turns::Turn;
use crate::tables::uncertainty::Uncertainty;
use crate::tables::{Columns, MemoryTable, Rows};

/// A reference to a row by its table and its id; to an entry of long-term knowledge by its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(tag = "table", rename_all = "camelCase", try_from = "Named")]
pub enum MemoryReference {
    /// A row of `turns`.
    Turns {
        /// Its id.
        id: i64,
    },
    /// A row of `episodes`.
    Episodes {
        /// Its id.
        id: i64,
    },
    /// A row of `semantic_memories`.
    Semantic {
        /// Its id.
        id: i64,
    },
    /// A row of `long_term`.
    LongTerm {
        /// Its key.
        key: String,
    },
    /// A row of `uncertainty_log`.
    Uncertainty {
        /// Its id.
        id: i64,
    },
}

/// A reference as it arrives. Serde's own code for reading a tagged enum takes some 20 KB of WebAssembly.
#[derive(Deserialize)]
struct Named {
    table: MemoryTable,
    id: Option<i64>,
    key: Option<String>,
}

impl TryFrom<Named> for MemoryReference {
    type Error = &'static str;

    fn try_from(Named { table, id, key }: Named) -> std::result::Result<Self, Self::Error> {
        match (table, id, key) {
            (MemoryTable::LongTerm, _, Some(key)) => Ok(Self::LongTerm { key }),
            (MemoryTable::LongTerm, ..) => Err("a reference to longTerm needs a key"),
            (table, Some(id), _) => Self::with_id(table, id).ok_or("the id of a reference must be a safe integer"),
            _ => Err("a reference needs an id"),
        }
    }
}

impl MemoryReference {
    /// A reference to a row of a table with ids; none for an id that JavaScript cannot represent.
    fn with_id(table: MemoryTable, id: i64) -> Option<Self> {
        // No JavaScript number is sure to hold such an id, so no caller could refer to it.
        if id.unsigned_abs() >= 1 << 53 {
            return None;
        }
        Some(match table {
            MemoryTable::Turns => Self::Turns { id },
            MemoryTable::Episodes => Self::Episodes { id },
            MemoryTable::Semantic => Self::Semantic { id },
            MemoryTable::Uncertainty => Self::Uncertainty { id },
            MemoryTable::LongTerm => return None,
        })
    }
}

/// A row of any of the tables, with its columns.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(untagged)]
pub enum RecalledRow {
    /// A row of `turns`.
    Turn(Turn),
    /// A row of `episodes`.
    Episode(Episode),
    /// A row of `semantic_memories`.
    Semantic(SemanticMemory),
    /// A row of `long_term`.
    Entry(Entry),
    /// A row of `uncertainty_log`.
    Uncertainty(Uncertainty),
}

impl Recall<'_> {
    /// The row that a reference names.
    ///
    /// # Errors
    ///
    /// `not_found` if there is none.
    pub fn item(&self, reference: &MemoryReference) -> Result<Item> {
        let (item, name) = match reference {
            MemoryReference::LongTerm { key } => {
                let mut statement = self.connection().prepare_cached("SELECT id FROM long_term_ids WHERE key = ?")?;
                let row: Option<i64> = statement.query_row([key], |row| row.get(0)).optional()?;
                (row.map(|row| Item::new(MemoryTable::LongTerm, row)), format!("entry {key:?} of long-term knowledge"))
            }
            MemoryReference::Turns { id } => Self::named(MemoryTable::Turns, *id),
            MemoryReference::Episodes { id } => Self::named(MemoryTable::Episodes, *id),
            MemoryReference::Semantic { id } => Self::named(MemoryTable::Semantic, *id),
            MemoryReference::Uncertainty { id } => Self::named(MemoryTable::Uncertainty, *id),
        };
        let found = match item {
            Some(item) => self.evidence(item)?.map(|_| item),
            None => None,
        };
        found.ok_or_else(|| Error::new(ErrorCode::NotFound, format!("There is no {name}.")))
    }

    fn named(table: MemoryTable, id: i64) -> (Option<Item>, String) {
        (Some(Item::new(table, id)), format!("row {id} of {}", table.name()))
    }

    /// The reference to a row; none if the row no longer exists or cannot be read.
    pub(super) fn reference(&self, item: Item) -> Result<Option<MemoryReference>> {
        if let Some(reference) = MemoryReference::with_id(item.table(), item.row()) {
            return Ok(Some(reference));
        }
        Ok(self.entry(item)?.map(|entry| MemoryReference::LongTerm { key: entry.key }))
    }

    /// A row and the reference to it; none if the row no longer exists or holds unreadable values.
    pub(super) fn read(&self, item: Item) -> Result<Option<(MemoryReference, RecalledRow)>> {
        let id = item.row();
        let row = match item.table() {
            MemoryTable::Turns => readable(Rows::new(self.db).get(&id))?.map(RecalledRow::Turn),
            MemoryTable::Episodes => readable(Rows::new(self.db).get(&id))?.map(RecalledRow::Episode),
            MemoryTable::Semantic => readable(Rows::new(self.db).get(&id))?.map(RecalledRow::Semantic),
            MemoryTable::Uncertainty => readable(Rows::new(self.db).get(&id))?.map(RecalledRow::Uncertainty),
            MemoryTable::LongTerm => {
                let entry = self.entry(item)?;
                return Ok(entry
                    .map(|entry| (MemoryReference::LongTerm { key: entry.key.clone() }, RecalledRow::Entry(entry))));
            }
        };
        Ok(MemoryReference::with_id(item.table(), id).zip(row))
    }

    fn entry(&self, item: Item) -> Result<Option<Entry>> {
        let mut statement = self.connection().prepare_cached("SELECT key FROM long_term_ids WHERE id = ?")?;
        let key = statement.query_row([item.row()], |row| row.get::<_, String>(0)).optional();
        match key.map_err(Error::from) {
            Ok(Some(key)) => readable(Rows::<Entry>::new(self.db).get(&key)),
            // A key that is not a text.
            Err(error) if error.code() != ErrorCode::UnexpectedValue => Err(error),
            _ => Ok(None),
        }
    }
}

/// Returns none for a row in which another program stored values that cannot be read.
pub(super) fn readable<T: Columns>(read: Result<Option<T>>) -> Result<Option<T>> {
    Ok(read?.filter(|row| row.unreadable().is_empty()))
}
