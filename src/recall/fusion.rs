//! One score from many parts: each part of the evidence for a row is made comparable and weighted, and all are added.
//!
//! Words and meaning are standardised (how many standard deviations above the mean of the rows found) and then summed,
//! not ranked, so that it counts by how much a row fits better than the next one. The weights were chosen on the half
//! of `eval/` that is meant for choosing.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

use crate::error::{Error, Result};
use crate::tables::MemoryTable;

/// The weight of each part of a score; 0 leaves the part out.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Tsify)]
#[serde(deny_unknown_fields, default)]
pub struct RecallWeights {
    /// The words that the row shares with the question: BM25, in standard deviations; 1 by default.
    pub words: f64,
    /// How near the row is in meaning: the cosine, in standard deviations above the mean, and 0 below it; 1 by default.
    pub meaning: f64,
    /// How recent the row is: 1 now, 0.5 after one half-life; 0.2 by default.
    pub recency: f64,
    /// The importance of a fact, from -1 (importance 0) to 1 (importance 1); 0.2 by default.
    pub importance: f64,
    /// How strongly an episode was felt, from 0 to 1; 0.1 by default.
    pub valence: f64,
    /// What resolved open questions teach: towards 1 for a memory that settled them, towards -1 for one that misled;
    /// 0.5 by default.
    pub lessons: f64,
    /// The part that a turn receives of the scores, by words and meaning, of the turns around it; 1 by default.
    pub conversation: f64,
    /// The most that a hit loses if it is near a better hit in meaning: nothing up to a cosine of 0.9, all of it at 1;
    /// 0.5 by default.
    pub diversity: f64,
}

impl RecallWeights {
    /// Rejects weights that are not finite or too large, and a negative `diversity`.
    ///
    /// # Errors
    ///
    /// `invalid_argument`.
    pub(super) fn check(&self) -> Result<()> {
        let Self { words, meaning, recency, importance, valence, lessons, conversation, diversity } = self;
        let named = [
            ("words", words),
            ("meaning", meaning),
            ("recency", recency),
            ("importance", importance),
            ("valence", valence),
            ("lessons", lessons),
            ("conversation", conversation),
            ("diversity", diversity),
        ];
        if *diversity < 0.0 {
            let message = format!("weights.diversity must not be below 0; it is {diversity}.");
            return Err(Error::invalid_argument(message));
        }
        match named.iter().find(|(_, weight)| weight.is_nan() || weight.abs() > LARGEST_WEIGHT) {
            Some((name, weight)) => Err(Error::invalid_argument(format!(
                "weights.{name} must be a finite number, of {LARGEST_WEIGHT} at most; it is {weight}."
            ))),
            None => Ok(()),
        }
    }
}

const LARGEST_WEIGHT: f64 = 1e6;

impl RecallWeights {
    /// By how much the other parts can raise or lower the score of a row of this table.
    pub(super) fn beside(&self, table: MemoryTable, has_lessons: bool) -> f64 {
        let of_table = match table {
            MemoryTable::Semantic => self.importance.abs(),
            MemoryTable::Episodes => self.valence.abs(),
            _ => 0.0,
        };
        self.recency.abs() + of_table + if has_lessons { self.lessons.abs() } else { 0.0 }
    }
}

impl Default for RecallWeights {
    fn default() -> Self {
        Self {
            words: 1.0,
            meaning: 1.0,
            recency: 0.2,
            importance: 0.2,
            valence: 0.1,
            lessons: 0.5,
            conversation: 1.0,
            diversity: 0.5,
        }
    }
}

