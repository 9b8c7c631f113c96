//! Questions, their options and their results.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::filter::QuestionFilter;
use super::fusion::{RecallEvidence, RecallParts, RecallWeights};
use super::item::Item;
use super::reference::{MemoryReference, RecalledRow};
use crate::error::{Error, Result};
use crate::tables::turns::Turn;

/// How many hits a question has by default.
pub const DEFAULT_HITS: u32 = 10;
/// The most hits of one question.
pub const MAX_HITS: u32 = 1000;
/// The most turns that are returned before, and after, a turn that was found.
pub const MAX_NEIGHBORS: u32 = 100;

/// A question and the rows that it searches.
#[derive(Clone, Debug, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RecallQuestion {
    /// The question, in words.
    pub text: String,
    /// The question's vector, if there is one.
    #[serde(skip)]
    pub vector: Option<Vec<f32>>,
    /// The name of the embedder that made the vector. A vector of a model other than the memory's is rejected.
    pub model: Option<String>,
    /// Whether the bundled model makes the vector; false by default.
    pub embed: bool,
    /// Which rows are searched; all but the uncertainty log by default.
    #[tsify(type = "QuestionFilter")]
    pub filter: QuestionFilter,
    /// How many hits to return, from 1 to [`MAX_HITS`]; 10 by default.
    pub k: u32,
    /// The weight of each part of a score.
    #[tsify(type = "RecallWeights")]
    pub weights: RecallWeights,
    /// After how many hours a row counts half as recent; 336 (two weeks) by default.
    pub half_life_hours: f64,
    /// The least cosine of a hit that shares no word with the question, from -1 to 1; none by default.
    pub min_similarity: Option<f64>,
    /// How many turns to return before and after each turn that was found, at most [`MAX_NEIGHBORS`]; 0 by default.
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
    /// Rejects values out of range.
    ///
    /// # Errors
    ///
    /// `invalid_argument`.
    pub(super) fn check(&self) -> Result<()> {
        let Self { k, half_life_hours, neighbors, min_similarity, .. } = self;
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
        if let Some(least) = min_similarity.filter(|least| !(-1.0..=1.0).contains(least)) {
            return invalid(format!("minSimilarity is {least}; it must be from -1 to 1."));
        }
        self.filter.check()?;
        self.weights.check()
    }

    /// A question with default options.
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// A row that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct RecallHit {
    /// The row's item.
    #[serde(skip)]
    pub item: Item,
    /// The reference to the row, as callers use it.
    pub reference: MemoryReference,
    /// The row.
    pub row: RecalledRow,
    /// The row's whole text, without surrounding white space.
    pub text: String,
    /// The sum of the parts.
    pub score: f64,
    /// The amount that each part added to the score.
    #[tsify(type = "RecallParts")]
    pub parts: RecallParts,
    /// The values that the parts are computed from.
    #[tsify(type = "RecallEvidence")]
    pub evidence: RecallEvidence,
    /// Other rows with the same text, which are not hits of their own.
    pub duplicates: Vec<MemoryReference>,
    /// For a turn, the turns around it, in order; empty for other rows.
    pub neighbors: Vec<Turn>,
}

/// A row that is near in meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct NearRow {
    /// The row's item.
    #[serde(skip)]
    pub item: Item,
    /// The reference to the row, as callers use it.
    pub reference: MemoryReference,
    /// The row.
    pub row: RecalledRow,
    /// The cosine; null if the row has no vector yet and was found by its words.
    pub similarity: Option<f64>,
}
