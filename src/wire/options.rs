//! Options that only the engine receives: how to open, and what was renamed.

use serde::Deserialize;
use tsify::Tsify;

use crate::db::Durability;
use crate::memory::OnNewerSchema;

/// How to open.
#[derive(Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EngineOptions {
    /// The file's path in OPFS, such as `/memory.db`; without a path, the memory is not stored.
    #[tsify(optional)]
    pub(crate) path: Option<String>,
    /// What an answered write survives.
    pub(crate) durability: Durability,
    /// The app's own migrations: file names and texts.
    #[serde(default)]
    #[tsify(optional, type = "readonly (readonly [name: string, text: string])[]")]
    pub(crate) migrations: Vec<(String, String)>,
    /// What to do with a file that is newer than the known revisions; `error` by default.
    #[serde(default)]
    #[tsify(optional)]
    pub(crate) on_newer_schema: OnNewerSchema,
    /// How many backups are kept; 3 by default.
    #[tsify(optional)]
    pub(crate) keep: Option<u32>,
    /// Whether a migration fails if there is no room for its backup; true by default.
    #[serde(default = "yes")]
    #[tsify(optional)]
    pub(crate) backup_required: bool,
    /// Whether to bring the schema to head; true by default.
    #[serde(default = "yes")]
    #[tsify(optional)]
    pub(crate) upgrade: bool,
}

fn yes() -> bool {
    true
}

/// What happened to tables and columns that are gone, which only the author of the schema knows.
#[derive(Default, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SchemaRenames {
    /// What was renamed, as `table.old:table.new` or `old_table:new_table`.
    #[serde(default)]
    #[tsify(optional, type = "readonly string[] | undefined")]
    pub(crate) renames: Vec<String>,
    /// What was dropped, as `table.column` or `table`.
    #[serde(default)]
    #[tsify(optional, type = "readonly string[] | undefined")]
    pub(crate) drops: Vec<String>,
}
