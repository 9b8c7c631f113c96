//! What the five tables give: rows and pages of them, as they cross.

use tsify::Tsify;

use super::encode::{Record, ToJs};
use super::{outgoing, page, record};
use crate::tables::{episodes, long_term, semantic, turns, uncertainty};

// --- turns ---

outgoing! {
    /// What the user said and what the assistant answered.
    Turn = turns::Turn {
        /// The row's id.
        id: i64,
        /// When it was.
        #[tsify(type = "Seconds | null")]
        timestamp: Option<f64>,
        /// What the user said.
        user_input: Option<String>,
        /// What the assistant answered.
        assistant_response: Option<String>,
        /// Anything else.
        #[tsify(type = "JsonText | null")]
        metadata: Option<String>,
    }
}

page!(TurnPage of Turn);

// --- episodes ---

outgoing! {
    /// Something that happened.
    Episode = episodes::Episode {
        /// The row's id.
        id: i64,
        /// When it was.
        #[tsify(type = "Seconds | null")]
        timestamp: Option<f64>,
        /// What kind of thing happened, as `task_completed`.
        event_type: Option<String>,
        /// What happened.
        #[tsify(type = "JsonText | null")]
        content: Option<String>,
        /// How it felt, from -1 (bad) to 1 (good).
        valence: Option<f64>,
        /// Anything else.
        #[tsify(type = "JsonText | null")]
        metadata: Option<String>,
    }
}

page!(EpisodePage of Episode);

// --- long_term ---

outgoing! {
    /// Something known, under its key.
    Entry = long_term::Entry {
        /// The key.
        key: String,
        /// What is known.
        #[tsify(type = "JsonText | null")]
        value: Option<String>,
        /// When it was last set.
        #[tsify(type = "Seconds | null")]
        updated_at: Option<f64>,
    }
}

page!(EntryPage of Entry);

// --- uncertainty_log ---

outgoing! {
    /// Something the agent was unsure of.
    Uncertainty = uncertainty::Uncertainty {
        /// The row's id.
        id: i64,
        /// When it was.
        #[tsify(type = "Seconds | null")]
        timestamp: Option<f64>,
        /// What the user said.
        user_message: Option<String>,
        /// What the agent took it to mean.
        parsed_intent: Option<String>,
        /// How sure the agent was, from 0 to 1.
        confidence_score: Option<f64>,
        /// What had been said before.
        context: Option<String>,
        /// What made it unsure.
        #[tsify(type = "JsonText | null")]
        signals: Option<String>,
        /// Whether it was settled.
        resolved: bool,
        /// How it was settled.
        resolution_pattern: Option<String>,
    }
}

page!(UncertaintyPage of Uncertainty);

/// The log in figures.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub(crate) struct UncertaintyStatistics {
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
    pub last24h: u64,
}

impl Record for uncertainty::UncertaintyStatistics {
    const NAMES: &[&str] = &["total", "unresolved", "resolved", "resolution_rate", "average_confidence", "last24h"];
    fn values(&self) -> Vec<&dyn ToJs> {
        vec![
            &self.total,
            &self.unresolved,
            &self.resolved,
            &self.resolution_rate,
            &self.average_confidence,
            &self.last_24_hours,
        ]
    }
}

// --- semantic_memories ---

outgoing! {
    /// A fact.
    SemanticMemory = semantic::SemanticMemory {
        /// The row's id.
        id: i64,
        /// When it was learnt.
        #[tsify(type = "Seconds | null")]
        timestamp: Option<f64>,
        /// The fact, in words.
        content: Option<String>,
        /// What kind of fact, as `preference`.
        category: Option<String>,
        /// How much it weighs, from 0 to 1.
        importance: Option<f64>,
        /// Anything else.
        #[tsify(type = "JsonText | null")]
        metadata: Option<String>,
    }
}

page!(SemanticMemoryPage of SemanticMemory);
