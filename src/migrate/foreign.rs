//! Leaves out what other programs put into a file and a memory does not accept, and reports it.

use rusqlite::Connection;
use serde::Serialize;
use tsify::Tsify;

use super::Graph;
use super::batch::shape::Shape;
use super::schema::{self, Declared, Differences};
use super::sql::{TokenKind, quote, tokens};
use crate::db::{RowCopy, execute, rows_of_texts, run, texts};
use crate::error::Result;

/// Something that an imported file declared and the memory does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct LeftOut {
    /// `trigger`, `view`, `index` or `table`. `table` is a virtual table, whose rows stay in its own underlying tables,
    /// or the declaration of one of the memory's tables, whose rows are kept.
    #[serde(rename = "type")]
    #[tsify(type = "\"trigger\" | \"view\" | \"index\" | \"table\"")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The table that it belongs to; for a table or a view, its own name.
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

/// Removes foreign triggers, views and virtual tables from a database. Tables of ours that are declared in other words
/// are created again from our own SQL, and their rows are copied one by one. Then the foreign indexes on our tables are
/// created again.
///
/// # Errors
///
/// `unexpected_value` for a row that does not fit, naming its table and its id.
pub(crate) fn settle(source: &Connection, graph: &Graph, heads: &[String], found: Differences) -> Result<Vec<LeftOut>> {
    const INDEXES: &str =
        "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND sql NOT NULL ORDER BY rowid";
    let scratch = schema::at(graph, heads)?;
    let mut left_out = found.acting;
    // With legacy_alter_table, a rename does not change the names in other tables' foreign keys.
    run(source, "PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; BEGIN")?;
    // Triggers come first, because dropping a view also drops its triggers.
    for LeftOut { kind, name, .. } in &left_out {
        if kind != "table" {
            run(source, &format!("DROP {kind} {}", quote(name)))?;
            continue;
        }
        // DROP TABLE would need the virtual table's module, which may be missing, and would also drop the tables that
        // hold its rows.
        run(source, "PRAGMA writable_schema = ON")?;
        execute(source, "DELETE FROM sqlite_schema WHERE name = ? AND rootpage = 0", &[name])?;
        run(source, "PRAGMA writable_schema = RESET")?;
    }
    let ours = rows_of_texts(&scratch, INDEXES)?;
    let mut theirs = rows_of_texts(source, INDEXES)?;
    let tables = texts(&scratch, "SELECT name FROM sqlite_schema WHERE type = 'table'", &[])?;
    theirs.retain(|index| !ours.contains(index) && tables.iter().any(|table| table.eq_ignore_ascii_case(&index[1])));
    for index in &theirs {
        run(source, &format!("DROP INDEX {}", quote(&index[0])))?;
    }
    for table in &found.declared {
        left_out.extend(table.left_out());
        make_again(source, &scratch, table)?;
    }
    for index in &ours {
        if !has(source, &index[0])? && has(source, &index[1])? {
            run(source, &index[2])?;
        }
    }
    for index in theirs {
        // An index that cannot be created here would make every write to its table fail. Our indexes exist already.
        let is_ours = ours.iter().any(|other| other[0] == index[0]);
        if is_ours || source.execute(&index[2], []).is_err() {
            left_out.push(LeftOut::new("index", &index[0], &index[1], &index[2]));
        }
    }
    run(source, "COMMIT; PRAGMA legacy_alter_table = OFF")?;
    Ok(left_out)
}

fn has(connection: &Connection, name: &str) -> Result<bool> {
    Ok(!texts(connection, "SELECT name FROM sqlite_schema WHERE name = ?", &[&name])?.is_empty())
}

/// Replaces a table of ours that is declared in other words with one that our own SQL creates.
fn make_again(source: &Connection, scratch: &Connection, declared: &Declared) -> Result<()> {
    let Declared { name, ours, theirs, .. } = declared;
    // A table that never reuses ids keeps that property, because deleted ids may be known elsewhere. SQLite counts up
    // from the largest id ever used.
    let keeps_mark = is_autoincrement(theirs);
    let (mut sql, mut mark) = (ours.clone(), Vec::new());
    if keeps_mark {
        let with_mark = "SELECT replace(?, 'PRIMARY KEY (id)', 'PRIMARY KEY (id AUTOINCREMENT)')";
        sql = texts(source, with_mark, &[ours])?.concat();
        mark = texts(source, "SELECT CAST(seq AS TEXT) FROM sqlite_sequence WHERE name = ?", &[name])?;
    }
    let mut aside = "synth_aside".to_owned();
    while has(source, &aside)? {
        aside.push('_');
    }
    run(source, &format!("ALTER TABLE {} RENAME TO {aside}", quote(name)))?;
    run(source, &sql)?;
    copy_rows(source, &aside, source, name)?;
    run(source, &format!("DROP TABLE {aside}"))?;
    if let Some(mark) = mark.pop().filter(|_| is_autoincrement(&sql)) {
        execute(source, "DELETE FROM sqlite_sequence WHERE name = ?", &[name])?;
        execute(source, "INSERT INTO sqlite_sequence (name, seq) VALUES (?, CAST(? AS INTEGER))", &[name, &mark])?;
    }
    // The triggers of our revisions were dropped with the old table.
    for sql in texts(scratch, "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", &[name])? {
        run(source, &sql)?;
    }
    Ok(())
}

/// Copies the rows of a table into another one: the columns that the target stores, and the rowids.
///
/// # Errors
///
/// `unexpected_value` for a row that does not fit, naming the table and the row's id.
pub(crate) fn copy_rows(from: &Connection, source: &str, to: &Connection, target: &str) -> Result<()> {
    let (Some(old), Some(new)) = (Shape::of(from, source)?, Shape::of(to, target)?) else { return Ok(()) };
    let mut names = String::new();
    let mut places = String::new();
    let (mut count, mut key) = (0, None);
    for column in new.columns.iter().filter(|column| !column.generated) {
        if new.is_key(&column.name) {
            key = Some(count);
        }
        if count > 0 {
            names.push_str(", ");
            places.push_str(", ");
        }
        names.push_str(&quote(&column.name));
        places.push('?');
        count += 1;
    }
    let rowids = old.rowid.zip(new.rowid).filter(|_| key.is_none());
    let (mut selected, mut given) = (names.clone(), names);
    if let Some((theirs, ours)) = rowids {
        selected = format!("{selected}, {theirs}");
        given = format!("{given}, {ours}");
        places.push_str(", ?");
    }
    RowCopy {
        from,
        to,
        target,
        read: format!("SELECT {selected} FROM {} NOT INDEXED", quote(source)),
        insert: format!("INSERT INTO {} ({given}) VALUES ({places})", quote(target)),
        id: key.or(rowids.map(|_| count)),
    }
    .run()
}

fn is_autoincrement(sql: &str) -> bool {
    tokens(sql).iter().any(|token| token.is_word("AUTOINCREMENT"))
}

/// Whether `theirs` declares something that affects rows or writes and that `ours` does not declare.
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
            // '0' and 0 are the same in a numeric column.
            features.extend(words.next().map(|value| format!("default {}", value.text.trim_matches('\''))));
        } else if token.kind == TokenKind::Word && WORDS.contains(&word.as_str()) {
            features.push(word);
        }
    }
    features
}
