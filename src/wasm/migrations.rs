//! The calls that migrate the schema, or import and export the whole database.

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::{Answer, CLOCK, Engine, location};
use crate::Memory;
use crate::error::{ErrorCode, Result};
use crate::memory::{Foreign, Migrations};
use crate::migrate::autogenerate::Renames;
use crate::migrate::backup::{Backups, KEPT};
use crate::migrate::runner::Need;
use crate::migrate::{Graph, Revision, file};
use crate::opfs::Pool;
use crate::wire::{self, from_js, object_from_js};

pub(super) async fn open_in(
    pool: Option<&Pool>,
    options: wire::EngineOptions,
    file: Option<Vec<u8>>,
    on_progress: Option<Function>,
) -> Result<Memory> {
    let mut migrations = Migrations::new(Graph::with_bundled(&options.migrations)?);
    migrations.on_newer = options.on_newer_schema;
    migrations.backup_required = options.backup_required;
    if let Some(pool) = pool {
        let kept = options.keep.map_or(KEPT, |keep| keep as usize);
        migrations = migrations.with_backups(Backups::new(Box::new(pool.clone()), pool.path()).keeping(kept));
    }
    if let Some(report) = on_progress {
        migrations.progress = Box::new(move |progress| {
            // A listener that throws does not fail the migration.
            let _ = wire::to_js(&progress).map(|event| report.call1(&JsValue::UNDEFINED, &event));
        });
    }
    let mut memory = Memory::open_as_is(location(pool), options.durability, CLOCK, migrations)?;
    if let Some(file) = file {
        memory.load(file)?;
    }
    if options.upgrade {
        if let (Need::Migration, Some(pool)) = (memory.need()?, pool) {
            reserve(pool, &memory).await?;
        }
        memory.bring_to_head()?;
    }
    Ok(memory)
}

/// Makes room for backups. A full disk is an error only if a backup is required.
async fn reserve(pool: &Pool, memory: &Memory) -> Result<()> {
    match pool.reserve(memory.backups_kept()).await {
        Err(error) if !memory.is_backup_required() && error.code() == ErrorCode::QuotaExceeded => Ok(()),
        reserved => reserved,
    }
}

#[wasm_bindgen]
impl Engine {
    /// The database as the bytes of a file at exactly this revision, as Alembic itself would have left it.
    #[wasm_bindgen(js_name = exportAt, unchecked_return_type = "Uint8Array<ArrayBuffer>")]
    pub fn export_at(&mut self, revision: &str) -> Answer {
        let bytes = self.memory_mut().and_then(|memory| memory.export_at(revision));
        self.bytes(bytes)
    }

    /// Replaces the database with a file. With `refuse`, it fails if anything in the file would be left out.
    #[wasm_bindgen(unchecked_return_type = "Imported")]
    pub fn import(&mut self, file: Vec<u8>, refuse: bool) -> Answer {
        let foreign = if refuse { Foreign::Refuse } else { Foreign::LeaveOut };
        self.call_mut(|memory| memory.import_with(file, foreign))
    }

    /// Makes room for a backup. Must be awaited before a call that can make one: `import`, `restore`, `upgrade`,
    /// `downgrade`, `redo`, `backUp`.
    #[wasm_bindgen(unchecked_return_type = "Done")]
    pub async fn reserve(&self) -> Answer {
        let reserved = match (&self.pool, self.memory()) {
            (Some(pool), Ok(memory)) => reserve(pool, memory).await,
            _ => Ok(()),
        };
        self.answer(reserved)
    }

    /// The backups that are kept, newest first.
    #[wasm_bindgen(unchecked_return_type = "Backup[]")]
    pub fn backups(&self) -> Answer {
        self.call(Memory::backups)
    }

    /// Whether there is a row in the five tables or in a table of the app's own.
    #[wasm_bindgen(js_name = hasRows, unchecked_return_type = "boolean")]
    pub fn has_rows(&self) -> Answer {
        self.call(Memory::has_rows)
    }

    /// Makes a backup: a verified copy of the database, next to it.
    #[wasm_bindgen(js_name = backUp, unchecked_return_type = "Backup")]
    pub fn back_up(&mut self) -> Answer {
        self.call_mut(Memory::back_up)
    }

    /// Deletes a backup; returns whether it existed.
    #[wasm_bindgen(js_name = deleteBackup, unchecked_return_type = "boolean")]
    pub fn delete_backup(&mut self, id: &str) -> Answer {
        self.call_mut(|memory| memory.delete_backup(id))
    }

    /// Replaces the database with a backup.
    #[wasm_bindgen(unchecked_return_type = "Imported")]
    pub fn restore(&mut self, id: &str) -> Answer {
        self.call_mut(|memory| memory.restore(id))
    }

    /// The revisions, newest first: all, or those of a range such as `001:head`, which includes its ends.
    #[wasm_bindgen(unchecked_return_type = "RevisionInfo[]")]
    pub fn history(&self, range: Option<String>) -> Answer {
        self.call(|memory| {
            let current = memory.revisions_known()?;
            memory.describe(&memory.graph().history(range.as_deref(), &current)?)
        })
    }

    /// The heads: the revisions that no other revises.
    #[wasm_bindgen(unchecked_return_type = "RevisionInfo[]")]
    pub fn heads(&self) -> Answer {
        self.call(|memory| memory.describe(&memory.graph().heads()))
    }

