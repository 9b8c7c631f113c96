//! `turns`: the conversation. A row holds what the user said and what the assistant answered.

use serde::Deserialize;
use tsify::Tsify;

use super::columns::table;
use super::fields::{Conditions, Fields, check_period};
use super::memory_table::MemoryTable;
use super::table::Table;
use super::values::{JsonText, Seconds};
use crate::error::Result;
use crate::words::Match;

table! {
    /// What the user said and what the assistant answered. Every column but the id can be NULL in a file of another
    /// program.
    Turn;
    /// A turn to be added.
    NewTurn;
    /// What to change of a turn: an absent field stays unchanged.
    TurnPatch;

    /// The row's id.
    [id] id: i64;
    /// When it happened; in a new row, now by default.
    [default Fields::now] timestamp: Seconds = time();
    /// What the user said.
    [required] user_input: String = text();
    /// What the assistant answered; null if it has not answered.
    [nullable] assistant_response: String = nullable_text();
    /// Any other data; in a new row, `{}` by default.
    [default |_| "{}".into()] metadata: JsonText = json();
}

/// Selects turns; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TurnFilter {
    /// At or after this time.
    #[tsify(optional, type = "Seconds")]
    pub since: Option<f64>,
    /// Before this time.
    #[tsify(optional, type = "Seconds")]
    pub until: Option<f64>,
    /// With these words in either text. Words are stemmed; case and accents are ignored.
    #[tsify(optional)]
    pub search: Option<String>,
    /// Whether `search` needs all of its words, the default, or any of them.
    #[serde(default)]
    #[tsify(optional)]
    pub matching: Match,
}

/// What turns can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum TurnOrder {
    /// By id: in the order in which they were added.
    #[default]
    Id,
    /// By their timestamp.
    Timestamp,
}

impl Table for Turn {
    type Key = i64;
    type Filter = TurnFilter;
    type Order = TurnOrder;

    const NAME: &'static str = "turns";
    const KEY: &'static str = "id";

    fn filter(filter: TurnFilter, conditions: &mut Conditions) -> Result<()> {
        check_period(filter.since, filter.until)?;
        conditions.and("timestamp >= ?", filter.since).and("timestamp < ?", filter.until).and_found(
            MemoryTable::Turns,
            filter.search,
            filter.matching,
        )?;
        Ok(())
    }

    fn order(order: TurnOrder) -> &'static str {
        match order {
            TurnOrder::Id => "id",
            TurnOrder::Timestamp => "timestamp",
        }
    }
}
