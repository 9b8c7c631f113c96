//! Backups: verified copies of a database, made next to it before it is migrated or replaced.

use rusqlite::Connection;
use serde::Serialize;
use tsify::Tsify;

use super::runner::{self, State};
use super::sql::quote;
use crate::db::{Location, ask, check_integrity, connect, copy_telling, texts};
use crate::error::{Error, ErrorCode, Result};
use crate::tables::{MemoryTable, is_ours};

/// How many backups are kept by default. Older ones are removed.
pub const KEPT: usize = 3;

/// The folder of a database file, as far as backups need it.
pub trait Folder {
    /// The names of the files in it.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    fn names(&self) -> Result<Vec<String>>;
    /// Removes a file.
    ///
    /// # Errors
    ///
    /// If the storage cannot be written.
    fn remove(&self, name: &str) -> Result<()>;
    /// The path of a file of this name for SQLite, and the name of its VFS, if it is not the default one.
    fn location<'a>(&'a self, name: &'a str) -> (String, Option<&'a str>);
}

/// A copy that is kept next to the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Backup {
    /// Its id, which `restore` and `delete` take.
    pub id: String,
    /// When it was made, in Unix milliseconds.
    pub created_at: u64,
    /// The revisions that it is at, sorted; none at the base.
    pub revisions: Vec<String>,
}

/// The backups of one database file.
pub struct Backups {
    folder: Box<dyn Folder>,
    database: String,
    kept: usize,
}

impl Backups {
    /// The backups of the file `database` in `folder`.
    pub fn new(folder: Box<dyn Folder>, database: impl Into<String>) -> Self {
        Self { folder, database: database.into(), kept: KEPT }
    }

    /// Sets how many backups are kept, at least one.
    pub fn keeping(mut self, kept: usize) -> Self {
        self.kept = kept.max(1);
        self
    }

