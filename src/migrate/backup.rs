//! A way back: a verified copy of a database, kept beside it before it is migrated or replaced.

use rusqlite::Connection;

use super::runner;
use crate::db::{Location, ask, connect, copy};
use crate::error::{Error, ErrorCode, Result};

/// How many backups are kept; older ones make room for new ones.
pub const KEPT: usize = 3;

/// The folder a database file stands in, as far as backups need it.
pub trait Folder {
    /// The names of the files in it.
    ///
    /// # Errors
    ///
    /// Where the storage cannot be read.
    fn names(&self) -> Result<Vec<String>>;
    /// Removes a file.
    ///
    /// # Errors
    ///
    /// Where the storage cannot be written.
    fn remove(&self, name: &str) -> Result<()>;
    /// Where SQLite finds a file of this name.
    fn location<'a>(&'a self, name: &'a str) -> (String, Option<&'a str>);
}

/// A kept copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its name, to restore it by.
    pub id: String,
    /// When it was made, in Unix milliseconds.
    pub created_at: u64,
    /// The revision it is at; `None` for the base.
    pub revision: Option<String>,
}

/// The backups of one database file.
pub struct Backups {
    folder: Box<dyn Folder>,
    database: String,
}

impl Backups {
    /// Those of the file `database` in `folder`.
    pub fn new(folder: Box<dyn Folder>, database: impl Into<String>) -> Self {
        Self { folder, database: database.into() }
    }

    /// All that are kept, newest first.
    ///
    /// # Errors
    ///
    /// Where the storage cannot be read.
    pub fn list(&self) -> Result<Vec<Backup>> {
        let mut found: Vec<Backup> = Vec::new();
        for name in self.folder.names()? {
            if let Some(backup) = parse(&self.database, &name) {
                let newer = found.iter().take_while(|other| other.created_at > backup.created_at).count();
                found.insert(newer, backup);
            }
        }
        Ok(found)
    }

    /// Copies the database, checks the copy, and lets go of the oldest beyond [`KEPT`].
    ///
    /// # Errors
    ///
    /// `quota_exceeded` where there is no room; then nothing was changed and no half copy is left.
    pub fn take(&self, source: &Connection, now: f64) -> Result<Backup> {
        let kept = self.list()?;
        let after = kept.first().map_or(0, |newest| newest.created_at + 1);
        let created_at = ((now * 1000.0) as u64).max(after);
        let revision = runner::current(source)?;
        let id = format!("{}-backup-{created_at}-{}", self.database, revision.as_deref().unwrap_or("base"));

        // Room first: a slot of the pool, and the space on the disk, may be what the oldest one holds.
        for old in kept.iter().skip(KEPT - 1) {
            self.folder.remove(&old.id)?;
        }
        if let Err(error) = self.copy_to(source, &id) {
            self.folder.remove(&id)?;
            return Err(error);
        }
        Ok(Backup { id, created_at, revision })
    }

    fn copy_to(&self, source: &Connection, id: &str) -> Result<()> {
        let mut target = self.connect(id)?;
        target.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = FULL")?;
        copy(source, &mut target)?;
        // The copy says of itself that it has a write-ahead log, as its source has; it is to be one file.
        target.execute_batch("PRAGMA journal_mode = DELETE")?;
        let pages = |connection: &Connection| ask::<i64>(connection, "PRAGMA page_count");
        if pages(source)? != pages(&target)? || runner::current(source)? != runner::current(&target)? {
            return Err(Error::new(ErrorCode::IoFailed, "The backup is not the same as the database."));
        }
        check_integrity(&target)
    }

    /// Opens a backup to read from.
    ///
    /// # Errors
    ///
    /// `not_found` where there is no such backup.
    pub fn open(&self, id: &str) -> Result<Connection> {
        if !self.list()?.iter().any(|backup| backup.id == id) {
            return Err(Error::new(ErrorCode::NotFound, format!("There is no backup \"{id}\"."))
                .with_hint("List them with backups.list()."));
        }
        self.connect(id)
    }

    fn connect(&self, id: &str) -> Result<Connection> {
        let (path, vfs) = self.folder.location(id);
        let connection = connect(Location::File { path: &path, vfs })?;
        // Without shared memory, which OPFS has not, a file with a log is read by the one that holds it alone.
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
        Ok(connection)
    }
}

fn parse(database: &str, name: &str) -> Option<Backup> {
    let (created_at, revision) = name.strip_prefix(database)?.strip_prefix("-backup-")?.split_once('-')?;
    Some(Backup {
        id: name.to_owned(),
        created_at: created_at.parse().ok()?,
        revision: (revision != "base").then(|| revision.to_owned()),
    })
}

/// Lets SQLite read every page of a database.
///
/// # Errors
///
/// `corrupt_database` with what it found.
pub(crate) fn check_integrity(connection: &Connection) -> Result<()> {
    let found: String = ask(connection, "PRAGMA integrity_check(1)")?;
    if found == "ok" {
        return Ok(());
    }
    Err(Error::new(ErrorCode::CorruptDatabase, format!("The database is damaged: {found}.")))
}
