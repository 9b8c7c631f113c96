//! One score of many: what speaks for a row, each part made comparable and weighed, and all of them added.
//!
//! Words and meaning are standardised (how many standard deviations above the mean of what was found) and then summed, not
//! ranked: by how much a row fits better than the next one counts. The weights were chosen on the half of `eval/` that is
//! for it.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

use crate::error::{Error, Result};
use crate::tables::MemoryTable;

/// How much each part of a score weighs; 0 leaves it out.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Tsify)]
#[serde(deny_unknown_fields, default)]
pub struct RecallWeights {
    /// The words it shares with the question: BM25, in standard deviations; 1 by default.
    pub words: f64,
    /// How near it is in meaning: the cosine, in standard deviations above the mean, and 0 below it; 1 by default.
    pub meaning: f64,
    /// How recent it is: 1 now, 0.5 after a half-life; 0.2 by default.
    pub recency: f64,
    /// Its importance, from -1 (importance 0) to 1 (importance 1); 0.2 by default.
    pub importance: f64,
    /// How strongly an episode was felt, from 0 to 1; 0.1 by default.
    pub valence: f64,
    /// What settled doubts teach: towards 1 for a memory that settled them, towards -1 for one that misled; 0.5 by default.
    pub lessons: f64,
    /// What the turns around a turn say for it: parts of their scores by words and meaning; 1 by default.
    pub conversation: f64,
    /// What a hit loses at the most that is near a better one in meaning: nothing up to a cosine of 0.9, all of it at 1; 0.5 by
    /// default.
    pub diversity: f64,
}

impl RecallWeights {
    /// Rejects weights that no sum could hold.
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
    /// By how much a score can differ from what words, meaning and the conversation say, in a table, up or down.
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

/// What the parts of a score were made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct RecallEvidence {
    /// BM25; 0 if it shares no word with the question.
    pub words: f64,
    /// The cosine; null if it has no vector yet, or there is no embedder.
    pub similarity: Option<f64>,
    /// Hours since it was; null if that is not known.
    pub age_hours: Option<f64>,
    /// From 0 to 1; null if its table has none.
    pub importance: Option<f64>,
    /// From -1 to 1; null if its table has none.
    pub valence: Option<f64>,
    /// Doubts that it settled.
    pub settled: u32,
    /// Doubts in which it misled.
    pub misled: u32,
    /// Of a turn, what those around it have by words and meaning, as far as it counts here: the most of 0.8 of that of the next
    /// one and of the one before, 0.6 and 0.4 of those further away, up to a silence of an hour.
    pub conversation: f64,
}

/// What each part added to a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Tsify)]
pub struct RecallParts {
    /// By the words it shares with the question; negative for one that shares less than the mean of what was looked at.
    pub words: f64,
    /// By how near it is in meaning; 0 for one that is less near than the mean.
    pub meaning: f64,
    /// By how recent it is.
    pub recency: f64,
    /// By its importance.
    pub importance: f64,
    /// By how strongly it was felt.
    pub valence: f64,
    /// By what settled doubts teach.
    pub lessons: f64,
    /// By what the turns around it have.
    pub conversation: f64,
    /// By how near it is to a better hit: 0 or below.
    pub diversity: f64,
}

impl RecallParts {
    /// The score.
    pub fn sum(&self) -> f64 {
        let Self { words, meaning, recency, importance, valence, lessons, conversation, diversity } = self;
        words + meaning + recency + importance + valence + lessons + conversation + diversity
    }
}

/// The mean of some numbers and how far from it they are.
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

/// What words and meaning are measured by: how they are spread over the candidates.
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

    /// What words and meaning add to a score.
    pub(super) fn found(&self, evidence: &RecallEvidence, weights: &RecallWeights) -> RecallParts {
        RecallParts {
            words: weights.words * self.words.standardise(evidence.words),
            // That a row is about something else, as far as its vector tells, does not speak against it, nor that it has none.
            meaning: weights.meaning
                * evidence.similarity.map_or(0.0, |similarity| self.meaning.standardise(similarity).max(0.0)),
            ..RecallParts::default()
        }
    }

    /// What each part adds to a score. `half_life` is in hours.
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
