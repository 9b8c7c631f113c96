//! Whether a database has the schema that its revisions stand for.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::Graph;
use super::history::TABLES;
use super::runner::{self, Run};
use super::symbol::place;
use crate::db::Clock;
use crate::error::{Error, ErrorCode, Result};

/// The objects of a schema by name: their type, and their SQL, without that of plain tables, which may be written in many
/// ways, and of the indexes that come with them.
type Objects = BTreeMap<String, (String, Option<String>)>;

/// How a database differs from what revisions make.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    /// What is there and should not be, or is another; and what cannot simply be added, for it would lack its rows.
    pub(crate) conflicts: Vec<String>,
    /// Plain tables that are missing: name and SQL.
    pub(crate) tables: Vec<(String, String)>,
    /// Indexes that are missing: name and SQL.
    pub(crate) indexes: Vec<(String, String)>,
    /// How many tables are there as they should be.
    pub(crate) matching: usize,
}

impl Differences {
    /// The error that shows them, for a database that is said to be at a revision.
    pub(crate) fn error(&self, revision: &str) -> Error {
        const SHOWN: usize = 5;
        let missing = |kind: &'static str, objects: &[(String, String)]| -> Vec<String> {
            objects.iter().map(|(name, _)| format!("the {kind} {name} is missing")).collect()
        };
        let mut all = self.conflicts.clone();
        all.extend(missing("table", &self.tables));
        all.extend(missing("index", &self.indexes));
        let more = all.len().saturating_sub(SHOWN);
        all.truncate(SHOWN);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let message = format!("The schema is not that of revision {revision}: {}{more}.", all.join("; "));
        Error::new(ErrorCode::SchemaMismatch, message)
            .with_hint("Take the file back to what its revision makes of it, with the program that changed it.")
    }
}

/// Compares a database with what the revisions up to these heads make.
///
/// It may have tables and indexes more. It may not have triggers, views or virtual tables of its own, for those act when
/// others are written, nor tables of ours with other columns. What does not matter is how a column is declared as long as
/// it keeps values alike (FLOAT or REAL), NOT NULL, defaults, and AUTOINCREMENT.
pub(crate) fn differences(connection: &Connection, graph: &Graph, heads: &[String]) -> Result<Differences> {
    let scratch = at(graph, heads)?;
    let (ours, found) = (objects(&scratch)?, objects(connection)?);
    let mut differences = Differences::default();
    for (name, (kind, sql)) in &found {
        let acts = kind != "table" && kind != "index" || sql.is_some() && kind == "table";
        let too_early = heads.is_empty() && kind != "index";
        if too_early || acts && ours.get(name).is_none_or(|(_, expected)| expected != sql) {
            differences.conflicts.push(format!("the {kind} {name} does not belong to it"));
        }
    }
    for (name, (kind, sql)) in ours {
        match (found.get(&name), sql) {
            (Some((found, _)), _) if *found == kind => {
                if kind == "table" {
                    let (theirs, expected) = (columns(connection, &name)?, columns(&scratch, &name)?);
                    if theirs == expected {
                        differences.matching += 1;
                    } else {
                        differences.conflicts.push(format!("the table {name} has {theirs}, not {expected}"));
                    }
                }
            }
            (None, Some(sql)) if kind == "index" => differences.indexes.push((name, sql)),
            (None, None) if kind == "index" => {}
            (None, None) => {
                let sql =
                    scratch.query_row("SELECT sql FROM sqlite_schema WHERE name = ?", [&name], |row| row.get(0))?;
                differences.tables.push((name, sql));
            }
            (None, Some(_)) => differences.conflicts.push(format!("the {kind} {name} is missing")),
            (Some((other, _)), _) => differences.conflicts.push(format!("{name} is no {kind} but a {other}")),
        }
    }
    Ok(differences)
}

/// Refuses a database that is not what the revisions up to these heads make; gives the SQL of the indexes it lacks.
///
/// # Errors
///
/// `schema_mismatch`, showing how it differs.
pub(crate) fn compare(connection: &Connection, graph: &Graph, heads: &[String]) -> Result<Vec<String>> {
    let differences = differences(connection, graph, heads)?;
    if differences.conflicts.is_empty() && differences.tables.is_empty() {
        return Ok(differences.indexes.into_iter().map(|(_, sql)| sql).collect());
    }
    Err(differences.error(&place(heads)))
}

/// A database in memory, as the revisions up to these heads make it.
pub(crate) fn at(graph: &Graph, heads: &[String]) -> Result<Connection> {
    let mut scratch = Connection::open_in_memory()?;
    let steps = graph.between(&[], &graph.ancestors(heads));
    runner::run(&mut scratch, &steps, heads, &mut Run { clock: Clock::new(|| 0.0), progress: &mut |_| {} })?;
    Ok(scratch)
}

/// The objects of a schema that revisions made. What has a name that is not UTF-8 cannot be read, and is refused with that.
fn objects(connection: &Connection) -> Result<Objects> {
    let sql = "SELECT name, type, CASE WHEN type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' THEN NULL ELSE sql END \
               FROM sqlite_schema \
               WHERE NOT (type = 'table' AND (name = 'sqlite_sequence' OR name IN ";
    let mut statement = connection.prepare(&format!("{sql}{TABLES}))"))?;
    let mut rows = statement.query([])?;
    let mut objects = Objects::new();
    while let Some(row) = rows.next()? {
        objects.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
    }
    Ok(objects)
}

/// The columns of a table as far as they matter: names, how values are kept, keys, what is generated, and whether there
/// is a CHECK.
fn columns(connection: &Connection, table: &str) -> Result<String> {
    let sql = "SELECT (SELECT group_concat(name || ' ' || CASE \
                 WHEN type LIKE '%INT%' THEN 'INTEGER' \
                 WHEN type LIKE '%CHAR%' OR type LIKE '%CLOB%' OR type LIKE '%TEXT%' THEN 'TEXT' \
                 WHEN type LIKE '%BLOB%' OR type = '' THEN 'BLOB' \
                 WHEN type LIKE '%REAL%' OR type LIKE '%FLOA%' OR type LIKE '%DOUB%' THEN 'REAL' \
                 ELSE 'NUMERIC' END || iif(pk, ' key', '') || iif(hidden, ' generated', ''), ', ') \
               FROM (SELECT * FROM pragma_table_xinfo(?1) ORDER BY name)) || \
               (SELECT iif(sql LIKE '%CHECK%' AND sql NOT LIKE 'CREATE VIRTUAL%', ' with a CHECK', '') \
                FROM sqlite_schema WHERE name = ?1)";
    Ok(connection.query_row(sql, [table], |row| row.get(0))?)
}
