//! `uncertainty_log`: what the agent was unsure of, and how it was settled.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::columns::table;
use super::fields::{Conditions, Fields};
use super::memory_table::MemoryTable;
use super::table::{Rows, Table};
use super::values::{JsonText, Seconds};
use crate::error::{Error, Result};
use crate::words::Match;

/// The longest context, in characters: Synth Mind cuts it there, and so a longer one is cut here.
pub const MAX_CONTEXT_CHARACTERS: usize = 2000;

table! {
    /// Something the agent was unsure of. Every column may be NULL in a file from elsewhere.
    Uncertainty;
    /// A doubt to be logged.
    NewUncertainty;
    /// What to change of a doubt: a column that is not named stays as it is.
    UncertaintyPatch;

    /// The row's id.
    [id] id: i64;
    /// When it was; of a new row, now by default.
    [default Fields::now] timestamp: Seconds = time();
    /// What the user said.
    [required] user_message: String = text();
    /// What the agent took it to mean.
    [nullable] parsed_intent: String = nullable_text();
    /// How sure the agent was, from 0 to 1.
    [required] confidence_score: f64 = real(0.0, 1.0);
    /// What had been said before; no more than 2,000 characters of it are kept.
    [nullable] context: String = beginning(MAX_CONTEXT_CHARACTERS);
    /// What made it unsure; of a new row, `{}` by default.
    [default |_| "{}".into()] signals: JsonText = json();
    /// Whether it was settled.
    [flag] resolved: bool;
    /// How it was settled.
    [later] resolution_pattern: String = nullable_text();
}

/// Which doubts.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UncertaintyFilter {
    /// Settled, or not.
    #[tsify(optional)]
    pub resolved: Option<bool>,
    /// Of at least this confidence.
    #[tsify(optional)]
    pub min_confidence: Option<f64>,
    /// Of at most this confidence.
    #[tsify(optional)]
    pub max_confidence: Option<f64>,
    /// From this time on.
    #[tsify(optional, type = "Seconds")]
    pub since: Option<f64>,
    /// Before this time.
    #[tsify(optional, type = "Seconds")]
    pub until: Option<f64>,
    /// With these words in the message or the intent; stemmed, case and accents aside.
    #[tsify(optional)]
    pub search: Option<String>,
    /// Whether a search needs every word or any.
    #[serde(default)]
    #[tsify(optional)]
    pub matching: Match,
}

/// What doubts can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
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
    #[serde(rename = "last24h")]
    pub last_24_hours: u64,
}

impl Table for Uncertainty {
    type Key = i64;
    type Filter = UncertaintyFilter;
    type Order = UncertaintyOrder;

    const NAME: &'static str = "uncertainty_log";
    const KEY: &'static str = "id";

    fn filter(filter: UncertaintyFilter, conditions: &mut Conditions) -> Result<()> {
        conditions
            .and_flag("resolved", filter.resolved)
            .and("confidence_score >= ?", filter.min_confidence)
            .and("confidence_score <= ?", filter.max_confidence)
            .and("timestamp >= ?", filter.since)
            .and("timestamp < ?", filter.until)
            .and_found(MemoryTable::Uncertainty, filter.search, filter.matching)?;
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
