//! Compares the revisions that were applied to a memory with their current texts.

use serde::Serialize;
use tsify::Tsify;

use super::Memory;
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::history::{self, Entry};
use crate::migrate::runner;

/// How a revision compares with the one that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It is the same as the one that was applied.
    Ok,
    /// Its text was edited since.
    Edited,
    /// It is not among the known revisions.
    Unknown,
    /// It was applied, but its text was not recorded.
    Unrecorded,
}

/// An applied revision, compared with its current text.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct VerifiedRevision {
    /// Its id.
    pub revision: String,
    /// How it compares with the one that was applied.
    pub standing: Standing,
    /// The name of the file that it was applied from.
    pub file: Option<String>,
    /// SHA-256 of that file's text, in hexadecimal digits.
    pub checksum: Option<String>,
    /// When it was applied, in Unix seconds; null if unknown.
    #[tsify(type = "Seconds | null")]
    pub applied_at: Option<f64>,
    /// How long it took to apply, in seconds.
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
    /// Every applied revision, and whether it is still the same as when it was applied.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
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

    /// Records the current text of an applied revision as the one that was applied.
    ///
    /// # Errors
    ///
    /// `unknown_revision`, `unknown_symbol`; `not_found` if it was not applied.
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
