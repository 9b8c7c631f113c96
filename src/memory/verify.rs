//! Whether what was applied to a memory is still what its revisions say.

use serde::Serialize;
use tsify::Tsify;

use super::Memory;
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::history::{self, Entry};
use crate::migrate::runner;

/// What has become of a revision that a file was brought to its place by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It is the one that was applied.
    Ok,
    /// Its text was changed since.
    Edited,
    /// The revisions known here do not have it.
    Unknown,
    /// It was applied, but nobody wrote down from what text.
    Unrecorded,
}

/// What has become of an applied revision.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct VerifiedRevision {
    /// Its id.
    pub revision: String,
    /// What has become of it.
    pub standing: Standing,
    /// The name of the file it was applied from.
    pub file: Option<String>,
    /// SHA-256 of that file's text, in hexadecimal digits.
    pub checksum: Option<String>,
    /// When it was applied, in Unix seconds; null if that is not known.
    #[tsify(type = "Seconds | null")]
    pub applied_at: Option<f64>,
    /// How long that took, in seconds.
    pub duration: Option<f64>,
    /// The version of the package that applied it.
    pub version: Option<String>,
}

impl VerifiedRevision {
    fn new(revision: String, standing: Standing, entry: Option<&Entry>) -> Self {
        Self {
            revision,
            standing,
            file: entry.map(|entry| entry.file.clone()),
            checksum: entry.map(Entry::checksum),
            applied_at: entry.and_then(|entry| entry.applied_at),
            duration: entry.and_then(|entry| entry.duration),
            version: entry.map(|entry| entry.version.clone()),
        }
    }
}

impl Memory {
    /// Every revision that brought the file where it is, and whether it is still what was applied.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub fn verify(&self) -> Result<Vec<VerifiedRevision>> {
        let connection = self.db.connection();
        let graph = &self.migrations.graph;
        let entries = history::read(connection)?;
        let current = runner::current(connection)?;
        let mut all: Vec<VerifiedRevision> = Vec::new();
        for revision in graph.applied_at(&current) {
            let entry = entries.iter().find(|entry| entry.revision == revision.id);
            let standing = match entry {
                None => Standing::Unrecorded,
                Some(entry) if history::is_edited(entry, revision, &entries) => Standing::Edited,
                Some(_) => Standing::Ok,
            };
            all.push(VerifiedRevision::new(revision.id.clone(), standing, entry));
        }
        let unknown = |id: &String| graph.get(id).is_none();
        let mut strangers: Vec<String> = current.into_iter().filter(unknown).collect();
        strangers.extend(entries.iter().map(|entry| entry.revision.clone()).filter(unknown));
        strangers.sort();
        strangers.dedup();
        all.extend(strangers.into_iter().map(|revision| {
            let entry = entries.iter().find(|entry| entry.revision == revision);
            VerifiedRevision::new(revision, Standing::Unknown, entry)
        }));
        Ok(all)
    }

    /// Takes the present text of an applied revision for the one that was applied.
    ///
    /// # Errors
    ///
    /// `unknown_revision`, `unknown_symbol`; `not_found` where it was not applied.
    pub fn accept(&mut self, symbol: &str) -> Result<()> {
        let accepted = self.write_accepted(symbol);
        self.answered(accepted)
    }

    fn write_accepted(&mut self, symbol: &str) -> Result<()> {
        let current = self.revisions()?;
        let Self { db, migrations, ledger, .. } = self;
        let graph = &migrations.graph;
        let applied = graph.applied_at(&current);
        let ids = graph.resolve(symbol, &current)?;
        runner::atomically(db.connection_mut(), &mut |connection| {
            for id in &ids {
                let Some(revision) = applied.iter().find(|revision| revision.id == *id) else {
                    let message = format!("Revision {id} was not applied to this memory.");
                    return Err(Error::new(ErrorCode::NotFound, message)
                        .with_hint("Only a revision that is applied can be accepted; nothing was changed."));
                };
                let entry = history::read(connection)?.into_iter().find(|entry| entry.revision == *id);
                let (applied_at, duration) = entry.map_or((None, None), |entry| (entry.applied_at, entry.duration));
                history::record(connection, revision, applied_at, duration)?;
            }
            ledger.enter(connection, &())
        })
    }
}
