//! Carries out steps from revision to revision, in one transaction: all of them or none.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use tsify::Tsify;

use super::batch::{MIGRATION, execute};
use super::bundled;
use super::file::needed_of_ours;
use super::revision::Revision;
use super::{MigrationDirection, Step, history, tried};
use crate::db::{Clock, ask, has_table, still_inside, undo_failed};
use crate::error::{Error, ErrorCode, Result};

/// Alembic's own statement, so that Alembic finds here what it would have made.
pub(crate) const VERSION_TABLE: &str = "CREATE TABLE alembic_version (\n\tversion_num VARCHAR(32) NOT NULL, \n\t\
                             CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n)";

/// The ids of the revisions that a run applied or took back, in the order it did.
pub type Applied = Vec<String>;

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It holds nothing at all.
    Empty,
    /// It has tables, but no `alembic_version`.
    Unversioned,
    /// It is at these revisions, sorted; at the base where there are none.
    Versioned(Vec<String>),
}

/// What a file needs before it can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is at the heads, and came there by the revisions that are known.
    Nothing,
    /// It is empty.
    Creation,
    /// It is elsewhere, or came there by another way.
    Migration,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum MigrationPhase {
    /// The copy that is kept is being made; rows are pages.
    Backup,
    /// A revision is being applied.
    Upgrade,
    /// A revision is being taken back.
    Downgrade,
    /// The references of all rows are being checked.
    Check,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct MigrationProgress<'p> {
    /// What it is doing.
    #[tsify(type = "MigrationPhase")]
    pub phase: MigrationPhase,
    /// The revision it is at.
    #[tsify(type = "string | null")]
    pub revision: Option<&'p str>,
    /// How many revisions are done.
    pub step: usize,
    /// How many there are in this run.
    pub steps: usize,
    /// Rows that a move and copy has moved; in the phase `backup`, pages that are copied.
    pub done: u64,
    /// How many there are of these; 0 where nobody counts them.
    pub total: u64,
}

/// What a run needs of where it runs.
pub struct Run<'r> {
    /// The time, for the history.
    pub clock: Clock,
    /// Is told where the run is.
    pub progress: &'r mut dyn FnMut(MigrationProgress<'_>),
}

/// What a file says of itself.
///
/// # Errors
///
/// Where it cannot be read.
pub fn state(connection: &Connection) -> Result<State> {
    if is_versioned(connection)? {
        return Ok(State::Versioned(versions(connection)?));
    }
    let empty = ask(connection, "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name <> 'synth_requests')")?;
    Ok(if empty { State::Empty } else { State::Unversioned })
}

/// The revisions a file is at, sorted; none at the base.
///
/// # Errors
///
/// `unversioned_database` where it has tables but no `alembic_version`.
pub fn current(connection: &Connection) -> Result<Vec<String>> {
    match state(connection)? {
        State::Empty => Ok(Vec::new()),
        State::Versioned(versions) => Ok(versions),
        State::Unversioned => {
            Err(Error::new(ErrorCode::UnversionedDatabase, "The file has tables but no alembic_version.")
                .with_hint("Open it with upgrade on, which adopts it if its tables are those of a revision."))
        }
    }
}

/// What a file needs to be at these heads, by these revisions. This is all that an opening asks where there is nothing to
/// do.
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

