//! Migrates the schema of a memory: first a backup, then all steps or none.

use std::rc::Rc;

use serde::Deserialize;
use tsify::Tsify;

use super::{Memory, ledger};
use crate::error::Result;
use crate::migrate::backup::{Backup, Backups};
use crate::migrate::history;
use crate::migrate::plan::{self, MigrationPlan};
use crate::migrate::runner::{self, Applied, MigrationProgress, Run};
use crate::migrate::symbol::place;
use crate::migrate::{Graph, Step, schema, tried};

/// What to do with a file that was migrated by a newer version of the app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum OnNewerSchema {
    /// Reject it.
    #[default]
    Error,
    /// Open it read-only: reject every change.
    ReadOnly,
    /// Downgrade it after a backup, with the scripts that are stored in it.
    Downgrade,
}

/// The revisions that a memory knows, and what it does with a file that is at others.
pub struct Migrations {
    pub(super) graph: Rc<Graph>,
    pub(super) backups: Option<Backups>,
    /// What to do with a file that is newer than the known revisions.
    pub on_newer: OnNewerSchema,
    /// Whether a migration fails if there is no room for its backup; true by default. If false, it then runs without
    /// one.
    pub backup_required: bool,
    /// Receives the progress of a run.
    pub progress: Box<dyn FnMut(MigrationProgress<'_>)>,
    pub(super) last_backup: Option<Backup>,
}

impl Migrations {
    /// Migrations with these revisions, without backups, that reject newer files.
    pub fn new(graph: Graph) -> Self {
        Self {
            graph: Rc::new(graph),
            backups: None,
            on_newer: OnNewerSchema::default(),
            backup_required: true,
            progress: Box::new(|_| {}),
            last_backup: None,
        }
    }

