//! Questions, and what else recall is told, as they cross.

use js_sys::Float32Array;
use wasm_bindgen::prelude::*;

use super::decode::{FromJs, expected, field, fill, one_of};
use crate::error::{Error, Result};
use crate::recall::consolidate::Consolidation;
use crate::recall::lessons::Reference;
use crate::recall::{Filter, Item, Question, Source, Weights};

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

/// The tables by their names in JavaScript.
pub(super) const SOURCES: [(&str, Source); 5] = [
    ("turns", Source::Turns),
    ("episodes", Source::Episodes),
    ("semantic", Source::Semantic),
    ("longTerm", Source::LongTerm),
    ("uncertainty", Source::Uncertainty),
];

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
    /// Whether the bundled model shall make its vector.
    pub(crate) embed: bool,
}

impl FromJs for Asked {
    fn from_js(value: &JsValue, _: &str) -> Result<Self> {
        let mut question = Question::of(field::<String>(value, "text")?);
        let Filter { sources, categories, min_importance, prefix, since, until } = &mut question.filter;
        let (mut k, mut half_life, mut same, mut neighbours) = (None, None, None, None::<u32>);
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
                ("min_similarity", &mut question.min_similarity),
                ("weights", &mut question.weights),
                ("embed", &mut embed),
            ],
        )?;
        question.k = k.unwrap_or(question.k);
        question.half_life = half_life.unwrap_or(question.half_life);
        question.same = same.unwrap_or(question.same);
        Ok(Self { question, neighbours: neighbours.unwrap_or_default(), embed: embed.unwrap_or_default() })
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
                if given.is_nan() || given.abs() > 1e6 {
                    return Err(expected(name, "a finite number of reasonable size"));
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

/// The row and the version that the name of a pending text stands for.
pub(crate) fn pending_key(key: &str) -> Result<(Item, i64)> {
    let parts = key.split_once(':').and_then(|(item, version)| Some((item.parse().ok()?, version.parse().ok()?)));
    parts
        .map(|(item, version)| (Item(item), version))
        .ok_or_else(|| Error::invalid_argument("A key of no text was given."))
}
