//! What an open memory reports about its schema.

use serde::Serialize;
use tsify::Tsify;

use super::Memory;
use crate::error::Result;
use crate::migrate::backup::Backup;
use crate::migrate::history::{self, Entry};
use crate::migrate::{Revision, runner};

/// The state of the schema.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct SchemaStatus {
    /// The revisions that the file is at, sorted: one per branch; none at the base.
    pub revisions: Vec<String>,
    /// The last known revisions: one per branch.
    pub heads: Vec<String>,
    /// The revisions that were applied when the memory was opened.
    pub migrated: Vec<String>,
    /// The last backup that was made since the memory was opened.
    pub backup: Option<Backup>,
    /// Whether the file is newer than the known revisions and was opened read-only.
    pub read_only: bool,
    /// How many changed rows the full-text index does not have yet in their current state.
    pub unindexed: u64,
}

/// One revision, and what the file records about it.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct RevisionInfo {
    /// Its id.
    pub id: String,
    /// The ids of the revisions that it builds on: none for a base, several for a merge.
    pub revises: Vec<String>,
    /// The ids of revisions of other branches that must be applied before it.
    pub depends_on: Vec<String>,
    /// The names of the branch that begins here.
    pub branch_labels: Vec<String>,
    /// The ids of the revisions that build on it.
    pub children: Vec<String>,
    /// What it does, in one line.
    pub title: String,
    /// When it was written.
    pub create_date: String,
    /// The name of its file.
    pub file: String,
    /// The script that applies it.
    pub up: String,
    /// The script that downgrades it.
    pub down: String,
    /// Whether the memory is at this revision.
    pub is_current: bool,
    /// Whether it is applied.
    pub is_applied: bool,
    /// Whether it is a head: no revision builds on it.
    pub is_head: bool,
    /// When it was applied, in Unix seconds; null if it is not applied, or was applied by another program.
    #[tsify(type = "Seconds | null")]
    pub applied_at: Option<f64>,
    /// How long it took to apply, in seconds.
    pub duration: Option<f64>,
    /// The version of the package that applied it.
    pub version: Option<String>,
}

impl Memory {
    /// The revisions that the file is at, sorted; none at the base.
    ///
    /// # Errors
    ///
    /// As for [`runner::current`].
    pub fn revisions(&self) -> Result<Vec<String>> {
        runner::current(self.db.connection())
    }

    /// The revisions that the file is at and that are known here: all of them, unless the file is newer.
    ///
    /// # Errors
    ///
    /// As for [`runner::current`].
    pub fn revisions_known(&self) -> Result<Vec<String>> {
        let mut current = self.revisions()?;
        current.retain(|id| self.graph().get(id).is_some());
        Ok(current)
    }

    /// The ids of the revisions that were applied when the memory was opened.
    pub fn migrated(&self) -> &[String] {
        &self.migrated
    }

    /// The state of the schema.
    ///
    /// # Errors
    ///
    /// As for [`runner::current`].
    pub fn schema_status(&self) -> Result<SchemaStatus> {
        Ok(SchemaStatus {
            revisions: self.revisions()?,
            heads: self.heads(),
            migrated: self.migrated.clone(),
            backup: self.last_backup().cloned(),
            read_only: self.db.is_read_only(),
            // A revision without a full-text index has nothing to index.
            unindexed: self.recall().unindexed().unwrap_or_default(),
        })
    }

    /// The recorded entries of the applied revisions.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn applied(&self) -> Result<Vec<Entry>> {
        history::read(self.db.connection())
    }

    /// These revisions, with what the file records about them.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn describe(&self, revisions: &[&Revision]) -> Result<Vec<RevisionInfo>> {
        let (graph, current, entries) = (self.graph(), self.revisions()?, self.applied()?);
        let applied = graph.ancestors(&current);
        let describe = |revision: &&Revision| {
            let entry = entries.iter().find(|entry| entry.revision == revision.id);
            let children = graph.children(&revision.id);
            RevisionInfo {
                id: revision.id.clone(),
                revises: revision.revises.clone(),
                depends_on: revision.depends_on.clone(),
                branch_labels: revision.branch_labels.clone(),
                is_head: children.is_empty(),
                children: children.into_iter().map(|child| child.id.clone()).collect(),
                title: revision.title.clone(),
                create_date: revision.create_date.clone(),
                file: revision.file.clone(),
                up: revision.up.clone(),
                down: revision.down.clone(),
                is_current: current.contains(&revision.id),
                is_applied: applied.contains(&revision.id),
                applied_at: entry.and_then(|entry| entry.applied_at),
                duration: entry.and_then(|entry| entry.duration),
                version: entry.map(|entry| entry.version.clone()),
            }
        };
        Ok(revisions.iter().map(describe).collect())
    }
}
