//! Writes the statements that take one schema to another.
//!
//! Each statement is run in a scratch database as soon as it is written. So the next statement is written for the
//! schema that really exists there, and at the end the scratch schema shows whether the script is right.

use rusqlite::Connection;

use super::fill::Filler;
use super::reflect::{Object, ObjectKind, Part, Parts, Schema, tokens};
use super::renames::Renames;
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::{MigrationDirection, batch};

/// A script, and the schema after its renames.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) renamed: Schema,
}

/// Writes the script that leads from one schema to the schema of `target`.
///
/// Most changes need only their own statements. If a trigger or a view prevents one, the script first drops all
/// triggers and views, and creates them again at the end.
pub(super) fn write(
    from: &Schema,
    target: &Connection,
    to: &Schema,
    renames: &Renames,
    direction: MigrationDirection,
) -> Result<Written> {
    let attempt = |clear: bool| -> Result<Written> {
        let mut script =
            Script { scratch: scratch(from)?, target, to, text: String::new(), direction, rebuilt: Vec::new() };
        let mut renamed = script.write(renames, clear)?;
        if clear {
            let cleared = from.of(ObjectKind::View).chain(from.of(ObjectKind::Trigger));
            renamed.objects.extend(cleared.cloned());
        }
        if !Schema::read(&script.scratch)?.equals(to) {
            return Err(Error::new(
                ErrorCode::MigrationFailed,
                "The written script does not lead to the other schema.",
            ));
        }
        Ok(Written { text: script.text, renamed })
    };
    attempt(false).or_else(|_| attempt(true)).map_err(|error| {
        let message = format!("No script leads from one schema to the other: {}.", error.reason());
        error.recast(ErrorCode::MigrationFailed, message).with_hint("Write the revision by hand. Nothing was written.")
    })
}

/// An empty database with this schema.
fn scratch(schema: &Schema) -> Result<Connection> {
    let scratch = Connection::open_in_memory()?;
    scratch.execute_batch("PRAGMA foreign_keys = OFF")?;
    for object in ORDER.iter().flat_map(|&kind| schema.of(kind)) {
        scratch.execute_batch(&object.sql)?;
    }
    // A migration runs in a transaction.
    scratch.execute_batch("BEGIN")?;
    Ok(scratch)
}

/// The order in which objects are created.
const ORDER: [ObjectKind; 5] =
    [ObjectKind::Table, ObjectKind::Virtual, ObjectKind::Index, ObjectKind::View, ObjectKind::Trigger];

struct Script<'t> {
    scratch: Connection,
    target: &'t Connection,
    to: &'t Schema,
    text: String,
    direction: MigrationDirection,
    /// The tables that were rebuilt, whose values may have changed.
    rebuilt: Vec<String>,
}

