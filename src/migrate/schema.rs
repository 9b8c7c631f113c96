//! Compares the schema of a database with the schema that its revisions make.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::Graph;
use super::foreign::{LeftOut, is_more_than};
use super::history::{self, TABLES};
use super::runner::{self, Run};
use super::symbol::place;
use crate::db::{Clock, texts};
use crate::error::{Error, ErrorCode, Result};

/// The objects of a schema: type and SQL, by whether the object is not a trigger, and by name. (Triggers have a
/// namespace of their own.) The SQL is missing for plain tables, which can be written in many ways, and for the indexes
/// that SQLite makes for them.
type Objects = BTreeMap<(bool, String), (String, Option<String>)>;

/// How the schema of a database differs from the schema that revisions make.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    /// Objects that should not exist or differ from what they should be, and missing objects that cannot simply be
    /// created because they would lack their rows.
    pub(crate) conflicts: Vec<String>,
    /// Plain tables that are missing: name and SQL.
    pub(crate) tables: Vec<(String, String)>,
    /// Indexes that are missing: name and SQL.
    pub(crate) indexes: Vec<(String, String)>,
    /// The number of tables that are as they should be.
    pub(crate) matching: usize,
    /// Triggers, views and virtual tables that belong to no revision.
    pub(crate) acting: Vec<LeftOut>,
    /// Tables that have the right columns but are declared in other words.
    pub(crate) declared: Vec<Declared>,
}

/// A table that is declared in other words than in its revisions.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    /// The SQL of the revisions.
    pub(crate) ours: String,
    /// The SQL in the database.
    pub(crate) theirs: String,
    /// How the columns differ, if they do: in what is generated, or in whether there is a CHECK.
    columns: Option<String>,
}

impl Declared {
    /// The declaration that is lost if the table is created again from the revisions' SQL; `None` if nothing is lost.
    pub(crate) fn left_out(&self) -> Option<LeftOut> {
        let is_more = self.columns.is_some() || is_more_than(&self.theirs, &self.ours);
        is_more.then(|| LeftOut::new("table", &self.name, &self.name, &self.theirs))
    }
}

impl Differences {
    /// The same differences, if no table is created again: foreign triggers, views and virtual tables, and tables whose
    /// columns differ, become conflicts.
    fn refusing(mut self) -> Self {
        self.conflicts.extend(self.acting.drain(..).map(|object| object.conflict()));
        self.conflicts.extend(self.declared.drain(..).filter_map(|table| table.columns));
        self
    }

    /// The error that lists the differences of a database from this revision.
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
            .with_hint("Restore the schema of that revision, with the program that changed the file.")
    }
}

/// Compares the schema of a database with the schema that the revisions up to these heads make.
///
/// The database may have more tables and indexes. It must not have triggers, views or virtual tables of its own,
/// because those can act when other tables are written, and no table of ours with other columns. These do not matter:
/// the declared type, as long as values are stored alike (FLOAT or REAL), NOT NULL, defaults and AUTOINCREMENT.
pub(crate) fn differences(connection: &Connection, graph: &Graph, heads: &[String]) -> Result<Differences> {
    Ok(compare_loosely(connection, graph, heads)?.refusing())
}

/// As [`differences`], for a file that is imported: triggers, views and virtual tables of its own, and tables of ours
/// that are declared in other words, are no conflicts but are listed separately.
pub(crate) fn compare_loosely(connection: &Connection, graph: &Graph, heads: &[String]) -> Result<Differences> {
    let scratch = at(graph, heads)?;
    let (ours, found) = (objects(&scratch)?, objects(connection)?);
    let mut differences = Differences::default();
    for (key, (kind, sql)) in &found {
        let (is_no_trigger, name) = key;
        let acts = kind != "table" && kind != "index" || sql.is_some() && kind == "table";
        let too_early = heads.is_empty() && kind != "index";
        // An object with a name of ours takes the place of one that we need.
        let is_named_as_ours = ours.contains_key(key) || *is_no_trigger && history::keeps(&name.to_lowercase());
        if acts && !too_early && !is_named_as_ours {
            let [table, sql] = ["tbl_name", "sql"].map(|column| {
                let sql = format!("SELECT {column} FROM sqlite_schema WHERE name = ? AND type = ?");
                texts(connection, &sql, &[name, kind]).map(|found| found.concat())
            });
            differences.acting.push(LeftOut::new(kind, name, &table?, &sql?));
        } else if too_early || acts && ours.get(key).is_none_or(|(_, expected)| expected != sql) {
            differences.conflicts.push(format!("the {kind} {name} does not belong to it"));
        }
    }
    for (key, (kind, sql)) in ours {
        let there = found.get(&key);
        let (_, name) = key;
        match (there, sql) {
            (Some((found, _)), _) if *found == kind => {
                if kind == "table" {
                    let [theirs, expected] = [connection, &scratch].map(|each| columns(each, &name, false));
                    let (theirs, expected) = (theirs?, expected?);
                    if theirs == expected {
                        differences.matching += 1;
                        differences.declared.extend(declared(connection, &scratch, &name)?);
                    } else {
                        let (theirs, expected) = (columns(connection, &name, true)?, columns(&scratch, &name, true)?);
                        differences.conflicts.push(format!("the table {name} has {theirs}, not {expected}"));
                    }
                }
            }
            (None, Some(sql)) if kind == "index" => differences.indexes.push((name, sql)),
            (None, None) if kind == "index" => {}
            (None, None) => differences.tables.push((name.clone(), declaration(&scratch, &name)?.unwrap_or_default())),
            (None, Some(_)) => differences.conflicts.push(format!("the {kind} {name} is missing")),
            (Some((other, _)), _) => differences.conflicts.push(format!("{name} is of type {other}, not {kind}")),
        }
    }
    for name in ["alembic_version", history::TABLE] {
        differences.declared.extend(declared(connection, &scratch, name)?);
    }
    Ok(differences)
}

