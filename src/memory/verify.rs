//! Whether what was applied to a memory is still what its revisions say.

use super::Memory;
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::history::{self, Entry};
use crate::migrate::runner;

/// What has become of a revision that a file was brought to its place by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// One applied revision, looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Its id.
    pub revision: String,
    /// What has become of it.
    pub standing: Standing,
    /// What was written down when it was applied.
    pub entry: Option<Entry>,
}

impl Memory {
    /// Every revision that brought the file where it is, and whether it is still what was applied.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub fn verify(&self) -> Result<Vec<Verified>> {
        let connection = self.db.connection();
        let graph = &self.migrations.graph;
        let entries = history::read(connection)?;
        let current = runner::current(connection)?;
        let mut all: Vec<Verified> = Vec::new();
        for revision in graph.applied_at(&current) {
            let entry = entries.iter().find(|entry| entry.revision == revision.id).cloned();
            let standing = match &entry {
                None => Standing::Unrecorded,
                Some(entry) if history::is_edited(entry, revision, &entries) => Standing::Edited,
                Some(_) => Standing::Ok,
            };
            all.push(Verified { revision: revision.id.clone(), standing, entry });
        }
        let unknown = |id: &String| graph.get(id).is_none();
        let mut strangers: Vec<String> = current.into_iter().filter(unknown).collect();
        strangers.extend(entries.iter().map(|entry| entry.revision.clone()).filter(unknown));
        strangers.sort();
        strangers.dedup();
        all.extend(strangers.into_iter().map(|revision| Verified {
            entry: entries.iter().find(|entry| entry.revision == revision).cloned(),
            revision,
            standing: Standing::Unknown,
        }));
        Ok(all)
    }

    /// Takes the present text of an applied revision for the one that was applied.
    ///
    /// # Errors
    ///
    /// `unknown_revision`, `unknown_symbol`; `not_found` where it was not applied.
    pub fn accept(&mut self, symbol: &str) -> Result<()> {
        let current = self.revisions()?;
        let graph = &self.migrations.graph;
        let applied = graph.applied_at(&current);
        for id in graph.resolve(symbol, &current)? {
            let Some(revision) = applied.iter().find(|revision| revision.id == id) else {
                return Err(Error::new(ErrorCode::NotFound, format!("Revision {id} was not applied to this memory."))
                    .with_hint("Only a revision that is applied can be accepted; nothing was changed."));
            };
            let entry = history::read(self.db.connection())?.into_iter().find(|entry| entry.revision == id);
            let (applied_at, duration) = entry.map_or((None, None), |entry| (entry.applied_at, entry.duration));
            runner::atomically(self.db.connection_mut(), &mut |connection| {
                history::record(connection, revision, applied_at, duration)
            })?;
        }
        Ok(())
    }

    /// What is written down of the applied revisions.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub fn applied(&self) -> Result<Vec<Entry>> {
        history::read(self.db.connection())
    }
}
