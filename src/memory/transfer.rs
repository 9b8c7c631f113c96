//! Whole databases in and out, as the bytes of an SQLite file.
//!
//! A file that comes in is opened, checked and migrated in memory first; only then are its pages copied over the live
//! database, in one transaction of the live database. Until that commits, nothing has changed.

use std::rc::Rc;

use rusqlite::Connection;

use super::{Memory, bookkeeping, ids, ledger};
use crate::db::{check_integrity, copy};
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::runner::{self, Applied, Run, State};
use crate::migrate::{adopt, history, schema};

impl Memory {
    /// The database as the bytes of a file, at exactly this revision: what it builds on, and nothing beside it. Without the
    /// history, so that it is as Alembic itself would have left it.
    ///
    /// # Errors
    ///
    /// `unknown_revision`, `unknown_symbol`; `out_of_memory` where the module cannot hold a second copy.
    pub fn export_at(&mut self, revision: &str) -> Result<Vec<u8>> {
        let mut scratch = Connection::open_in_memory()?;
        copy(self.db.connection(), &mut scratch)?;
        let current = runner::current(&scratch)?;
        let graph = self.graph();
        let wanted = graph.resolve(revision, &current)?;
        let steps = graph.between(&current, &graph.ancestors(&wanted));
        let mut run = Run { clock: self.db.clock(), progress: &mut |_| {} };
        runner::run(&mut scratch, &steps, &wanted, &mut run)?;
        history::drop_tables(&scratch)?;
        // What a later revision held must not be readable in the free pages of an earlier one.
        scratch.execute_batch("VACUUM")?;
        Ok(scratch.serialize("main")?.to_vec())
    }

    /// Begins a memory that keeps nothing with the contents of a file, as they are; nothing is migrated.
    ///
    /// # Errors
    ///
    /// `not_a_database`, `corrupt_database`.
    pub fn load(&mut self, file: Vec<u8>) -> Result<()> {
        self.recall.get_mut().forget();
        self.db.replace_contents(read_file(file)?)
    }

    /// Replaces the whole database by a file's, brought to head; a backup of the present one is kept.
    ///
    /// # Errors
    ///
    /// `not_a_database`, `corrupt_database`, `unversioned_database`, `unknown_revision`, `migration_failed`,
    /// `unexpected_value` for a row with an id that is too large, `quota_exceeded`. On any error the memory is as it was.
    pub fn import(&mut self, file: Vec<u8>) -> Result<Applied> {
        let applied = read_file(file).and_then(|source| self.replace(source));
        self.answered(applied)
    }

    /// Replaces the whole database by a backup's, brought to head; a backup of the present one is kept.
    ///
    /// # Errors
    ///
    /// `not_found`, and those of [`Memory::import`].
    pub fn restore(&mut self, id: &str) -> Result<Applied> {
        let applied = self.read_backup(id).and_then(|source| self.replace(source));
        self.answered(applied)
    }

    /// Copies a backup into memory.
    fn read_backup(&self, id: &str) -> Result<Connection> {
        let mut source = Connection::open_in_memory()?;
        copy(&self.backups_folder()?.open(id)?, &mut source)?;
        check_integrity(&source)?;
        Ok(source)
    }

    /// Replaces the database by one whose pages were found whole.
    fn replace(&mut self, mut source: Connection) -> Result<Applied> {
        self.db.check_writable()?;
        ids::check(&source)?;
        let graph = &*Rc::clone(&self.migrations.graph);
        let current = match runner::state(&source)? {
            State::Empty => return Err(foreign("it is empty")),
            State::Unversioned => {
                let adoption = adopt::find(&source, graph)?;
                vec![adopt::adopt(&mut source, graph, adoption)?]
            }
            State::Versioned(versions) => versions,
        };
        // What a file says it is may not be what it is, and what acts in it by itself is not wanted here.
        let steps = graph.upgrade(&current, "heads")?;
        graph.check_rows(&current)?;
        for index in schema::compare(&source, graph, &current)? {
            source.execute_batch(&index)?;
        }
        // Its schema is that of the revisions as they are now, so from what texts they were applied does not matter: a
        // backup from before an edit that was accepted is a way back all the same.
        history::reconcile(&source, &graph.applied_at(&current))?;
        let heads = steps.last().map_or(current, |step| step.heads.clone());
        let mut run = Run { clock: self.db.clock(), progress: &mut *self.migrations.progress };
        let applied = runner::run(&mut source, &steps, &heads, &mut run)?;
        // Only now these tables are ours: a file at an earlier revision may have others of the same names.
        bookkeeping::check(&source)?;
        ledger::take_over(self.db.connection(), &source)?;
        self.ledger.enter(&source, &applied)?;
        // Pages of another size go through a rollback journal, and where its last flush fails they may be there or not.
        let replaced = self.backed_up(false, |memory| memory.db.replace_contents(source));
        self.recall.get_mut().forget();
        replaced?;
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
            .with_hint("Copy it into a new SQLite file, which is in UTF-8, and use that."));
    }
    const LARGEST_ROOT: std::ops::Range<usize> = 52..56;
    if file[LARGEST_ROOT] != [0; 4] {
        return Err(foreign("it is in auto-vacuum mode")
            .with_hint("Turn it off first, with PRAGMA auto_vacuum = 0 and VACUUM."));
    }
    // A file that was left in WAL mode says so in these two bytes; in memory there is no log to open.
    for version in &mut file[18..20] {
        if *version == 2 {
            *version = 1;
        }
    }
    // SQLite itself would say of such a file that it is read-only.
    if file[18..20].iter().any(|version| *version > 2) {
        return Err(foreign("it is of a later version of SQLite's format"));
    }
    let length = file.len();
    let mut source = Connection::open_in_memory()?;
    source.deserialize_read_exact("main", std::io::Cursor::new(file), length, false)?;
    check_integrity(&source)?;
    Ok(source)
}

/// The error for a database that is to be replaced by one that cannot be understood.
fn foreign(why: &str) -> Error {
    Error::new(ErrorCode::NotADatabase, format!("The file is not a memory: {why}."))
}
