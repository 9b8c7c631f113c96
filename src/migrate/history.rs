//! What was applied to a file: when, how long it took, by which version, and from what text.
//!
//! `alembic_version` is Alembic's and says where a file is. This table stands beside it and says how it came there. It
//! keeps each revision's whole text, so that a file can be taken back by code that is older than it, and that a revision
//! which was edited afterwards is noticed.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::revision::Revision;
use crate::db::{ask, has_table};
use crate::error::{Error, ErrorCode, Result};

/// The table's name.
pub const TABLE: &str = "synth_migrations";

/// The name of the table of the ledger.
pub(crate) const REQUESTS: &str = "synth_requests";

/// This table, the ledger's and Alembic's, which belong to no revision, as SQL lists them.
pub(crate) const TABLES: &str = "('alembic_version', 'synth_migrations', 'synth_requests')";

/// Whether a table, its name in small letters, is one of these.
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
    /// The file's text as it was applied, its line endings made `\n`.
    pub text: String,
    /// When it was applied, in Unix seconds; `None` where that was done elsewhere, or it was stamped.
    pub applied_at: Option<f64>,
    /// How long that took, in seconds.
    pub duration: Option<f64>,
    /// The version of this package that wrote the entry.
    pub version: String,
}

impl Entry {
    /// SHA-256 of the text, in hexadecimal digits: what `sha256sum` says of the file.
    pub fn checksum(&self) -> String {
        use sha2::{Digest, Sha256};
        Sha256::digest(self.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Every entry, by revision; none where the file has no such table.
///
/// # Errors
///
/// Where the file cannot be read.
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

/// Whether two texts are those of one file. Line endings and white space at the file's end do not count: editors and version
/// control change them.
fn same_text(one: &str, other: &str) -> bool {
    one.trim_end().lines().eq(other.trim_end().lines())
}

/// Whether exactly these revisions are written down, each from the text that it has now.
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

/// Writes down that a revision was applied.
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

/// Strikes a revision out. With the last entry goes the table: at the base nothing of it is left.
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

/// Removes the table.
fn drop_table(connection: &Connection) -> Result<()> {
    Ok(connection.execute_batch("DROP TABLE IF EXISTS synth_migrations")?)
}

/// Removes all but Alembic's table, for a file that is to be as Alembic itself would have left it.
pub(crate) fn drop_tables(connection: &Connection) -> Result<()> {
    drop_table(connection)?;
    Ok(connection.execute_batch("DROP TABLE IF EXISTS synth_requests")?)
}

/// Makes the entries those of the revisions that are applied: what another program applied is added, what it took back is
/// struck out, and of a squashed line one entry is left.
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

/// Refuses a revision whose text is no longer what was applied.
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

/// Whether this entry is of the revision, and of another text; a squash that stands for what was applied is no edit.
pub(crate) fn is_edited(entry: &Entry, revision: &Revision, entries: &[Entry]) -> bool {
    let squashed = || {
        !revision.squashes.is_empty()
            && revision.squashes.iter().all(|id| entries.iter().any(|entry| entry.revision == *id))
    };
    entry.revision == revision.id && !same_text(&entry.text, &revision.text) && !squashed()
}
