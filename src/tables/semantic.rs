//! `semantic_memories`: facts, each with a category and a weight.

use serde::Deserialize;
use tsify::Tsify;

use super::columns::table;
use super::fields::{Conditions, Fields};
use super::memory_table::MemoryTable;
use super::table::Table;
use super::values::{JsonText, Seconds};
use crate::error::Result;
use crate::words::Match;

table! {
    /// A fact. Every column may be NULL in a file from elsewhere.
    SemanticMemory;
    /// A fact to be remembered.
    NewSemanticMemory;
    /// What to change of a fact: a column that is not named stays as it is.
    SemanticMemoryPatch;

    /// The row's id.
    [id] id: i64;
    /// When it was learnt; of a new row, now by default.
    [default Fields::now] timestamp: Seconds = time();
    /// The fact, in words.
    [required] content: String = text();
    /// What kind of fact, such as `preference`; of a new row, `general` by default.
    [default |_| "general".into()] category: String = text();
    /// How much it weighs, from 0 to 1; of a new row, 0.5 by default.
    [default |_| 0.5] importance: f64 = real(0.0, 1.0);
    /// Anything else; of a new row, `{}` by default.
    [default |_| "{}".into()] metadata: JsonText = json();
}

/// Which facts.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SemanticMemoryFilter {
    /// Of one of these kinds.
    #[tsify(optional)]
    pub categories: Option<Vec<String>>,
    /// That weigh at least this.
    #[tsify(optional)]
    pub min_importance: Option<f64>,
    /// That weigh at most this.
    #[tsify(optional)]
    pub max_importance: Option<f64>,
    /// From this time on.
    #[tsify(optional, type = "Seconds")]
    pub since: Option<f64>,
    /// Before this time.
    #[tsify(optional, type = "Seconds")]
    pub until: Option<f64>,
    /// With these words; stemmed, case and accents aside.
    #[tsify(optional)]
    pub search: Option<String>,
    /// Whether a search needs every word or any.
    #[serde(default)]
    #[tsify(optional)]
    pub matching: Match,
}

/// What facts can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum SemanticMemoryOrder {
    /// As they were remembered.
    #[default]
    Id,
    /// By their time.
    Timestamp,
    /// By their weight.
    Importance,
}

impl Table for SemanticMemory {
    type Key = i64;
    type Filter = SemanticMemoryFilter;
    type Order = SemanticMemoryOrder;

    const NAME: &'static str = "semantic_memories";
    const KEY: &'static str = "id";

    fn filter(filter: SemanticMemoryFilter, conditions: &mut Conditions) -> Result<()> {
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
