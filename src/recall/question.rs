//! What can be asked, and what comes of it.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::filter::QuestionFilter;
use super::fusion::{RecallEvidence, RecallParts, RecallWeights};
use super::item::Item;
use super::reference::{MemoryReference, RecalledRow};
use crate::error::{Error, Result};
use crate::tables::turns::Turn;

/// How many hits there are where nothing is said.
pub const DEFAULT_HITS: u32 = 10;
/// The most hits of one question.
pub const MAX_HITS: u32 = 1000;
/// The most turns that come along before and after one that was found.
pub const MAX_NEIGHBORS: u32 = 100;

/// What is asked, and of which rows.
#[derive(Clone, Debug, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RecallQuestion {
    /// The question, in words.
    pub text: String,
    /// Its vector, if there is one.
    #[serde(skip)]
    pub vector: Option<Vec<f32>>,
    /// The name of the embedder that made the vector: one of another model than the memory's is not compared.
    pub model: Option<String>,
    /// Whether the bundled model makes its vector; false by default.
    pub embed: bool,
    /// Which rows count; all but the uncertainty log by default.
    #[tsify(type = "QuestionFilter")]
    pub filter: QuestionFilter,
    /// How many hits, 1 to [`MAX_HITS`]; 10 by default.
    pub k: u32,
    /// What each part of a score weighs.
    #[tsify(type = "RecallWeights")]
    pub weights: RecallWeights,
    /// After how many hours a row counts half as recent; two weeks by default.
    pub half_life_hours: f64,
    /// The least cosine of a hit that shares no word with the question.
    pub min_similarity: Option<f64>,
    /// How many turns before and after each turn that was found come along; none by default.
    pub neighbors: u32,
}

impl Default for RecallQuestion {
    fn default() -> Self {
        Self {
            text: String::new(),
            vector: None,
            model: None,
            embed: false,
            filter: QuestionFilter::default(),
            k: DEFAULT_HITS,
            weights: RecallWeights::default(),
            half_life_hours: 24.0 * 14.0,
            min_similarity: None,
            neighbors: 0,
        }
    }
}

impl RecallQuestion {
    /// Rejects what is out of range.
    ///
    /// # Errors
    ///
    /// `invalid_argument`.
    pub(super) fn check(&self) -> Result<()> {
        let Self { k, half_life_hours, neighbors, .. } = self;
        let invalid = |what: String| Err(Error::invalid_argument(what));
        if !(1..=MAX_HITS).contains(k) {
            return invalid(format!("k is {k}; it must be from 1 to {MAX_HITS}."));
        }
        if half_life_hours.is_nan() || *half_life_hours <= 0.0 {
            return invalid(format!("halfLifeHours is {half_life_hours}; it must be above 0."));
        }
        if *neighbors > MAX_NEIGHBORS {
            return invalid(format!("neighbors is {neighbors}; it must be from 0 to {MAX_NEIGHBORS}."));
        }
        self.weights.check()
    }

    /// A question with everything else as it is by default.
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// A row that answers.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct RecallHit {
    /// Which one.
    #[serde(skip)]
    pub item: Item,
    /// Which one, as a caller knows it.
    pub reference: MemoryReference,
    /// The row.
    pub row: RecalledRow,
    /// Its text, up to 65,535 characters.
    pub text: String,
    /// The sum of the parts.
    pub score: f64,
    /// What each part added.
    #[tsify(type = "RecallParts")]
    pub parts: RecallParts,
    /// What they were made of.
    #[tsify(type = "RecallEvidence")]
    pub evidence: RecallEvidence,
    /// Rows of the same text, which are not told by themselves.
    pub duplicates: Vec<MemoryReference>,
    /// Of a turn, those around it, in their order.
    pub neighbors: Vec<Turn>,
}

/// A row that is near in meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct NearRow {
    /// Which one.
    #[serde(skip)]
    pub item: Item,
    /// Which one, as a caller knows it.
    pub reference: MemoryReference,
    /// The row.
    pub row: RecalledRow,
    /// The cosine; null if it was found by its words, having no vector yet.
    pub similarity: Option<f64>,
}
