//! Where the schema of a memory is, and how it is moved: a backup first, then all or nothing.

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

/// What to do with a file that a newer version of the app has migrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum OnNewerSchema {
    /// Refuse it.
    #[default]
    Error,
    /// Open it, and refuse every change.
    ReadOnly,
    /// Take it back, with the downgrades that are stored in it, after a backup.
    Downgrade,
}

/// The revisions a memory knows, and how it deals with a file that is at others.
pub struct Migrations {
    pub(super) graph: Rc<Graph>,
    pub(super) backups: Option<Backups>,
    /// What to do with a file that is newer than the revisions.
    pub on_newer: OnNewerSchema,
    /// Whether there is no migration without a backup; true by default. Otherwise one that finds no room is left out.
    pub backup_required: bool,
    /// Is told where a run is.
    pub progress: Box<dyn FnMut(MigrationProgress<'_>)>,
    pub(super) last_backup: Option<Backup>,
}

impl Migrations {
    /// These revisions, refusing files that are newer, without backups.
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

/// Which steps lead from where a file is to where it shall be.
type Route<'a> = dyn for<'g> Fn(&'g Graph, &[String]) -> Result<Vec<Step<'g>>> + 'a;

impl Memory {
    /// The revisions this memory knows.
    pub fn graph(&self) -> &Graph {
        &self.migrations.graph
    }

    /// Where a file is that has all of them applied: the ids, sorted.
    pub fn heads(&self) -> Vec<String> {
        self.migrations.graph.last_rows()
    }

    /// Takes the schema up to a target, after a backup.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::upgrade`] and [`runner::run`]; `edited_revision`; `quota_exceeded` where there is no room for the
    /// backup. On any error the file is as it was.
    pub fn upgrade(&mut self, target: &str) -> Result<Applied> {
        let applied = self.migrate(true, &|graph, current| graph.upgrade(current, target));
        self.answered(applied)
    }

    /// Takes the schema down to a target, after a backup.
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

    /// Carries out steps on the memory's own file, and tells its progress.
    pub(super) fn run(&mut self, steps: &[Step<'_>], heads: &[String]) -> Result<Applied> {
        let Self { db, migrations, ledger, .. } = self;
        let mut run = Run { clock: db.clock(), progress: &mut *migrations.progress };
        runner::run_and(db.connection_mut(), steps, heads, &mut run, &mut |connection, applied| {
            ledger.enter(connection, applied)?;
            // At the base nothing but Alembic's table is left, unless somebody may still ask for an answer.
            if heads.is_empty() { ledger::drop_empty(connection) } else { Ok(()) }
        })
    }

    /// Refuses what no run leaves behind, and edited revisions; writes down what another program has applied or taken back.
    fn settle_history(&mut self, graph: &Graph, current: &[String]) -> Result<()> {
        graph.check_rows(current)?;
        let applied = graph.applied_at(current);
        history::check(self.db.connection(), &applied)?;
        if current.is_empty() || history::is(self.db.connection(), &mut applied.iter().copied())? {
            return Ok(());
        }
        runner::atomically(self.db.connection_mut(), &mut |connection| history::reconcile(connection, &applied))
    }

    /// Writes down that the schema is at these revisions, without touching it.
    ///
    /// With `purge`, what it says now is not looked at: the way out where that is not known. With `force`, neither is
    /// whether it is true.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::stamp`]; `schema_mismatch`, showing what it lacks, where the schema is not these revisions'.
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

    /// Makes `alembic_version` where it is missing, and changes nothing else.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn ensure_version(&mut self) -> Result<()> {
        let ensured = runner::atomically(self.db.connection_mut(), &mut |connection| {
            runner::ensure_version(connection)?;
            self.ledger.enter(connection, &())
        });
        self.answered(ensured)
    }

    /// What [`Memory::upgrade`], or [`Memory::downgrade`] where `down`, would do, found out on a copy in memory.
    ///
    /// # Errors
    ///
    /// As theirs would be, but for the backup.
    pub fn plan(&mut self, target: &str, down: bool) -> Result<MigrationPlan> {
        let current = self.revisions()?;
        let graph = &self.migrations.graph;
        let steps = if down { graph.downgrade(&current, target)? } else { graph.upgrade(&current, target)? };
        history::check(self.db.connection(), &graph.applied_at(&current))?;
        let mut run = Run { clock: self.db.clock(), progress: &mut *self.migrations.progress };
        plan::plan(self.db.connection(), &steps, &mut run)
    }

    /// The scripts of an upgrade or a downgrade as text, for another program: from a revision to another, without looking
    /// at the file.
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
