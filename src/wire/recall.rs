//! What recall answers: hits, vectors, judgements, consolidations, as they cross.

use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::encode::{Record, ToJs};
use super::question::SOURCES;
use super::record;
use crate::Memory;
use crate::error::{ErrorCode, Result};
use crate::recall::{self, Found, Hit, Item, Source, consolidate};

fn name(source: Source) -> &'static str {
    SOURCES.iter().find(|(_, known)| *known == source).map_or("", |(name, _)| *name)
}

/// A row as its table has it; nothing where it is gone, or holds what it should not.
fn row(memory: &Memory, item: Item) -> Result<JsValue> {
    match read(memory, item) {
        Err(error) if error.code() == ErrorCode::UnexpectedValue => Ok(JsValue::NULL),
        row => row,
    }
}

fn read(memory: &Memory, item: Item) -> Result<JsValue> {
    match item.source() {
        Source::Turns => memory.turns().get(&item.row())?.to_js(),
        Source::Episodes => memory.episodes().get(&item.row())?.to_js(),
        Source::Semantic => memory.semantic().get(&item.row())?.to_js(),
        Source::Uncertainty => memory.uncertainty().get(&item.row())?.to_js(),
        Source::LongTerm => match memory.recall().key(item)? {
            Some(key) => memory.long_term().get(&key)?.to_js(),
            None => Ok(JsValue::NULL),
        },
    }
}

/// A row, as it is referred to.
#[derive(Tsify)]
#[tsify(missing_as_null)]
pub(crate) struct RowReference {
    /// Its table.
    #[tsify(type = "MemoryTable")]
    pub(crate) table: &'static str,
    /// Its id; null for an entry of long-term knowledge.
    pub(crate) id: Option<i64>,
    /// Its key; null but for an entry of long-term knowledge.
    pub(crate) key: Option<String>,
}

record!(RowReference { table, id, key });

impl RowReference {
    fn of(memory: &Memory, item: Item) -> Result<Self> {
        let table = name(item.source());
        Ok(match item.source() {
            Source::LongTerm => Self { table, id: None, key: memory.recall().key(item)? },
            _ => Self { table, id: Some(item.row()), key: None },
        })
    }
}

/// What each part added to a score.
#[derive(Tsify)]
#[allow(dead_code)]
pub(crate) struct RecallParts {
    /// By the words it shares with the question; negative for one that shares less than the mean of what was looked at.
    words: f64,
    /// By how near it is in meaning; 0 for one that is less near than the mean.
    meaning: f64,
    /// By how recent it is.
    recency: f64,
    /// By its importance.
    importance: f64,
    /// By how strongly it was felt.
    valence: f64,
    /// By what settled doubts teach.
    lessons: f64,
}

record!(recall::Parts { words, meaning, recency, importance, valence, lessons });

/// What the parts were made of.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
#[allow(dead_code)]
pub(crate) struct RecallEvidence {
    /// BM25; 0 where it shares no word with the question.
    words: f64,
    /// The cosine; null where it has no vector yet, or there is no embedder.
    similarity: Option<f64>,
    /// Hours since it was.
    age_hours: Option<f64>,
    /// From 0 to 1; null where its table has none.
    importance: Option<f64>,
    /// From -1 to 1; null where its table has none.
    valence: Option<f64>,
    /// Doubts that it settled.
    settled: u32,
    /// Doubts in which it misled.
    misled: u32,
}

record!(recall::Evidence { words, similarity, age_hours, importance, valence, settled, misled });

/// A row that answers.
#[derive(Tsify)]
#[tsify(missing_as_null)]
pub(crate) struct RecallHit {
    /// Which one.
    pub(crate) reference: RowReference,
    /// Its text.
    pub(crate) text: String,
    /// The sum of the parts.
    pub(crate) score: f64,
    /// What each part added.
    #[tsify(type = "RecallParts")]
    pub(crate) parts: recall::Parts,
    /// What they were made of.
    #[tsify(type = "RecallEvidence")]
    pub(crate) evidence: recall::Evidence,
    /// The row.
    #[tsify(type = "RecalledRow | null")]
    pub(crate) row: JsValue,
    /// Rows that say the same.
    pub(crate) same: Vec<RowReference>,
    /// Of a turn, those around it.
    #[tsify(type = "Turn[]")]
    pub(crate) neighbours: Vec<JsValue>,
}

record!(RecallHit { reference, text, score, parts, evidence, row, same, neighbours });

impl RecallHit {
    pub(crate) fn of(memory: &Memory, hit: Hit, neighbours: u32) -> Result<Self> {
        let around = match hit.item.source() {
            Source::Turns if neighbours > 0 => memory.recall().neighbours(hit.item.row(), neighbours.min(100))?,
            _ => Vec::new(),
        };
        Ok(Self {
            reference: RowReference::of(memory, hit.item)?,
            row: row(memory, hit.item)?,
            same: hit.same.iter().map(|item| RowReference::of(memory, *item)).collect::<Result<_>>()?,
            neighbours: around.iter().map(|id| memory.turns().get(id)?.to_js()).collect::<Result<_>>()?,
            text: hit.text,
            score: hit.score,
            parts: hit.parts,
            evidence: hit.evidence,
        })
    }
}

