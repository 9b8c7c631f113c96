//! What other programs put into a file and a memory does not take: it is left out, and told.

use rusqlite::Connection;
use serde::Serialize;
use tsify::Tsify;

use super::Graph;
use super::batch::shape::Shape;
use super::schema::{self, Declared, Differences};
use super::sql::{TokenKind, quote, tokens};
use crate::db::{RowCopy, execute, texts};
use crate::error::{Error, ErrorCode, Result};

/// Something that an imported file declared and the memory does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct LeftOut {
    /// `trigger`, `view` or `index`; `table` for a virtual table, whose rows stay in the tables that it kept for itself, and for
    /// what a table of the memory was declared as, whose rows are kept.
    #[serde(rename = "type")]
    #[tsify(type = "\"trigger\" | \"view\" | \"index\" | \"table\"")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The table that it belongs to; of a table or a view its own name.
    pub table: String,
    /// The statement that declared it.
    pub sql: String,
}

impl LeftOut {
    pub(crate) fn new(kind: &str, name: &str, table: &str, sql: &str) -> Self {
        let [kind, name, table, sql] = [kind, name, table, sql].map(str::to_owned);
        Self { kind, name, table, sql }
    }

    pub(crate) fn conflict(&self) -> String {
        format!("the {} {} does not belong to it", self.kind, self.name)
    }
}

/// An index by its name, with its table and its SQL.
type Index = [String; 3];

/// The name that a table has while its rows are copied into the one that takes its place.
const ASIDE: &str = "synth_aside";

/// Takes out of a database what acts by itself, and makes the tables of ours from our own SQL where they are declared in other
/// words: their rows are copied, one by one. Then every index on our tables is made again.
///
/// # Errors
///
/// `unexpected_value` for a row that does not fit, naming its table and its id.
pub(crate) fn settle(
    source: &Connection,
    graph: &Graph,
    heads: &[String],
    found: &Differences,
) -> Result<Vec<LeftOut>> {
    let scratch = schema::at(graph, heads)?;
    let mut left_out = found.acting.clone();
    // As it says, a name in another table's foreign key stays the name that it is.
    source.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; BEGIN")?;
    for object in &found.acting {
        remove(source, object)?;
    }
    let theirs = foreign_indexes(source, &scratch)?;
    for [name, ..] in &theirs {
        source.execute_batch(&format!("DROP INDEX {}", quote(name)))?;
    }
    for table in &found.declared {
        left_out.extend(table.left_out());
        make_again(source, &scratch, table)?;
    }
    for [_, _, sql] in missing_indexes(source, &scratch)? {
        source.execute_batch(&sql)?;
    }
    for [name, table, sql] in theirs {
        // One that cannot be made here would make every write to its table fail. Ours are made already.
        let is_ours = has(&scratch, &name)?;
        if is_ours || source.execute_batch(&sql).is_err() {
            left_out.push(LeftOut::new("index", &name, &table, &sql));
        }
    }
    source.execute_batch("COMMIT; PRAGMA legacy_alter_table = OFF")?;
    Ok(left_out)
}

fn remove(source: &Connection, object: &LeftOut) -> Result<()> {
    if object.kind != "table" {
        return Ok(source.execute_batch(&format!("DROP {} {}", object.kind, quote(&object.name)))?);
    }
    // The module of a virtual table may not be there, and would take the tables with it that hold its rows.
    source.execute_batch("PRAGMA writable_schema = ON")?;
    execute(source, "DELETE FROM sqlite_schema WHERE name = ? AND rootpage = 0", &[&object.name])?;
    Ok(source.execute_batch("PRAGMA writable_schema = RESET")?)
}

fn has(connection: &Connection, name: &str) -> Result<bool> {
    Ok(!texts(connection, "SELECT name FROM sqlite_schema WHERE name = ?", &[&name])?.is_empty())
}

