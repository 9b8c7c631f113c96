//! `semantic_memories`: facts, each with a category and a weight.

use rusqlite::Row;

use super::fields::{Conditions, Fields};
use super::table::{Table, read_columns};
use crate::error::Result;
use crate::words::Match;

/// A row of `semantic_memories`. Every column may be NULL in a file from elsewhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SemanticMemory {
    /// The row's id.
    pub id: i64,
    /// When it was remembered, in Unix seconds.
    pub timestamp: Option<f64>,
    /// The fact, in words.
    pub content: Option<String>,
    /// What kind of fact, as `preference`.
    pub category: Option<String>,
    /// How much it weighs, from 0 to 1.
    pub importance: Option<f64>,
    /// Anything else, as JSON text.
    pub metadata: Option<String>,
}

/// A fact to be remembered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewSemanticMemory {
    /// When it was learnt, in Unix seconds; now by default.
    pub timestamp: Option<f64>,
    /// The fact, in words.
    pub content: String,
    /// What kind of fact; `general` by default.
    pub category: Option<String>,
    /// How much it weighs, from 0 to 1; 0.5 by default.
    pub importance: Option<f64>,
    /// Anything else, as JSON text; `{}` by default.
    pub metadata: Option<String>,
}

/// What to change of a fact: `None` leaves a column as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SemanticMemoryPatch {
    /// When it was learnt, in Unix seconds.
    pub timestamp: Option<f64>,
    /// The fact, in words.
    pub content: Option<String>,
    /// What kind of fact.
    pub category: Option<String>,
    /// How much it weighs, from 0 to 1.
    pub importance: Option<f64>,
    /// Anything else, as JSON text.
    pub metadata: Option<String>,
}

/// Which facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SemanticMemoryFilter {
    /// Of one of these kinds.
    pub categories: Option<Vec<String>>,
    /// That weigh at least this.
    pub min_importance: Option<f64>,
    /// That weigh at most this.
    pub max_importance: Option<f64>,
    /// From this time on, in Unix seconds.
    pub since: Option<f64>,
    /// Before this time, in Unix seconds.
    pub until: Option<f64>,
    /// With these words; stemmed, case and accents aside.
    pub search: Option<String>,
    /// Whether a search needs every word or any.
    pub matching: Match,
}

/// What facts can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SemanticMemoryOrder {
    /// As they were remembered.
    #[default]
    Id,
    /// By their time.
    Timestamp,
    /// By their weight.
    Importance,
}

impl Table for SemanticMemory {
    type Key = i64;
    type New = NewSemanticMemory;
    type Patch = SemanticMemoryPatch;
    type Filter = SemanticMemoryFilter;
    type Order = SemanticMemoryOrder;

    const NAME: &'static str = "semantic_memories";
    const KEY: &'static str = "id";
    const COLUMNS: &'static str = "id, timestamp, content, category, importance, metadata";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut read = Self::default();
        read_columns(
            row,
            &mut [
                &mut read.id,
                &mut read.timestamp,
                &mut read.content,
                &mut read.category,
                &mut read.importance,
                &mut read.metadata,
            ],
        )?;
        Ok(read)
    }

    fn insert(new: NewSemanticMemory, fields: &mut Fields<'_>) {
        fields
            .time("timestamp", new.timestamp.or(Some(fields.now())))
            .text("content", Some(new.content))
            .text("category", new.category.or_else(|| Some("general".into())))
            .real("importance", new.importance.or(Some(0.5)), 0.0, 1.0)
            .json("metadata", new.metadata.or_else(|| Some("{}".into())));
    }

    fn change(patch: SemanticMemoryPatch, fields: &mut Fields<'_>) {
        fields
            .time("timestamp", patch.timestamp)
            .text("content", patch.content)
            .text("category", patch.category)
            .real("importance", patch.importance, 0.0, 1.0)
            .json("metadata", patch.metadata);
    }

    fn filter(filter: SemanticMemoryFilter, conditions: &mut Conditions) -> Result<()> {
        conditions
            .and_in("category", filter.categories)
            .and("importance >= ?", filter.min_importance)
            .and("importance <= ?", filter.max_importance)
            .and("timestamp >= ?", filter.since)
            .and("timestamp < ?", filter.until)
            .and_found(
                "id IN (SELECT rowid >> 3 FROM memory_fts WHERE memory_fts MATCH ? AND rowid & 7 = 2)",
                filter.search,
                filter.matching,
            )?;
        Ok(())
    }

    fn order(order: SemanticMemoryOrder) -> &'static str {
        match order {
            SemanticMemoryOrder::Id => "id",
            SemanticMemoryOrder::Timestamp => "timestamp",
            SemanticMemoryOrder::Importance => "importance",
        }
    }
}