impl Script<'_> {
    /// Runs statements in the scratch database and adds them to the script.
    fn run(&mut self, statements: &str) -> Result<()> {
        batch::execute(&self.scratch, statements, &mut |_, _| {})?;
        self.text.push_str(statements);
        self.text.push('\n');
        Ok(())
    }

    fn comment(&mut self, words: &str) {
        self.text.push_str("-- ");
        self.text.push_str(words);
        self.text.push('\n');
    }

    fn write(&mut self, renames: &Renames, clear: bool) -> Result<Schema> {
        if clear {
            let now = Schema::read(&self.scratch)?;
            for object in [ObjectKind::Trigger, ObjectKind::View].iter().flat_map(|&kind| now.of(kind)) {
                self.drop(object)?;
            }
        }
        let mut now = Schema::read(&self.scratch)?;
        for statement in renames.statements(&now, self.to) {
            self.run(&statement)?;
        }
        now = Schema::read(&self.scratch)?;
        let renamed = now.clone();
        // Before any index is dropped, because the unique indexes say which values must differ.
        let mut changed = Vec::new();
        for before in now.of(ObjectKind::Table) {
            if let Some(after) = self.to.same(before).filter(|after| !after.equals(before)) {
                let filler = Filler::new(&self.scratch, self.target, before, after, &now.parts(before))?;
                changed.push((before, after, filler));
            }
        }
        for object in [ObjectKind::Trigger, ObjectKind::View, ObjectKind::Index].iter().flat_map(|&kind| now.of(kind)) {
            let stays = self.to.same(object).is_some_and(|found| found.equals(object));
            let falls_with_its_table = object.kind != ObjectKind::View && self.is_doomed(&now, &object.owner);
            if !stays && !falls_with_its_table {
                self.drop(object)?;
            }
        }
        for object in now.of(ObjectKind::Virtual).chain(now.of(ObjectKind::Table)) {
            if self.to.same(object).is_none() {
                self.drop(object)?;
            }
        }
        for (before, after, filler) in &changed {
            self.change(&now, before, after, filler)?;
        }
        for object in now.of(ObjectKind::Virtual) {
            if let Some(after) = self.to.same(object).filter(|after| !after.equals(object)) {
                self.change_virtual(&now, object, after)?;
            }
        }
        self.create_what_lacks()?;
        self.index_again(&now)?;
        Ok(renamed)
    }

    /// Whether the table or view is dropped before others are changed, with its indexes and triggers.
    fn is_doomed(&self, now: &Schema, owner: &str) -> bool {
        match (now.get(ObjectKind::Table, owner), self.to.get(ObjectKind::Table, owner)) {
            (Some(before), Some(after)) if before.kind == ObjectKind::View => !before.equals(after),
            (Some(before), Some(after)) => before.kind != after.kind,
            _ => true,
        }
    }

    fn drop(&mut self, object: &Object) -> Result<()> {
        // It may already be gone: dropping a view drops its triggers too.
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type = ?1 AND name = ?2";
        let kind = object.kind.word().to_ascii_lowercase();
        match self.scratch.query_row(sql, [&kind, &object.name], |row| row.get(0))? {
            0 => Ok(()),
            _ => self.run(&format!("DROP {} {};", object.kind.word(), object.written)),
        }
    }

    fn create_what_lacks(&mut self) -> Result<()> {
        let to = self.to;
        for after in ORDER.iter().flat_map(|&kind| to.of(kind)) {
            if Schema::read(&self.scratch)?.same(after).is_some() {
                continue;
            }
            // Only on the way down, a table that is created held rows before.
            if after.kind == ObjectKind::Table && self.direction == MigrationDirection::Down {
                let missed = to.of(ObjectKind::Table).any(|table| table.refers_to(&after.name));
                let missed = if missed { ", and this fails if others refer to them" } else { "" };
                self.comment(&format!("The rows of {} cannot come back{missed}.", after.written));
            }
            self.run(&after.statement())?;
            if after.kind == ObjectKind::Virtual {
                self.fill_virtual(after)?;
            }
        }
        Ok(())
    }

    /// Changes a table in place if SQLite can do that without loss; otherwise rebuilds it.
    fn change(&mut self, now: &Schema, before: &Object, after: &Object, filler: &Filler) -> Result<()> {
        let (old, new) = (now.parts(before), self.to.parts(after));
        let lost = new.columns.iter().filter(|column| column.holds() && old.column(&column.name).is_none());
        for column in lost.filter(|_| self.direction == MigrationDirection::Down).collect::<Vec<_>>() {
            self.comment(&format!("The values of {}.{} cannot come back.", after.written, column.written));
        }
        if let Some(statements) = in_place(after, &old, &new, filler)
            && self.try_in_place(&statements, after)?
        {
            for statement in statements {
                self.text.push_str(&statement);
                self.text.push('\n');
            }
            return Ok(());
        }
        let mut columns = String::new();
        for column in &new.columns {
            let (name, old) = (format!("{}.{}", after.written, column.written), old.column(&column.name));
            for remark in old.map(|old| filler.remarks(&name, column, old, self.direction)).unwrap_or_default() {
                self.comment(&remark);
            }
            let Some(fill) = filler.fill(column, old) else { continue };
            columns.push_str(&format!("-- column: {} = {}\n", column.written, fill.expression));
            if fill.is_made_up {
                self.comment(&format!("{name} must not be NULL: decide what it should be."));
            }
        }
        self.rebuilt.push(after.name.clone());
        self.run(&format!("-- batch: {}\n{columns}{}", after.written, after.statement()))
    }

    /// Whether the statements work and make the table what it should be. Otherwise, they are undone.
    fn try_in_place(&mut self, statements: &[String], after: &Object) -> Result<bool> {
        self.scratch.execute_batch("SAVEPOINT attempt")?;
        let succeeds = statements.iter().all(|statement| self.scratch.execute_batch(statement).is_ok())
            && Schema::read(&self.scratch)?.same(after).is_some_and(|found| found.equals(after));
        self.scratch.execute_batch(if succeeds {
            "RELEASE attempt"
        } else {
            "ROLLBACK TO attempt; RELEASE attempt"
        })?;
        Ok(succeeds)
    }

    fn fill_virtual(&mut self, table: &Object) -> Result<()> {
        match Content::of(&self.to.parts(table), table) {
            Content::External(_) => self.index(table),
            Content::Own => {
                self.comment(&format!("{} is empty at first: insert the rows that it should have.", table.written));
                Ok(())
            }
            Content::Unknown => Ok(()),
        }
    }

    fn index(&mut self, table: &Object) -> Result<()> {
        self.run(&format!("INSERT INTO {0} ({0}) VALUES ('rebuild');", table.written))
    }

    /// Rebuilds the full-text indexes that are kept but whose table was rebuilt, because they no longer match its
    /// values.
    fn index_again(&mut self, now: &Schema) -> Result<()> {
        let to = self.to;
        for table in to.of(ObjectKind::Virtual).filter(|table| now.same(table).is_some_and(|old| old.equals(table))) {
            if let Content::External(content) = Content::of(&to.parts(table), table)
                && self.rebuilt.iter().any(|rebuilt| rebuilt.eq_ignore_ascii_case(&content))
            {
                self.index(table)?;
            }
        }
        Ok(())
    }

    /// Drops and creates a virtual table, because it cannot be altered. If it is an FTS5 table that keeps its own text,
    /// its rows are kept in another table meanwhile.
    fn change_virtual(&mut self, now: &Schema, before: &Object, after: &Object) -> Result<()> {
        let (old, new) = (now.parts(before), self.to.parts(after));
        if (Content::of(&old, before), Content::of(&new, after)) != (Content::Own, Content::Own) {
            // It is created later with everything else that is missing, when the table that it indexes exists.
            return self.drop(before);
        }
        let waiting = (1..)
            .map(|number| format!("waiting_{number}"))
            .find(|name| now.get(ObjectKind::Table, name).is_none() && self.to.get(ObjectKind::Table, name).is_none())
            .unwrap_or_default();
        let shared: Vec<&str> = new
            .columns
            .iter()
            .filter(|column| !column.says("=") && old.column(&column.name).is_some())
            .map(|column| column.written.as_str())
            .collect();
        let columns: String = shared.iter().map(|column| format!(", {column}")).collect();
        let name = &after.written;
        self.run(&format!("CREATE TABLE {waiting} AS SELECT rowid{columns} FROM {};", before.written))?;
        self.drop(before)?;
        self.run(&after.statement())?;
        self.run(&format!("INSERT INTO {name} (rowid{columns}) SELECT * FROM {waiting};"))?;
        self.run(&format!("DROP TABLE {waiting};"))
    }
}

