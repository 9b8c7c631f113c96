//! Whether a database has the schema that its revision stands for.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{Graph, runner};
use crate::error::{Error, ErrorCode, Result};

/// The objects of a schema by name: their type, and their SQL, without that of plain tables, which may be written in many
/// ways, and of the indexes that come with them.
type Objects = BTreeMap<String, (String, Option<String>)>;

/// Compares a database with what the revisions up to one make; gives the SQL of the indexes that it lacks.
///
/// It may have tables and indexes more. It may not have triggers, views or virtual tables of its own, for those act
/// when others are written, nor tables of ours with other columns.
///
/// # Errors
///
/// `schema_mismatch`, naming the first object that is not as it should be.
pub(crate) fn compare(connection: &Connection, graph: &Graph, revision: Option<&str>) -> Result<Vec<String>> {
    let mut scratch = Connection::open_in_memory()?;
    runner::upgrade(&mut scratch, graph, revision.unwrap_or("base"))?;
    let (ours, found) = (objects(&scratch)?, objects(connection)?);
    for (name, (kind, sql)) in &found {
        let acts = kind != "table" && kind != "index" || sql.is_some() && kind == "table";
        let too_early = revision.is_none() && name != "alembic_version" && kind != "index";
        if too_early || acts && ours.get(name).is_none_or(|(_, expected)| expected != sql) {
            return Err(mismatch(&format!("the {kind} {name} does not belong to it")));
        }
    }
    let mut missing = Vec::new();
    for (name, (kind, sql)) in ours {
        match (found.get(&name), sql) {
            (None, Some(sql)) if kind == "index" => missing.push(sql),
            (None, None) if kind == "index" || name == "alembic_version" => {}
            (Some((found, _)), _)
                if *found == kind && (kind != "table" || columns(connection, &name)? == columns(&scratch, &name)?) => {}
            _ => return Err(mismatch(&format!("the {kind} {name} is missing, or is another"))),
        }
    }
    Ok(missing)
}

/// The objects of a schema. What has a name that is not UTF-8 cannot be read, and is refused with that.
fn objects(connection: &Connection) -> Result<Objects> {
    let sql = "SELECT name, type, CASE WHEN type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' THEN NULL ELSE sql END \
               FROM sqlite_schema";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut objects = Objects::new();
    while let Some(row) = rows.next()? {
        objects.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
    }
    Ok(objects)
}

/// The names of a table's columns, those that are generated marked, and a word where it has a CHECK.
fn columns(connection: &Connection, table: &str) -> Result<String> {
    let sql = "SELECT (SELECT group_concat(name || hidden || pk) FROM pragma_table_xinfo(?1)) || \
               (SELECT iif(sql LIKE '%CHECK%' AND sql NOT LIKE 'CREATE VIRTUAL%', ' CHECK', '') FROM sqlite_schema WHERE name = ?1)";
    Ok(connection.query_row(sql, [table], |row| row.get(0))?)
}

fn mismatch(what: &str) -> Error {
    Error::new(ErrorCode::SchemaMismatch, format!("The schema is not that of its revision: {what}."))
        .with_hint("Take the file back to what its revision makes of it, with the program that changed it.")
}
