//! Tries whether the triggers and views of a schema work, and whether the downgrade scripts of revisions work.
//!
//! SQLite checks triggers and views when it prepares a statement that would run them. So one such statement is prepared
//! for each, and none is run. Scripts are run in memory, on the tables that the revisions make, which have no rows
//! there.

use std::slice::from_ref;

use rusqlite::Connection;

use super::autogenerate::{Schema, in_words};
use super::runner::{self, Run};
use super::sql::{quote, tokens};
use super::{Graph, MigrationDirection, Step};
use crate::db::{Clock, copy, texts};
use crate::error::{Error, ErrorCode, Result};

/// The hint for a view or trigger that no longer works.
pub(super) const HINT: &str = "Drop it before the table changes, and create its new version after that.";

/// A view that does not work, or the triggers on one event of a table that do not work.
pub(super) struct Broken {
    what: String,
    table: String,
    triggers: Vec<String>,
    /// The statement that SQLite cannot prepare, and its reason.
    statement: String,
    why: String,
}

impl Broken {
    /// What it is and why it does not work, as text.
    pub(super) fn said(&self) -> String {
        let Self { what, triggers, why, .. } = self;
        let names = if triggers.is_empty() { String::new() } else { format!(" ({})", triggers.join(", ")) };
        format!("{what}{names} does not work: {why}")
    }

    /// Describes the one of several triggers that does not work even if it is the only trigger.
    fn culprit(&self, connection: &Connection) -> Result<Option<String>> {
        // A view can only be changed through its own triggers, so those stay.
        let others = "SELECT name FROM main.sqlite_schema WHERE type = 'trigger' AND name <> ? \
                      AND tbl_name IN (SELECT name FROM main.sqlite_schema WHERE type = 'table')";
        for trigger in &self.triggers {
            connection.execute_batch("SAVEPOINT tried")?;
            for other in texts(connection, others, &[trigger])? {
                connection.execute_batch(&format!("DROP TRIGGER main.{}", quote(&other)))?;
            }
            let why = why(connection, &self.statement);
            connection.execute_batch("ROLLBACK TO tried; RELEASE tried")?;
            if let Some(why) = why? {
                return Ok(Some(format!("the trigger {trigger} on {} does not work: {why}", self.table)));
            }
        }
        Ok(self.triggers.is_empty().then(|| self.said()))
    }
}

/// SQLite's reason for rejecting a statement, if it rejects it. Fails if SQLite could not read the file, because that
/// says nothing about the statement.
fn why(connection: &Connection, sql: &str) -> Result<Option<String>> {
    let Err(error) = connection.prepare(sql) else { return Ok(None) };
    let error = Error::from(error);
    match error.code() {
        ErrorCode::IoFailed | ErrorCode::QuotaExceeded | ErrorCode::OutOfMemory => Err(error),
        _ => Ok(Some(error.reason().to_owned())),
    }
}

/// The views and triggers that do not work. Views come first, because triggers may need them.
pub(super) fn broken(connection: &Connection) -> Result<Vec<Broken>> {
    let mut tried: Vec<Broken> = Vec::new();
    let mut objects = connection.prepare(
        "SELECT type = 'view', name, tbl_name, sql FROM main.sqlite_schema WHERE type IN ('view', 'trigger') \
         ORDER BY type DESC, rowid",
    )?;
    let mut rows = objects.query([])?;
    while let Some(row) = rows.next()? {
        let (is_view, name, table, sql): (bool, String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let quoted = format!("main.{}", quote(&table));
        // A name that is one of these words is in quotes.
        let is_event =
            |word: &str| ["INSERT", "UPDATE", "DELETE"].into_iter().find(|event| word.eq_ignore_ascii_case(event));
        let event = tokens(&sql).iter().find_map(|token| is_event(token.text)).filter(|_| !is_view);
        let what = event.map_or_else(|| format!("the view {name}"), |event| format!("a trigger on {event} of {table}"));
        if let Some(same) = tried.iter_mut().find(|one| one.what == what) {
            same.triggers.push(name);
            continue;
        }
        let statement = match event {
            None => format!("SELECT * FROM {quoted}"),
            Some("INSERT") => format!("INSERT INTO {quoted} DEFAULT VALUES"),
            Some("DELETE") => format!("DELETE FROM {quoted}"),
            Some(_) => {
                // All columns at once, because a trigger may be for some of them only. A broken view has no columns.
                let columns = "SELECT name FROM pragma_table_xinfo(?, 'main') WHERE hidden = 0";
                let columns = texts(connection, columns, &[&table]).unwrap_or_default();
                let assign = |column: &String| format!("{0} = {0}", quote(column));
                format!("UPDATE {quoted} SET {}", columns.iter().map(assign).collect::<Vec<_>>().join(", "))
            }
        };
        let triggers = if is_view { Vec::new() } else { vec![name] };
        tried.push(Broken { what, table, triggers, statement, why: String::new() });
    }
    let mut broken = Vec::new();
    for mut one in tried {
        if let Some(why) = why(connection, &one.statement)? {
            one.why = why;
            broken.push(one);
        }
    }
    Ok(broken)
}

/// The first of `now` that was not broken before.
pub(super) fn first_new<'b>(now: &'b [Broken], before: &[Broken]) -> Option<&'b Broken> {
    now.iter().find(|one| before.iter().all(|other| other.what != one.what))
}

