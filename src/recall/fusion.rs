//! One score of many: what speaks for a row, each part made comparable and weighed, and all of them added.
//!
//! Words and meaning are standardised (how many standard deviations above the mean of what was found) and then summed, not
//! ranked: by how much a row fits better than the next one counts. The weights were chosen on the half of `eval/` that is
//! for it.

/// How much each part weighs. 0 leaves it out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// The words it shares with the question (BM25, standardised).
    pub words: f64,
    /// How near it is in meaning (cosine, standardised).
    pub meaning: f64,
    /// How recent it is: 1 now, 0.5 after a half-life, and so on.
    pub recency: f64,
    /// Its importance, from -1 (importance 0) to 1 (importance 1).
    pub importance: f64,
    /// How strongly it was felt: the distance of its valence from 0.
    pub valence: f64,
    /// What settled doubts teach: towards 1 for one that settled them, towards -1 for one that misled.
    pub lessons: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { words: 1.0, meaning: 2.0, recency: 0.2, importance: 0.2, valence: 0.1, lessons: 0.5 }
    }
}

/// What is known of a row that may be an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// BM25; 0 where it shares no word.
    pub words: f64,
    /// The cosine; none where it has no vector, or the question has not.
    pub similarity: Option<f64>,
    /// Hours since it was; none where nobody knows.
    pub age_hours: Option<f64>,
    /// From 0 to 1; none where its table has none.
    pub importance: Option<f64>,
    /// From -1 to 1; none where its table has none.
    pub valence: Option<f64>,
    /// Doubts that it settled.
    pub settled: u32,
    /// Doubts in which it misled.
    pub misled: u32,
}

/// What each part adds to a score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parts {
    /// By words.
    pub words: f64,
    /// By meaning.
    pub meaning: f64,
    /// By recency.
    pub recency: f64,
    /// By importance.
    pub importance: f64,
    /// By valence.
    pub valence: f64,
    /// By lessons.
    pub lessons: f64,
}

impl Parts {
    /// The score.
    pub fn sum(&self) -> f64 {
        self.words + self.meaning + self.recency + self.importance + self.valence + self.lessons
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

/// What each part adds to the score of each candidate. `half_life` is in hours.
pub fn weigh(candidates: &[Evidence], weights: &Weights, half_life: f64) -> Vec<Parts> {
    let words = Spread::of(candidates.iter().map(|evidence| evidence.words));
    let meaning = Spread::of(candidates.iter().filter_map(|evidence| evidence.similarity));
    let part = |evidence: &Evidence| Parts {
        words: weights.words * words.standardise(evidence.words),
        // That a row is about something else, as far as its vector tells, does not speak against it, nor that it has none.
        meaning: weights.meaning
            * evidence.similarity.map_or(0.0, |similarity| meaning.standardise(similarity).max(0.0)),
        recency: weights.recency * evidence.age_hours.map_or(0.0, |hours| 0.5_f64.powf(hours.max(0.0) / half_life)),
        importance: weights.importance * evidence.importance.map_or(0.0, |importance| 2.0 * importance - 1.0),
        valence: weights.valence * evidence.valence.map_or(0.0, f64::abs),
        lessons: weights.lessons * (f64::from(evidence.settled) - f64::from(evidence.misled))
            / (f64::from(evidence.settled) + f64::from(evidence.misled) + 1.0),
    };
    candidates.iter().map(part).collect()
}
