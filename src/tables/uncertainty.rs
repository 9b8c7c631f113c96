//! `uncertainty_log`: what the agent was unsure of, and how it was settled.

use rusqlite::Row;

use super::fields::{Conditions, Fields};
use super::table::{Rows, Table, read_columns};
use crate::error::{Error, Result};
use crate::words::Match;

/// The longest context, in characters: Synth Mind cuts it there, and so a longer one is cut here.
pub const MAX_CONTEXT_CHARACTERS: usize = 2000;

/// A row of `uncertainty_log`. Every column may be NULL in a file from elsewhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Uncertainty {
    /// The row's id.
    pub id: i64,
    /// When it was, in Unix seconds.
    pub timestamp: Option<f64>,
    /// What the user said.
    pub user_message: Option<String>,
    /// What the agent took it to mean.
    pub parsed_intent: Option<String>,
    /// How sure the agent was, from 0 to 1.
    pub confidence_score: Option<f64>,
    /// What had been said before.
    pub context: Option<String>,
    /// What made it unsure, as JSON text.
    pub signals: Option<String>,
    /// Whether it was settled.
    pub resolved: bool,
    /// How it was settled.
    pub resolution_pattern: Option<String>,
}

/// A doubt to be logged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewUncertainty {
    /// When it was, in Unix seconds; now by default.
    pub timestamp: Option<f64>,
    /// What the user said.
    pub user_message: String,
    /// What the agent took it to mean.
    pub parsed_intent: Option<String>,
    /// How sure the agent was, from 0 to 1.
    pub confidence_score: f64,
    /// What had been said before; what is beyond [`MAX_CONTEXT_CHARACTERS`] is not kept.
    pub context: Option<String>,
    /// What made it unsure, as JSON text; `{}` by default.
    pub signals: Option<String>,
}

/// What to change of a doubt: `None` leaves a column as it is, `Some(None)` sets it to NULL.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UncertaintyPatch {
    /// When it was, in Unix seconds.
    pub timestamp: Option<f64>,
    /// What the user said.
    pub user_message: Option<String>,
    /// What the agent took it to mean.
    pub parsed_intent: Option<Option<String>>,
    /// How sure the agent was, from 0 to 1.
    pub confidence_score: Option<f64>,
    /// What had been said before.
    pub context: Option<Option<String>>,
    /// What made it unsure, as JSON text.
    pub signals: Option<String>,
    /// Whether it was settled.
    pub resolved: Option<bool>,
    /// How it was settled.
    pub resolution_pattern: Option<Option<String>>,
}

/// Which doubts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UncertaintyFilter {
    /// Settled, or not.
    pub resolved: Option<bool>,
    /// Of at least this confidence.
    pub min_confidence: Option<f64>,
    /// Of at most this confidence.
    pub max_confidence: Option<f64>,
    /// From this time on, in Unix seconds.
    pub since: Option<f64>,
    /// Before this time, in Unix seconds.
    pub until: Option<f64>,
    /// With these words in the message or the intent; stemmed, case and accents aside.
    pub search: Option<String>,
    /// Whether a search needs every word or any.
    pub matching: Match,
}

/// What doubts can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UncertaintyOrder {
    /// As they were logged.
    #[default]
    Id,
    /// By their time.
    Timestamp,
    /// By the confidence.
    ConfidenceScore,
}

/// The log in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UncertaintyStatistics {
    /// All rows.
    pub total: u64,
    /// Those not settled.
    pub unresolved: u64,
    /// Those settled.
    pub resolved: u64,
    /// Settled out of all, from 0 to 1; 0 where there are none.
    pub resolution_rate: f64,
    /// The mean confidence, from 0 to 1; 0 where there are none.
    pub average_confidence: f64,
    /// Those of the last 24 hours.
    pub last_24_hours: u64,
}

impl Table for Uncertainty {
    type Key = i64;
    type New = NewUncertainty;
    type Patch = UncertaintyPatch;
    type Filter = UncertaintyFilter;
    type Order = UncertaintyOrder;

