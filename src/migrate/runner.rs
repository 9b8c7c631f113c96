//! Runs the steps of a migration in one transaction: all of them or none.

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use serde::Serialize;
use tsify::Tsify;

use super::batch::{MIGRATION, execute};
use super::bundled;
use super::file::needed_of_ours;
use super::references::References;
use super::revision::Revision;
use super::{MigrationDirection, Step, history, tried};
use crate::db::{Clock, ask, has_table, still_inside, undo_failed};
use crate::error::{Error, ErrorCode, Result};

/// Alembic's own statement, so that Alembic finds the table that it would have created.
pub(crate) const VERSION_TABLE: &str = "CREATE TABLE alembic_version (\n\tversion_num VARCHAR(32) NOT NULL, \n\t\
                             CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n)";

/// The ids of the revisions that a run applied or took back, in the order of the run.
pub type Applied = Vec<String>;

/// The revisions that a file is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is empty.
    Empty,
    /// It has tables, but no `alembic_version`.
    Unversioned,
    /// It is at these revisions, sorted; at the base if there are none.
    Versioned(Vec<String>),
}

/// What a file needs before it can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is at the heads, and its history has exactly the known revisions.
    Nothing,
    /// Creation: it is empty.
    Creation,
    /// Migration: it is not at the heads, or its history differs.
    Migration,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum MigrationPhase {
    /// The backup is being made; `done` and `total` count pages.
    Backup,
    /// A revision is being applied.
    Upgrade,
    /// A revision is being taken back.
    Downgrade,
    /// The foreign keys of all rows are being checked.
    Check,
}

/// The progress of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct MigrationProgress<'p> {
    /// What the run is doing.
    #[tsify(type = "MigrationPhase")]
    pub phase: MigrationPhase,
    /// The revision that is being applied or taken back; null in the phases `backup` and `check`.
    #[tsify(type = "string | null")]
    pub revision: Option<&'p str>,
    /// The number of revisions that are done.
    pub step: usize,
    /// The number of revisions in this run; 0 in the phase `backup`.
    pub steps: usize,
    /// The number of rows copied by the rebuild of a table; in the phase `backup`, the number of pages copied.
    pub done: u64,
    /// The number of rows or pages to copy; 0 if they are not counted.
    pub total: u64,
}

/// What a run needs from its caller.
pub struct Run<'r> {
    /// The clock, for the history.
    pub clock: Clock,
    /// Receives the progress of the run.
    pub progress: &'r mut dyn FnMut(MigrationProgress<'_>),
}

/// The revisions that a file is at.
///
/// # Errors
///
/// If it cannot be read.
pub fn state(connection: &Connection) -> Result<State> {
    if is_versioned(connection)? {
        return Ok(State::Versioned(versions(connection)?));
    }
    let empty = ask(connection, "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name <> 'synth_requests')")?;
    Ok(if empty { State::Empty } else { State::Unversioned })
}

/// The ids of the revisions that a file is at, sorted; none at the base.
///
/// # Errors
///
/// `unversioned_database` if it has tables but no `alembic_version`.
pub fn current(connection: &Connection) -> Result<Vec<String>> {
    match state(connection)? {
        State::Empty => Ok(Vec::new()),
        State::Versioned(versions) => Ok(versions),
        State::Unversioned => {
            Err(Error::new(ErrorCode::UnversionedDatabase, "The file has tables but no alembic_version.")
                .with_hint("Open it with upgrade on, which adopts it if its tables fit a revision."))
        }
    }
}

/// What a file needs to be at these heads with these revisions in its history. If that is nothing, an opening asks for
/// no more than this.
pub(crate) fn need(
    connection: &Connection,
    heads: &[String],
    revisions: &mut dyn Iterator<Item = &Revision>,
) -> Result<Need> {
    Ok(match state(connection)? {
        State::Empty => Need::Creation,
        State::Versioned(versions) if versions == heads && history::is(connection, revisions)? => Need::Nothing,
        _ => Need::Migration,
    })
}

