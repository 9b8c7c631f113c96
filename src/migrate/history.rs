//! The history of a file: which revisions were applied, when, how long that took, by which version, and from which
//! text.
//!
//! `alembic_version` is Alembic's table and records where a file is. The table here records how it came there. It keeps
//! each revision's whole text, so that older code can downgrade the file and a revision that was edited later is
//! detected.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::revision::Revision;
use crate::db::{ask, has_table};
use crate::error::{Error, ErrorCode, Result};

/// The table's name.
pub const TABLE: &str = "synth_migrations";

/// The name of the ledger's table.
pub(crate) const REQUESTS: &str = "synth_requests";

/// This table, the ledger's and Alembic's as an SQL list. They belong to no revision.
pub(crate) const TABLES: &str = "('alembic_version', 'synth_migrations', 'synth_requests')";

/// Whether a table is one of [`TABLES`]; its name must be in lower case.
pub(crate) fn keeps(table: &str) -> bool {
    ["alembic_version", TABLE, REQUESTS].contains(&table)
}

const CREATE: &str = "CREATE TABLE synth_migrations (revision TEXT NOT NULL PRIMARY KEY, file TEXT NOT NULL, \
                      script TEXT NOT NULL, applied_at REAL, duration REAL, version TEXT NOT NULL)";

/// One applied revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its id.
    pub revision: String,
    /// The name of its file.
    pub file: String,
    /// The file's text as it was applied, with `\n` as its line endings.
    pub text: String,
    /// When it was applied, in Unix seconds; `None` if another program applied it or it was stamped.
    pub applied_at: Option<f64>,
    /// How long that took, in seconds, if it is known.
    pub duration: Option<f64>,
    /// The version of this package that wrote the entry.
    pub version: String,
}

impl Entry {
    /// The SHA-256 of the text in hexadecimal digits, as `sha256sum` prints it for the file.
    pub fn checksum(&self) -> String {
        use sha2::{Digest, Sha256};
        Sha256::digest(self.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Every entry, sorted by revision; none if the file has no such table.
///
/// # Errors
///
/// If the file cannot be read.
pub fn read(connection: &Connection) -> Result<Vec<Entry>> {
    if !has_table(connection, TABLE)? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(
        "SELECT revision, file, script, applied_at, duration, version FROM synth_migrations ORDER BY revision",
    )?;
    let entries = statement.query_map([], |row| {
        Ok(Entry {
            revision: row.get(0)?,
            file: row.get(1)?,
            text: row.get(2)?,
            applied_at: row.get(3)?,
            duration: row.get(4)?,
            version: row.get(5)?,
        })
    })?;
    Ok(entries.collect::<rusqlite::Result<_>>()?)
}

/// Whether two texts are the same file. Line endings and white space at the end are ignored, because editors and
/// version control change them.
fn same_text(one: &str, other: &str) -> bool {
    one.trim_end().lines().eq(other.trim_end().lines())
}

/// Whether the history has exactly these revisions, each with the text that it has now.
pub(crate) fn is(connection: &Connection, revisions: &mut dyn Iterator<Item = &Revision>) -> Result<bool> {
    if !has_table(connection, TABLE)? {
        return Ok(false);
    }
    let expected: BTreeMap<&str, &str> =
        revisions.map(|revision| (revision.id.as_str(), revision.text.as_str())).collect();
    let mut statement = connection.prepare("SELECT revision, script FROM synth_migrations")?;
    let found: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let has = |(id, text): &(String, String)| expected.get(id.as_str()).is_some_and(|known| same_text(known, text));
    Ok(found.len() == expected.len() && found.iter().all(has))
}

/// Adds the entry of a revision that was applied.
pub(crate) fn record(
    connection: &Connection,
    revision: &Revision,
    applied_at: Option<f64>,
    duration: Option<f64>,
) -> Result<()> {
    if !has_table(connection, TABLE)? {
        connection.execute_batch(CREATE)?;
    }
    connection.execute(
        "INSERT OR REPLACE INTO synth_migrations (revision, file, script, applied_at, duration, version) \
         VALUES (?, ?, ?, ?, ?, ?)",
        (&revision.id, &revision.file, &revision.text, applied_at, duration, env!("CARGO_PKG_VERSION")),
    )?;
    Ok(())
}

/// Deletes the entry of a revision. Drops the table with its last entry, so that nothing of it is left at the base.
pub(crate) fn forget(connection: &Connection, id: &str) -> Result<()> {
    if !has_table(connection, TABLE)? {
        return Ok(());
    }
    connection.execute("DELETE FROM synth_migrations WHERE revision = ?", [id])?;
    if ask::<bool>(connection, "SELECT NOT EXISTS (SELECT 1 FROM synth_migrations)")? {
        drop_table(connection)?;
    }
    Ok(())
}

fn drop_table(connection: &Connection) -> Result<()> {
    Ok(connection.execute_batch("DROP TABLE IF EXISTS synth_migrations")?)
}

/// Drops [`TABLES`] except Alembic's, for a file that is to be as Alembic itself would have left it.
pub(crate) fn drop_tables(connection: &Connection) -> Result<()> {
    drop_table(connection)?;
    Ok(connection.execute_batch("DROP TABLE IF EXISTS synth_requests")?)
}

/// Brings the entries in line with the applied revisions: adds those that another program applied, deletes those that
/// it took back, and leaves one entry of a squashed line.
pub(crate) fn reconcile(connection: &Connection, applied: &[&Revision]) -> Result<()> {
    let entries = read(connection)?;
    for entry in &entries {
        if !applied.iter().any(|revision| revision.id == entry.revision) {
            forget(connection, &entry.revision)?;
        }
    }
    for revision in applied {
        let found = entries.iter().find(|entry| entry.revision == revision.id);
        if found.is_none_or(|entry| !same_text(&entry.text, &revision.text)) {
            record(connection, revision, found.and_then(|entry| entry.applied_at), None)?;
        }
    }
    Ok(())
}

/// Rejects a revision whose text is no longer the text that was applied.
pub(crate) fn check(connection: &Connection, applied: &[&Revision]) -> Result<()> {
    let entries = read(connection)?;
    let edited: Vec<String> = applied
        .iter()
        .filter(|revision| entries.iter().any(|entry| is_edited(entry, revision, &entries)))
        .map(|revision| format!("{} ({})", revision.id, revision.file))
        .collect();
    if edited.is_empty() {
        return Ok(());
    }
    let message = format!("A revision was changed after it was applied to this memory: {}.", edited.join(", "));
    Err(Error::new(ErrorCode::EditedRevision, message))
}

/// Whether this entry is for the revision but has another text. A squash of the applied revisions is no edit.
pub(crate) fn is_edited(entry: &Entry, revision: &Revision, entries: &[Entry]) -> bool {
    let squashed = || {
        !revision.squashes.is_empty()
            && revision.squashes.iter().all(|id| entries.iter().any(|entry| entry.revision == *id))
    };
    entry.revision == revision.id && !same_text(&entry.text, &revision.text) && !squashed()
}
