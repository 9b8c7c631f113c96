//! What an open memory says of its schema.

use serde::Serialize;
use tsify::Tsify;

use super::Memory;
use crate::error::Result;
use crate::migrate::backup::Backup;
use crate::migrate::history::{self, Entry};
use crate::migrate::{Revision, runner};

/// Where the schema is.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct SchemaStatus {
    /// The revisions the file is at, sorted: one for each branch; none at the base.
    pub revisions: Vec<String>,
    /// The last revisions that are known: one for each branch.
    pub heads: Vec<String>,
    /// The revisions that opening it applied.
    pub migrated: Vec<String>,
    /// The backup that was last made since it was opened.
    pub backup: Option<Backup>,
    /// Whether it is newer than what is known, and opened so that nothing can be changed.
    pub read_only: bool,
    /// How many rows changed and are not in the index of words yet as they are.
    pub unindexed: u64,
}

/// One revision, and what the file says of it.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct RevisionInfo {
    /// Its id.
    pub id: String,
    /// The ids of the revisions it builds on: none for a base, several for a merge.
    pub revises: Vec<String>,
    /// The ids of revisions of other branches that must be applied before it.
    pub depends_on: Vec<String>,
    /// The names of the branch that begins here.
    pub branch_labels: Vec<String>,
    /// The ids of those that build on it.
    pub children: Vec<String>,
    /// What it does, in one line.
    pub title: String,
    /// When it was written.
    pub create_date: String,
    /// The name of its file.
    pub file: String,
    /// The script that applies it.
    pub up: String,
    /// The script that takes it back.
    pub down: String,
    /// Whether the memory is at this one.
    pub is_current: bool,
    /// Whether it is applied.
    pub is_applied: bool,
    /// Whether it is the last of its branch.
    pub is_head: bool,
    /// When it was applied, in Unix seconds; null if it is not, or was applied elsewhere.
    #[tsify(type = "Seconds | null")]
    pub applied_at: Option<f64>,
    /// How long that took, in seconds.
    pub duration: Option<f64>,
    /// The version of the package that applied it.
    pub version: Option<String>,
}

impl Memory {
    /// The revisions the file is at, sorted; none at the base.
    ///
    /// # Errors
    ///
    /// As for [`runner::current`].
    pub fn revisions(&self) -> Result<Vec<String>> {
        runner::current(self.db.connection())
    }

    /// Those of the revisions the file is at that are known here: all but of a newer file.
    ///
    /// # Errors
    ///
    /// As for [`runner::current`].
    pub fn revisions_known(&self) -> Result<Vec<String>> {
        let mut current = self.revisions()?;
        current.retain(|id| self.graph().get(id).is_some());
        Ok(current)
    }

    /// The ids of the revisions that opening it applied.
    pub fn migrated(&self) -> &[String] {
        &self.migrated
    }

    /// Where the schema is.
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
            // At a revision without an index there is nothing to be indexed.
            unindexed: self.recall().unindexed().unwrap_or_default(),
        })
    }

    /// What is written down of the applied revisions.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub fn applied(&self) -> Result<Vec<Entry>> {
        history::read(self.db.connection())
    }

    /// What the file says of these revisions.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
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
