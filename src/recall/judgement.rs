//! The judgements of Synth Mind: how well facts support a text, whether the talk drifts, and what is related.

use serde::Serialize;
use tsify::Tsify;

use super::Recall;
use super::filter::QuestionFilter;
use super::item::MemoryTables;
use super::question::{NearRow, RecallQuestion};
use super::unit::{cosine, unit};
use super::vectors::Accept;
use crate::db::ask;
use crate::error::{Error, Result};
use crate::tables::MemoryTable;

/// How many contexts are kept.
const CONTEXTS: usize = 20;
/// How many of the last contexts count as the present.
const PRESENT: usize = 3;
/// How many episodes count as recent.
const RECENT_EPISODES: u32 = 20;

/// Whether the talk has left its subject.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct CoherenceDrift {
    /// Whether the coherence is below the threshold; false while there are fewer than three contexts.
    pub drifting: bool,
    /// The mean cosine: among the three contexts if there are only three, else between the last three and those before
    /// them; null while there are fewer than three.
    pub coherence: Option<f64>,
    /// How many contexts there are, at most 20.
    pub contexts: u32,
}

impl Recall<'_> {
    /// How well facts support a text, from 0 to 1, as Synth Mind computes it. Returns 0.5 if there are no facts, and
    /// 0.3 if none of the three nearest has a cosine of at least 0.3. Otherwise it is their mean cosine weighted by
    /// importance, a tenth higher if the second one's cosine is above 0.6, and at most 1.
    ///
    /// # Errors
    ///
    /// As for [`Recall::recall`].
    pub fn grounding_confidence(&self, question: &RecallQuestion) -> Result<f64> {
        const NEAREST: u32 = 3;
        const LEAST: f64 = 0.3;
        if !ask::<bool>(self.connection(), "SELECT EXISTS (SELECT 1 FROM semantic_memories)")? {
            return Ok(0.5);
        }
        let filter = QuestionFilter { tables: Some(vec![MemoryTable::Semantic]), ..QuestionFilter::default() };
        let found =
            self.search(&RecallQuestion { filter, k: NEAREST, min_similarity: Some(LEAST), ..question.clone() })?;
        let mut near = Vec::new();
        for NearRow { item, similarity, .. } in found {
            if let (Some(similarity), Some(evidence)) = (similarity, self.evidence(item)?) {
                near.push((similarity, evidence.importance.unwrap_or(0.5)));
            }
        }
        if near.is_empty() {
            return Ok(LEAST);
        }
        let weight: f64 = near.iter().map(|(_, importance)| importance).sum();
        let mean = if weight > 0.0 {
            near.iter().map(|(similarity, importance)| similarity * importance).sum::<f64>() / weight
        } else {
            near.iter().map(|(similarity, _)| similarity).sum::<f64>() / near.len() as f64
        };
        let supported = near.get(1).is_some_and(|(similarity, _)| *similarity > 0.6);
        Ok((if supported { 1.1 * mean } else { mean }).min(1.0))
    }

    /// Notes what is talked about now, as a vector.
    ///
    /// # Errors
    ///
    /// `invalid_embedding`; `invalid_argument` if the text has no vector.
    pub fn track_context(&self, question: &RecallQuestion) -> Result<()> {
        let Some(vector) = self.vector_of(question)? else {
            return Err(Error::invalid_argument("The text has no vector that could be tracked."));
        };
        let vector = match self.model()? {
            Some(model) => unit(&vector, model.dimensions)?,
            None => unit(&vector, vector.len())?,
        };
        let contexts = &mut self.state.borrow_mut().contexts;
        if contexts.front().is_some_and(|other| other.len() != vector.len()) {
            contexts.clear();
        }
        contexts.push_back(vector);
        if contexts.len() > CONTEXTS {
            contexts.pop_front();
        }
        Ok(())
    }

    /// Whether the last contexts are about something else than those before them, as Synth Mind computes it.
    ///
    /// # Errors
    ///
    /// `invalid_argument` for a threshold that is not from -1 to 1.
    pub fn coherence_drift(&self, threshold: f64) -> Result<CoherenceDrift> {
        if !(-1.0..=1.0).contains(&threshold) {
            return Err(Error::invalid_argument(format!("threshold is {threshold}; it must be from -1 to 1.")));
        }
        let contexts = &self.state.borrow().contexts;
        let all: Vec<&Vec<f32>> = contexts.iter().collect();
        let (before, present) = all.split_at(all.len().saturating_sub(PRESENT));
        let mut cosines = Vec::new();
        if before.is_empty() {
            for (at, a) in present.iter().enumerate() {
                cosines.extend(present[at + 1..].iter().map(|b| cosine(a, b)));
            }
        } else {
            cosines.extend(present.iter().flat_map(|a| before.iter().map(move |b| cosine(a, b))));
        }
        let coherence = (all.len() >= PRESENT).then(|| cosines.iter().sum::<f64>() / cosines.len() as f64);
        let drifting = coherence.is_some_and(|coherence| coherence < threshold);
        Ok(CoherenceDrift { drifting, coherence, contexts: all.len() as u32 })
    }

    /// The facts nearest to a text in meaning and, with `include_episodes`, also those of the last twenty episodes that
    /// are near it; the nearest first.
    ///
    /// # Errors
    ///
    /// As for [`Recall::recall`].
    pub fn related(&self, question: &RecallQuestion, include_episodes: bool) -> Result<Vec<NearRow>> {
        let filter = QuestionFilter { tables: Some(vec![MemoryTable::Semantic]), ..question.filter.clone() };
        let mut found = self.search(&RecallQuestion { filter, ..question.clone() })?;
        if !include_episodes {
            return Ok(found);
        }
        if let (Some(vector), Some(model)) = (self.vector_of(question)?, self.model()?) {
            let sql = "SELECT id << 3 | 1 FROM episodes ORDER BY id DESC LIMIT ?";
            let mut statement = self.connection().prepare_cached(sql)?;
            let ids = statement.query_map([RECENT_EPISODES], |row| row.get(0))?;
            let mut ids = ids.collect::<rusqlite::Result<Vec<i64>>>()?;
            ids.sort_unstable();
            let accept = Accept { tables: MemoryTables::of(&[MemoryTable::Episodes]), ids: Some(&ids) };
            found.extend(self.near_rows(&vector, &model, question.k as usize, accept, None)?);
            found.sort_by(|a, b| b.similarity.unwrap_or(-1.0).total_cmp(&a.similarity.unwrap_or(-1.0)));
            found.truncate(question.k as usize);
        }
        Ok(found)
    }
}