    /// The branch points: the revisions that several others revise.
    #[wasm_bindgen(unchecked_return_type = "RevisionInfo[]")]
    pub fn branches(&self) -> Answer {
        self.call(|memory| memory.describe(&memory.graph().branch_points()))
    }

    /// The revisions that a symbol matches.
    #[wasm_bindgen(unchecked_return_type = "RevisionInfo[]")]
    pub fn show(&self, symbol: &str) -> Answer {
        self.call(|memory| {
            let graph = memory.graph();
            let ids = graph.resolve(symbol, &memory.revisions_known()?)?;
            let revisions: Vec<&Revision> = ids.iter().filter_map(|id| graph.get(id)).collect();
            memory.describe(&revisions)
        })
    }

    /// Upgrades the schema; returns the revisions that were applied.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn upgrade(&mut self, target: &str) -> Answer {
        self.call_mut(|memory| memory.upgrade(target))
    }

    /// Downgrades the schema; returns the revisions that were downgraded.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn downgrade(&mut self, target: &str) -> Answer {
        self.call_mut(|memory| memory.downgrade(target))
    }

    /// Downgrades a revision of the app with the text that was applied, and applies its current text; returns the
    /// revisions that were applied.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn redo(&mut self, symbol: Option<String>) -> Answer {
        self.call_mut(|memory| memory.redo(symbol.as_deref()))
    }

    /// What an upgrade or a downgrade would do, tried on a copy.
    #[wasm_bindgen(unchecked_return_type = "MigrationPlan")]
    pub fn plan(&mut self, target: &str, down: bool) -> Answer {
        self.call_mut(|memory| memory.plan(target, down))
    }

    /// The scripts from one revision to another, as SQL.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn sql(&self, from: &str, to: &str, down: bool) -> Answer {
        self.call(|memory| memory.sql(from, to, down))
    }

    /// Records the revisions of the schema and changes nothing else.
    #[wasm_bindgen(unchecked_return_type = "Done")]
    pub fn stamp(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "readonly string[]")] targets: &JsValue,
        purge: bool,
        force: bool,
    ) -> Answer {
        self.call_mut(|memory| {
            let targets: Vec<String> = from_js(targets, "targets")?;
            memory.stamp(&texts(&targets), purge, force)
        })
    }

    /// Creates `alembic_version` if it is missing.
    #[wasm_bindgen(js_name = ensureVersion, unchecked_return_type = "Done")]
    pub fn ensure_version(&mut self) -> Answer {
        self.call_mut(Memory::ensure_version)
    }

    /// Compares each applied revision with its current text.
    #[wasm_bindgen(unchecked_return_type = "VerifiedRevision[]")]
    pub fn verify(&self) -> Answer {
        self.call(Memory::verify)
    }

    /// Records the current text of an applied revision as the one that was applied.
    #[wasm_bindgen(unchecked_return_type = "Done")]
    pub fn accept(&mut self, symbol: &str) -> Answer {
        self.call_mut(|memory| memory.accept(symbol))
    }

    /// What is wrong with the app's revisions, and how a declared schema differs from what they make.
    #[wasm_bindgen(unchecked_return_type = "SchemaCheck")]
    pub fn check(
        &self,
        schema: Option<String>,
        #[wasm_bindgen(unchecked_param_type = "SchemaRenames")] renames: &JsValue,
    ) -> Answer {
        self.call(|memory| file::check(memory.graph(), schema.as_deref(), &renames_of(renames)?))
    }

    /// The file of a new revision. With a schema, the revision makes the difference to it; null if there is none.
    #[wasm_bindgen(unchecked_return_type = "MigrationFile | null")]
    pub fn revision(
        &self,
        #[wasm_bindgen(unchecked_param_type = "NewRevision")] new: &JsValue,
        schema: Option<String>,
        #[wasm_bindgen(unchecked_param_type = "SchemaRenames")] renames: &JsValue,
    ) -> Answer {
        self.call(|memory| {
            let revision: file::NewRevision = object_from_js(new, "revision")?;
            let (graph, now) = (memory.graph(), CLOCK.now());
            match schema {
                Some(schema) => file::autogenerated(graph, &schema, &renames_of(renames)?, &revision, now),
                None => file::revision(graph, &revision, now).map(Some),
            }
        })
    }

    /// The file of a revision that merges several heads into one.
    #[wasm_bindgen(unchecked_return_type = "MigrationFile")]
    pub fn merge(
        &self,
        #[wasm_bindgen(unchecked_param_type = "readonly string[]")] revisions: &JsValue,
        message: &str,
        id: Option<String>,
    ) -> Answer {
        self.call(|memory| {
            let revisions: Vec<String> = from_js(revisions, "revisions")?;
            file::merge(memory.graph(), &revisions, message, id, CLOCK.now())
        })
    }

    /// The file of one revision that replaces a line of them.
    #[wasm_bindgen(unchecked_return_type = "MigrationFile")]
    pub fn squash(&self, from: &str, to: &str, message: &str) -> Answer {
        self.call(|memory| file::squash(memory.graph(), from, to, message, CLOCK.now()))
    }
}

fn renames_of(renames: &JsValue) -> Result<Renames> {
    let wire::SchemaRenames { renames, drops } = object_from_js(renames, "options")?;
    Renames::parse(&texts(&renames), &texts(&drops))
}

fn texts(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}
