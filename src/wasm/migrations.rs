//! The calls that move the schema, or the whole database.

use wasm_bindgen::prelude::*;

use super::{Answer, CLOCK, Engine, location};
use crate::Memory;
use crate::db::Durability;
use crate::error::{ErrorCode, Result};
use crate::memory::Migrations;
use crate::migrate::autogenerate::Renames;
use crate::migrate::backup::Backups;
use crate::migrate::runner::Need;
use crate::migrate::{Graph, file};
use crate::opfs::Pool;
use crate::wire::{self, FromJs, ToJs};

pub(super) async fn open_in(pool: Option<&Pool>, durability: Durability, options: &JsValue) -> Result<Memory> {
    let options = wire::MigrationOptions::from_js(options, "options")?;
    let mut migrations = Migrations::new(Graph::with_bundled(&options.migrations)?);
    migrations.on_newer = options.on_newer_schema;
    migrations.backup_required = options.backup_required;
    if let Some(pool) = pool {
        migrations = migrations.with_backups(Backups::new(Box::new(pool.clone()), pool.path()).keeping(options.keep));
    }
    if let Some(tell) = options.on_progress {
        migrations.progress = Box::new(move |progress| {
            // Whoever listens may fail; a migration does not fail with it.
            let _ =
                wire::MigrationProgress::from(progress).to_js().map(|event| tell.call1(&JsValue::UNDEFINED, &event));
        });
    }
    let mut memory = Memory::open_as_is(location(pool), durability, CLOCK, migrations)?;
    if let Some(file) = options.file {
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

/// Makes room for the backups, unless none is required.
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

    /// Replaces the database by a file's, and gives the revisions that were applied to it.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn import(&mut self, file: Vec<u8>) -> Answer {
        let applied = self.memory_mut().and_then(|memory| memory.import(file));
        self.answer(applied)
    }

    /// Makes room for a backup. To be waited for before a call that may keep one: `import`, `restore`, `upgrade`,
    /// `downgrade`, `backUp`.
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
        let backups = self.memory().and_then(Memory::backups);
        self.answer(backups.map(|found| found.into_iter().map(wire::Backup::from).collect::<Vec<_>>()))
    }

    /// Keeps a verified copy of the database beside it.
    #[wasm_bindgen(js_name = backUp, unchecked_return_type = "Backup")]
    pub fn back_up(&mut self) -> Answer {
        let backup = self.memory_mut().and_then(Memory::back_up).map(wire::Backup::from);
        self.answer(backup)
    }

    /// Replaces the database by a backup's, and gives the revisions that were applied to it.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn restore(&mut self, id: &str) -> Answer {
        let applied = self.memory_mut().and_then(|memory| memory.restore(id));
        self.answer(applied)
    }

    /// The revisions, newest first: all, or those of a range such as `001:head`, ends included.
    #[wasm_bindgen(unchecked_return_type = "RevisionInfo[]")]
    pub fn history(&self, range: Option<String>) -> Answer {
        self.answer(self.memory().and_then(|memory| {
            let current = memory.revisions_known()?;
            wire::tell(memory, &memory.graph().history(range.as_deref(), &current)?)
        }))
    }

    /// The revisions that none revises.
    #[wasm_bindgen(unchecked_return_type = "RevisionInfo[]")]
    pub fn heads(&self) -> Answer {
        self.answer(self.memory().and_then(|memory| wire::tell(memory, &memory.graph().heads())))
    }

    /// The revisions that several revise.
    #[wasm_bindgen(unchecked_return_type = "RevisionInfo[]")]
    pub fn branches(&self) -> Answer {
        self.answer(self.memory().and_then(|memory| wire::tell(memory, &memory.graph().branch_points())))
    }

    /// The revisions that a symbol means.
    #[wasm_bindgen(unchecked_return_type = "RevisionInfo[]")]
    pub fn show(&self, symbol: &str) -> Answer {
        self.answer(self.memory().and_then(|memory| {
            let graph = memory.graph();
            let ids = graph.resolve(symbol, &memory.revisions_known()?)?;
            wire::tell(memory, &ids.iter().filter_map(|id| graph.get(id)).collect::<Vec<_>>())
        }))
    }

    /// Takes the schema up, and gives the revisions applied.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn upgrade(&mut self, target: &str) -> Answer {
        let applied = self.memory_mut().and_then(|memory| memory.upgrade(target));
        self.answer(applied)
    }

    /// Takes the schema down, and gives the revisions taken back.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn downgrade(&mut self, target: &str) -> Answer {
        let applied = self.memory_mut().and_then(|memory| memory.downgrade(target));
        self.answer(applied)
    }

    /// What an upgrade or a downgrade would do, found out on a copy.
    #[wasm_bindgen(unchecked_return_type = "MigrationPlan")]
    pub fn plan(&mut self, target: &str, down: bool) -> Answer {
        let plan = self.memory_mut().and_then(|memory| memory.plan(target, down));
        self.answer(plan)
    }

    /// The scripts from a revision to another, as text.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn offline(&self, from: &str, to: &str, down: bool) -> Answer {
        self.answer(self.memory().and_then(|memory| memory.offline(from, to, down)))
    }

    /// Writes down revisions and changes nothing else.
    #[wasm_bindgen(unchecked_return_type = "Done")]
    pub fn stamp(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "readonly string[]")] targets: &JsValue,
        purge: bool,
        force: bool,
    ) -> Answer {
        let stamped = Vec::<String>::from_js(targets, "targets").and_then(|targets| {
            let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
            self.memory_mut()?.stamp(&targets, purge, force)
        });
        self.answer(stamped)
    }

    /// Makes `alembic_version` where it is missing.
    #[wasm_bindgen(js_name = ensureVersion, unchecked_return_type = "Done")]
    pub fn ensure_version(&mut self) -> Answer {
        let ensured = self.memory_mut().and_then(Memory::ensure_version);
        self.answer(ensured)
    }

    /// What has become of each applied revision.
    #[wasm_bindgen(unchecked_return_type = "VerifiedRevision[]")]
    pub fn verify(&self) -> Answer {
        let verified = self.memory().and_then(Memory::verify);
        self.answer(verified.map(|all| all.into_iter().map(wire::VerifiedRevision::from).collect::<Vec<_>>()))
    }

    /// Takes the present text of an applied revision for the one that was applied.
    #[wasm_bindgen(unchecked_return_type = "Done")]
    pub fn accept(&mut self, symbol: &str) -> Answer {
        let accepted = self.memory_mut().and_then(|memory| memory.accept(symbol));
        self.answer(accepted)
    }

    /// How a declared schema differs from what the revisions make.
    #[wasm_bindgen(unchecked_return_type = "SchemaCheck")]
    pub fn check(
        &self,
        schema: &str,
        #[wasm_bindgen(unchecked_param_type = "SchemaRenames")] renames: &JsValue,
    ) -> Answer {
        self.answer(
            self.memory()
                .and_then(|memory| file::difference(memory.graph(), schema, &Renames::from_js(renames, "renames")?)),
        )
    }

    /// A new revision's file; with a schema, one that makes the difference, or null where there is none.
    #[wasm_bindgen(unchecked_return_type = "MigrationFile | null")]
    pub fn revision(&self, #[wasm_bindgen(unchecked_param_type = "NewRevision")] new: &JsValue) -> Answer {
        self.answer(self.memory().and_then(|memory| {
            let revision = file::NewRevision::from_js(new, "revision")?;
            let (graph, now) = (memory.graph(), CLOCK.now());
            match wire::field::<Option<String>>(new, "schema")? {
                Some(schema) => {
                    let renames = Renames::from_js(new, "revision")?;
                    file::autogenerated(graph, &schema, &renames, &revision, now)
                }
                None => file::revision(graph, &revision, now).map(Some),
            }
        }))
    }

    /// The file of a revision that makes one head of several.
    #[wasm_bindgen(unchecked_return_type = "MigrationFile")]
    pub fn merge(
        &self,
        #[wasm_bindgen(unchecked_param_type = "readonly string[]")] revisions: &JsValue,
        message: &str,
        id: Option<String>,
    ) -> Answer {
        self.answer(self.memory().and_then(|memory| {
            let revisions = Vec::<String>::from_js(revisions, "revisions")?;
            file::merge(memory.graph(), &revisions, message, id, CLOCK.now())
        }))
    }

    /// The file of one revision for a line of them.
    #[wasm_bindgen(unchecked_return_type = "MigrationFile")]
    pub fn squash(&self, from: &str, to: &str, message: &str) -> Answer {
        self.answer(self.memory().and_then(|memory| file::squash(memory.graph(), from, to, message, CLOCK.now())))
    }
}
