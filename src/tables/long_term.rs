//! `long_term`: what is known, a JSON value under each key.

use rusqlite::Row;

use super::fields::{Conditions, Fields};
use super::table::{Table, read_columns};
use crate::error::{Error, Result};
use crate::words::Match;

/// The longest key, in bytes of UTF-8.
pub const MAX_KEY_BYTES: usize = 1024;

/// A row of `long_term`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// What is known, as JSON text.
    pub value: Option<String>,
    /// When it was last set, in Unix seconds.
    pub updated_at: Option<f64>,
}

/// A key to be set, whether it exists or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewEntry {
    /// The key, 1 to [`MAX_KEY_BYTES`] bytes.
    pub key: String,
    /// What is known, as JSON text.
    pub value: String,
    /// When it was set, in Unix seconds; now by default.
    pub updated_at: Option<f64>,
}

/// What to change of an entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntryPatch {
    /// What is known, as JSON text.
    pub value: Option<String>,
    /// When it was set, in Unix seconds; now by default.
    pub updated_at: Option<f64>,
}

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntryFilter {
    /// Whose key begins so.
    pub prefix: Option<String>,
    /// Set from this time on, in Unix seconds.
    pub since: Option<f64>,
    /// Set before this time, in Unix seconds.
    pub until: Option<f64>,
    /// With these words in the key, or in the value; stemmed, case and accents aside.
    pub search: Option<String>,
    /// Whether a search needs every word or any.
    pub matching: Match,
}

/// What entries can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EntryOrder {
    /// By key, byte by byte.
    #[default]
    Key,
    /// By when they were set.
    UpdatedAt,
}

impl Table for Entry {
    type Key = String;
    type New = NewEntry;
    type Patch = EntryPatch;
    type Filter = EntryFilter;
    type Order = EntryOrder;

    const NAME: &'static str = "long_term";
    const KEY: &'static str = "key";
    const COLUMNS: &'static str = "key, value, updated_at";
    const ON_CONFLICT: &'static str =
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut read = Self::default();
        read_columns(row, &mut [&mut read.key, &mut read.value, &mut read.updated_at])?;
        Ok(read)
    }

    fn insert(new: NewEntry, fields: &mut Fields<'_>) {
        let bytes = new.key.len();
        if !(1..=MAX_KEY_BYTES).contains(&bytes) {
            let message = format!("key is {bytes} bytes of UTF-8; it must be from 1 to {MAX_KEY_BYTES}.");
            fields.refuse(Error::invalid_argument(message));
        }
        let now = fields.now();
        fields
            .text("key", Some(new.key))
            .json("value", Some(new.value))
            .time("updated_at", new.updated_at.or(Some(now)));
    }

    fn change(patch: EntryPatch, fields: &mut Fields<'_>) {
        let updated_at = patch.updated_at.unwrap_or_else(|| fields.now());
        fields.json("value", patch.value).time("updated_at", Some(updated_at));
    }

    fn filter(filter: EntryFilter, conditions: &mut Conditions) -> Result<()> {
        // A range, which the key's index answers; LIKE and GLOB would read every row. Bytes order as code points do.
        let end = filter.prefix.as_deref().and_then(after_every_key_with);
        conditions
            .and("key >= ?", filter.prefix)
            .and("key < ?", end)
            .and("updated_at >= ?", filter.since)
            .and("updated_at < ?", filter.until)
            .and_found(
                "rowid IN (SELECT rowid >> 3 FROM memory_fts WHERE memory_fts MATCH ? AND rowid & 7 = 3)",
                filter.search,
                filter.matching,
            )?;
        Ok(())
    }

    fn order(order: EntryOrder) -> &'static str {
        match order {
            EntryOrder::Key => "key",
            EntryOrder::UpdatedAt => "updated_at",
        }
    }
}

/// The least text above all that begin with `prefix`; none where no text is.
fn after_every_key_with(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // The code points after U+D7FF and U+10FFFF are no characters.
        let next = (last as u32 + 1..=0x10FFFF).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}