/// Where a virtual table's text is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    /// In another table.
    External(String),
    /// In itself.
    Own,
    /// Nowhere, or this is not FTS5.
    Unknown,
}

impl Content {
    fn of(parts: &Parts, table: &Object) -> Self {
        if !table.words.iter().any(|word| word == "fts5") {
            return Self::Unknown;
        }
        let Some(content) = parts.columns.iter().find(|part| part.is_called("content") && part.says("=")) else {
            return Self::Own;
        };
        let name = tokens(&content.definition).get(1).and_then(|word| word.name()).unwrap_or_default().into_owned();
        if name.is_empty() { Self::Unknown } else { Self::External(name) }
    }
}

/// The statements that change a table in place, if it only loses columns and gains columns at its end that need no
/// value.
fn in_place(after: &Object, old: &Parts, new: &Parts, filler: &Filler) -> Option<Vec<String>> {
    let kept: Vec<&Part> = old.columns.iter().filter(|column| new.column(&column.name).is_some()).collect();
    let same = |old: &Part, new: &Part| old.is_called(&new.name) && old.words == new.words;
    if kept.is_empty()
        || kept.len() > new.columns.len()
        || !kept.iter().zip(&new.columns).all(|(old, new)| same(old, new))
    {
        return None;
    }
    let added = &new.columns[kept.len()..];
    if !added.iter().all(|column| filler.can_be_added(column)) {
        return None;
    }
    let name = &after.written;
    let adds = added.iter().map(|column| format!("ALTER TABLE {name} ADD COLUMN {};", column.text));
    let removed = old.columns.iter().filter(|column| new.column(&column.name).is_none());
    let drops = removed.map(|column| format!("ALTER TABLE {name} DROP COLUMN {};", column.written));
    Some(adds.chain(drops).collect())
}