/// The declarations of a table, if both databases have it and in different words. The tables that FTS5 makes for itself
/// are ignored.
fn declared(connection: &Connection, scratch: &Connection, name: &str) -> Result<Option<Declared>> {
    let (Some(ours), Some(theirs)) = (declaration(scratch, name)?, declaration(connection, name)?) else {
        return Ok(None);
    };
    if ours == theirs {
        return Ok(None);
    }
    let (has, expected) = (columns(connection, name, true)?, columns(scratch, name, true)?);
    let keeps_columns = has == expected || history::keeps(name);
    let columns = (!keeps_columns).then(|| format!("the table {name} has {has}, not {expected}"));
    Ok(Some(Declared { name: name.to_owned(), ours, theirs, columns }))
}

/// The SQL of a table, unless it is virtual or belongs to a virtual table.
fn declaration(connection: &Connection, name: &str) -> Result<Option<String>> {
    let sql = "SELECT sql FROM sqlite_schema JOIN pragma_table_list(?1) AS list \
               WHERE sqlite_schema.type = 'table' AND sqlite_schema.name = ?1 AND schema = 'main' AND list.type = 'table'";
    Ok(texts(connection, sql, &[&name])?.pop())
}

/// Checks that a database has the schema of the revisions up to these heads; returns the SQL of the indexes that it
/// lacks.
///
/// # Errors
///
/// `schema_mismatch`, listing how it differs.
pub(crate) fn compare(connection: &Connection, graph: &Graph, heads: &[String]) -> Result<Vec<String>> {
    let differences = differences(connection, graph, heads)?;
    if differences.conflicts.is_empty() && differences.tables.is_empty() {
        return Ok(differences.indexes.into_iter().map(|(_, sql)| sql).collect());
    }
    Err(differences.error(&place(heads)))
}

/// The names of all objects that the revisions together make, and of the tables that belong to no revision.
pub(crate) fn names(graph: &Graph) -> Result<Vec<String>> {
    let made = "SELECT name FROM sqlite_schema UNION ALL VALUES ('synth_migrations'), ('synth_requests')";
    texts(&at(graph, &graph.last_rows())?, made, &[])
}

/// A database in memory that the revisions up to these heads made.
pub(crate) fn at(graph: &Graph, heads: &[String]) -> Result<Connection> {
    let mut scratch = Connection::open_in_memory()?;
    let steps = graph.between(&[], &graph.ancestors(heads));
    runner::run(&mut scratch, &steps, heads, &mut Run { clock: Clock::new(|| 0.0), progress: &mut |_| {} })?;
    Ok(scratch)
}

/// The objects of a schema. Fails if a name is not UTF-8, because it cannot be read.
fn objects(connection: &Connection) -> Result<Objects> {
    let sql = "SELECT name, type, CASE WHEN type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' THEN NULL ELSE sql END \
               FROM sqlite_schema \
               WHERE NOT (type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' AND (name LIKE 'sqlite\\_%' ESCAPE '\\' OR name IN ";
    let mut statement = connection.prepare(&format!("{sql}{TABLES}))"))?;
    let mut rows = statement.query([])?;
    let mut objects = Objects::new();
    while let Some(row) = rows.next()? {
        let kind: String = row.get(1)?;
        objects.insert((kind != "trigger", row.get(0)?), (kind, row.get(2)?));
    }
    Ok(objects)
}

/// The columns of a table as text, as far as they matter: names, how values are stored, and keys; with `all`, also
/// generated columns and whether there is a CHECK.
fn columns(connection: &Connection, table: &str, all: bool) -> Result<String> {
    let sql = "SELECT (SELECT group_concat(name || ' ' || CASE \
                 WHEN type LIKE '%INT%' THEN 'INTEGER' \
                 WHEN type LIKE '%CHAR%' OR type LIKE '%CLOB%' OR type LIKE '%TEXT%' THEN 'TEXT' \
                 WHEN type LIKE '%BLOB%' OR type = '' THEN 'BLOB' \
                 WHEN type LIKE '%REAL%' OR type LIKE '%FLOA%' OR type LIKE '%DOUB%' THEN 'REAL' \
                 ELSE 'NUMERIC' END || iif(pk, ' key', '') || iif(hidden, ' generated', ''), ', ') \
               FROM (SELECT * FROM pragma_table_xinfo(?1) WHERE ?2 OR hidden < 2 ORDER BY name)) || \
               (SELECT iif(?2 AND sql LIKE '%CHECK%' AND sql NOT LIKE 'CREATE VIRTUAL%', ' with a CHECK', '') \
                FROM sqlite_schema WHERE name = ?1)";
    Ok(connection.query_row(sql, (table, all), |row| row.get(0))?)
}