/// The values that the parts of a score are computed from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct RecallEvidence {
    /// BM25; 0 if the row shares no word with the question.
    pub words: f64,
    /// The cosine; null if the row has no vector yet, or there is no embedder.
    pub similarity: Option<f64>,
    /// The age of the row in hours; null if unknown.
    pub age_hours: Option<f64>,
    /// The importance, from 0 to 1; null if the row's table has none.
    pub importance: Option<f64>,
    /// The valence, from -1 to 1; null if the row's table has none.
    pub valence: Option<f64>,
    /// How many open questions the row settled.
    pub settled: u32,
    /// In how many open questions the row misled.
    pub misled: u32,
    /// For a turn, what it receives of the scores by words and meaning of the turns around it: the largest of 0.8 times
    /// the score of the turn just before or after it, 0.6 times that of a turn two away and 0.4 times that of a turn
    /// three away, up to a silence of an hour.
    pub conversation: f64,
}

/// The amount that each part added to a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Tsify)]
pub struct RecallParts {
    /// From the words that the row shares with the question; negative if they score below the mean of the rows
    /// examined.
    pub words: f64,
    /// From how near the row is in meaning; 0 if it is less near than the mean.
    pub meaning: f64,
    /// From how recent the row is.
    pub recency: f64,
    /// From the importance of the row.
    pub importance: f64,
    /// From how strongly an episode was felt.
    pub valence: f64,
    /// From what resolved open questions teach.
    pub lessons: f64,
    /// From the scores of the turns around a turn.
    pub conversation: f64,
    /// From how near the row is to a better hit: 0 or below.
    pub diversity: f64,
}

impl RecallParts {
    /// The score: the sum of all parts.
    pub fn sum(&self) -> f64 {
        let Self { words, meaning, recency, importance, valence, lessons, conversation, diversity } = self;
        words + meaning + recency + importance + valence + lessons + conversation + diversity
    }
}

/// The mean of some numbers, and their standard deviation.
#[derive(Clone, Copy)]
struct Spread {
    mean: f64,
    deviation: f64,
}

impl Spread {
    fn of(numbers: impl Iterator<Item = f64> + Clone) -> Self {
        let count = numbers.clone().count().max(1) as f64;
        let mean = numbers.clone().sum::<f64>() / count;
        let deviation = (numbers.map(|number| (number - mean).powi(2)).sum::<f64>() / count).sqrt();
        Self { mean, deviation }
    }

    fn standardise(self, number: f64) -> f64 {
        if self.deviation > 1e-9 { (number - self.mean) / self.deviation } else { 0.0 }
    }
}

/// The scales that words and meaning are standardised by: their spread over the candidates.
#[derive(Clone, Copy)]
pub(super) struct Scales {
    words: Spread,
    meaning: Spread,
}

impl Scales {
    pub(super) fn of(candidates: &[RecallEvidence]) -> Self {
        Self {
            words: Spread::of(candidates.iter().map(|evidence| evidence.words)),
            meaning: Spread::of(candidates.iter().filter_map(|evidence| evidence.similarity)),
        }
    }

    /// The amounts that words and meaning add to a score.
    pub(super) fn found(&self, evidence: &RecallEvidence, weights: &RecallWeights) -> RecallParts {
        RecallParts {
            words: weights.words * self.words.standardise(evidence.words),
            // A vector that is far away, or missing, does not count against a row.
            meaning: weights.meaning
                * evidence.similarity.map_or(0.0, |similarity| self.meaning.standardise(similarity).max(0.0)),
            ..RecallParts::default()
        }
    }

    /// The amount that each part adds to a score. `half_life` is in hours.
    pub(super) fn parts(&self, evidence: &RecallEvidence, weights: &RecallWeights, half_life: f64) -> RecallParts {
        RecallParts {
            recency: weights.recency * evidence.age_hours.map_or(0.0, |hours| 0.5_f64.powf(hours.max(0.0) / half_life)),
            importance: weights.importance * evidence.importance.map_or(0.0, |importance| 2.0 * importance - 1.0),
            valence: weights.valence * evidence.valence.map_or(0.0, f64::abs),
            lessons: weights.lessons * (f64::from(evidence.settled) - f64::from(evidence.misled))
                / (f64::from(evidence.settled) + f64::from(evidence.misled) + 1.0),
            conversation: weights.conversation * evidence.conversation,
            ..self.found(evidence, weights)
        }
    }
}