/// Carries out the steps and leaves the file at `heads`.
///
/// # Errors
///
/// `migration_failed`, naming the revision, `quota_exceeded`, `io_failed`; on any error the file is where it was.
pub fn run(connection: &mut Connection, steps: &[Step<'_>], heads: &[String], run: &mut Run<'_>) -> Result<Applied> {
    run_and(connection, steps, heads, run, &mut |_, _| Ok(()))
}

/// The same, doing one thing more in the transaction once the rest is done.
pub(crate) fn run_and(
    connection: &mut Connection,
    steps: &[Step<'_>],
    heads: &[String],
    run: &mut Run<'_>,
    last: &mut dyn FnMut(&Connection, &Applied) -> Result<()>,
) -> Result<Applied> {
    let applied = steps.iter().map(|step| step.revision.id.clone()).collect();
    atomically(connection, &mut |connection| {
        apply(connection, steps, run)?;
        (run.progress)(MigrationProgress::new(MigrationPhase::Check, None, steps.len(), steps.len()));
        check_references(connection)?;
        write_versions(connection, heads)?;
        last(connection, &applied)
    })?;
    Ok(applied)
}

/// Does one thing to the file in one transaction of its own, with foreign keys off.
pub(crate) fn atomically(
    connection: &mut Connection,
    change: &mut dyn FnMut(&mut Connection) -> Result<()>,
) -> Result<()> {
    // A table that is rebuilt must not take its children with it; the references are checked before the commit instead.
    // The pragma does nothing inside a transaction, so it stands outside.
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
    // The package's own revisions are tried when they are tested; to do it again would keep each new memory waiting. They can
    // break what an app added, if there is anything yet.
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
                // A clock may be set back while it runs.
                let duration = (run.clock.now() - begun).max(0.0);
                history::record(connection, revision, Some(begun), Some(duration))?;
            }
            MigrationDirection::Down => history::forget(connection, &revision.id)?,
        }
    }
    Ok(())
}

/// Lets a script do all but end the run's transaction half-way, or reach other files.
fn guarded(connection: &mut Connection, script: &mut dyn FnMut(&Connection) -> Result<()>) -> Result<()> {
    connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } | AuthAction::Attach { .. } => {
            Authorization::Deny
        }
        // What is temporary stands before what is kept under the same name, and is gone at the next opening.
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
        // What is wrong with the file itself stays that.
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
        // A hint that knows more than that of its code.
        None if error.hint() != error.code().hint() => error.hint().to_owned(),
        None => code.hint().to_owned(),
    };
    error.recast(code, message).with_hint(hint)
}

/// Whether a revision is neither written down nor the one that is being applied.
fn is_not_applied(connection: &Connection, id: &str, applying: &Revision) -> bool {
    let entries = history::read(connection).unwrap_or_default();
    applying.id != id && !entries.iter().any(|entry| entry.revision == id)
}

pub(crate) fn check_references(connection: &Connection) -> Result<()> {
    let broken: Option<(String, String)> = connection
        .query_row("SELECT \"table\", parent FROM pragma_foreign_key_check LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    broken.map_or(Ok(()), |(child, parent)| {
        let message = format!("A row of {child} would refer to a row of {parent} that does not exist.");
        Err(Error::new(ErrorCode::MigrationFailed, message))
    })
}

fn is_versioned(connection: &Connection) -> Result<bool> {
    has_table(connection, "alembic_version")
}

fn versions(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT version_num FROM alembic_version ORDER BY 1")?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Makes the table where it is missing, as Alembic does.
pub(crate) fn ensure_version(connection: &Connection) -> Result<()> {
    if !is_versioned(connection)? {
        connection.execute_batch(VERSION_TABLE)?;
    }
    Ok(())
}

/// Writes down where the file is. Where that is what it says already, nothing is written.
pub(crate) fn write_versions(connection: &Connection, heads: &[String]) -> Result<()> {
    ensure_version(connection)?;
    if versions(connection)? == heads {
        return Ok(());
    }
    connection.execute("DELETE FROM alembic_version", [])?;
    for id in heads {
        connection.execute("INSERT INTO alembic_version (version_num) VALUES (?)", [id])?;
    }
    // A trigger on it may have had other plans.
    if versions(connection)? == heads {
        return Ok(());
    }
    let message = "alembic_version does not hold what was written to it: there is a trigger on it.";
    Err(Error::new(ErrorCode::MigrationFailed, message))
}

impl<'p> MigrationProgress<'p> {
    /// Pages of a backup that are copied, and how many there are.
    pub(crate) fn backup(done: u64, total: u64) -> Self {
        Self { done, total, ..Self::new(MigrationPhase::Backup, None, 0, 0) }
    }

    fn new(phase: MigrationPhase, revision: Option<&'p str>, step: usize, steps: usize) -> Self {
        Self { phase, revision, step, steps, done: 0, total: 0 }
    }
}
