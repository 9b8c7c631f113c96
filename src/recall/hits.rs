//! Selects the hits among the candidates: the best, each text once. A hit that is near a better one comes a little
//! later.
//!
//! The latter is maximal marginal relevance (J. Carbonell and J. Goldstein, "The Use of MMR, Diversity-Based Reranking
//! for Reordering Documents and Producing Summaries", 1998), applied mildly: a hit near a better one loses a part of
//! its score, and is never hidden.

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

/// From this cosine on, a hit is near another one.
const NEAR: f64 = 0.9;
/// How many of the best hits the later ones are compared with. Further down, hits are not read side by side.
const COMPARED: usize = 64;

/// A candidate that may become the next hit.
struct Waiting<'c> {
    candidate: &'c Candidate,
    parts: RecallParts,
    /// What was read of the row when it first came to the top.
    seen: Option<Seen>,
}

impl Waiting<'_> {
    /// In the order of their scores; with the same score, in the order of their items.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.parts.sum().total_cmp(&other.parts.sum());
        by_score.then(self.candidate.item.cmp(&other.candidate.item))
    }
}

struct Seen {
    mark: TextMark,
    text: String,
    vector: Option<Vec<f32>>,
    /// With how many hits it was compared, and how near the nearest of them is, from 0 to 1.
    compared: usize,
    nearest: f64,
}

impl Seen {
    /// Compares it with the hits that were added since the last comparison.
    fn compare(&mut self, taken: &[Taken]) {
        let Some(vector) = &self.vector else { return };
        let new = taken.iter().take(COMPARED).skip(self.compared);
        for other in new.filter_map(|taken| taken.vector.as_deref()) {
            self.nearest = self.nearest.max((cosine(vector, other) - NEAR) / (1.0 - NEAR));
        }
        self.compared = taken.len();
    }
}

/// A hit, with the mark and the vector that later candidates are compared with.
struct Taken {
    mark: TextMark,
    vector: Option<Vec<f32>>,
    hit: RecallHit,
}

impl Recall<'_> {
    /// Selects the best hits, the best first; rows with the same text are added to a hit as its duplicates.
    pub(super) fn rank(
        &self,
        mut candidates: Vec<Candidate>,
        scales: Scales,
        asking: &Asking<'_>,
    ) -> Result<Vec<RecallHit>> {
        let question = asking.question;
        // Some of the best may have the same text, or be near each other.
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
        // The best comes last.
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
                // It may no longer be the best.
                next.parts.diversity = diversity;
                next.seen = Some(seen);
                let place = waiting.partition_point(|other| other.cmp(&next).is_lt());
                waiting.insert(place, next);
                continue;
            }
            // A row that cannot be read makes room for the next.
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
