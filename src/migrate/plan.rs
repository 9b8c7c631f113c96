//! Plans a run on a copy of the database, and writes a run as SQL.

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde::Serialize;
use tsify::Tsify;

use super::history::TABLES;
use super::runner::{self, Run};
use super::sql::quote;
use super::symbol::place;
use super::{MigrationDirection, Step, batch};
use crate::db::{ask, copy, texts};
use crate::error::{Error, ErrorCode, Result};

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct MigrationPlan {
    /// The revisions, in the order of the run.
    pub steps: Vec<PlannedStep>,
    /// Every table with its number of rows before and after, by name. Full-text indexes and their own tables are left
    /// out.
    pub tables: Vec<TableRows>,
    /// How long the run took on a copy in memory, in seconds.
    pub duration: f64,
}

/// One revision of a [`MigrationPlan`].
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// Its id.
    pub revision: String,
    /// What it does, in one line.
    pub title: String,
    /// The name of its file.
    pub file: String,
    /// Whether it would be applied or taken back.
    #[tsify(type = "MigrationDirection")]
    pub direction: MigrationDirection,
    /// The script that would run.
    pub script: String,
    /// How long it took on the copy, in seconds.
    pub duration: f64,
}

/// A table's number of rows before and after a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct TableRows {
    /// Its name.
    pub table: String,
    /// Rows before; null if the table did not exist.
    pub before: Option<u64>,
    /// Rows after; null if the table would not exist.
    pub after: Option<u64>,
}

/// Runs the steps on a copy in memory. The database is not changed.
///
/// # Errors
///
/// The error that the run itself would fail with; `out_of_memory` if there is no memory for the copy.
pub(crate) fn plan(source: &Connection, steps: &[Step<'_>], run: &mut Run<'_>) -> Result<MigrationPlan> {
    let mut scratch = Connection::open_in_memory()?;
    copy(source, &mut scratch)?;
    let before = counts(&scratch)?;
    let begun = run.clock.now();
    let mut planned = Vec::with_capacity(steps.len());
    for step in steps {
        let started = run.clock.now();
        runner::run(&mut scratch, std::slice::from_ref(step), &step.heads, run)?;
        let Step { revision, direction, .. } = step;
        planned.push(PlannedStep {
            revision: revision.id.clone(),
            title: revision.title.clone(),
            file: revision.file.clone(),
            direction: *direction,
            script: step.script().to_owned(),
            duration: (run.clock.now() - started).max(0.0),
        });
    }
    let duration = (run.clock.now() - begun).max(0.0);
    let after = counts(&scratch)?;
    let names: BTreeSet<&String> = before.iter().chain(&after).map(|(name, _)| name).collect();
    let count = |of: &[(String, u64)], name: &String| of.iter().find(|(table, _)| table == name).map(|(_, rows)| *rows);
    let tables = names
        .into_iter()
        .map(|name| TableRows { table: name.clone(), before: count(&before, name), after: count(&after, name) })
        .collect();
    Ok(MigrationPlan { steps: planned, tables, duration })
}

/// The steps as SQL for another program, with the statements for `alembic_version` that Alembic writes.
///
/// As in Alembic's offline mode, there is no BEGIN and no COMMIT.
///
/// # Errors
///
/// `invalid_argument` if a step rebuilds a table, because that needs the file itself.
pub(crate) fn sql(from: &[String], steps: &[Step<'_>]) -> Result<String> {
    let mut text = String::new();
    let mut heads = from.to_vec();
    if from.is_empty() {
        text.push_str(runner::VERSION_TABLE);
        text.push_str(";\n\n");
    }
    for step in steps {
        let (word, from, to) = match step.direction {
            MigrationDirection::Up => ("upgrade", &heads, &step.heads),
            MigrationDirection::Down => ("downgrade", &heads, &step.heads),
        };
        text.push_str(&format!("-- Running {word} {} -> {} ({})\n\n", place(from), place(to), step.revision.title));
        if batch::is_in(step.script())? {
            let message = format!("Revision {} ({}) rebuilds a table.", step.revision.id, step.revision.file);
            let hint = "The statements depend on the file's indexes, triggers and rows. Run this on the file itself.";
            return Err(Error::invalid_argument(message).with_hint(hint));
        }
        text.push_str(step.script());
        // On its own line, because the script's last line may be a comment.
        text.push_str(if step.script().ends_with(';') || step.script().is_empty() { "\n" } else { "\n;\n" });
        for id in heads.iter().filter(|id| !step.heads.contains(id)) {
            text.push_str(&format!("DELETE FROM alembic_version WHERE alembic_version.version_num = '{id}';\n"));
        }
        for id in step.heads.iter().filter(|id| !heads.contains(id)) {
            text.push_str(&format!("INSERT INTO alembic_version (version_num) VALUES ('{id}');\n"));
        }
        text.push('\n');
        heads.clone_from(&step.heads);
    }
    Ok(text)
}

fn counts(connection: &Connection) -> Result<Vec<(String, u64)>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
               AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT IN";
    let mut counts = Vec::new();
    for name in texts(connection, &format!("{sql} {TABLES}"), &[])? {
        match ask::<i64>(connection, &format!("SELECT count(*) FROM {} NOT INDEXED", quote(&name))) {
            Ok(rows) => counts.push((name, rows as u64)),
            // Its key uses a collation that only another program defines.
            Err(error) if error.code() == ErrorCode::Internal => {}
            Err(error) => return Err(error),
        }
    }
    Ok(counts)
}
