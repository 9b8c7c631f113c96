//! The backups of a memory.

use super::{Memory, Migrations};
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::backup::{Backup, Backups, has_rows};
use crate::migrate::runner::{self, MigrationProgress, State};
use crate::migrate::schema;

impl Memory {
    /// The backups that are kept, newest first; none if the memory keeps nothing.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn backups(&self) -> Result<Vec<Backup>> {
        self.migrations.backups.as_ref().map_or(Ok(Vec::new()), Backups::list)
    }

    /// How many backups are kept at most; 0 if the memory keeps nothing.
    pub fn backups_kept(&self) -> usize {
        self.migrations.backups.as_ref().map_or(0, Backups::kept)
    }

    /// Whether a migration fails if its backup cannot be made.
    pub fn is_backup_required(&self) -> bool {
        self.migrations.backup_required
    }

    /// Where the backups are.
    pub(super) fn backups_folder(&self) -> Result<&Backups> {
        let none = || {
            Error::new(ErrorCode::NotFound, "A memory that keeps nothing has no backups.")
                .with_hint("Open it at a URL such as 'opfs:///memory.db', or keep a copy of it with export().")
        };
        self.migrations.backups.as_ref().ok_or_else(none)
    }

    /// Makes a backup now: a verified copy of the database, next to it.
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

    /// Deletes a backup, and with it its copies of texts that were deleted since; returns whether it existed.
    ///
    /// # Errors
    ///
    /// `not_found` for a memory that keeps nothing. Also if the storage cannot be written.
    pub fn delete_backup(&mut self, id: &str) -> Result<bool> {
        let backups = self.backups_folder()?;
        if !backups.list()?.iter().any(|backup| backup.id == id) {
            return Ok(false);
        }
        backups.discard(id)?;
        self.migrations.last_backup.take_if(|last| last.id == id);
        Ok(true)
    }

    /// Whether there is a row in the five tables or in a table of the app's own.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn has_rows(&self) -> Result<bool> {
        has_rows(self.db.connection())
    }

    /// The last backup that was made since the memory was opened.
    pub fn last_backup(&self) -> Option<&Backup> {
        self.migrations.last_backup.as_ref()
    }

    /// Makes a backup, if the database is not empty, and then the change.
    ///
    /// Older backups are pruned only after the change has succeeded: a change that fails at every opening would
    /// otherwise push all of them out. If the change is a transaction (`whole`) and fails, the file is unchanged and
    /// the backup is not needed.
    pub(super) fn backed_up<T>(&mut self, whole: bool, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = runner::state(self.db.connection())?;
        let backup = self.take_backup(&before)?;
        let result = change(self);
        self.settle_backup(backup, result.is_ok(), whole.then_some(&before));
        result
    }

    /// Keeps the backup if the change succeeded, and discards it if the change failed and left the file as it was
    /// `before`. Not generic, to keep the code small.
    #[inline(never)]
    fn settle_backup(&mut self, backup: Option<Backup>, is_done: bool, before: Option<&State>) {
        let (Some(backup), Some(backups)) = (backup, &self.migrations.backups) else { return };
        // Files that cannot be removed now are removed with the next backup.
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
            // If there is no room for another file, SQLite reports that the file cannot be opened.
            Err(error)
                if !*backup_required && [ErrorCode::QuotaExceeded, ErrorCode::IoFailed].contains(&error.code()) =>
            {
                Ok(None)
            }
            taken => taken.map(Some),
        }
    }
}
