//! `episodes`: what happened, each with what it was and how good or bad it felt.

use rusqlite::Row;

use super::fields::{Conditions, Fields};
use super::table::{Table, read_columns};
use crate::error::Result;
use crate::words::Match;

/// A row of `episodes`. Every column may be NULL in a file from elsewhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Episode {
    /// The row's id.
    pub id: i64,
    /// When it was, in Unix seconds.
    pub timestamp: Option<f64>,
    /// What kind of thing happened, as `task_completed`.
    pub event_type: Option<String>,
    /// What happened, as JSON text.
    pub content: Option<String>,
    /// How it felt, from -1 (bad) to 1 (good).
    pub valence: Option<f64>,
    /// Anything else, as JSON text.
    pub metadata: Option<String>,
}

/// An episode to be recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewEpisode {
    /// When it was, in Unix seconds; now by default.
    pub timestamp: Option<f64>,
    /// What kind of thing happened, as `task_completed`.
    pub event_type: String,
    /// What happened, as JSON text; `null` by default.
    pub content: Option<String>,
    /// How it felt, from -1 (bad) to 1 (good); 0 by default.
    pub valence: Option<f64>,
    /// Anything else, as JSON text; `{}` by default.
    pub metadata: Option<String>,
}

/// What to change of an episode: `None` leaves a column as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EpisodePatch {
    /// When it was, in Unix seconds.
    pub timestamp: Option<f64>,
    /// What kind of thing happened.
    pub event_type: Option<String>,
    /// What happened, as JSON text.
    pub content: Option<String>,
    /// How it felt, from -1 (bad) to 1 (good).
    pub valence: Option<f64>,
    /// Anything else, as JSON text.
    pub metadata: Option<String>,
}

/// Which episodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EpisodeFilter {
    /// Of one of these kinds.
    pub event_types: Option<Vec<String>>,
    /// That felt at least this good.
    pub min_valence: Option<f64>,
    /// That felt at most this good.
    pub max_valence: Option<f64>,
    /// From this time on, in Unix seconds.
    pub since: Option<f64>,
    /// Before this time, in Unix seconds.
    pub until: Option<f64>,
    /// With these words in the kind or in the strings of the content; stemmed, case and accents aside.
    pub search: Option<String>,
    /// Whether a search needs every word or any.
    pub matching: Match,
}

/// What episodes can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    type New = NewEpisode;
    type Patch = EpisodePatch;
    type Filter = EpisodeFilter;
    type Order = EpisodeOrder;

    const NAME: &'static str = "episodes";
    const KEY: &'static str = "id";
    const COLUMNS: &'static str = "id, timestamp, event_type, content, valence, metadata";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut read = Self::default();
        read_columns(
            row,
            &mut [
                &mut read.id,
                &mut read.timestamp,
                &mut read.event_type,
                &mut read.content,
                &mut read.valence,
                &mut read.metadata,
            ],
        )?;
        Ok(read)
    }

    fn insert(new: NewEpisode, fields: &mut Fields<'_>) {
        fields
            .time("timestamp", new.timestamp.or(Some(fields.now())))
            .text("event_type", Some(new.event_type))
            .json("content", new.content.or_else(|| Some("null".into())))
            .real("valence", new.valence.or(Some(0.0)), -1.0, 1.0)
            .json("metadata", new.metadata.or_else(|| Some("{}".into())));
    }

    fn change(patch: EpisodePatch, fields: &mut Fields<'_>) {
        fields
            .time("timestamp", patch.timestamp)
            .text("event_type", patch.event_type)
            .json("content", patch.content)
            .real("valence", patch.valence, -1.0, 1.0)
            .json("metadata", patch.metadata);
    }

    fn filter(filter: EpisodeFilter, conditions: &mut Conditions) -> Result<()> {
        conditions
            .and_in("event_type", filter.event_types)
            .and("valence >= ?", filter.min_valence)
            .and("valence <= ?", filter.max_valence)
            .and("timestamp >= ?", filter.since)
            .and("timestamp < ?", filter.until)
            .and_found(
                "id IN (SELECT rowid >> 3 FROM memory_fts WHERE memory_fts MATCH ? AND rowid & 7 = 1)",
                filter.search,
                filter.matching,
            )?;
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