/// Checks that no trigger or view is broken that is not in `before`, and then stores in it what is broken now.
///
/// # Errors
///
/// `migration_failed`, naming it.
pub(super) fn check(connection: &Connection, before: &mut Vec<Broken>) -> Result<()> {
    let mut now = broken(connection)?;
    let Some(first) = first_new(&now, before) else {
        *before = now;
        return Ok(());
    };
    let mut said = first.said();
    now.retain(|one| before.iter().all(|other| other.what != one.what));
    for one in &now {
        if let Some(culprit) = one.culprit(connection)? {
            said = culprit;
            break;
        }
    }
    Err(Error::new(ErrorCode::MigrationFailed, said).with_hint(HINT))
}

/// Runs each of an app's revisions in memory: up, down, and up again. Returns the database with all of them applied,
/// and the failures: downgrades that fail or do not lead back to the schema before, and upgrades that fail the second
/// time.
///
/// # Errors
///
/// `migration_failed` if an upgrade fails the first time.
pub(super) fn there_and_back(graph: &Graph) -> Result<(Connection, Vec<Error>)> {
    let mut failures = Vec::new();
    let connection = walk(graph, &mut |before, connection, up, down| {
        let was = Schema::read(before)?;
        let there_and_back = down_and(connection, down, &mut |taken_back| {
            let left = Schema::read(taken_back)?;
            let to_do = in_words(&left, &was);
            if !to_do.is_empty() {
                let revision = up.revision;
                let message = format!(
                    "The way down of revision {} ({}) does not lead back to the schema before it; still to do: {}.",
                    revision.id,
                    revision.file,
                    to_do.join(", ")
                );
                return Err(Error::new(ErrorCode::SchemaMismatch, message));
            }
            step(taken_back, up)
        });
        failures.extend(there_and_back.err());
        Ok(())
    })?;
    Ok((connection, failures))
}

/// Rejects upgrade steps whose downgrade fails. The downgrades are tried in memory, so the cost does not depend on the
/// size of the file.
///
/// # Errors
///
/// `migration_failed`, naming the revision.
pub(crate) fn check_ways_down(graph: &Graph, steps: &[Step<'_>]) -> Result<()> {
    let is_wanted = |up: &Step<'_>| {
        steps.iter().any(|one| one.direction == MigrationDirection::Up && one.revision.id == up.revision.id)
    };
    if !steps.iter().any(|step| step.direction == MigrationDirection::Up && !graph.is_ours(&step.revision.id)) {
        return Ok(());
    }
    let mut failed = None;
    // An upgrade that fails here may work on the file, with its rows and what other programs added. The run itself
    // reports it.
    let _ = walk(graph, &mut |_, connection, up, down| {
        if failed.is_none() && is_wanted(up) {
            failed = down_and(connection, down, &mut |_| Ok(())).err();
        }
        Ok(())
    });
    failed.map_or(Ok(()), Err)
}

/// Called for each revision with the database before it, the database after it, and the steps that apply it and take it
/// back.
type Visit<'v> = dyn FnMut(&Connection, &Connection, &Step<'_>, &Step<'_>) -> Result<()> + 'v;

/// Applies all revisions in memory, and calls `visit` for those of an app.
fn walk(graph: &Graph, visit: &mut Visit<'_>) -> Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    let mut heads = Vec::new();
    for up in graph.between(&[], &graph.ancestors(&graph.last_rows())) {
        let is_ours = graph.is_ours(&up.revision.id);
        let before = if is_ours { None } else { Some(copied(&connection)?) };
        step(&mut connection, &up)?;
        let down = Step { direction: MigrationDirection::Down, heads, ..up };
        heads = up.heads.clone();
        if let Some(before) = before {
            visit(&before, &connection, &up, &down)?;
        }
    }
    Ok(connection)
}

/// Runs the step `down` on a copy, and then calls `then` with the copy.
fn down_and(
    connection: &Connection,
    down: &Step<'_>,
    then: &mut dyn FnMut(&mut Connection) -> Result<()>,
) -> Result<()> {
    let mut copy = copied(connection)?;
    step(&mut copy, down)?;
    then(&mut copy)
}

fn copied(connection: &Connection) -> Result<Connection> {
    let mut target = Connection::open_in_memory()?;
    copy(connection, &mut target)?;
    Ok(target)
}

fn step(connection: &mut Connection, step: &Step<'_>) -> Result<()> {
    let mut run = Run { clock: Clock::new(|| 0.0), progress: &mut |_| {} };
    runner::run(connection, from_ref(step), &step.heads, &mut run).map(drop)
}
