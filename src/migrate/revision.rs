//! One migration file, parsed.
//!
//! ```sql
//! -- Add moods
//! --
//! -- Revision ID: 003
//! -- Revises: 002
//! -- Create Date: 2026-12-01
//! -- migrate:up
//! ALTER TABLE turns ADD COLUMN mood TEXT;
//! -- migrate:down
//! ALTER TABLE turns DROP COLUMN mood;
//! ```

use crate::error::{Error, ErrorCode, Result};

/// One migration: an id, the id it revises, an upgrade and a downgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its id, as `001`.
    pub id: String,
    /// The id of the revision it builds on; `None` for the first.
    pub revises: Option<String>,
    /// What it does, in one line.
    pub title: String,
    /// When it was written, as its author put it.
    pub create_date: String,
    /// The SQL that takes the schema here from the revision before.
    pub up: String,
    /// The SQL that takes it back.
    pub down: String,
    /// The name of its file.
    pub file: String,
}

impl Revision {
    /// Reads a migration file.
    ///
    /// # Errors
    ///
    /// `invalid_migration`, naming the file and what it lacks.
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        let wrong = |what: &str| Error::new(ErrorCode::InvalidMigration, format!("{file}: {what}."));
        let (head, rest) = split_at_marker(text, "up").ok_or_else(|| wrong("it has no line `-- migrate:up`"))?;
        let (up, down) = split_at_marker(rest, "down").ok_or_else(|| wrong("it has no line `-- migrate:down`"))?;

        let mut title = None;
        let (mut id, mut revises, mut create_date) = (None, None, String::new());
        for line in head.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let comment = line.strip_prefix("--").ok_or_else(|| wrong("there is SQL before `-- migrate:up`"))?.trim();
            match comment.split_once(':') {
                Some(("Revision ID", value)) => id = Some(value.trim().to_owned()),
                Some(("Revises", value)) => revises = Some(value.trim().to_owned()),
                Some(("Create Date", value)) => create_date = value.trim().to_owned(),
                _ => title = title.or_else(|| (!comment.is_empty()).then(|| comment.to_owned())),
            }
        }
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| wrong("it has no `-- Revision ID:`"))?;
        if id.len() > 32 || id.contains(['@', '-', '+', ':']) || id.contains(char::is_whitespace) {
            return Err(wrong("its revision id must be of 1 to 32 characters without @ - + : and spaces"));
        }
        if matches!(id.as_str(), "head" | "heads" | "base" | "current") {
            return Err(wrong("its revision id is a word that means something else"));
        }
        let revises = revises.ok_or_else(|| wrong("it has no `-- Revises:` (empty for the first)"))?;
        Ok(Self {
            id,
            revises: (!revises.is_empty()).then_some(revises),
            title: title.ok_or_else(|| wrong("its first line does not say what it does"))?,
            create_date,
            up: up.trim().to_owned(),
            down: down.trim().to_owned(),
            file: file.to_owned(),
        })
    }
}

/// The text before and after the line `-- migrate:<name>`.
fn split_at_marker<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let is_marker = line
            .trim()
            .strip_prefix("--")
            .and_then(|comment| comment.trim().strip_prefix("migrate:"))
            .is_some_and(|found| found.trim() == name);
        if is_marker {
            return Some((&text[..start], &text[start + line.len()..]));
        }
        start += line.len();
    }
    None
}
