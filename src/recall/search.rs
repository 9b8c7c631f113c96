//! How a question is answered: rows are searched by words and by meaning, and ranked together.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, params};

use super::embeddings::Model;
use super::fusion::{RecallEvidence, RecallWeights, Scales};
use super::index::Index;
use super::item::Item;
use super::question::{NearRow, RecallHit, RecallQuestion};
use super::reference::readable;
use super::text::WordHits;
use super::unit::{cosine, unit};
use super::vectors::{Accept, Near};
use super::{Recall, text};
use crate::db::ask;
use crate::error::Result;
use crate::tables::turns::Turn;
use crate::tables::{MemoryTable, Rows};

/// The most rows that are examined closely if many have the same text.
const MOST_LOOKED_AT: usize = 6000;
/// The fewest rows that are examined closely, by words and by meaning each.
const POOL: usize = 100;

/// A row that may be a hit.
pub(super) struct Candidate {
    pub(super) item: Item,
    pub(super) evidence: RecallEvidence,
    /// Whether its evidence other than words, meaning and conversation is loaded.
    pub(super) is_known: bool,
}

/// Everything a question is compared by.
pub(super) struct Asking<'a> {
    pub(super) question: &'a RecallQuestion,
    accept: Accept<'a>,
    /// The question's vector, at unit length.
    vector: Option<&'a [f32]>,
    pub(super) model: Option<&'a Model>,
    words: WordHits,
    /// The cosines of the rows that were found by meaning, by id.
    similar: HashMap<i64, f64>,
}

