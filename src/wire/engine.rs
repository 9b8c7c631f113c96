//! What is told of the whole memory, and its failures, as they cross.

use rusqlite::types::Value;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::decode::{FromJs, one_of};
use super::encode::{Record, ToJs};
use super::record;
use crate::error::{Error, Result};
use crate::migrate::backup;

/// How to open.
#[derive(Tsify)]
#[allow(dead_code)]
pub(crate) struct EngineOptions {
    /// The file's path in OPFS, as `/memory.db`; nothing is kept where there is none.
    #[tsify(optional)]
    pub(crate) path: Option<String>,
    /// What an acknowledged write has survived.
    pub(crate) durability: Durability,
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
    /// The revision the file is at; null at the base.
    pub(crate) revision: Option<String>,
    /// The last revision this package knows.
    pub(crate) head: Option<String>,
    /// The revisions that opening it applied.
    pub(crate) migrated: Vec<String>,
    /// The backup that was last made since it was opened.
    pub(crate) backup: Option<Backup>,
}

record!(SchemaStatus { revision, head, migrated, backup });

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
    /// The revision it is at; null at the base.
    pub(crate) revision: Option<String>,
}

record!(Backup { id, created_at, revision });

impl From<backup::Backup> for Backup {
    fn from(from: backup::Backup) -> Self {
        Self { id: from.id, created_at: from.created_at as f64 / 1000.0, revision: from.revision }
    }
}

/// One migration, as `history` tells of it.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub(crate) struct RevisionInfo {
    /// Its id.
    pub(crate) id: String,
    /// The id of the revision before; null for the first.
    pub(crate) revises: Option<String>,
    /// What it does, in one line.
    pub(crate) title: String,
    /// When it was written.
    pub(crate) create_date: String,
    /// Whether the memory is at this one.
    pub(crate) is_current: bool,
    /// Whether it is the last.
    pub(crate) is_head: bool,
}

record!(RevisionInfo { id, revises, title, create_date, is_current, is_head });

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