    /// The same with a place for backups.
    pub fn with_backups(mut self, backups: Backups) -> Self {
        self.backups = Some(backups);
        self
    }
}

/// Returns the steps from the revisions that a file is at to the wanted ones.
type Route<'a> = dyn for<'g> Fn(&'g Graph, &[String]) -> Result<Vec<Step<'g>>> + 'a;

impl Memory {
    /// The revisions that this memory knows.
    pub fn graph(&self) -> &Graph {
        &self.migrations.graph
    }

    /// The ids of the revisions that a file is at if all revisions are applied, sorted.
    pub fn heads(&self) -> Vec<String> {
        self.migrations.graph.last_rows()
    }

    /// Upgrades the schema to a target, after a backup. Returns the revisions that were applied.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::upgrade`] and [`runner::run`]; `edited_revision`; `quota_exceeded` if there is no room for the
    /// backup. On any error the file is unchanged.
    pub fn upgrade(&mut self, target: &str) -> Result<Applied> {
        let applied = self.migrate(true, &|graph, current| graph.upgrade(current, target));
        self.answered(applied)
    }

    /// Downgrades the schema to a target, after a backup. Returns the revisions that were downgraded.
    ///
    /// # Errors
    ///
    /// As for [`Memory::upgrade`].
    pub fn downgrade(&mut self, target: &str) -> Result<Applied> {
        let applied = self.migrate(true, &|graph, current| graph.downgrade(current, target));
        self.answered(applied)
    }

    pub(super) fn migrate(&mut self, backup: bool, route: &Route<'_>) -> Result<Applied> {
        let current = self.revisions()?;
        let graph = Rc::clone(&self.migrations.graph);
        let steps = route(&graph, &current)?;
        self.settle_history(&graph, &current)?;
        let Some(last) = steps.last() else { return Ok(Vec::new()) };
        tried::check_ways_down(&graph, &steps)?;
        let carry_out = |memory: &mut Self| memory.run(&steps, &last.heads);
        self.recall.get_mut().forget();
        self.db.report_replaced();
        if backup { self.backed_up(true, carry_out) } else { carry_out(self) }
    }

    /// Runs steps on the memory's own file, and reports the progress.
    pub(super) fn run(&mut self, steps: &[Step<'_>], heads: &[String]) -> Result<Applied> {
        let Self { db, migrations, ledger, .. } = self;
        let mut run = Run { clock: db.clock(), progress: &mut *migrations.progress };
        runner::run_and(db.connection_mut(), steps, heads, &mut run, &mut |connection, applied| {
            ledger.enter(connection, applied)?;
            // At the base only Alembic's table remains, and the ledger if it still holds answers.
            if heads.is_empty() { ledger::drop_empty(connection) } else { Ok(()) }
        })
    }

    /// Rejects version rows that no run leaves behind, and edited revisions. Records what another program has upgraded
    /// or downgraded.
    fn settle_history(&mut self, graph: &Graph, current: &[String]) -> Result<()> {
        graph.check_rows(current)?;
        let applied = graph.applied_at(current);
        history::check(self.db.connection(), &applied)?;
        if current.is_empty() || history::is(self.db.connection(), &mut applied.iter().copied())? {
            return Ok(());
        }
        runner::atomically(self.db.connection_mut(), &mut |connection| history::reconcile(connection, &applied))
    }

    /// Records that the schema is at these revisions, without changing it.
    ///
    /// With `purge`, the revisions that the file says it is at are ignored: the way out if they are unknown. With
    /// `force`, the schema is not compared with the revisions.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::stamp`]; `schema_mismatch`, with the differences, if the schema is not that of these
    /// revisions.
    pub fn stamp(&mut self, targets: &[&str], purge: bool, force: bool) -> Result<()> {
        let stamped = self.write_stamp(targets, purge, force);
        self.answered(stamped)
    }

    fn write_stamp(&mut self, targets: &[&str], purge: bool, force: bool) -> Result<()> {
        let current = if purge { Vec::new() } else { self.revisions()? };
        let graph = &self.migrations.graph;
        let rows = graph.stamp(&current, targets)?;
        if !force {
            let found = schema::differences(self.db.connection(), graph, &rows)?;
            if !(found.conflicts.is_empty() && found.tables.is_empty() && found.indexes.is_empty()) {
                return Err(found.error(&place(&rows)));
            }
        }
        let applied = graph.applied_at(&rows);
        runner::atomically(self.db.connection_mut(), &mut |connection| {
            runner::write_versions(connection, &rows)?;
            history::reconcile(connection, &applied)?;
            self.ledger.enter(connection, &())
        })
    }

    /// Creates `alembic_version` if it is missing, and changes nothing else.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn ensure_version(&mut self) -> Result<()> {
        let ensured = runner::atomically(self.db.connection_mut(), &mut |connection| {
            runner::ensure_version(connection)?;
            self.ledger.enter(connection, &())
        });
        self.answered(ensured)
    }

    /// What [`Memory::upgrade`], or [`Memory::downgrade`] if `down`, would do. It is tried on a copy in memory.
    ///
    /// # Errors
    ///
    /// The same as theirs, except for those of the backup.
    pub fn plan(&mut self, target: &str, down: bool) -> Result<MigrationPlan> {
        let current = self.revisions()?;
        let graph = &self.migrations.graph;
        let steps = if down { graph.downgrade(&current, target)? } else { graph.upgrade(&current, target)? };
        history::check(self.db.connection(), &graph.applied_at(&current))?;
        let mut run = Run { clock: self.db.clock(), progress: &mut *self.migrations.progress };
        plan::plan(self.db.connection(), &steps, &mut run)
    }

    /// The scripts of an upgrade or a downgrade from one revision to another, as SQL for another program. Does not read
    /// the file.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::upgrade`] and [`Graph::downgrade`].
    pub fn sql(&self, from: &str, to: &str, down: bool) -> Result<String> {
        let graph = &self.migrations.graph;
        let from = graph.resolve(from, &[])?;
        let steps = if down { graph.downgrade(&from, to)? } else { graph.upgrade(&from, to)? };
        plan::sql(&from, &steps)
    }
}

pub(super) fn to_heads<'g>(graph: &'g Graph, current: &[String]) -> Result<Vec<Step<'g>>> {
    graph.upgrade(current, "heads")
}
