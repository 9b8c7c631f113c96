//! How the revisions follow each other, and which of them a symbol such as `head` or `-1` means.
//!
//! For now they are one straight line; branches will have their place here.

use super::revision::Revision;
use crate::error::{Error, ErrorCode, Result};

/// All revisions a memory knows, first to last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    line: Vec<Revision>,
}

/// A place on the line: after so many revisions, 0 being the base.
pub(crate) type Position = usize;

impl Graph {
    /// The revisions that come with the package.
    pub fn bundled() -> Self {
        const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));
        Self::parse(FILES.iter().copied()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Orders migration files, given as name and text.
    ///
    /// # Errors
    ///
    /// `invalid_migration` where a file breaks the format, or where they do not form one line.
    pub fn parse<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Result<Self> {
        let mut waiting = Vec::new();
        for (file, text) in files {
            waiting.push(Revision::parse(file, text)?);
        }
        for (at, revision) in waiting.iter().enumerate() {
            if let Some(twin) = waiting[..at].iter().find(|other| other.id == revision.id) {
                return Err(wrong(format!("{} and {} have the same id {}.", twin.file, revision.file, twin.id)));
            }
        }
        let mut line: Vec<Revision> = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let last = line.last().map(|revision| revision.id.clone());
            let mut following = waiting.iter().enumerate().filter(|(_, revision)| revision.revises == last);
            let Some((at, next)) = following.next() else {
                let files: Vec<&str> = waiting.iter().map(|revision| revision.file.as_str()).collect();
                let after = last.as_deref().unwrap_or("the base");
                return Err(wrong(format!("No revision follows {after}; these lead nowhere: {}.", files.join(", "))));
            };
            if let Some((_, rival)) = following.next() {
                return Err(wrong(format!("{} and {} revise the same revision.", next.file, rival.file)));
            }
            line.push(waiting.remove(at));
        }
        Ok(Self { line })
    }

    /// The revisions, first to last.
    pub fn revisions(&self) -> &[Revision] {
        &self.line
    }

    /// The last revision's id; `None` where there are none.
    pub fn head(&self) -> Option<&str> {
        self.line.last().map(|revision| revision.id.as_str())
    }

    /// The id at a position; `None` for the base.
    pub(crate) fn id_at(&self, position: Position) -> Option<&str> {
        position.checked_sub(1).map(|at| self.line[at].id.as_str())
    }

    /// Where this revision stands; `None` means the base.
    pub(crate) fn position(&self, id: Option<&str>) -> Result<Position> {
        let Some(id) = id else { return Ok(0) };
        self.line.iter().position(|revision| revision.id == id).map(|at| at + 1).ok_or_else(|| {
            Error::new(
                ErrorCode::UnknownRevision,
                format!("The memory is at revision {id}, which this app does not know."),
            )
        })
    }

    /// Which place a symbol means, seen from where the memory is.
    ///
    /// `head` and `heads`, `base`, `current`, an id, a unique prefix of at least four characters, `+N`, `-N`.
    pub(crate) fn resolve(&self, symbol: &str, current: Position) -> Result<Position> {
        let unknown = |what: String| Error::new(ErrorCode::UnknownRevision, what).with_hint(self.known());
        if let Some(steps) = symbol.strip_prefix(['+', '-']) {
            let steps: usize =
                steps.parse().map_err(|_| unknown(format!("\"{symbol}\" is no number of revisions.")))?;
            let target = match symbol.as_bytes()[0] {
                b'+' => current.checked_add(steps).filter(|&target| target <= self.line.len()),
                _ => current.checked_sub(steps),
            };
            let here = self.id_at(current).unwrap_or("base");
            return target
                .ok_or_else(|| unknown(format!("{symbol} from {here} leads beyond the first or the last revision.")));
        }
        match symbol {
            "head" | "heads" => return Ok(self.line.len()),
            "base" => return Ok(0),
            "current" => return Ok(current),
            _ => {}
        }
        if let Some(at) = self.line.iter().position(|revision| revision.id == symbol) {
            return Ok(at + 1);
        }
        // As Alembic has it, an id of three characters or fewer is written in full.
        let begun: Vec<usize> = (0..self.line.len())
            .filter(|&at| symbol.chars().count() > 3 && self.line[at].id.starts_with(symbol))
            .collect();
        match begun[..] {
            [at] => Ok(at + 1),
            [] => Err(unknown(format!("There is no revision \"{symbol}\"."))),
            _ => Err(unknown(format!("Several revisions begin with \"{symbol}\"."))),
        }
    }

    fn known(&self) -> String {
        let ids: Vec<&str> = self.line.iter().map(|revision| revision.id.as_str()).collect();
        format!("Known are head, base, +N, -N and {}.", ids.join(", "))
    }
}

fn wrong(what: String) -> Error {
    Error::new(ErrorCode::InvalidMigration, what)
}
