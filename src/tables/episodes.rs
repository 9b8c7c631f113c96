//! `episodes`: events, each with its type, its content and its valence.

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
    /// An event. Every column but the id can be NULL in a file of another program.
    Episode;
    /// An event to be recorded.
    NewEpisode;
    /// What to change of an event: an absent field stays unchanged.
    EpisodePatch;

    /// The row's id.
    [id] id: i64;
    /// When it happened; in a new row, now by default.
    [default Fields::now] timestamp: Seconds = time();
    /// The type of event, such as `task_completed`.
    [required] event_type: String = text();
    /// What happened; in a new row, `null` by default.
    [default |_| "null".into()] content: JsonText = json();
    /// How it felt, from -1 (bad) to 1 (good); in a new row, 0 by default.
    [default |_| 0.0] valence: f64 = real(-1.0, 1.0);
    /// Any other data; in a new row, `{}` by default.
    [default |_| "{}".into()] metadata: JsonText = json();
}

/// Selects events; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EpisodeFilter {
    /// With one of these types.
    #[tsify(optional)]
    pub event_types: Option<Vec<String>>,
    /// With at least this valence, from -1 to 1.
    #[tsify(optional)]
    pub min_valence: Option<f64>,
    /// With at most this valence, from -1 to 1.
    #[tsify(optional)]
    pub max_valence: Option<f64>,
    /// At or after this time.
    #[tsify(optional, type = "Seconds")]
    pub since: Option<f64>,
    /// Before this time.
    #[tsify(optional, type = "Seconds")]
    pub until: Option<f64>,
    /// With these words in the type or in the strings of the content. Words are stemmed; case and accents are ignored.
    #[tsify(optional)]
    pub search: Option<String>,
    /// Whether `search` needs all of its words, the default, or any of them.
    #[serde(default)]
    #[tsify(optional)]
    pub matching: Match,
}

/// What events can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum EpisodeOrder {
    /// By id: in the order in which they were recorded.
    #[default]
    Id,
    /// By their timestamp.
    Timestamp,
    /// By valence.
    Valence,
}

impl Table for Episode {
    type Key = i64;
    type Filter = EpisodeFilter;
    type Order = EpisodeOrder;

    const NAME: &'static str = "episodes";
    const KEY: &'static str = "id";

    fn filter(filter: EpisodeFilter, conditions: &mut Conditions) -> Result<()> {
        check_range("Valence", [filter.min_valence, filter.max_valence], -1.0, 1.0)?;
        check_period(filter.since, filter.until)?;
        conditions
            .and_in("event_type", filter.event_types)
            .and("valence >= ?", filter.min_valence)
            .and("valence <= ?", filter.max_valence)
            .and("timestamp >= ?", filter.since)
            .and("timestamp < ?", filter.until)
            .and_found(MemoryTable::Episodes, filter.search, filter.matching)?;
        Ok(())
    }

    fn order(order: EpisodeOrder) -> &'static str {
        match order {
            EpisodeOrder::Id => "id",
            EpisodeOrder::Timestamp => "timestamp",
            EpisodeOrder::Valence => "valence",
        }
    }
}
