//! Questions and their answers, embeddings, and what is judged, as they cross.

use js_sys::Float32Array;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::decode::{FromJs, expected, field, fill, one_of};
use super::encode::{Record, ToJs};
use super::record;
use crate::Memory;
use crate::error::{Error, Result};
use crate::recall::consolidate::{self, Consolidation};
use crate::recall::lessons::Reference;
use crate::recall::{self, Filter, Found, Hit, Item, Question, Source, Weights};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** A table whose rows are recalled. */
export type MemoryTable = "turns" | "episodes" | "semantic" | "longTerm" | "uncertainty";
/** A row, by its table and its id; an entry of long-term knowledge by its key. */
export type MemoryReference =
  | { readonly table: "longTerm"; readonly key: string }
  | { readonly table: "turns" | "episodes" | "semantic" | "uncertainty"; readonly id: number };
/** How much each part of a score weighs; 0 leaves it out. */
export interface RecallWeights {
  /** The words it shares with the question: BM25, in standard deviations; 1 by default. */
  readonly words: number;
  /** How near it is in meaning: the cosine, in standard deviations above the mean, and 0 below it; 2 by default. */
  readonly meaning: number;
  /** How recent it is: 1 now, 0.5 after a half-life; 0.2 by default. */
  readonly recency: number;
  /** Its importance, from -1 to 1; 0.2 by default. */
  readonly importance: number;
  /** How strongly an episode was felt, from 0 to 1; 0.1 by default. */
  readonly valence: number;
  /** What settled doubts teach: towards 1 for a memory that settled them, towards -1 for one that misled; 0.5 by default. */
  readonly lessons: number;
}
/** What is asked, and of which rows. */
export interface RecallQuestion {
  readonly text: string;
  readonly vector?: Float32Array | undefined;
  readonly embed?: boolean | undefined;
  readonly k?: number | undefined;
  readonly tables?: readonly MemoryTable[] | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly minImportance?: number | undefined;
  readonly prefix?: string | undefined;
  readonly since?: Seconds | undefined;
  readonly until?: Seconds | undefined;
  readonly weights?: Partial<RecallWeights> | undefined;
  readonly halfLifeHours?: number | undefined;
  readonly same?: number | undefined;
  readonly neighbours?: number | undefined;
  readonly minSimilarity?: number | undefined;
}
/** A row that was found, of whichever table, as its columns are. */
export type RecalledRow = Turn | Episode | SemanticMemory | Entry | Uncertainty;
/** How to consolidate. */
export interface ConsolidationOptions {
  /** From which cosine on two memories of a category say the same; 0.95 by default, above 1 only those of the same text. */
  readonly same?: number | undefined;
  /** After how many days an importance has faded by half; 90 by default, Infinity for never. */
  readonly halfLifeDays?: number | undefined;
  /** Memories of less importance than this, from 0 to 1, are forgotten; none are where nothing is said. */
  readonly floor?: number | undefined;
  /** Whether only to tell what would be done. */
  readonly dryRun?: boolean | undefined;
}
"#;

const SOURCES: [(&str, Source); 5] = [
    ("turns", Source::Turns),
    ("episodes", Source::Episodes),
    ("semantic", Source::Semantic),
    ("longTerm", Source::LongTerm),
    ("uncertainty", Source::Uncertainty),
];

fn name(source: Source) -> &'static str {
    SOURCES.iter().find(|(_, known)| *known == source).map_or("", |(name, _)| *name)
}

impl FromJs for Source {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        one_of(value, name, &SOURCES)
    }
}

impl FromJs for Reference {
    fn from_js(value: &JsValue, _: &str) -> Result<Self> {
        match field::<Source>(value, "table")? {
            Source::LongTerm => Ok(Self::Key(field(value, "key")?)),
            source => Ok(Self::Row(source, field(value, "id")?)),
        }
    }
}

impl FromJs for Vec<f32> {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        value.dyn_ref::<Float32Array>().map(Float32Array::to_vec).ok_or_else(|| expected(name, "a Float32Array"))
    }
}

/// What is asked, read.
pub(crate) struct Asked {
    pub(crate) question: Question,
    pub(crate) neighbours: u32,
    pub(crate) min_similarity: Option<f64>,
    /// Whether the bundled model shall make its vector.
    pub(crate) embed: bool,
}

impl FromJs for Asked {
    fn from_js(value: &JsValue, _: &str) -> Result<Self> {
        let mut question = Question::of(field::<String>(value, "text")?);
        let Filter { sources, categories, min_importance, prefix, since, until } = &mut question.filter;
        let (mut k, mut half_life, mut same, mut neighbours, mut min_similarity) =
            (None, None, None, None::<u32>, None);
        let mut embed = None;
        fill(
            value,
            &mut [
                ("vector", &mut question.vector),
                ("tables", sources),
                ("categories", categories),
                ("min_importance", min_importance),
                ("prefix", prefix),
                ("since", since),
                ("until", until),
                ("k", &mut k),
                ("half_life_hours", &mut half_life),
                ("same", &mut same),
                ("neighbours", &mut neighbours),
                ("min_similarity", &mut min_similarity),
                ("weights", &mut question.weights),
                ("embed", &mut embed),
            ],
        )?;
        question.k = k.unwrap_or(question.k);
        question.half_life = half_life.unwrap_or(question.half_life);
        question.same = same.unwrap_or(question.same);
        Ok(Self {
            question,
            neighbours: neighbours.unwrap_or_default(),
            min_similarity,
            embed: embed.unwrap_or_default(),
        })
    }
}

impl FromJs for Weights {
    fn from_js(value: &JsValue, _: &str) -> Result<Self> {
        let mut weights = Self::default();
        if value.is_undefined() {
            return Ok(weights);
        }
        let Self { words, meaning, recency, importance, valence, lessons } = &mut weights;
        let places = [
            ("words", words),
            ("meaning", meaning),
            ("recency", recency),
            ("importance", importance),
            ("valence", valence),
            ("lessons", lessons),
        ];
        for (name, weight) in places {
            if let Some(given) = field::<Option<f64>>(value, name)? {
                if !given.is_finite() {
                    return Err(expected(name, "a finite number"));
                }
                *weight = given;
            }
        }
        Ok(weights)
    }
}

impl FromJs for Consolidation {
    fn from_js(value: &JsValue, _: &str) -> Result<Self> {
        let mut how = Self::default();
        let (mut same, mut half_life, mut dry_run) = (None, None, None);
        fill(
            value,
            &mut [
                ("same", &mut same),
                ("half_life_days", &mut half_life),
                ("floor", &mut how.floor),
                ("dry_run", &mut dry_run),
            ],
        )?;
        how.same = same.unwrap_or(how.same);
        how.half_life = half_life.unwrap_or(how.half_life);
        how.dry_run = dry_run.unwrap_or_default();
        Ok(how)
    }
}

/// A row as its table has it; nothing where it is gone.
fn row(memory: &Memory, item: Item) -> Result<JsValue> {
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
    /// By the words it shares with the question.
    words: f64,
    /// By how near it is in meaning.
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

/// The row and the version that the name of a pending text stands for.
pub(crate) fn pending_key(key: &str) -> Result<(Item, i64)> {
    let parts = key.split_once(':').and_then(|(item, version)| Some((item.parse().ok()?, version.parse().ok()?)));
    parts
        .map(|(item, version)| (Item(item), version))
        .ok_or_else(|| Error::invalid_argument("A key of no text was given."))
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
