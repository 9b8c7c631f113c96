//! Parses a migration file.
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
//!
//! `Revises` is empty for a base, and has several ids separated by commas for a merge. `-- Branch Labels:`,
//! `-- Depends On:` and, in a file that stands for several revisions, `-- Squashes:` are optional.

use super::symbol::{WORDS, is_relative};
use crate::error::{Error, ErrorCode, Result};

/// One migration: an id, the ids it revises, an upgrade and a downgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its id, such as `001`.
    pub id: String,
    /// The ids of the revisions that it builds on: none for a base, several for a merge.
    pub revises: Vec<String>,
    /// The revisions, by id or by label, that must be applied before it without being its parents.
    pub depends_on: Vec<String>,
    /// The branch labels that its file has.
    pub branch_labels: Vec<String>,
    /// If it is a squash, the ids of the revisions that it stands for, its own included.
    pub squashes: Vec<String>,
    /// What it does, in one line.
    pub title: String,
    /// When it was written, in its author's words.
    pub create_date: String,
    /// The SQL of the upgrade.
    pub up: String,
    /// The SQL of the downgrade.
    pub down: String,
    /// The name of its file.
    pub file: String,
    /// The text of the whole file, with `\n` as its line endings.
    pub text: String,
}

impl Revision {
    /// Parses a migration file.
    ///
    /// # Errors
    ///
    /// `invalid_migration`, naming the file and what is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
        let wrong = |what: &str| Error::new(ErrorCode::InvalidMigration, format!("{file}: {what}."));
        if text.contains('\0') {
            return Err(wrong("it holds a NUL character, where SQLite would stop reading"));
        }
        let [head, up, down] = sections(&text).map_err(|what| wrong(&what))?;

        let mut title = None;
        // Each header, and its value if a line has it.
        let mut headers: [(&str, Option<&str>); 6] =
            ["Revision ID", "Revises", "Create Date", "Branch Labels", "Depends On", "Squashes"]
                .map(|name| (name, None));
        for line in head.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let comment = line.strip_prefix("--").ok_or_else(|| wrong("there is SQL before `-- migrate:up`"))?.trim();
            let header = comment.split_once(':').and_then(|(name, value)| {
                let found = headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name.trim_end()))?;
                Some((found, value.trim()))
            });
            match header {
                Some(((name, Some(_)), _)) => return Err(wrong(&format!("it has several lines `-- {name}:`"))),
                Some(((_, empty), value)) => *empty = Some(value),
                None => title = title.or_else(|| (!comment.is_empty()).then(|| comment.to_owned())),
            }
        }
        let [id, revises, create_date, branch_labels, depends_on, squashes] = headers.map(|(_, value)| value);

        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| wrong("it has no `-- Revision ID:`"))?;
        if id.len() > 32 || id.contains(['@', '-', '+', ':', ',']) || id.contains(char::is_whitespace) {
            return Err(wrong("its revision id must be of 1 to 32 characters without @ - + : , and spaces"));
        }
        if WORDS.contains(&id) {
            return Err(wrong("its revision id must not be head, heads, base or current"));
        }
        let list = |header: &str, value: &str| -> Result<Vec<String>> {
            let mut names: Vec<String> = Vec::new();
            for name in value.split(',').map(str::trim).filter(|_| !value.is_empty()) {
                if name.is_empty() || name.contains(char::is_whitespace) || names.iter().any(|other| other == name) {
                    return Err(wrong(&format!(
                        "`-- {header}: {value}` must be one or several different names, separated by commas"
                    )));
                }
                names.push(name.to_owned());
            }
            Ok(names)
        };
        let revises = revises.ok_or_else(|| wrong("it has no `-- Revises:` (empty for a base)"))?;
        let branch_labels = list("Branch Labels", branch_labels.unwrap_or_default())?;
        for label in &branch_labels {
            if label.contains(['@', ':']) || WORDS.contains(&label.as_str()) || is_relative(label) {
                return Err(wrong(&format!(
                    "the branch label {label} is not allowed; a label must not contain @ or :, end in a number of \
                     steps such as -1, or be head, heads, base or current"
                )));
            }
        }
        Ok(Self {
            id: id.to_owned(),
            revises: list("Revises", revises)?,
            depends_on: list("Depends On", depends_on.unwrap_or_default())?,
            branch_labels,
            squashes: list("Squashes", squashes.unwrap_or_default())?,
            title: title.ok_or_else(|| wrong("its first line does not say what it does"))?,
            create_date: create_date.unwrap_or_default().to_owned(),
            up: up.trim().to_owned(),
            down: down.trim().to_owned(),
            file: file.to_owned(),
            text,
        })
    }
}

/// The text before `-- migrate:up`, after it, and after `-- migrate:down`; or what is wrong with these two lines.
fn sections(text: &str) -> Result<[&str; 3], String> {
    const NAMES: [&str; 2] = ["up", "down"];
    let mut sections = [text, "", ""];
    let mut seen = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let marker = line.trim().strip_prefix("--").and_then(|comment| comment.trim().strip_prefix("migrate:"));
        if let Some(name) = marker {
            if NAMES.get(seen) != Some(&name.trim()) {
                return Err(format!(
                    "the line `{}` is one too many; write one line `-- migrate:up` and then one line `-- migrate:down`",
                    line.trim()
                ));
            }
            sections[seen] = &sections[seen][..sections[seen].len() - (text.len() - start)];
            seen += 1;
            sections[seen] = &text[end..];
        }
        start = end;
    }
    NAMES.get(seen).map_or(Ok(sections), |missing| Err(format!("it has no line `-- migrate:{missing}`")))
}