/// A row that is near in meaning.
#[derive(Tsify)]
#[tsify(missing_as_null)]
pub(crate) struct NearRow {
    /// Which one.
    pub(crate) reference: RowReference,
    /// The cosine; null where it was found by its words, having no vector yet.
    pub(crate) similarity: Option<f64>,
    /// The row.
    #[tsify(type = "RecalledRow | null")]
    pub(crate) row: JsValue,
}

record!(NearRow { reference, similarity, row });

impl NearRow {
    pub(crate) fn of(memory: &Memory, found: Found) -> Result<Self> {
        Ok(Self {
            reference: RowReference::of(memory, found.item)?,
            similarity: found.similarity,
            row: row(memory, found.item)?,
        })
    }
}

/// A text that waits for its vector.
#[derive(Tsify)]
pub(crate) struct PendingText {
    /// Its name, to give the vector by.
    pub(crate) key: String,
    /// The text.
    pub(crate) text: String,
}

record!(PendingText { key, text });

impl From<recall::Pending> for PendingText {
    fn from(pending: recall::Pending) -> Self {
        Self { key: format!("{}:{}", pending.item.0, pending.version), text: pending.text }
    }
}

/// What is known of the vectors.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
#[allow(dead_code)]
pub(crate) struct EmbeddingStatus {
    /// The name of the model whose vectors are searched; null before the first.
    model: Option<String>,
    /// How many numbers its vectors have.
    dimensions: Option<u32>,
    /// How many rows have their vector.
    embedded: u64,
    /// How many wait for one, those that failed included.
    pending: u64,
    /// How many of those failed at least once.
    failed: u64,
    /// What the embedder said of the last that failed.
    last_error: Option<String>,
    /// When the first of those that failed is tried again.
    #[tsify(type = "Seconds | null")]
    retry_at: Option<f64>,
    /// How many bytes of memory their quantised copies take; 0 before the first search or vector.
    bytes: u64,
}

record!(recall::EmbeddingStatus { model, dimensions, embedded, pending, failed, last_error, retry_at, bytes });

/// Whether the talk has left its subject.
#[derive(Tsify)]
#[tsify(missing_as_null)]
#[allow(dead_code)]
pub(crate) struct CoherenceDrift {
    /// Whether the coherence is below the threshold; false while there are fewer than three contexts.
    drifting: bool,
    /// The mean cosine: between all three where there are three, else between the last three and those before them.
    coherence: Option<f64>,
    /// How many contexts there are, 20 at most.
    contexts: u32,
}

record!(recall::judgement::Drift { drifting, coherence, contexts });

/// A row on the map.
#[derive(Tsify)]
#[tsify(missing_as_null)]
pub(crate) struct MapPoint {
    /// Which one.
    pub(crate) reference: RowReference,
    /// Its text, 200 characters of it at most.
    pub(crate) text: String,
    /// Where, from -1 to 1.
    pub(crate) x: f64,
    /// Where, from -1 to 1.
    pub(crate) y: f64,
}

record!(MapPoint { reference, text, x, y });

impl MapPoint {
    pub(crate) fn of(memory: &Memory, point: recall::map::Point) -> Result<Self> {
        Ok(Self {
            reference: RowReference::of(memory, point.item)?,
            text: memory.recall().text(point.item, 200)?.unwrap_or_default(),
            x: point.x,
            y: point.y,
        })
    }
}

/// Memories that became one.
#[derive(Tsify)]
#[allow(dead_code)]
pub(crate) struct MergedMemories {
    /// The id of the one that stays.
    kept: i64,
    /// The ids of those that said the same.
    removed: Vec<i64>,
}

record!(consolidate::Merged { kept, removed });

/// What a consolidation did.
#[derive(Tsify)]
#[tsify(missing_as_null)]
#[allow(dead_code)]
pub(crate) struct Consolidated {
    /// Its id, to undo it by; null where nothing was to be done, or it was only tried.
    id: Option<i64>,
    /// What became one.
    merged: Vec<MergedMemories>,
    /// How many memories faded.
    faded: u64,
    /// The ids of those that were forgotten.
    forgotten: Vec<i64>,
}

record!(consolidate::Consolidated { id, merged, faded, forgotten });

/// A consolidation that is kept to be undone.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
#[allow(dead_code)]
pub(crate) struct KeptConsolidation {
    /// Its id.
    id: i64,
    /// When it was.
    #[tsify(type = "Seconds")]
    timestamp: f64,
    /// How many memories it removed.
    removed: u64,
    /// How many it changed.
    changed: u64,
    /// When it was undone.
    #[tsify(type = "Seconds | null")]
    undone_at: Option<f64>,
}

record!(consolidate::Kept { id, timestamp, removed, changed, undone_at });
