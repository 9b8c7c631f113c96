//! Whether the triggers and views of a schema can be used, and the scripts that take a revision back.
//!
//! SQLite finds out about triggers and views when a statement is prepared that would run them, so one is prepared for each;
//! nothing is carried out. Scripts are run in memory, on the tables that the revisions make, which have no rows there.

use std::slice::from_ref;

use rusqlite::Connection;

use super::autogenerate::{Schema, in_words};
use super::runner::{self, Run};
use super::sql::{quote, tokens};
use super::{Graph, MigrationDirection, Step};
use crate::db::{Clock, copy, texts};
use crate::error::{Error, ErrorCode, Result};

/// What to do about it.
pub(super) const HINT: &str = "Drop it before what changes the table, and create it as it is to be after that.";

/// A view that cannot be used, or the triggers of one change of a table that cannot be made.
pub(super) struct Broken {
    what: String,
    table: String,
    triggers: Vec<String>,
    /// What fails to be prepared, and SQLite's reason.
    statement: String,
    why: String,
}

impl Broken {
    /// What it is, and why it cannot be used.
    pub(super) fn said(&self) -> String {
        let Self { what, triggers, why, .. } = self;
        let names = if triggers.is_empty() { String::new() } else { format!(" ({})", triggers.join(", ")) };
        format!("{what}{names} does not work: {why}")
    }

    /// The one of several triggers that is wrong, whichever other ones it sets off.
    fn culprit(&self, connection: &Connection) -> Result<Option<String>> {
        // A view takes changes by its own triggers only, so those stay.
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

/// Why SQLite does not take a statement. That it could not read the file says nothing about the statement.
fn why(connection: &Connection, sql: &str) -> Result<Option<String>> {
    let Err(error) = connection.prepare(sql) else { return Ok(None) };
    let error = Error::from(error);
    match error.code() {
        ErrorCode::IoFailed | ErrorCode::QuotaExceeded | ErrorCode::OutOfMemory => Err(error),
        _ => Ok(Some(error.reason().to_owned())),
    }
}

/// All that cannot be used: views first, as triggers may need them.
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
        // A name that is one of these words stands in quotes.
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
                // All columns at once, for a trigger may be for some of them only. Of a view that is broken there are none.
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

/// The first of what is broken now and was not before.
pub(super) fn first_new<'b>(now: &'b [Broken], before: &[Broken]) -> Option<&'b Broken> {
    now.iter().find(|one| before.iter().all(|other| other.what != one.what))
}

/// Refuses what broke a trigger or a view since `before`, and notes what is broken now.
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

/// Runs each of an app's revisions in memory: up, down, and up again. Gives the database with all of them applied, and what
/// fails on the way down or does not lead back to where it came from.
///
/// # Errors
///
/// `migration_failed` where the way up fails.
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

/// Refuses steps up whose way down fails: in memory, so that it costs the same however large the file is.
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
    // Where the way up fails without rows, or without what other programs have put into the file, the run itself says it.
    let _ = walk(graph, &mut |_, connection, up, down| {
        if failed.is_none() && is_wanted(up) {
            failed = down_and(connection, down, &mut |_| Ok(())).err();
        }
        Ok(())
    });
    failed.map_or(Ok(()), Err)
}

/// What is done at each revision: with the database before it and after it, and with the steps up to it and down again.
type Visit<'v> = dyn FnMut(&Connection, &Connection, &Step<'_>, &Step<'_>) -> Result<()> + 'v;

/// Applies all revisions in memory, and visits those of an app.
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

/// Takes a step down on a copy, and does one thing more with that.
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