    /// The highest number of backups that are kept.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// All backups, newest first. A copy that was not finished, because its process ended, is not a backup.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn list(&self) -> Result<Vec<Backup>> {
        let mut found: Vec<Backup> = Vec::new();
        let names = self.folder.names()?;
        for name in &names {
            // SQLite's own files next to a copy exist only while the copy is made.
            let in_the_making = |suffix: &str| names.iter().any(|other| other.strip_prefix(name) == Some(suffix));
            if let Some(backup) = parse(&self.database, name)
                && !in_the_making("-wal")
                && !in_the_making("-journal")
                && self.is_finished(name)?
            {
                let newer = found.iter().take_while(|other| other.created_at > backup.created_at).count();
                found.insert(newer, backup);
            }
        }
        Ok(found)
    }

    /// Copies the database and checks the copy. Backups beyond the number to keep stay until [`Backups::prune`],
    /// because the change that the copy was made for may still fail. The copy is then [discarded](Backups::discard).
    ///
    /// `progress` receives the number of pages copied and the total.
    ///
    /// # Errors
    ///
    /// `quota_exceeded` if there is no room, even without the oldest backup. The database is unchanged then, and no
    /// partial copy is left.
    pub fn take(
        &self,
        source: &Connection,
        now: f64,
        ours: &dyn Fn() -> Result<Vec<String>>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Backup> {
        let all = self.list()?;
        let after = all.first().map_or(0, |newest| newest.created_at + 1);
        let created_at = ((now * 1000.0) as u64).max(after);
        let revisions = match runner::state(source)? {
            State::Versioned(versions) => versions,
            State::Empty | State::Unversioned => Vec::new(),
        };
        let place = if revisions.is_empty() { "base".to_owned() } else { revisions.join("+") };
        let id = format!("{}-backup-{created_at}-{place}", self.database);

        let mut kept = self.to_keep(all);
        let mut may_remove = kept.len() >= self.kept;
        loop {
            self.remove_all_but(&kept)?;
            let made = self.copy_to(source, &id, ours, progress).and_then(|()| {
                match self.list()?.iter().any(|backup| backup.id == id) {
                    true => Ok(()),
                    false => Err(Error::new(ErrorCode::IoFailed, "The backup could not be finished.")),
                }
            });
            let Err(error) = made else { return Ok(Backup { id, created_at, revisions }) };
            if error.code() == ErrorCode::QuotaExceeded && may_remove {
                // Removing a backup may free the space that is needed: the oldest without rows, else the oldest.
                let least = kept.iter().rposition(|backup| !self.has_rows(backup)).unwrap_or(kept.len() - 1);
                kept.remove(least);
                may_remove = false;
                continue;
            }
            // An unfinished copy that cannot be removed now is not a backup, and the next backup removes it.
            let _ = self.remove_all_but(&kept);
            return Err(error);
        }
    }

    /// Removes the oldest backups beyond the number to keep. If none of the others has a row, the newest one that has
    /// some is kept too: after a downgrade to the base it is the only copy.
    ///
    /// # Errors
    ///
    /// If the storage cannot be written.
    pub fn prune(&self) -> Result<()> {
        self.remove_all_but(&self.to_keep(self.list()?))
    }

    fn to_keep(&self, mut all: Vec<Backup>) -> Vec<Backup> {
        let older = all.split_off(all.len().min(self.kept));
        if !older.is_empty() && !all.iter().any(|backup| self.has_rows(backup)) {
            all.extend(older.into_iter().find(|backup| self.has_rows(backup)));
        }
        all
    }

    /// Whether a backup has rows. One that cannot be read has none that could be restored.
    fn has_rows(&self, backup: &Backup) -> bool {
        self.connect(&backup.id).and_then(|connection| has_rows(&connection)).unwrap_or(false)
    }

    /// Removes a backup that is not needed, because the change that it was made for did not happen.
    ///
    /// # Errors
    ///
    /// If the storage cannot be written.
    pub fn discard(&self, id: &str) -> Result<()> {
        self.folder.remove(id)
    }

    /// Removes all backups but `kept`, and the remains of unfinished copies, including logs and journals.
    fn remove_all_but(&self, kept: &[Backup]) -> Result<()> {
        let prefix = format!("{}-backup-", self.database);
        // Only names in our exact format: a user's folder may have other files with similar names.
        let is_ours = |name: &str| {
            let created_at = name.strip_prefix(&prefix).and_then(|rest| rest.split_once('-'));
            created_at.is_some_and(|(at, _)| at.parse::<u64>().is_ok())
        };
        for name in self.folder.names()? {
            if is_ours(&name) && !kept.iter().any(|backup| backup.id == name) {
                self.folder.remove(&name)?;
            }
        }
        Ok(())
    }

    fn copy_to(
        &self,
        source: &Connection,
        id: &str,
        ours: &dyn Fn() -> Result<Vec<String>>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<()> {
        let mut target = self.connect(id)?;
        target.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = FULL")?;
        copy_telling(source, &mut target, progress)?;
        let pages = |connection: &Connection| ask::<i64>(connection, "PRAGMA page_count");
        if pages(source)? != pages(&target)? || runner::state(source)? != runner::state(&target)? {
            return Err(Error::new(ErrorCode::IoFailed, "The backup differs from the database."));
        }
        check_integrity(&target, ours)?;
        // The copy is still in WAL mode, as its source is, but a backup must be one file. The mode DELETE also marks
        // the copy as finished, because it is flushed after everything else.
        ask::<String>(&target, "PRAGMA journal_mode = DELETE").map(drop)
    }

    /// Whether a copy was finished.
    fn is_finished(&self, id: &str) -> Result<bool> {
        const FINISHED: &str =
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema) AND journal_mode <> 'wal' FROM pragma_journal_mode";
        let finished = self.connect(id).and_then(|connection| ask(&connection, FINISHED));
        match finished {
            Err(error) if [ErrorCode::NotADatabase, ErrorCode::CorruptDatabase].contains(&error.code()) => Ok(false),
            finished => finished,
        }
    }

    /// Opens a backup for reading.
    ///
    /// # Errors
    ///
    /// `not_found` if there is no such backup.
    pub fn open(&self, id: &str) -> Result<Connection> {
        if !self.list()?.iter().any(|backup| backup.id == id) {
            // A file that is not listed, because SQLite cannot read it.
            if parse(&self.database, id).is_some() && self.folder.names()?.iter().any(|name| name == id) {
                return Err(Error::damaged("it cannot be read, or was never finished"));
            }
            return Err(Error::new(ErrorCode::NotFound, format!("There is no backup \"{id}\"."))
                .with_hint("List them with backups.list()."));
        }
        self.connect(id)
    }

    fn connect(&self, id: &str) -> Result<Connection> {
        let (path, vfs) = self.folder.location(id);
        let connection = connect(Location::File { path: &path, vfs })?;
        // OPFS has no shared memory, and without it a file with a log can only be read with exclusive locking.
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
        Ok(connection)
    }
}

/// Whether a database has a row of the memory's five tables or of a table of the app's own.
pub(crate) fn has_rows(connection: &Connection) -> Result<bool> {
    for table in texts(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0", &[])? {
        let holds_rows = MemoryTable::NAMES.contains(&table.as_str()) || !is_ours(&table);
        if holds_rows && ask(connection, &format!("SELECT EXISTS (SELECT 1 FROM {})", quote(&table)))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn parse(database: &str, name: &str) -> Option<Backup> {
    let (created_at, place) = name.strip_prefix(database)?.strip_prefix("-backup-")?.split_once('-')?;
    // SQLite's own files next to a backup are not backups.
    if place.contains('-') {
        return None;
    }
    Some(Backup {
        id: name.to_owned(),
        created_at: created_at.parse().ok()?,
        revisions: place.split('+').filter(|id| *id != "base").map(str::to_owned).collect(),
    })
}
