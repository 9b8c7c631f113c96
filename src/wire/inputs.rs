//! What the five tables are given: new rows, patches, filters and orders, as they cross.

use tsify::Tsify;

use super::decode::{FromJs, fill, one_of};
use super::{Match, incoming, order};
use crate::tables::{episodes, long_term, semantic, turns, uncertainty};

// --- turns ---

incoming! {
    /// A turn to be added.
    NewTurn = turns::NewTurn {
        /// When it was; now by default.
        #[tsify(optional, type = "Seconds")]
        timestamp: Option<f64>,
        /// What the user said.
        user_input: String,
        /// What the assistant answered, if it has.
        #[tsify(optional, type = "string | null")]
        assistant_response: Option<String>,
        /// Anything else; `{}` by default.
        #[tsify(optional, type = "JsonText")]
        metadata: Option<String>,
    }
}

incoming! {
    /// What to change of a turn; what is not named stays as it is.
    TurnPatch = turns::TurnPatch {
        /// When it was.
        #[tsify(optional, type = "Seconds")]
        timestamp: Option<f64>,
        /// What the user said.
        #[tsify(optional)]
        user_input: Option<String>,
        /// What the assistant answered.
        #[tsify(optional, type = "string | null")]
        assistant_response: Option<Option<String>>,
        /// Anything else.
        #[tsify(optional, type = "JsonText")]
        metadata: Option<String>,
    }
}

incoming! {
    /// Which turns; all of them where nothing is said.
    TurnFilter = turns::TurnFilter {
        /// From this time on.
        #[tsify(optional, type = "Seconds")]
        since: Option<f64>,
        /// Before this time.
        #[tsify(optional, type = "Seconds")]
        until: Option<f64>,
        /// With these words in either text; English words are stemmed, case and accents do not count.
        #[tsify(optional)]
        search: Option<String>,
        /// Whether a search needs every word or any; `all` by default.
        #[tsify(optional)]
        matching: Match,
    }
}

order! {
    /// What turns can be ordered by.
    TurnOrder = turns::TurnOrder { Id = "id", Timestamp = "timestamp" }
}

// --- episodes ---

incoming! {
    /// An episode to be recorded.
    NewEpisode = episodes::NewEpisode {
        /// When it was; now by default.
        #[tsify(optional, type = "Seconds")]
        timestamp: Option<f64>,
        /// What kind of thing happened, as `task_completed`.
        event_type: String,
        /// What happened; null by default.
        #[tsify(optional, type = "JsonText")]
        content: Option<String>,
        /// How it felt, from -1 (bad) to 1 (good); 0 by default.
        #[tsify(optional)]
        valence: Option<f64>,
        /// Anything else; `{}` by default.
        #[tsify(optional, type = "JsonText")]
        metadata: Option<String>,
    }
}

incoming! {
    /// What to change of an episode; what is not named stays as it is.
    EpisodePatch = episodes::EpisodePatch {
        /// When it was.
        #[tsify(optional, type = "Seconds")]
        timestamp: Option<f64>,
        /// What kind of thing happened.
        #[tsify(optional)]
        event_type: Option<String>,
        /// What happened.
        #[tsify(optional, type = "JsonText")]
        content: Option<String>,
        /// How it felt, from -1 (bad) to 1 (good).
        #[tsify(optional)]
        valence: Option<f64>,
        /// Anything else.
        #[tsify(optional, type = "JsonText")]
        metadata: Option<String>,
    }
}

incoming! {
    /// Which episodes; all of them where nothing is said.
    EpisodeFilter = episodes::EpisodeFilter {
        /// Of one of these kinds.
        #[tsify(optional)]
        event_types: Option<Vec<String>>,
        /// That felt at least this good.
        #[tsify(optional)]
        min_valence: Option<f64>,
        /// That felt at most this good.
        #[tsify(optional)]
        max_valence: Option<f64>,
        /// From this time on.
        #[tsify(optional, type = "Seconds")]
        since: Option<f64>,
        /// Before this time.
        #[tsify(optional, type = "Seconds")]
        until: Option<f64>,
        /// With these words in the kind, or in the strings of the content; English words are stemmed, case and accents do not count.
        #[tsify(optional)]
        search: Option<String>,
        /// Whether a search needs every word or any; `all` by default.
        #[tsify(optional)]
        matching: Match,
    }
}

order! {
    /// What episodes can be ordered by.
    EpisodeOrder = episodes::EpisodeOrder { Id = "id", Timestamp = "timestamp", Valence = "valence" }
}

// --- long_term ---

incoming! {
    /// A key to be set, whether it exists or not.
    NewEntry = long_term::NewEntry {
        /// The key, 1 to 1024 bytes of UTF-8.
        key: String,
        /// What is known.
        #[tsify(type = "JsonText")]
        value: String,
        /// When it was set; now by default.
        #[tsify(optional, type = "Seconds")]
        updated_at: Option<f64>,
    }
}

incoming! {
    /// What to change of an entry that exists.
    EntryPatch = long_term::EntryPatch {
        /// What is known.
        #[tsify(optional, type = "JsonText")]
        value: Option<String>,
        /// When it was set; now by default.
        #[tsify(optional, type = "Seconds")]
        updated_at: Option<f64>,
    }
}

incoming! {
    /// Which entries; all of them where nothing is said. Times are those of their last setting.
    EntryFilter = long_term::EntryFilter {
        /// Whose key begins so.
        #[tsify(optional)]
        prefix: Option<String>,
        /// From this time on.
        #[tsify(optional, type = "Seconds")]
        since: Option<f64>,
        /// Before this time.
        #[tsify(optional, type = "Seconds")]
        until: Option<f64>,
        /// With these words in the key, or in the value; English words are stemmed, case and accents do not count.
        #[tsify(optional)]
        search: Option<String>,
        /// Whether a search needs every word or any; `all` by default.
        #[tsify(optional)]
        matching: Match,
    }
}