impl Recall<'_> {
    /// The rows that answer a question, the best first.
    ///
    /// # Errors
    ///
    /// `invalid_argument`, `invalid_embedding`; `schema_mismatch` if the memory is at a revision without an index.
    pub fn recall(&self, question: &RecallQuestion) -> Result<Vec<RecallHit>> {
        question.check()?;
        Index::of(self.db).answer(&mut || self.hits_of(question))
    }

    fn hits_of(&self, question: &RecallQuestion) -> Result<Vec<RecallHit>> {
        let vector = if question.weights.meaning == 0.0 { None } else { self.vector_of(question)? };
        let ids = question.filter.ids(self.connection())?;
        let accept = Accept { tables: question.filter.tables(), ids: ids.as_deref() };
        let words = if question.weights.words == 0.0 {
            WordHits::default()
        } else {
            text::find(self.connection(), &question.text, accept)?
        };
        let model = self.model()?;
        let asked = vector.as_deref().zip(model.as_ref());
        let asked = asked.map(|(vector, model)| unit(vector, model.dimensions)).transpose()?;
        let mut asking = Asking {
            question,
            accept,
            vector: asked.as_deref(),
            model: model.as_ref(),
            words,
            similar: HashMap::new(),
        };

        // If many rows have the same text, more rows are examined until `k` hits are found.
        let mut pool = POOL.max(4 * question.k as usize);
        loop {
            let by_meaning = match (&asked, &model) {
                (Some(asked), Some(model)) => self.nearest(asked, model, pool, accept)?,
                _ => Vec::new(),
            };
            asking.similar = by_meaning.iter().map(|near| (near.id, f64::from(near.similarity))).collect();
            let best = asking.words.best(pool);
            let ids = best.iter().map(|hit| hit.id).chain(by_meaning.iter().map(|near| near.id)).collect();
            let (candidates, scales) = self.candidates(ids, &asking)?;
            let hits = self.rank(candidates, scales, &asking)?;
            let is_all = asking.words.len() <= pool && by_meaning.len() < pool;
            if hits.len() == question.k as usize || is_all || pool >= MOST_LOOKED_AT {
                self.use_of(hits.iter().map(|hit| hit.item));
                return Ok(hits);
            }
            pool *= 4;
        }
    }

    /// The candidates among these rows and the turns around them, and the scales that their scores are standardised by.
    fn candidates(&self, mut ids: Vec<i64>, asking: &Asking<'_>) -> Result<(Vec<Candidate>, Scales)> {
        ids.sort_unstable();
        ids.dedup();
        let mut candidates = Vec::with_capacity(ids.len());
        for id in &ids {
            candidates.extend(self.candidate(*id, asking)?);
        }
        let evidence: Vec<RecallEvidence> = candidates.iter().map(|candidate| candidate.evidence).collect();
        let scales = Scales::of(&evidence);
        let weights = &asking.question.weights;
        if weights.conversation != 0.0 {
            let score = |candidate: &Candidate| (candidate.item, scales.found(&candidate.evidence, weights).sum());
            let mut shared = self.shared(candidates.iter().map(score))?;
            for candidate in &mut candidates {
                candidate.evidence.conversation = shared.remove(&candidate.item.0).unwrap_or_default();
            }
            for (id, share) in shared {
                if asking.accept.has(id) && ids.binary_search(&id).is_err() {
                    let near = self.candidate(id, asking)?;
                    candidates.extend(near.map(|mut candidate| {
                        candidate.evidence.conversation = share;
                        candidate
                    }));
                }
            }
        }
        Ok((candidates, scales))
    }

    /// The candidate for one row; none if it has nothing in common with the question.
    fn candidate(&self, id: i64, asking: &Asking<'_>) -> Result<Option<Candidate>> {
        let words = asking.words.get(id);
        let similarity = match (asking.similar.get(&id), asking.vector, asking.model) {
            (Some(similarity), ..) => Some(*similarity),
            (None, Some(asked), Some(model)) => self.vector(id, model)?.map(|vector| cosine(asked, &vector)),
            _ => None,
        };
        let is_about_it = words.is_some_and(|hit| hit.is_about_it);
        let is_too_far = asking.question.min_similarity.is_some_and(|least| similarity < Some(least));
        let words = words.map_or(0.0, |hit| hit.score);
        let evidence = RecallEvidence { words, similarity, ..RecallEvidence::default() };
        Ok((is_about_it || !is_too_far).then_some(Candidate { item: Item(id), evidence, is_known: false }))
    }

    /// Loads the remaining evidence of the candidates that could rank among the first `best` with it, and removes those
    /// that no longer exist. Each takes two SQL queries, and most candidates are out of reach.
    pub(super) fn know(
        &self,
        candidates: &mut Vec<Candidate>,
        scales: &Scales,
        best: usize,
        weights: &RecallWeights,
    ) -> Result<()> {
        let has_lessons: bool = ask(self.connection(), "SELECT EXISTS (SELECT 1 FROM memory_lessons)")?;
        let score = |candidate: &Candidate| {
            scales.found(&candidate.evidence, weights).sum() + weights.conversation * candidate.evidence.conversation
        };
        let at_most = |candidate: &Candidate| weights.beside(candidate.item.table(), has_lessons);
        let mut least: Vec<f64> = candidates.iter().map(|one| score(one) - at_most(one)).collect();
        least.sort_unstable_by(|a, b| b.total_cmp(a));
        let needed = best.checked_sub(1).and_then(|last| least.get(last)).copied().unwrap_or(f64::NEG_INFINITY);
        let mut known = Vec::with_capacity(candidates.len());
        for mut candidate in candidates.drain(..) {
            // A row near a better one loses up to `weights.diversity`.
            if !candidate.is_known && score(&candidate) + at_most(&candidate) >= needed - weights.diversity {
                let Some(evidence) = self.evidence(candidate.item)? else { continue };
                let RecallEvidence { words, similarity, conversation, .. } = candidate.evidence;
                candidate.evidence = RecallEvidence { words, similarity, conversation, ..evidence };
                candidate.is_known = true;
            }
            known.push(candidate);
        }
        *candidates = known;
        Ok(())
    }

    /// The rows nearest in meaning, exactly, the nearest first; if they are too few, then rows without a vector that
    /// share words with the question.
    ///
    /// # Errors
    ///
    /// As for [`Recall::recall`].
    pub fn search(&self, question: &RecallQuestion) -> Result<Vec<NearRow>> {
        question.check()?;
        Index::of(self.db).answer(&mut || self.near_rows_of(question))
    }

    fn near_rows_of(&self, question: &RecallQuestion) -> Result<Vec<NearRow>> {
        let min_similarity = question.min_similarity;
        let ids = question.filter.ids(self.connection())?;
        let accept = Accept { tables: question.filter.tables(), ids: ids.as_deref() };
        let k = question.k as usize;
        let vector = self.vector_of(question)?;
        let model = self.model()?;
        let mut found = match (&vector, &model) {
            (Some(vector), Some(model)) => self.near_rows(vector, model, k, accept, min_similarity)?,
            _ => Vec::new(),
        };
        if found.len() < k && min_similarity.is_none() {
            let by_words = text::find(self.connection(), &question.text, accept)?;
            for hit in by_words.best(by_words.len()) {
                if found.len() == k {
                    break;
                }
                let id = hit.id;
                let has_vector = match &model {
                    Some(model) => vector.is_some() && self.vector(id, model)?.is_some(),
                    None => false,
                };
                if !has_vector && let Some((reference, row)) = self.read(Item(id))? {
                    found.push(NearRow { item: Item(id), reference, row, similarity: None });
                }
            }
        }
        Ok(found)
    }

    /// The rows with the nearest vectors, the nearest first. Fewer than `wanted` only if no more can be read.
    pub(super) fn near_rows(
        &self,
        vector: &[f32],
        model: &Model,
        wanted: usize,
        accept: Accept<'_>,
        min_similarity: Option<f64>,
    ) -> Result<Vec<NearRow>> {
        let asked = unit(vector, model.dimensions)?;
        let mut looked_at = wanted;
        loop {
            let near = self.nearest(&asked, model, looked_at, accept)?;
            let mut rows = Vec::with_capacity(wanted);
            let mut unreadable = 0;
            for Near { id, similarity, .. } in &near {
                let similarity = f64::from(*similarity);
                if min_similarity.is_some_and(|least| similarity < least) {
                    return Ok(rows);
                }
                match self.read(Item(*id))? {
                    Some((reference, row)) => {
                        rows.push(NearRow { item: Item(*id), reference, row, similarity: Some(similarity) });
                    }
                    None => unreadable += 1,
                }
                if rows.len() == wanted {
                    return Ok(rows);
                }
            }
            if near.len() < looked_at {
                return Ok(rows);
            }
            looked_at += unreadable;
        }
    }

    /// The nearest vectors, exactly, the nearest first. Fewer than `wanted` only if there are no more.
    pub(super) fn nearest(&self, asked: &[f32], model: &Model, wanted: usize, accept: Accept<'_>) -> Result<Vec<Near>> {
        self.read_index(model)?;
        let mut state = self.state.borrow_mut();
        let vectors = state.vectors.as_mut().expect("just read");
        let query = vectors.query(asked.to_vec());
        // One byte per dimension orders nearly all of them correctly. Near the last place, the vectors themselves
        // decide.
        let mut looked_at = wanted + (wanted / 4).clamp(8, 400);
        loop {
            let near = vectors.nearest(&query, looked_at, accept);
            let (mut exact, mut gone) = (Vec::with_capacity(near.len()), Vec::new());
            let mut seen = HashSet::new();
            for candidate in &near {
                match self.vector_of_near(candidate, model)? {
                    // A vector that was stored, rolled back and stored again may be in memory twice.
                    Some(_) if !seen.insert(candidate.id) => {}
                    Some(vector) => exact.push(Near { similarity: cosine(&query.exact, &vector) as f32, ..*candidate }),
                    None => gone.push(*candidate),
                }
            }
            vectors.forget(&gone);
            if exact.len() >= wanted || near.len() < looked_at {
                exact.sort_unstable_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.id.cmp(&b.id)));
                exact.truncate(wanted);
                return Ok(exact);
            }
            looked_at *= 2;
        }
    }

    /// The evidence about a row other than its text; none if the row no longer exists.
    pub(super) fn evidence(&self, item: Item) -> Result<Option<RecallEvidence>> {
        let sql = match item.table() {
            MemoryTable::Turns => "SELECT timestamp, NULL, NULL FROM turns WHERE id = ?",
            MemoryTable::Episodes => "SELECT timestamp, NULL, valence FROM episodes WHERE id = ?",
            MemoryTable::Semantic => "SELECT timestamp, importance, NULL FROM semantic_memories WHERE id = ?",
            MemoryTable::LongTerm => {
                "SELECT updated_at, NULL, NULL FROM long_term WHERE key = (SELECT key FROM long_term_ids WHERE id = ?)"
            }
            MemoryTable::Uncertainty => "SELECT timestamp, NULL, NULL FROM uncertainty_log WHERE id = ?",
        };
        let now = self.db.now();
        let mut statement = self.connection().prepare_cached(sql)?;
        let evidence = statement.query_row([item.row()], |row| {
            // Another program may have stored a text there, so the value is unknown.
            let number = |at| row.get::<_, Option<f64>>(at).unwrap_or_default().filter(|number| number.is_finite());
            Ok(RecallEvidence {
                age_hours: number(0).map(|then| (now - then) / 3600.0),
                importance: number(1).map(|importance| importance.clamp(0.0, 1.0)),
                valence: number(2).map(|valence| valence.clamp(-1.0, 1.0)),
                ..RecallEvidence::default()
            })
        });
        let Some(mut evidence) = evidence.optional()? else { return Ok(None) };
        let sql = "SELECT count(*) FILTER (WHERE effect > 0), count(*) FILTER (WHERE effect < 0)
                   FROM memory_lessons WHERE id = ?";
        let mut statement = self.connection().prepare_cached(sql)?;
        (evidence.settled, evidence.misled) =
            statement.query_row(params![item.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Some(evidence))
    }

    /// The turns around a turn: up to `many` before it and as many after it, in order. None for a row of another table.
    pub(super) fn neighbors(&self, item: Item, many: u32) -> Result<Vec<Turn>> {
        if many == 0 || item.table() != MemoryTable::Turns {
            return Ok(Vec::new());
        }
        let sql = "SELECT id FROM (SELECT id FROM turns WHERE id < ?1 ORDER BY id DESC LIMIT ?2)
                   UNION SELECT id FROM (SELECT id FROM turns WHERE id > ?1 ORDER BY id LIMIT ?2) ORDER BY 1";
        let mut statement = self.connection().prepare_cached(sql)?;
        let ids = statement.query_map([item.row(), many.into()], |row| row.get(0))?;
        let ids = ids.collect::<rusqlite::Result<Vec<i64>>>()?;
        let turns = ids.iter().filter(|id| id.unsigned_abs() < 1 << 53).map(|id| readable(Rows::new(self.db).get(id)));
        Ok(turns.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }
}
