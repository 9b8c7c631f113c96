//! `long_term`: JSON values by key.

use serde::Deserialize;
use tsify::Tsify;

use super::columns::table;
pub use super::fields::MAX_KEY_BYTES;
use super::fields::{Conditions, Fields, check_period};
use super::memory_table::MemoryTable;
use super::table::Table;
use super::values::{JsonText, Seconds};
use crate::error::Result;
use crate::words::Match;

table! {
    /// A JSON value and its key. Every column but the key can be NULL in a file of another program.
    Entry;
    /// A value to be set, whether its key exists or not.
    NewEntry;
    /// What to change of an existing entry: an absent field stays unchanged.
    EntryPatch;

    /// The key, 1 to 1,024 bytes of UTF-8.
    [key] key: String = key();
    /// The value.
    [required] value: JsonText = json();
    /// When it was last set; in a new row and in a patch, now by default.
    [touched Fields::now] updated_at: Seconds = time();
}

/// Selects entries; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntryFilter {
    /// With a key that begins with this text.
    #[tsify(optional)]
    pub prefix: Option<String>,
    /// Set at or after this time.
    #[tsify(optional, type = "Seconds")]
    pub since: Option<f64>,
    /// Set before this time.
    #[tsify(optional, type = "Seconds")]
    pub until: Option<f64>,
    /// With these words in the key or in the value. Words are stemmed; case and accents are ignored.
    #[tsify(optional)]
    pub search: Option<String>,
    /// Whether `search` needs all of its words, the default, or any of them.
    #[serde(default)]
    #[tsify(optional)]
    pub matching: Match,
}

/// What entries can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum EntryOrder {
    /// By key, compared byte by byte.
    #[default]
    Key,
    /// By the time at which they were set.
    UpdatedAt,
}

impl Table for Entry {
    type Key = String;
    type Filter = EntryFilter;
    type Order = EntryOrder;

    const NAME: &'static str = "long_term";
    const KEY: &'static str = "key";
    const ON_CONFLICT: &'static str =
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";

    fn filter(filter: EntryFilter, conditions: &mut Conditions) -> Result<()> {
        check_period(filter.since, filter.until)?;
        // The key's index serves a range; LIKE and GLOB would read every row. UTF-8 bytes sort like code points.
        let end = filter.prefix.as_deref().and_then(after_every_key_with);
        conditions
            .and("key >= ?", filter.prefix)
            .and("key < ?", end)
            .and("updated_at >= ?", filter.since)
            .and("updated_at < ?", filter.until)
            .and_found(MemoryTable::LongTerm, filter.search, filter.matching)?;
        Ok(())
    }

    fn order(order: EntryOrder) -> &'static str {
        match order {
            EntryOrder::Key => "key",
            EntryOrder::UpdatedAt => "updated_at",
        }
    }
}

/// The smallest text above all texts that begin with `prefix`; `None` if there is none.
fn after_every_key_with(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // The code points after U+D7FF and U+10FFFF are not characters.
        let next = (last as u32 + 1..=0x10FFFF).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}
