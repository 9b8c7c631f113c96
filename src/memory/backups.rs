//! The copies that are kept of a memory.

use super::{Memory, Migrations};
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::backup::{Backup, Backups};
use crate::migrate::runner::{self, MigrationProgress, State};
use crate::migrate::schema;

impl Memory {
    /// The backups that are kept, newest first; none of a memory that keeps nothing.
    ///
    /// # Errors
    ///
    /// Where the storage cannot be read.
    pub fn backups(&self) -> Result<Vec<Backup>> {
        self.migrations.backups.as_ref().map_or(Ok(Vec::new()), Backups::list)
    }

    /// How many of them are kept at most.
    pub fn backups_kept(&self) -> usize {
        self.migrations.backups.as_ref().map_or(0, Backups::kept)
    }

    /// Whether there is no migration without a backup.
    pub fn is_backup_required(&self) -> bool {
        self.migrations.backup_required
    }

    /// Where the backups are.
    pub(super) fn backups_folder(&self) -> Result<&Backups> {
        let none = || Error::new(ErrorCode::NotFound, "A memory that keeps nothing has no backups.");
        self.migrations.backups.as_ref().ok_or_else(none)
    }

    /// Keeps a verified copy of the database beside it now.
    ///
    /// # Errors
    ///
    /// `quota_exceeded`; `not_found` for a memory that keeps nothing.
    pub fn back_up(&mut self) -> Result<Backup> {
        let made = self.make_backup();
        self.answered(made)
    }

    fn make_backup(&mut self) -> Result<Backup> {
        let backups = self.backups_folder()?;
        let backup =
            backups.take(self.db.connection(), self.db.now(), &|| schema::names(self.graph()), &mut |_, _| {})?;
        backups.prune()?;
        self.migrations.last_backup = Some(backup.clone());
        Ok(backup)
    }

    /// Deletes a backup, and with it what it held of texts that were deleted since; returns whether there was one.
    ///
    /// # Errors
    ///
    /// `not_found` for a memory that keeps nothing; where the storage cannot be written.
    pub fn delete_backup(&mut self, id: &str) -> Result<bool> {
        let backups = self.backups_folder()?;
        if !backups.list()?.iter().any(|backup| backup.id == id) {
            return Ok(false);
        }
        backups.discard(id)?;
        self.migrations.last_backup.take_if(|last| last.id == id);
        Ok(true)
    }

    /// The backup that was last made since the memory was opened.
    pub fn last_backup(&self) -> Option<&Backup> {
        self.migrations.last_backup.as_ref()
    }

    /// Keeps a verified copy of the database beside it, if it holds anything at all, and then changes it.
    ///
    /// Only when the change has come about do older copies go: one that fails at every opening would push them all out.
    /// Where it is a transaction of ours (`whole`), its failure leaves nothing that the copy were a way back from.
    pub(super) fn backed_up<T>(&mut self, whole: bool, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = runner::state(self.db.connection())?;
        let backup = self.take_backup(&before)?;
        let result = change(self);
        self.settle_backup(backup, result.is_ok(), whole.then_some(&before));
        result
    }

    /// Keeps the backup of a change that has come about, and none of one that left the file where it was `before`. Not generic,
    /// as there is much behind it.
    #[inline(never)]
    fn settle_backup(&mut self, backup: Option<Backup>, is_done: bool, before: Option<&State>) {
        let (Some(backup), Some(backups)) = (backup, &self.migrations.backups) else { return };
        // What cannot be removed now goes with the next one that is made.
        if is_done {
            let _ = backups.prune();
            self.migrations.last_backup = Some(backup);
        } else if before.is_some_and(|before| runner::state(self.db.connection()).is_ok_and(|after| after == *before)) {
            let _ = backups.discard(&backup.id);
        }
    }

    #[inline(never)]
    fn take_backup(&mut self, before: &State) -> Result<Option<Backup>> {
        if *before == State::Empty {
            return Ok(None);
        }
        let Migrations { graph, backups: Some(backups), progress, backup_required, .. } = &mut self.migrations else {
            return Ok(None);
        };
        let mut tell = |done, total| progress(MigrationProgress::backup(done, total));
        match backups.take(self.db.connection(), self.db.now(), &|| schema::names(graph), &mut tell) {
            // Where there was no room for one more file, SQLite says that it could not be opened.
            Err(error)
                if !*backup_required && [ErrorCode::QuotaExceeded, ErrorCode::IoFailed].contains(&error.code()) =>
            {
                Ok(None)
            }
            taken => taken.map(Some),
        }
    }
}
