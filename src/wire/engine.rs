//! What is told of the whole memory, and its failures, as they cross.

use rusqlite::types::Value;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::decode::{FromJs, field, one_of};
use super::encode::{Record, ToJs};
use super::record;
use crate::Memory;
use crate::error::{Error, Result};

/// How to open.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub(crate) struct EngineOptions {
    /// The file's path in OPFS, as `/memory.db`; nothing is kept where there is none.
    #[tsify(optional)]
    path: Option<String>,
    /// What an acknowledged write has survived.
    durability: Durability,
    /// The app's own migrations: file names and texts, in turns.
    #[tsify(optional, type = "readonly string[]")]
    migrations: Option<Vec<String>>,
    /// What to do with a file that is newer than the revisions known; `error` by default.
    #[tsify(optional, type = "OnNewerSchema")]
    on_newer_schema: Option<String>,
    /// How many backups are kept; 3 by default.
    #[tsify(optional)]
    keep: Option<u32>,
    /// Whether there is no migration without a backup; true by default.
    #[tsify(optional)]
    backup_required: Option<bool>,
    /// A file that a memory without a path begins with.
    #[tsify(optional, type = "Uint8Array")]
    file: Option<Vec<u8>>,
    /// Whether to bring the schema to head; true by default.
    #[tsify(optional)]
    upgrade: Option<bool>,
    /// Is called with a `MigrationProgress`.
    #[tsify(optional, type = "(progress: MigrationProgress) => void")]
    on_progress: Option<()>,
}

/// The app's own migrations among the options: file names and texts.
pub(crate) fn migrations(options: &JsValue) -> Result<Vec<(String, String)>> {
    let files: Vec<String> = field::<Option<Vec<String>>>(options, "migrations")?.unwrap_or_default();
    Ok(files.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
}

/// What an acknowledged write has survived: `strict` a power cut, `relaxed` a killed tab or browser.
#[derive(Tsify)]
#[allow(dead_code)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    Strict,
    Relaxed,
}

impl FromJs for crate::Durability {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        one_of(value, name, &[("strict", Self::Strict), ("relaxed", Self::Relaxed)])
    }
}

/// Where the schema is.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub(crate) struct SchemaStatus {
    /// The revisions the file is at, sorted: one for each branch; none at the base.
    pub(crate) revisions: Vec<String>,
    /// The last revisions that are known: one for each branch.
    pub(crate) heads: Vec<String>,
    /// The revisions that opening it applied.
    pub(crate) migrated: Vec<String>,
    /// The backup that was last made since it was opened.
    pub(crate) backup: Option<Backup>,
    /// Whether it is newer than what is known, and opened so that nothing can be changed.
    pub(crate) read_only: bool,
}

record!(SchemaStatus { revisions, heads, migrated, backup, read_only });

impl SchemaStatus {
    /// That of a memory.
    pub(crate) fn of(memory: &Memory) -> Result<Self> {
        let backup = memory.last_backup().cloned().map(Backup::from);
        Ok(Self {
            revisions: memory.revisions()?,
            heads: memory.heads(),
            migrated: memory.migrated().to_vec(),
            backup,
            read_only: memory.db().is_read_only(),
        })
    }
}

/// A copy that is kept beside the database.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub(crate) struct Backup {
    /// Its name, to restore it by.
    pub(crate) id: String,
    /// When it was made.
    #[tsify(type = "Seconds")]
    pub(crate) created_at: f64,
    /// The revisions it is at; none at the base.
    pub(crate) revisions: Vec<String>,
}

record!(Backup { id, created_at, revisions });

impl From<crate::migrate::backup::Backup> for Backup {
    fn from(from: crate::migrate::backup::Backup) -> Self {
        Self { id: from.id, created_at: from.created_at as f64 / 1000.0, revisions: from.revisions }
    }
}

/// What a query found, column by column.
#[derive(Tsify)]
pub(crate) struct QueryResult {
    /// The columns' names.
    pub(crate) columns: Vec<String>,
    /// The rows, a value for each column.
    #[tsify(type = "SqlValue[][]")]
    pub(crate) rows: Vec<Vec<Value>>,
}

record!(QueryResult { columns, rows });

/// A failure, as it crosses to where an `Error` is made of it.
#[derive(Tsify)]
#[tsify(missing_as_null)]
pub(crate) struct Failure {
    /// Which kind.
    #[tsify(type = "EngineErrorCode")]
    pub(crate) code: &'static str,
    /// What was wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: String,
    /// What caused it.
    pub(crate) cause: Option<FailureCause>,
}

record!(Failure { code, message, hint, cause });

/// SQLite's own words, or the browser's exception.
#[derive(Tsify)]
#[tsify(missing_as_null)]
pub(crate) struct FailureCause {
    /// A number of SQLite's, or the name of a DOMException.
    pub(crate) name: String,
    /// The words that came with it.
    pub(crate) message: String,
    /// The statement that failed.
    pub(crate) sql: Option<String>,
}

record!(FailureCause { name, message, sql });

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let cause = error.cause().cloned();
        Self {
            code: error.code().code(),
            message: error.message().to_owned(),
            hint: error.hint().to_owned(),
            cause: cause.map(|cause| FailureCause { name: cause.name, message: cause.message, sql: cause.sql }),
        }
    }
}