order! {
    /// What entries can be ordered by.
    EntryOrder = long_term::EntryOrder { Key = "key", UpdatedAt = "updatedAt" }
}

// --- uncertainty_log ---

incoming! {
    /// A doubt to be logged.
    NewUncertainty = uncertainty::NewUncertainty {
        /// When it was; now by default.
        #[tsify(optional, type = "Seconds")]
        timestamp: Option<f64>,
        /// What the user said.
        user_message: String,
        /// What the agent took it to mean.
        #[tsify(optional, type = "string | null")]
        parsed_intent: Option<String>,
        /// How sure the agent was, from 0 to 1.
        confidence_score: f64,
        /// What had been said before; what is beyond 2,000 characters is not kept.
        #[tsify(optional, type = "string | null")]
        context: Option<String>,
        /// What made it unsure; `{}` by default.
        #[tsify(optional, type = "JsonText")]
        signals: Option<String>,
    }
}

incoming! {
    /// What to change of a doubt; what is not named stays as it is.
    UncertaintyPatch = uncertainty::UncertaintyPatch {
        /// When it was.
        #[tsify(optional, type = "Seconds")]
        timestamp: Option<f64>,
        /// What the user said.
        #[tsify(optional)]
        user_message: Option<String>,
        /// What the agent took it to mean.
        #[tsify(optional, type = "string | null")]
        parsed_intent: Option<Option<String>>,
        /// How sure the agent was, from 0 to 1.
        #[tsify(optional)]
        confidence_score: Option<f64>,
        /// What had been said before.
        #[tsify(optional, type = "string | null")]
        context: Option<Option<String>>,
        /// What made it unsure.
        #[tsify(optional, type = "JsonText")]
        signals: Option<String>,
        /// Whether it was settled.
        #[tsify(optional)]
        resolved: Option<bool>,
        /// How it was settled.
        #[tsify(optional, type = "string | null")]
        resolution_pattern: Option<Option<String>>,
    }
}

incoming! {
    /// Which doubts; all of them where nothing is said.
    UncertaintyFilter = uncertainty::UncertaintyFilter {
        /// Settled, or not.
        #[tsify(optional)]
        resolved: Option<bool>,
        /// Of at least this confidence.
        #[tsify(optional)]
        min_confidence: Option<f64>,
        /// Of at most this confidence.
        #[tsify(optional)]
        max_confidence: Option<f64>,
        /// From this time on.
        #[tsify(optional, type = "Seconds")]
        since: Option<f64>,
        /// Before this time.
        #[tsify(optional, type = "Seconds")]
        until: Option<f64>,
        /// With these words in the message or the intent; English words are stemmed, case and accents do not count.
        #[tsify(optional)]
        search: Option<String>,
        /// Whether a search needs every word or any; `all` by default.
        #[tsify(optional)]
        matching: Match,
    }
}

order! {
    /// What doubts can be ordered by.
    UncertaintyOrder = uncertainty::UncertaintyOrder { Id = "id", Timestamp = "timestamp", ConfidenceScore = "confidenceScore" }
}

// --- semantic_memories ---

incoming! {
    /// A fact to be remembered.
    NewSemanticMemory = semantic::NewSemanticMemory {
        /// When it was learnt; now by default.
        #[tsify(optional, type = "Seconds")]
        timestamp: Option<f64>,
        /// The fact, in words.
        content: String,
        /// What kind of fact; `general` by default.
        #[tsify(optional)]
        category: Option<String>,
        /// How much it weighs, from 0 to 1; 0.5 by default.
        #[tsify(optional)]
        importance: Option<f64>,
        /// Anything else; `{}` by default.
        #[tsify(optional, type = "JsonText")]
        metadata: Option<String>,
    }
}

incoming! {
    /// What to change of a fact; what is not named stays as it is.
    SemanticMemoryPatch = semantic::SemanticMemoryPatch {
        /// When it was learnt.
        #[tsify(optional, type = "Seconds")]
        timestamp: Option<f64>,
        /// The fact, in words.
        #[tsify(optional)]
        content: Option<String>,
        /// What kind of fact.
        #[tsify(optional)]
        category: Option<String>,
        /// How much it weighs, from 0 to 1.
        #[tsify(optional)]
        importance: Option<f64>,
        /// Anything else.
        #[tsify(optional, type = "JsonText")]
        metadata: Option<String>,
    }
}

incoming! {
    /// Which facts; all of them where nothing is said.
    SemanticMemoryFilter = semantic::SemanticMemoryFilter {
        /// Of one of these kinds.
        #[tsify(optional)]
        categories: Option<Vec<String>>,
        /// That weigh at least this.
        #[tsify(optional)]
        min_importance: Option<f64>,
        /// That weigh at most this.
        #[tsify(optional)]
        max_importance: Option<f64>,
        /// From this time on.
        #[tsify(optional, type = "Seconds")]
        since: Option<f64>,
        /// Before this time.
        #[tsify(optional, type = "Seconds")]
        until: Option<f64>,
        /// With these words in them; English words are stemmed, case and accents do not count.
        #[tsify(optional)]
        search: Option<String>,
        /// Whether a search needs every word or any; `all` by default.
        #[tsify(optional)]
        matching: Match,
    }
}

order! {
    /// What facts can be ordered by.
    SemanticMemoryOrder = semantic::SemanticMemoryOrder { Id = "id", Timestamp = "timestamp", Importance = "importance" }
}
