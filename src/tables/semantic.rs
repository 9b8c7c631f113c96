//! `semantic_memories`: facts, each with a category and an importance.

use serde::Deserialize;
use tsify::Tsify;

use super::columns::table;
use super::fields::{Conditions, Fields, check_period, check_range};
use super::memory_table::MemoryTable;
use super::table::Table;
use super::values::{JsonText, Seconds};
use crate::error::Result;
use crate::words::Match;

table! {
    /// A fact. Every column but the id can be NULL in a file of another program.
    SemanticMemory;
    /// A fact to be remembered.
    NewSemanticMemory;
    /// What to change of a fact: an absent field stays unchanged.
    SemanticMemoryPatch;

    /// The row's id.
    [id] id: i64;
    /// When it was learnt; in a new row, now by default.
    [default Fields::now] timestamp: Seconds = time();
    /// The fact, in words.
    [required] content: String = text();
    /// Its category, such as `preference`; in a new row, `general` by default.
    [default |_| "general".into()] category: String = text();
    /// How important it is, from 0 to 1; in a new row, 0.5 by default.
    [default |_| 0.5] importance: f64 = real(0.0, 1.0);
    /// Any other data; in a new row, `{}` by default.
    [default |_| "{}".into()] metadata: JsonText = json();
}

/// Selects facts; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SemanticMemoryFilter {
    /// With one of these categories.
    #[tsify(optional)]
    pub categories: Option<Vec<String>>,
    /// With at least this importance, from 0 to 1.
    #[tsify(optional)]
    pub min_importance: Option<f64>,
    /// With at most this importance, from 0 to 1.
    #[tsify(optional)]
    pub max_importance: Option<f64>,
    /// At or after this time.
    #[tsify(optional, type = "Seconds")]
    pub since: Option<f64>,
    /// Before this time.
    #[tsify(optional, type = "Seconds")]
    pub until: Option<f64>,
    /// With these words. Words are stemmed; case and accents are ignored.
    #[tsify(optional)]
    pub search: Option<String>,
    /// Whether `search` needs all of its words, the default, or any of them.
    #[serde(default)]
    #[tsify(optional)]
    pub matching: Match,
}

/// What facts can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum SemanticMemoryOrder {
    /// By id: in the order in which they were remembered.
    #[default]
    Id,
    /// By their timestamp.
    Timestamp,
    /// By importance.
    Importance,
}

impl Table for SemanticMemory {
    type Key = i64;
    type Filter = SemanticMemoryFilter;
    type Order = SemanticMemoryOrder;

    const NAME: &'static str = "semantic_memories";
    const KEY: &'static str = "id";

    fn filter(filter: SemanticMemoryFilter, conditions: &mut Conditions) -> Result<()> {
        check_range("Importance", [filter.min_importance, filter.max_importance], 0.0, 1.0)?;
        check_period(filter.since, filter.until)?;
        conditions
            .and_in("category", filter.categories)
            .and("importance >= ?", filter.min_importance)
            .and("importance <= ?", filter.max_importance)
            .and("timestamp >= ?", filter.since)
            .and("timestamp < ?", filter.until)
            .and_found(MemoryTable::Semantic, filter.search, filter.matching)?;
        Ok(())
    }

    fn order(order: SemanticMemoryOrder) -> &'static str {
        match order {
            SemanticMemoryOrder::Id => "id",
            SemanticMemoryOrder::Timestamp => "timestamp",
            SemanticMemoryOrder::Importance => "importance",
        }
    }
}
