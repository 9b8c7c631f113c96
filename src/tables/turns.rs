//! `turns`: the conversation, one row for what the user said and what the assistant answered.

use rusqlite::Row;

use super::fields::{Conditions, Fields};
use super::table::{Table, read_columns};
use crate::error::Result;
use crate::words::Match;

/// A row of `turns`. Every column may be NULL in a file from elsewhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// The row's id.
    pub id: i64,
    /// When it was, in Unix seconds.
    pub timestamp: Option<f64>,
    /// What the user said.
    pub user_input: Option<String>,
    /// What the assistant answered.
    pub assistant_response: Option<String>,
    /// Anything else, as JSON text.
    pub metadata: Option<String>,
}

/// A turn to be added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewTurn {
    /// When it was, in Unix seconds; now by default.
    pub timestamp: Option<f64>,
    /// What the user said.
    pub user_input: String,
    /// What the assistant answered, if it has.
    pub assistant_response: Option<String>,
    /// Anything else, as JSON text; `{}` by default.
    pub metadata: Option<String>,
}

/// What to change of a turn: `None` leaves a column as it is, `Some(None)` sets it to NULL.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TurnPatch {
    /// When it was, in Unix seconds.
    pub timestamp: Option<f64>,
    /// What the user said.
    pub user_input: Option<String>,
    /// What the assistant answered.
    pub assistant_response: Option<Option<String>>,
    /// Anything else, as JSON text.
    pub metadata: Option<String>,
}

/// Which turns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TurnFilter {
    /// From this time on, in Unix seconds.
    pub since: Option<f64>,
    /// Before this time, in Unix seconds.
    pub until: Option<f64>,
    /// With these words, in either text; stemmed, case and accents aside.
    pub search: Option<String>,
    /// Whether a search needs every word or any.
    pub matching: Match,
}

/// What turns can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TurnOrder {
    /// As they were added.
    #[default]
    Id,
    /// By their time.
    Timestamp,
}

impl Table for Turn {
    type Key = i64;
    type New = NewTurn;
    type Patch = TurnPatch;
    type Filter = TurnFilter;
    type Order = TurnOrder;

    const NAME: &'static str = "turns";
    const KEY: &'static str = "id";
    const COLUMNS: &'static str = "id, timestamp, user_input, assistant_response, metadata";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut read = Self::default();
        read_columns(
            row,
            &mut [
                &mut read.id,
                &mut read.timestamp,
                &mut read.user_input,
                &mut read.assistant_response,
                &mut read.metadata,
            ],
        )?;
        Ok(read)
    }

    fn insert(new: NewTurn, fields: &mut Fields<'_>) {
        fields
            .time("timestamp", new.timestamp.or(Some(fields.now())))
            .text("user_input", Some(new.user_input))
            .nullable_text("assistant_response", Some(new.assistant_response))
            .json("metadata", new.metadata.or_else(|| Some("{}".into())));
    }

    fn change(patch: TurnPatch, fields: &mut Fields<'_>) {
        fields
            .time("timestamp", patch.timestamp)
            .text("user_input", patch.user_input)
            .nullable_text("assistant_response", patch.assistant_response)
            .json("metadata", patch.metadata);
    }

    fn filter(filter: TurnFilter, conditions: &mut Conditions) -> Result<()> {
        conditions.and("timestamp >= ?", filter.since).and("timestamp < ?", filter.until).and_found(
            "id IN (SELECT rowid >> 3 FROM memory_fts WHERE memory_fts MATCH ? AND rowid & 7 = 0)",
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