    const NAME: &'static str = "uncertainty_log";
    const KEY: &'static str = "id";
    const COLUMNS: &'static str = "id, timestamp, user_message, parsed_intent, confidence_score, context, signals, \
                                   coalesce(resolved, 0) <> 0, resolution_pattern";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut read = Self::default();
        read_columns(
            row,
            &mut [
                &mut read.id,
                &mut read.timestamp,
                &mut read.user_message,
                &mut read.parsed_intent,
                &mut read.confidence_score,
                &mut read.context,
                &mut read.signals,
                &mut read.resolved,
                &mut read.resolution_pattern,
            ],
        )?;
        Ok(read)
    }

    fn insert(new: NewUncertainty, fields: &mut Fields<'_>) {
        fields
            .time("timestamp", new.timestamp.or(Some(fields.now())))
            .text("user_message", Some(new.user_message))
            .nullable_text("parsed_intent", Some(new.parsed_intent))
            .real("confidence_score", Some(new.confidence_score), 0.0, 1.0)
            .nullable_text("context", Some(new.context.map(cut)))
            .json("signals", new.signals.or_else(|| Some("{}".into())))
            .flag("resolved", Some(false));
    }

    fn change(patch: UncertaintyPatch, fields: &mut Fields<'_>) {
        fields
            .time("timestamp", patch.timestamp)
            .text("user_message", patch.user_message)
            .nullable_text("parsed_intent", patch.parsed_intent)
            .real("confidence_score", patch.confidence_score, 0.0, 1.0)
            .nullable_text("context", patch.context.map(|context| context.map(cut)))
            .json("signals", patch.signals)
            .flag("resolved", patch.resolved)
            .nullable_text("resolution_pattern", patch.resolution_pattern);
    }

    fn filter(filter: UncertaintyFilter, conditions: &mut Conditions) -> Result<()> {
        conditions
            .and("(coalesce(resolved, 0) <> 0) = ?", filter.resolved.map(i64::from))
            .and("confidence_score >= ?", filter.min_confidence)
            .and("confidence_score <= ?", filter.max_confidence)
            .and("timestamp >= ?", filter.since)
            .and("timestamp < ?", filter.until)
            .and_found(
                "id IN (SELECT rowid >> 3 FROM memory_fts WHERE memory_fts MATCH ? AND rowid & 7 = 4)",
                filter.search,
                filter.matching,
            )?;
        Ok(())
    }

    fn order(order: UncertaintyOrder) -> &'static str {
        match order {
            UncertaintyOrder::Id => "id",
            UncertaintyOrder::Timestamp => "timestamp",
            UncertaintyOrder::ConfidenceScore => "confidence_score",
        }
    }
}

impl Rows<'_, Uncertainty> {
    /// Marks a doubt as settled, and how.
    ///
    /// # Errors
    ///
    /// `not_found` where there is none with this id.
    pub fn resolve(&self, id: i64, pattern: String) -> Result<()> {
        if pattern.is_empty() {
            return Err(Error::invalid_argument("pattern is empty; say how the doubt was settled."));
        }
        let patch =
            UncertaintyPatch { resolved: Some(true), resolution_pattern: Some(Some(pattern)), ..Default::default() };
        self.update(&id, patch)
    }

    /// The log in figures.
    ///
    /// # Errors
    ///
    /// Only those of reading the file.
    pub fn statistics(&self) -> Result<UncertaintyStatistics> {
        const SQL: &str = "SELECT count(*), count(*) FILTER (WHERE coalesce(resolved, 0) <> 0), \
                           coalesce(avg(confidence_score), 0.0), count(*) FILTER (WHERE timestamp >= ?) \
                           FROM uncertainty_log";
        const DAY: f64 = 86_400.0;
        let mut statement = self.db().connection().prepare_cached(SQL)?;
        Ok(statement.query_row([self.db().now() - DAY], |row| {
            let (total, resolved): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok(UncertaintyStatistics {
                total: total as u64,
                unresolved: (total - resolved) as u64,
                resolved: resolved as u64,
                resolution_rate: if total == 0 { 0.0 } else { resolved as f64 / total as f64 },
                average_confidence: row.get(2)?,
                last_24_hours: row.get::<_, i64>(3)? as u64,
            })
        })?)
    }
}

fn cut(context: String) -> String {
    match context.char_indices().nth(MAX_CONTEXT_CHARACTERS) {
        Some((end, _)) => context[..end].to_owned(),
        None => context,
    }
}
