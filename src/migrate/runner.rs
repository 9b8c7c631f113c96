//! Takes a file from revision to revision, all or nothing.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OptionalExtension};

use super::graph::{Graph, Position};
use super::revision::Revision;
use crate::db::ask;
use crate::error::{Cause, Error, ErrorCode, Result};

/// Alembic's own statement, so that Alembic finds here what it would have made.
const VERSION_TABLE: &str = "CREATE TABLE alembic_version (\n\tversion_num VARCHAR(32) NOT NULL, \n\t\
                             CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n)";

/// The ids of the revisions that a run applied or took back, in the order it did.
pub type Applied = Vec<String>;

/// The revision a file is at; `None` for the base.
///
/// # Errors
///
/// `unversioned_database` where it has tables but no `alembic_version`, `invalid_migration` where it is at several.
pub fn current(connection: &Connection) -> Result<Option<String>> {
    const TABLES: &str = "SELECT count(*) FROM sqlite_schema \
                          WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    if !is_versioned(connection)? {
        return if ask::<i64>(connection, TABLES)? == 0 {
            Ok(None)
        } else {
            Err(Error::new(ErrorCode::UnversionedDatabase, "The file has tables but no alembic_version."))
        };
    }
    let mut statement = connection.prepare("SELECT version_num FROM alembic_version")?;
    let mut ids: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    match ids.len() {
        0 | 1 => Ok(ids.pop()),
        _ => {
            let message = format!("The file is at several revisions at once: {}.", ids.join(", "));
            Err(Error::new(ErrorCode::InvalidMigration, message)
                .with_hint("Bring it to one revision with Alembic's merge."))
        }
    }
}

/// Takes the file up to a target; one that is already passed is an error, as there is nothing to take up.
///
/// # Errors
///
/// `unknown_revision`, `invalid_argument`, `migration_failed`; on any error the file is where it was.
pub fn upgrade(connection: &mut Connection, graph: &Graph, target: &str) -> Result<Applied> {
    let (from, to) = walk(connection, graph, target)?;
    if to < from {
        return Err(wrong_way("upgrade", "downgrade", graph, from, target));
    }
    run(connection, graph, from, to)
}

/// Takes the file down to a target.
///
/// # Errors
///
/// As for [`upgrade`].
pub fn downgrade(connection: &mut Connection, graph: &Graph, target: &str) -> Result<Applied> {
    let (from, to) = walk(connection, graph, target)?;
    if to > from {
        return Err(wrong_way("downgrade", "upgrade", graph, from, target));
    }
    run(connection, graph, from, to)
}

/// Writes down that the file is at a revision, and changes nothing else.
///
/// # Errors
///
/// `unknown_revision`.
pub fn stamp(connection: &mut Connection, graph: &Graph, target: &str) -> Result<()> {
    let (_, to) = walk(connection, graph, target)?;
    let transaction = connection.transaction()?;
    write_version(&transaction, graph.id_at(to))?;
    Ok(transaction.commit()?)
}

fn walk(connection: &Connection, graph: &Graph, target: &str) -> Result<(Position, Position)> {
    let from = graph.position(current(connection)?.as_deref())?;
    Ok((from, graph.resolve(target, from)?))
}

fn wrong_way(command: &str, other: &str, graph: &Graph, from: Position, target: &str) -> Error {
    let here = graph.id_at(from).unwrap_or("base");
    Error::invalid_argument(format!("{command} to {target} was asked for, but the memory is at {here}."))
        .with_hint(format!("Use {other}('{target}')."))
}

fn run(connection: &mut Connection, graph: &Graph, from: Position, to: Position) -> Result<Applied> {
    if from == to {
        return Ok(Vec::new());
    }
    // A table that is rebuilt must not take its children with it; the references are checked before the commit instead.
    // The pragma does nothing inside a transaction, so it stands outside.
    connection.execute_batch("PRAGMA foreign_keys = OFF")?;
    let result = run_in_transaction(connection, graph, from, to);
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    result
}

fn run_in_transaction(connection: &mut Connection, graph: &Graph, from: Position, to: Position) -> Result<Applied> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let result = apply(connection, graph, from, to).and_then(|applied| {
        check_references(connection)?;
        write_version(connection, graph.id_at(to))?;
        connection.execute_batch("COMMIT")?;
        Ok(applied)
    });
    if result.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    result
}

fn apply(connection: &mut Connection, graph: &Graph, from: Position, to: Position) -> Result<Applied> {
    let line = graph.revisions();
    let steps: Vec<(&Revision, &str)> = if from < to {
        line[from..to].iter().map(|revision| (revision, revision.up.as_str())).collect()
    } else {
        line[to..from].iter().rev().map(|revision| (revision, revision.down.as_str())).collect()
    };
    // A COMMIT among the statements of a migration would end the run's transaction half-way.
    connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } | AuthAction::Attach { .. } => {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }))?;
    let result = steps.iter().try_for_each(|(revision, sql)| {
        connection.execute_batch(sql).map_err(|error| failed(revision, Error::from(error)))
    });
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
    result.map(|()| steps.iter().map(|(revision, _)| revision.id.clone()).collect())
}

fn failed(revision: &Revision, error: Error) -> Error {
    match error.code() {
        ErrorCode::QuotaExceeded | ErrorCode::IoFailed | ErrorCode::CorruptDatabase | ErrorCode::OutOfMemory => error,
        _ => {
            let why = error.cause().map_or_else(|| error.message().to_owned(), |cause: &Cause| cause.message.clone());
            let message = format!("Revision {} ({}) failed: {why}.", revision.id, revision.file);
            error.recast(ErrorCode::MigrationFailed, message)
        }
    }
}

fn check_references(connection: &Connection) -> Result<()> {
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
    ask(connection, "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'alembic_version')")
}

fn write_version(connection: &Connection, id: Option<&str>) -> Result<()> {
    if !is_versioned(connection)? {
        connection.execute_batch(VERSION_TABLE)?;
    }
    connection.execute("DELETE FROM alembic_version", [])?;
    if let Some(id) = id {
        connection.execute("INSERT INTO alembic_version (version_num) VALUES (?)", [id])?;
    }
    Ok(())
}