fn indexes(connection: &Connection) -> Result<Vec<Index>> {
    let sql = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND sql NOT NULL ORDER BY rowid";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The indexes on tables of ours that are not declared as ours are.
fn foreign_indexes(source: &Connection, scratch: &Connection) -> Result<Vec<Index>> {
    let ours = indexes(scratch)?;
    let tables = texts(scratch, "SELECT name FROM sqlite_schema WHERE type = 'table'", &[])?;
    let mut found = indexes(source)?;
    found.retain(|index| !ours.contains(index) && tables.iter().any(|table| table.eq_ignore_ascii_case(&index[1])));
    Ok(found)
}

/// The indexes of ours that are not there and whose tables are.
fn missing_indexes(source: &Connection, scratch: &Connection) -> Result<Vec<Index>> {
    let mut ours = indexes(scratch)?;
    let there = texts(source, "SELECT name FROM sqlite_schema", &[])?;
    ours.retain(|[name, table, _]| !there.contains(name) && there.contains(table));
    Ok(ours)
}

/// Puts a table of our own making in the place of one of ours that is declared in other words.
fn make_again(source: &Connection, scratch: &Connection, declared: &Declared) -> Result<()> {
    let Declared { name, ours, theirs, .. } = declared;
    let marks: Vec<i64> = match has(source, "sqlite_sequence")? {
        true => source
            .prepare("SELECT seq FROM sqlite_sequence WHERE name = ?")?
            .query_map([name], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?,
        false => Vec::new(),
    };
    source.execute_batch(&format!("ALTER TABLE {} RENAME TO {ASIDE}", quote(name)))?;
    let sql = with_autoincrement(ours, theirs);
    source.execute_batch(&sql)?;
    let (Some(old), Some(new)) = (Shape::of(source, ASIDE)?, Shape::of(source, name)?) else {
        return Err(Error::new(ErrorCode::Internal, "A table is not there that was just made."));
    };
    let columns: Vec<String> =
        new.columns.iter().filter(|column| !column.generated).map(|column| column.name.clone()).collect();
    let key = columns.iter().position(|column| new.is_key(column));
    let rowids = old.rowid.zip(new.rowid).filter(|_| key.is_none());
    let copy = RowCopy { from: source, source: ASIDE, to: source, target: name, columns: &columns, key, rowids };
    copy.run()?;
    source.execute_batch(&format!("DROP TABLE {ASIDE}"))?;
    // It counts up from the largest id that was ever given, which may be of no row now.
    for mark in marks.iter().filter(|_| is_autoincrement(&sql)) {
        execute(source, "DELETE FROM sqlite_sequence WHERE name = ?", &[name])?;
        execute(source, "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", &[name, mark])?;
    }
    // What acts in our tables went with the old one.
    for sql in texts(scratch, "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", &[name])? {
        source.execute_batch(&sql)?;
    }
    Ok(())
}

/// Our SQL of a table, which gives no id twice if theirs does not: ids that were given and are free again are known to others.
fn with_autoincrement(ours: &str, theirs: &str) -> String {
    if is_autoincrement(theirs) {
        ours.replace("PRIMARY KEY (id)", "PRIMARY KEY (id AUTOINCREMENT)")
    } else {
        ours.to_owned()
    }
}

fn is_autoincrement(sql: &str) -> bool {
    tokens(sql).iter().any(|token| token.is_word("AUTOINCREMENT"))
}

/// Whether a table's SQL declares what another's does not, and rows or writes depend on.
pub(crate) fn is_more_than(theirs: &str, ours: &str) -> bool {
    let mut ours = features(ours);
    features(theirs).into_iter().any(|feature| {
        let place = ours.iter().position(|other| *other == feature);
        place.map(|place| ours.swap_remove(place)).is_none()
    })
}

fn features(sql: &str) -> Vec<String> {
    const WORDS: [&str; 10] =
        ["check", "collate", "unique", "conflict", "generated", "as", "references", "strict", "without", "desc"];
    let mut words = tokens(sql).into_iter().filter(|token| token.kind != TokenKind::Comment);
    let mut features = Vec::new();
    while let Some(token) = words.next() {
        let word = token.text.to_ascii_lowercase();
        if token.is_word("default") {
            // '0' and 0 are the same in a column of numbers.
            features.extend(words.next().map(|value| format!("default {}", value.text.trim_matches('\''))));
        } else if token.kind == TokenKind::Word && WORDS.contains(&word.as_str()) {
            features.push(word);
        }
    }
    features
}
