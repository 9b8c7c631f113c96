//! Whole databases in and out, as the bytes of an SQLite file.
//!
//! A file that comes in is opened, checked and migrated in memory first; only then are its pages copied over the live
//! database, in one transaction of the live database. Until that commits, nothing has changed.

use rusqlite::Connection;

use super::{Memory, foreign, is_empty};
use crate::db::copy;
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::backup::check_integrity;
use crate::migrate::{runner, schema};

impl Memory {
    /// The database as the bytes of a file, at its own revision or taken to another one.
    ///
    /// # Errors
    ///
    /// `unknown_revision`; `out_of_memory` where the module cannot hold a second copy.
    pub fn export(&mut self, revision: Option<&str>) -> Result<Vec<u8>> {
        let mut scratch = Connection::open_in_memory()?;
        copy(self.db.connection(), &mut scratch)?;
        if let Some(target) = revision {
            let from = self.graph.position(runner::current(&scratch)?.as_deref())?;
            let run = if self.graph.resolve(target, from)? < from { runner::downgrade } else { runner::upgrade };
            run(&mut scratch, &self.graph, target)?;
            // What a later revision held must not be readable in the free pages of an earlier one.
            scratch.execute_batch("VACUUM")?;
        }
        Ok(scratch.serialize("main")?.to_vec())
    }

    /// Replaces the whole database by a file's, brought to head; a backup of the present one is kept.
    ///
    /// # Errors
    ///
    /// `not_a_database`, `corrupt_database`, `unversioned_database`, `unknown_revision`, `migration_failed`,
    /// `quota_exceeded`. On any error the memory is as it was.
    pub fn import(&mut self, file: Vec<u8>) -> Result<runner::Applied> {
        let source = read_file(file)?;
        self.replace(source)
    }

    /// Replaces the whole database by a backup's, brought to head; a backup of the present one is kept.
    ///
    /// # Errors
    ///
    /// `not_found`, and those of [`Memory::import`].
    pub fn restore(&mut self, id: &str) -> Result<runner::Applied> {
        let backups = self
            .backups
            .as_ref()
            .ok_or_else(|| Error::new(ErrorCode::NotFound, "A memory that keeps nothing has no backups."))?;
        let mut source = Connection::open_in_memory()?;
        copy(&backups.open(id)?, &mut source)?;
        self.replace(source)
    }

    fn replace(&mut self, mut source: Connection) -> Result<runner::Applied> {
        check_integrity(&source)?;
        if is_empty(&source)? {
            return Err(foreign("it is empty"));
        }
        // What a file says it is may not be what it is, and what acts in it by itself is not wanted here.
        let revision = runner::current(&source)?;
        self.graph.position(revision.as_deref())?;
        for index in schema::compare(&source, &self.graph, revision.as_deref())? {
            source.execute_batch(&index)?;
        }
        let applied = runner::upgrade(&mut source, &self.graph, "head")?;
        self.take_backup()?;
        self.db.replace_contents(source)?;
        Ok(applied)
    }
}

/// Opens the bytes of a file as a database in memory.
fn read_file(mut file: Vec<u8>) -> Result<Connection> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    const HEADER: usize = 100;
    if file.len() < HEADER || !file.starts_with(MAGIC) {
        return Err(foreign("it does not begin as an SQLite file does"));
    }
    // Pages are copied as they are, so the two must write text alike; every file of Synth Mind's is in UTF-8.
    const ENCODING: std::ops::Range<usize> = 56..60;
    const UTF_8: [u8; 4] = [0, 0, 0, 1];
    if file[ENCODING] != UTF_8 && file[ENCODING] != [0; 4] {
        return Err(foreign("its text is in UTF-16")
            .with_hint("Copy it into a new SQLite file, which is in UTF-8, and import that."));
    }
    const LARGEST_ROOT: std::ops::Range<usize> = 52..56;
    if file[LARGEST_ROOT] != [0; 4] {
        return Err(foreign("it is in auto-vacuum mode")
            .with_hint("Turn it off with PRAGMA auto_vacuum = 0 and VACUUM, and import the file then."));
    }
    // A file that was left in WAL mode says so in these two bytes; in memory there is no log to open.
    for version in &mut file[18..20] {
        if *version == 2 {
            *version = 1;
        }
    }
    let length = file.len();
    let mut source = Connection::open_in_memory()?;
    source.deserialize_read_exact("main", std::io::Cursor::new(file), length, false)?;
    check_integrity(&source)?;
    Ok(source)
}
