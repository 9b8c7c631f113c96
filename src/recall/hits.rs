//! Which candidates become hits: the best, each text once, and of those that are near each other the others a little later.
//!
//! The last is maximal marginal relevance (J. Carbonell and J. Goldstein, "The Use of MMR, Diversity-Based Reranking for
//! Reordering Documents and Producing Summaries", 1998), taken mildly: what is near a better hit loses a part of its score,
//! and hides behind nothing.

use std::cmp::Ordering;

use super::Recall;
use super::fusion::{RecallParts, Scales};
use super::index::Texts;
use super::item::Item;
use super::question::{RecallHit, RecallQuestion};
use super::same_text::TextMark;
use super::search::{Asking, Candidate};
use super::unit::cosine;
use crate::error::Result;

/// From which cosine on a hit is near another.
const NEAR: f64 = 0.9;
/// So many of the best hits are held against what comes behind them: further down nobody reads hits side by side.
const COMPARED: usize = 64;

/// A candidate whose turn it may be.
struct Waiting<'c> {
    candidate: &'c Candidate,
    parts: RecallParts,
    /// What is known of it once it came to the top.
    seen: Option<Seen>,
}

impl Waiting<'_> {
    /// In the order of their scores; of the same score, of their items.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.parts.sum().total_cmp(&other.parts.sum());
        by_score.then(self.candidate.item.cmp(&other.candidate.item))
    }
}

struct Seen {
    mark: TextMark,
    text: String,
    vector: Option<Vec<f32>>,
    /// With how many hits it was compared, and how near the nearest is, from 0 to 1.
    compared: usize,
    nearest: f64,
}

impl Seen {
    /// Compares it with the hits that came since it was.
    fn compare(&mut self, taken: &[Taken]) {
        let Some(vector) = &self.vector else { return };
        let new = taken.iter().take(COMPARED).skip(self.compared);
        for other in new.filter_map(|taken| taken.vector.as_deref()) {
            self.nearest = self.nearest.max((cosine(vector, other) - NEAR) / (1.0 - NEAR));
        }
        self.compared = taken.len();
    }
}

/// A hit, and what others are compared with.
struct Taken {
    mark: TextMark,
    vector: Option<Vec<f32>>,
    hit: RecallHit,
}

impl Recall<'_> {
    /// Puts the best first, and what is the same as a better one with it.
    pub(super) fn rank(
        &self,
        mut candidates: Vec<Candidate>,
        scales: Scales,
        asking: &Asking<'_>,
    ) -> Result<Vec<RecallHit>> {
        let question = asking.question;
        // Some of the best may be the same, or near each other.
        let mut best = 2 * question.k as usize + 10;
        loop {
            self.know(&mut candidates, &scales, best, &question.weights)?;
            let known: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.is_known).collect();
            let hits = self.hits(&known, &scales, asking)?;
            if hits.len() == question.k as usize || known.len() == candidates.len() {
                return Ok(hits);
            }
            best = candidates.len();
        }
    }

    fn hits(&self, candidates: &[&Candidate], scales: &Scales, asking: &Asking<'_>) -> Result<Vec<RecallHit>> {
        let RecallQuestion { k, weights, half_life_hours, .. } = asking.question;
        let mut waiting: Vec<Waiting<'_>> = candidates
            .iter()
            .map(|candidate| {
                let parts = scales.parts(&candidate.evidence, weights, *half_life_hours);
                Waiting { candidate, parts, seen: None }
            })
            .collect();
        // The best last.
        waiting.sort_by(Waiting::cmp);
        let mut texts = Texts::of(self.connection());
        let mut taken: Vec<Taken> = Vec::new();
        while let Some(mut next) = waiting.pop() {
            let item = next.candidate.item;
            let seen = match next.seen.take() {
                Some(seen) => Some(seen),
                None => self.see(&mut texts, item, asking)?,
            };
            let Some(mut seen) = seen else { continue };
            if let Some(same) = taken.iter_mut().find(|other| other.mark == seen.mark) {
                same.hit.duplicates.extend(self.reference(item)?);
                continue;
            }
            if taken.len() == *k as usize {
                break;
            }
            seen.compare(&taken);
            let diversity = 0.0 - weights.diversity * seen.nearest;
            if diversity != next.parts.diversity {
                // It may not be the best any more.
                next.parts.diversity = diversity;
                next.seen = Some(seen);
                let place = waiting.partition_point(|other| other.cmp(&next).is_lt());
                waiting.insert(place, next);
                continue;
            }
            // One that cannot be read makes room for the next.
            let Some((reference, row)) = self.read(item)? else { continue };
            let Seen { mark, text, vector, .. } = seen;
            let hit = RecallHit {
                item,
                reference,
                row,
                text,
                score: next.parts.sum(),
                parts: next.parts,
                evidence: next.candidate.evidence,
                duplicates: Vec::new(),
                neighbors: self.neighbors(item, asking.question.neighbors)?,
            };
            taken.push(Taken { mark, vector, hit });
        }
        Ok(taken.into_iter().map(|taken| taken.hit).collect())
    }

    fn see(&self, texts: &mut Texts<'_>, item: Item, asking: &Asking<'_>) -> Result<Option<Seen>> {
        let Some(text) = texts.read(item)? else { return Ok(None) };
        let vector = match asking.model {
            Some(model) if asking.question.weights.diversity != 0.0 => self.vector(item.0, model)?,
            _ => None,
        };
        let mark = TextMark::of(&text);
        Ok(Some(Seen { mark, text: text.trim().to_owned(), vector, compared: 0, nearest: 0.0 }))
    }
}