/// Runs the steps and leaves the file at `heads`.
///
/// # Errors
///
/// `migration_failed`, naming the revision; `quota_exceeded`, `io_failed`. On any error, the file is unchanged.
pub fn run(connection: &mut Connection, steps: &[Step<'_>], heads: &[String], run: &mut Run<'_>) -> Result<Applied> {
    run_and(connection, steps, heads, run, &mut |_, _| Ok(()))
}

/// As [`run`]; calls `last` at the end, in the same transaction.
pub(crate) fn run_and(
    connection: &mut Connection,
    steps: &[Step<'_>],
    heads: &[String],
    run: &mut Run<'_>,
    last: &mut dyn FnMut(&Connection, &Applied) -> Result<()>,
) -> Result<Applied> {
    let applied = steps.iter().map(|step| step.revision.id.clone()).collect();
    atomically(connection, &mut |connection| {
        let references = References::of(connection)?;
        apply(connection, steps, run)?;
        (run.progress)(MigrationProgress::new(MigrationPhase::Check, None, steps.len(), steps.len()));
        references.check(connection)?;
        write_versions(connection, heads)?;
        last(connection, &applied)
    })?;
    Ok(applied)
}

/// Runs `change` in its own transaction, with foreign keys off.
pub(crate) fn atomically(
    connection: &mut Connection,
    change: &mut dyn FnMut(&mut Connection) -> Result<()>,
) -> Result<()> {
    // Rebuilding a table must not delete the rows that refer to it. The references are checked before the commit
    // instead. The pragma has no effect inside a transaction, so it runs before it.
    connection.execute_batch("PRAGMA foreign_keys = OFF")?;
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        connection.execute_batch("PRAGMA foreign_keys = ON")?;
        return Err(error.into());
    }
    let result = change(connection).and_then(|()| Ok(connection.execute_batch("COMMIT")?));
    let result = undo_failed(connection, result, "ROLLBACK");
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    result
}

fn apply(connection: &mut Connection, steps: &[Step<'_>], run: &mut Run<'_>) -> Result<()> {
    let mut broken = tried::broken(connection)?;
    // The tests try the package's own revisions. Trying them again here would slow down each new memory. But they can
    // break the views and triggers of an app, if there are any yet.
    let has_others = "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type IN ('view', 'trigger'))";
    let mut is_known = !ask::<bool>(connection, has_others)?;
    for (at, step) in steps.iter().enumerate() {
        let Step { revision, direction, .. } = step;
        let phase =
            if *direction == MigrationDirection::Up { MigrationPhase::Upgrade } else { MigrationPhase::Downgrade };
        let mut progress = MigrationProgress::new(phase, Some(&revision.id), at, steps.len());
        (run.progress)(progress);
        let begun = run.clock.now();
        guarded(connection, &mut |connection| {
            execute(connection, step.script(), &mut |done, total| {
                (progress.done, progress.total) = (done, total);
                (run.progress)(progress);
            })
        })
        .and_then(|()| {
            is_known = is_known && bundled::has(revision);
            if is_known { Ok(()) } else { tried::check(connection, &mut broken) }
        })
        .map_err(|error| failed(connection, revision, *direction, error))?;
        match direction {
            MigrationDirection::Up => {
                // The clock may be set back during the run.
                let duration = (run.clock.now() - begun).max(0.0);
                history::record(connection, revision, Some(begun), Some(duration))?;
            }
            MigrationDirection::Down => history::forget(connection, &revision.id)?,
        }
    }
    Ok(())
}

/// Runs a script, which must not end the run's transaction, create temporary objects or use other files.
fn guarded(connection: &mut Connection, script: &mut dyn FnMut(&Connection) -> Result<()>) -> Result<()> {
    connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } | AuthAction::Attach { .. } => {
            Authorization::Deny
        }
        // A temporary object hides a permanent one of the same name and is gone at the next opening.
        AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => Authorization::Deny,
        _ => Authorization::Allow,
    }))?;
    let result = script(connection).and_then(|()| still_inside(connection, MIGRATION));
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
    result
}

fn failed(connection: &Connection, revision: &Revision, direction: MigrationDirection, error: Error) -> Error {
    let code = match error.code() {
        ErrorCode::QuotaExceeded | ErrorCode::IoFailed | ErrorCode::CorruptDatabase | ErrorCode::OutOfMemory => {
            return error;
        }
        // An error in the migration file itself keeps its code.
        ErrorCode::InvalidMigration => ErrorCode::InvalidMigration,
        _ => ErrorCode::MigrationFailed,
    };
    let is_up = direction == MigrationDirection::Up;
    let way = if is_up { "" } else { " on the way down" };
    let message = format!("Revision {} ({}) failed{way}: {}.", revision.id, revision.file, error.reason());
    let missing = needed_of_ours(&revision.up).filter(|id| is_up && is_not_applied(connection, id, revision));
    let hint = match missing {
        Some(id) => {
            format!("It names tables of revision {id}, which is not applied: add the line `-- Depends On: {id}`.")
        }
        None if error.code() == ErrorCode::ReadOnlyQuery => {
            "A run is one transaction on one file: leave out BEGIN, COMMIT, SAVEPOINT, ATTACH and TEMP.".to_owned()
        }
        // The error has a more specific hint than its code's.
        None if error.hint() != error.code().hint() => error.hint().to_owned(),
        None => code.hint().to_owned(),
    };
    error.recast(code, message).with_hint(hint)
}

/// Whether a revision is neither in the history nor the one that is being applied.
fn is_not_applied(connection: &Connection, id: &str, applying: &Revision) -> bool {
    let entries = history::read(connection).unwrap_or_default();
    applying.id != id && !entries.iter().any(|entry| entry.revision == id)
}

fn is_versioned(connection: &Connection) -> Result<bool> {
    has_table(connection, "alembic_version")
}

fn versions(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT version_num FROM alembic_version ORDER BY 1")?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Creates `alembic_version` if it is missing, as Alembic does.
pub(crate) fn ensure_version(connection: &Connection) -> Result<()> {
    if !is_versioned(connection)? {
        connection.execute_batch(VERSION_TABLE)?;
    }
    Ok(())
}

/// Writes `heads` to `alembic_version`. Writes nothing if it holds them already.
pub(crate) fn write_versions(connection: &Connection, heads: &[String]) -> Result<()> {
    ensure_version(connection)?;
    if versions(connection)? == heads {
        return Ok(());
    }
    connection.execute("DELETE FROM alembic_version", [])?;
    for id in heads {
        connection.execute("INSERT INTO alembic_version (version_num) VALUES (?)", [id])?;
    }
    // A trigger on the table may have changed that.
    if versions(connection)? == heads {
        return Ok(());
    }
    let message = "alembic_version does not hold what was written to it: there is a trigger on it.";
    Err(Error::new(ErrorCode::MigrationFailed, message))
}

impl<'p> MigrationProgress<'p> {
    /// The progress of a backup: pages copied, and pages to copy.
    pub(crate) fn backup(done: u64, total: u64) -> Self {
        Self { done, total, ..Self::new(MigrationPhase::Backup, None, 0, 0) }
    }

    fn new(phase: MigrationPhase, revision: Option<&'p str>, step: usize, steps: usize) -> Self {
        Self { phase, revision, step, steps, done: 0, total: 0 }
    }
}
