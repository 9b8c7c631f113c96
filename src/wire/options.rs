//! What only the engine is told: how to open, and what was renamed.

use serde::Deserialize;
use tsify::Tsify;

use crate::db::Durability;
use crate::memory::OnNewerSchema;

/// How to open.
#[derive(Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EngineOptions {
    /// The file's path in OPFS, such as `/memory.db`; without one nothing is kept.
    #[tsify(optional)]
    pub(crate) path: Option<String>,
    /// What an acknowledged write has survived.
    pub(crate) durability: Durability,
    /// The app's own migrations: file names and texts.
    #[serde(default)]
    #[tsify(optional, type = "readonly (readonly [name: string, text: string])[]")]
    pub(crate) migrations: Vec<(String, String)>,
    /// What to do with a file that is newer than the revisions known; `error` by default.
    #[serde(default)]
    #[tsify(optional)]
    pub(crate) on_newer_schema: OnNewerSchema,
    /// How many backups are kept; 3 by default.
    #[tsify(optional)]
    pub(crate) keep: Option<u32>,
    /// Whether there is no migration without a backup; true by default.
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

/// What only the author of a schema knows: what became of a table or a column that is gone.
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
