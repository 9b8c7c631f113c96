//! How a memory with migrations is opened, and what a new revision is to be, as they cross.

use js_sys::{Function, JsString, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use super::decode::{FromJs, field, fill, one_of};
use super::migrations;
use crate::error::Result;
use crate::memory::OnNewerSchema;
use crate::migrate::autogenerate::Renames;
use crate::migrate::backup::KEPT;
use crate::migrate::file;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/**
 * What to do with a file that a newer version of the app has migrated: refuse it; open it and refuse every change; or take
 * it back with the downgrades that are stored in it, after a backup.
 */
export type OnNewerSchema = "error" | "readonly" | "downgrade";
/** Whether a revision is applied or taken back. */
export type MigrationDirection = "upgrade" | "downgrade";
/** What a run is doing. */
export type MigrationPhase = "backup" | "upgrade" | "downgrade" | "check";
/**
 * What has become of an applied revision: it is as it was; its text was changed since; it is not known here; or nobody
 * wrote down from what text it was applied.
 */
export type Standing = "ok" | "edited" | "unknown" | "unrecorded";
/** A new revision. */
export interface NewRevision extends SchemaRenames {
  /** What it does, in one line. */
  readonly message: string;
  /** Its id; twelve random hexadecimal digits by default. */
  readonly id?: string | undefined;
  /** What it builds on: symbols; `head` by default, `base` for a base of its own. */
  readonly heads?: readonly string[] | undefined;
  /** Whether it may build on a revision that is no head, which begins a branch. */
  readonly splice?: boolean | undefined;
  /** Names of the branch it begins. */
  readonly branchLabels?: readonly string[] | undefined;
  /** Revisions of other branches that must be applied before it. */
  readonly dependsOn?: readonly string[] | undefined;
  /** The script up. */
  readonly up?: string | undefined;
  /** The script down. */
  readonly down?: string | undefined;
  /** A declared schema, for which both scripts are written. */
  readonly schema?: string | undefined;
}
/** What only the author of a schema knows: what became of a table or a column that is gone. */
export interface SchemaRenames {
  /** What was renamed, as `table.old:table.new` or `old_table:new_table`. */
  readonly renames?: readonly string[] | undefined;
  /** What was dropped, as `table.column` or `table`. */
  readonly drops?: readonly string[] | undefined;
}
"#;

/// [`EngineOptions`], read.
pub(crate) struct MigrationOptions {
    pub(crate) migrations: Vec<(String, String)>,
    pub(crate) on_newer_schema: OnNewerSchema,
    pub(crate) keep: usize,
    pub(crate) backup_required: bool,
    pub(crate) file: Option<Vec<u8>>,
    pub(crate) upgrade: bool,
    pub(crate) on_progress: Option<Function>,
}

impl FromJs for MigrationOptions {
    fn from_js(value: &JsValue, _: &str) -> Result<Self> {
        let raw = |name: &str| Reflect::get(value, &JsString::from(name)).unwrap_or(JsValue::UNDEFINED);
        let on_newer = raw("onNewerSchema");
        Ok(Self {
            migrations: migrations(value)?,
            on_newer_schema: if on_newer.is_undefined() {
                OnNewerSchema::default()
            } else {
                let choices = [
                    ("error", OnNewerSchema::Error),
                    ("readonly", OnNewerSchema::ReadOnly),
                    ("downgrade", OnNewerSchema::Downgrade),
                ];
                one_of(&on_newer, "onNewerSchema", &choices)?
            },
            keep: field::<Option<u32>>(value, "keep")?.map_or(KEPT, |keep| keep as usize),
            backup_required: field::<Option<bool>>(value, "backupRequired")?.unwrap_or(true),
            file: raw("file").dyn_ref::<Uint8Array>().map(Uint8Array::to_vec),
            upgrade: field::<Option<bool>>(value, "upgrade")?.unwrap_or(true),
            on_progress: raw("onProgress").dyn_into().ok(),
        })
    }
}

impl FromJs for file::NewRevision {
    fn from_js(value: &JsValue, _: &str) -> Result<Self> {
        let (mut id, mut heads, mut splice) = (None::<String>, None::<Vec<String>>, None::<bool>);
        let (mut branch_labels, mut depends_on) = (None::<Vec<String>>, None::<Vec<String>>);
        let (mut up, mut down) = (None::<String>, None::<String>);
        let mut message = String::new();
        fill(
            value,
            &mut [
                ("message", &mut message),
                ("id", &mut id),
                ("heads", &mut heads),
                ("splice", &mut splice),
                ("branch_labels", &mut branch_labels),
                ("depends_on", &mut depends_on),
                ("up", &mut up),
                ("down", &mut down),
            ],
        )?;
        Ok(Self {
            message,
            id,
            heads: heads.unwrap_or_default(),
            splice: splice.unwrap_or(false),
            branch_labels: branch_labels.unwrap_or_default(),
            depends_on: depends_on.unwrap_or_default(),
            up: up.unwrap_or_default(),
            down: down.unwrap_or_default(),
        })
    }
}

impl FromJs for Renames {
    fn from_js(value: &JsValue, _: &str) -> Result<Self> {
        let list =
            |name: &str| -> Result<Vec<String>> { Ok(field::<Option<Vec<String>>>(value, name)?.unwrap_or_default()) };
        let (renames, drops) = (list("renames")?, list("drops")?);
        let pairs: Vec<&str> = renames.iter().map(String::as_str).collect();
        Self::parse(&pairs, &drops.iter().map(String::as_str).collect::<Vec<_>>())
    }
}
