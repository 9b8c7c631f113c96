//! What is told of revisions and runs, as it crosses.

use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::encode::{Record, ToJs};
use super::{outgoing, record};
use crate::Memory;
use crate::error::Result;
use crate::memory::{Standing, Verified};
use crate::migrate::runner::{Phase, Progress};
use crate::migrate::{Direction, Revision, autogenerate, file, history, plan};

/// One revision, and what the file says of it.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub(crate) struct RevisionInfo {
    /// Its id.
    pub(crate) id: String,
    /// The ids of the revisions it builds on: none for a base, several for a merge.
    pub(crate) revises: Vec<String>,
    /// The ids of revisions of other branches that must be applied before it.
    pub(crate) depends_on: Vec<String>,
    /// The names of the branch that begins here.
    pub(crate) branch_labels: Vec<String>,
    /// The ids of those that build on it.
    pub(crate) children: Vec<String>,
    /// What it does, in one line.
    pub(crate) title: String,
    /// When it was written.
    pub(crate) create_date: String,
    /// The name of its file.
    pub(crate) file: String,
    /// The script that applies it.
    pub(crate) up: String,
    /// The script that takes it back.
    pub(crate) down: String,
    /// Whether the memory is at this one.
    pub(crate) is_current: bool,
    /// Whether it is applied.
    pub(crate) is_applied: bool,
    /// Whether it is the last of its branch.
    pub(crate) is_head: bool,
    /// When it was applied; null where it is not, or was applied elsewhere.
    #[tsify(type = "Seconds | null")]
    pub(crate) applied_at: Option<f64>,
    /// How long that took, in seconds.
    pub(crate) duration: Option<f64>,
    /// The version of the package that applied it.
    pub(crate) version: Option<String>,
}

record!(RevisionInfo {
    id,
    revises,
    depends_on,
    branch_labels,
    children,
    title,
    create_date,
    file,
    up,
    down,
    is_current,
    is_applied,
    is_head,
    applied_at,
    duration,
    version
});

/// What a memory knows of these revisions.
pub(crate) fn tell(memory: &Memory, revisions: &[&Revision]) -> Result<Vec<RevisionInfo>> {
    let (graph, current, entries) = (memory.graph(), memory.revisions()?, memory.applied()?);
    let applied = graph.ancestors(&current);
    let tell = |revision: &&Revision| {
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
    Ok(revisions.iter().map(tell).collect())
}

outgoing! {
    /// What a run would do, found out on a copy.
    MigrationPlan = plan::Plan {
        /// Each revision, in order.
        steps: Vec<PlannedStep>,
        /// Every table by name, with its rows before and after.
        tables: Vec<TableRows>,
        /// How long it took on the copy, in seconds.
        duration: f64,
    }
}

outgoing! {
    /// One revision of a plan.
    PlannedStep = plan::PlannedStep {
        /// Its id.
        revision: String,
        /// What it does, in one line.
        title: String,
        /// The name of its file.
        file: String,
        /// Whether it would be applied or taken back.
        #[tsify(type = "MigrationDirection")]
        direction: String,
        /// The script that would run.
        script: String,
        /// How long it took on the copy, in seconds.
        duration: f64,
    }
}

outgoing! {
    /// A table's rows before and after a run.
    TableRows = plan::TableRows {
        /// Its name.
        table: String,
        /// Rows before; null where there is no such table.
        before: Option<f64>,
        /// Rows after; null where there would be no such table.
        after: Option<f64>,
    }
}

outgoing! {
    /// A migration file, not yet written anywhere.
    MigrationFile = file::File {
        /// Its revision id.
        id: String,
        /// Its name: date, time, id and the first words of the message.
        name: String,
        /// Its text.
        text: String,
    }
}

outgoing! {
    /// How a declared schema differs from what the revisions make.
    SchemaCheck = autogenerate::Difference {
        /// What would have to be done, a line each; none where they are the same.
        operations: Vec<String>,
        /// What may have been renamed: to be answered before a revision is written.
        questions: Vec<String>,
        /// The script up that would do it.
        up: String,
        /// The script down.
        down: String,
    }
}

/// What has become of an applied revision.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub(crate) struct VerifiedRevision {
    /// Its id.
    pub(crate) revision: String,
    /// What has become of it.
    #[tsify(type = "Standing")]
    pub(crate) standing: &'static str,
    /// The name of the file it was applied from.
    pub(crate) file: Option<String>,
    /// SHA-256 of that file's text, in hexadecimal digits.
    pub(crate) checksum: Option<String>,
    /// When it was applied; null where that is not known.
    #[tsify(type = "Seconds | null")]
    pub(crate) applied_at: Option<f64>,
    /// How long that took, in seconds.
    pub(crate) duration: Option<f64>,
    /// The version of the package that applied it.
    pub(crate) version: Option<String>,
}

record!(VerifiedRevision { revision, standing, file, checksum, applied_at, duration, version });

impl From<Verified> for VerifiedRevision {
    fn from(Verified { revision, standing, entry }: Verified) -> Self {
        let standing = match standing {
            Standing::Ok => "ok",
            Standing::Edited => "edited",
            Standing::Unknown => "unknown",
            Standing::Unrecorded => "unrecorded",
        };
        let checksum = entry.as_ref().map(history::Entry::checksum);
        let Some(history::Entry { file, applied_at, duration, version, .. }) = entry else {
            return Self { revision, standing, file: None, checksum, applied_at: None, duration: None, version: None };
        };
        let (file, version) = (Some(file), Some(version));
        Self { revision, standing, file, checksum, applied_at, duration, version }
    }
}

impl ToJs for Direction {
    fn to_js(&self) -> Result<JsValue> {
        match self {
            Direction::Up => "upgrade".to_js(),
            Direction::Down => "downgrade".to_js(),
        }
    }
}

/// Where a run is.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub(crate) struct MigrationProgress {
    /// What it is doing.
    #[tsify(type = "MigrationPhase")]
    phase: &'static str,
    /// The revision it is at.
    revision: Option<String>,
    /// How many revisions are done.
    step: u64,
    /// How many there are in this run.
    steps: u64,
    /// Rows that a move and copy has moved; in the phase `backup`, pages that are copied.
    done: u64,
    /// How many there are of these; 0 where nobody counts them.
    total: u64,
}

record!(MigrationProgress { phase, revision, step, steps, done, total });

impl From<Progress<'_>> for MigrationProgress {
    fn from(from: Progress<'_>) -> Self {
        Self {
            phase: match from.phase {
                Phase::Backup => "backup",
                Phase::Upgrade => "upgrade",
                Phase::Downgrade => "downgrade",
                Phase::Check => "check",
            },
            revision: from.revision.map(str::to_owned),
            step: from.step as u64,
            steps: from.steps as u64,
            done: from.done,
            total: from.total,
        }
    }
}
