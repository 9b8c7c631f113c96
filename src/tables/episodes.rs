//! `episodes`: what happened, each with what it was and how good or bad it felt.

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
    /// Something that happened. Every column may be NULL in a file from elsewhere.
    Episode;
    /// An episode to be recorded.
    NewEpisode;
    /// What to change of an episode: a column that is not named stays as it is.
    EpisodePatch;

    /// The row's id.
    [id] id: i64;
    /// When it was; of a new row, now by default.
    [default Fields::now] timestamp: Seconds = time();
    /// What kind of thing happened, such as `task_completed`.
    [required] event_type: String = text();
    /// What happened; of a new row, `null` by default.
    [default |_| "null".into()] content: JsonText = json();
    /// How it felt, from -1 (bad) to 1 (good); of a new row, 0 by default.
    [default |_| 0.0] valence: f64 = real(-1.0, 1.0);
    /// Anything else; of a new row, `{}` by default.
    [default |_| "{}".into()] metadata: JsonText = json();
}

/// Which episodes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EpisodeFilter {
    /// Of one of these kinds.
    #[tsify(optional)]
    pub event_types: Option<Vec<String>>,
    /// That felt at least this good.
    #[tsify(optional)]
    pub min_valence: Option<f64>,
    /// That felt at most this good.
    #[tsify(optional)]
    pub max_valence: Option<f64>,
    /// From this time on.
    #[tsify(optional, type = "Seconds")]
    pub since: Option<f64>,
    /// Before this time.
    #[tsify(optional, type = "Seconds")]
    pub until: Option<f64>,
    /// With these words in the kind or in the strings of the content; stemmed, case and accents aside.
    #[tsify(optional)]
    pub search: Option<String>,
    /// Whether a search needs every word or any.
    #[serde(default)]
    #[tsify(optional)]
    pub matching: Match,
}

/// What episodes can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum EpisodeOrder {
    /// As they were recorded.
    #[default]
    Id,
    /// By their time.
    Timestamp,
    /// By how they felt.
    Valence,
}

impl Table for Episode {
    type Key = i64;
    type Filter = EpisodeFilter;
    type Order = EpisodeOrder;

    const NAME: &'static str = "episodes";
    const KEY: &'static str = "id";

    fn filter(filter: EpisodeFilter, conditions: &mut Conditions) -> Result<()> {
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
