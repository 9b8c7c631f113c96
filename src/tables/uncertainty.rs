//! `uncertainty_log`: open questions. A row holds what the agent was unsure about, and how it was resolved.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::columns::table;
use super::fields::{Conditions, Fields, check_period, check_range};
use super::memory_table::MemoryTable;
use super::table::{Rows, Table};
use super::values::{JsonText, Seconds};
use crate::db::has_table;
use crate::error::{Error, Result};
use crate::words::Match;

/// The length at which a context is truncated, in characters. It is the same in Synth Mind.
pub const MAX_CONTEXT_CHARACTERS: usize = 2000;

table! {
    /// An open question: something the agent was unsure about. Every column but the id can be NULL in a file of another
    /// program; `resolved` is then false.
    Uncertainty;
    /// An open question to be logged.
    NewUncertainty;
    /// What to change of an open question: an absent field stays unchanged.
    UncertaintyPatch;

    /// The row's id.
    [id] id: i64;
    /// When it arose; in a new row, now by default.
    [default Fields::now] timestamp: Seconds = time();
    /// What the user said.
    [required] user_message: String = text();
    /// What the agent took that to mean.
    [nullable] parsed_intent: String = nullable_text();
    /// How sure the agent was, from 0 to 1.
    [required] confidence_score: f64 = real(0.0, 1.0);
    /// What had been said before; truncated to 2,000 characters.
    [nullable] context: String = beginning(MAX_CONTEXT_CHARACTERS);
    /// What made the agent unsure; in a new row, `{}` by default.
    [default |_| "{}".into()] signals: JsonText = json();
    /// Whether it is resolved.
    [flag] resolved: bool;
    /// How it was resolved.
    [later] resolution_pattern: String = nullable_text();
}

/// Selects open questions; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UncertaintyFilter {
    /// Resolved, or not resolved.
    #[tsify(optional)]
    pub resolved: Option<bool>,
    /// With at least this confidence, from 0 to 1.
    #[tsify(optional)]
    pub min_confidence: Option<f64>,
    /// With at most this confidence, from 0 to 1.
    #[tsify(optional)]
    pub max_confidence: Option<f64>,
    /// At or after this time.
    #[tsify(optional, type = "Seconds")]
    pub since: Option<f64>,
    /// Before this time.
    #[tsify(optional, type = "Seconds")]
    pub until: Option<f64>,
    /// With these words in the message or the intent. Words are stemmed; case and accents are ignored.
    #[tsify(optional)]
    pub search: Option<String>,
    /// Whether `search` needs all of its words, the default, or any of them.
    #[serde(default)]
    #[tsify(optional)]
    pub matching: Match,
}

/// What open questions can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum UncertaintyOrder {
    /// By id: in the order in which they were logged.
    #[default]
    Id,
    /// By their timestamp.
    Timestamp,
    /// By confidence.
    ConfidenceScore,
}

/// Statistics of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct UncertaintyStatistics {
    /// The number of rows.
    pub total: u64,
    /// The number of rows that are not resolved.
    pub unresolved: u64,
    /// The number of rows that are resolved.
    pub resolved: u64,
    /// The share of rows that are resolved, from 0 to 1; 0 if there are no rows.
    pub resolution_rate: f64,
    /// The mean confidence, from 0 to 1; 0 if there are no rows.
    pub average_confidence: f64,
    /// The number of rows of the last 24 hours.
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
        check_range("Confidence", [filter.min_confidence, filter.max_confidence], 0.0, 1.0)?;
        check_period(filter.since, filter.until)?;
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
    /// Marks a question as resolved, and records how. If it was resolved before, this replaces the resolution and
    /// removes what it taught.
    ///
    /// # Errors
    ///
    /// `not_found` if no row has this id; `invalid_argument` if `pattern` is empty.
    pub fn resolve(&self, id: i64, pattern: String) -> Result<()> {
        if pattern.is_empty() {
            return Err(Error::invalid_argument("pattern is empty; say how the question was resolved."));
        }
        let patch =
            UncertaintyPatch { resolved: Some(true), resolution_pattern: Some(Some(pattern)), ..Default::default() };
        let connection = self.db().connection();
        self.db().atomically(&mut || {
            self.update(&id, patch.clone())?;
            // The package's first revision has no lessons.
            if has_table(connection, "memory_lessons")? {
                connection.prepare_cached("DELETE FROM memory_lessons WHERE uncertainty = ?")?.execute([id])?;
            }
            Ok(())
        })
    }

    /// Statistics of the log.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
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
