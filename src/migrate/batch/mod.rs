//! Move and copy: rebuilds a table to change what SQLite's ALTER TABLE cannot change.
//!
//! The author writes the table's new CREATE TABLE, and the sources of values that move:
//!
//! ```sql
//! -- batch: episodes
//! -- column: mood = valence * 2
//! CREATE TABLE episodes (id INTEGER PRIMARY KEY, mood REAL NOT NULL);
//! ```
//!
//! The old table is set aside under another name, that statement creates the new one, the rows are copied, and the old
//! table is dropped. Alembic instead creates the new table under another name and then renames it. That makes SQLite
//! write the name in quotes, and look in every view and trigger for the table, which does not exist at that moment. If
//! the new table has its own name from the start, a CHECK can also name the table.
//!
//! Nothing else that belongs to the table is lost: indexes and triggers are created again with their own statements,
//! and the rowids and the AUTOINCREMENT high-water mark are kept. Only what the statement leaves out goes: a column,
//! and every index that names it, also a UNIQUE index over several columns, which has no meaning without the column. A
//! trigger or view that names a dropped column is an error.

mod block;
mod copy;
mod dependents;
pub(crate) mod shape;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use block::{Block, column, invalid};
use dependents::Saved;
use shape::Shape;

use super::sql::{quote, split};
use super::tried::{HINT, broken, first_new};
use crate::db::{ask, has_table, still_inside};
use crate::error::{Error, ErrorCode, Result};

/// Receives the number of rows of a table that were copied, and the number of its rows.
pub type RowProgress<'a> = dyn FnMut(u64, u64) + 'a;

/// The name of a run's transaction in errors.
pub(super) const MIGRATION: &str = "the migration";

/// Runs the statements of a migration; a `-- batch:` block rebuilds its table.
///
/// Call it inside a transaction, with foreign keys off. On any error, the caller must roll back that transaction.
///
/// # Errors
///
/// `invalid_migration` for an invalid block, SQLite's own errors for a statement that fails.
pub fn execute(connection: &Connection, script: &str, progress: &mut RowProgress<'_>) -> Result<()> {
    // All blocks are parsed before the first statement runs, so an invalid block changes nothing.
    let blocks = split(script).into_iter().map(|statement| Ok((statement, block::parse(statement)?)));
    let inside = !connection.is_autocommit();
    for (statement, block) in blocks.collect::<Result<Vec<_>>>()? {
        if inside {
            still_inside(connection, MIGRATION)?;
        }
        match block {
            None => connection.execute_batch(statement)?,
            Some(block) => rebuild(connection, &block, progress)?,
        }
    }
    Ok(())
}

/// Whether a script has a `-- batch:` block.
///
/// # Errors
///
/// `invalid_migration` for an invalid block.
pub(crate) fn is_in(script: &str) -> Result<bool> {
    for statement in split(script) {
        if block::parse(statement)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn rebuild(connection: &Connection, block: &Block<'_>, progress: &mut RowProgress<'_>) -> Result<()> {
    // With foreign keys on, the DROP TABLE below deletes the rows of every cascading reference.
    if connection.is_autocommit() || ask(connection, "PRAGMA foreign_keys")? {
        return Err(Error::new(ErrorCode::Internal, "A batch needs an open transaction, and foreign keys off."));
    }
    let old = Shape::of(connection, &block.table)?.ok_or_else(|| missing(connection, &block.table))?;
    let new = new_shape(block)?;
    let name = quote(&old.name);
    let total = ask::<i64>(connection, &format!("SELECT count(*) FROM main.{name}"))? as u64;
    let plan = plan_columns(&old, &new, block, total)?;
    check_expressions(connection, &name, block)?;

    let broken_before = broken(connection)?;
    still_inside(connection, MIGRATION)?;
    drop_leftover(connection, &old)?;
    for (from, to) in &plan.renamed {
        rename_column(connection, &name, from, to)?;
    }
    let mut saved = Saved::of(connection, &old.name)?;
    // The columns to drop are renamed to names that occur nowhere else. SQLite then writes these names wherever it
    // refers to the columns, which shows what depends on them. Searching the SQL text could not tell which word is the
    // column.
    let mark = unused(connection, "_synth_dropped")?;
    for (at, dropped) in plan.dropped.iter().enumerate() {
        let mark = format!("{mark}_{at}_");
        rename_column(connection, &name, dropped, &mark)?;
        saved.forget(connection, &old.name, dropped, &mark)?;
    }
    let high_water = high_water(connection, &[&old.name])?;

    let aside = unused(connection, &format!("_synth_tmp_{}", old.name))?;
    set_aside(connection, &old.name, &aside, total)?;
    connection.execute_batch(block.create)?;
    let current = |name: &str| {
        let dropped = plan.dropped.iter().position(|dropped| dropped == name);
        let renamed = plan.renamed.iter().find(|(from, _)| from == name);
        dropped.map(|at| format!("{mark}_{at}_")).or_else(|| renamed.map(|(_, to)| to.clone()))
    };
    let source = copy::Source { shape: &old, table: &aside, current: &current, total };
    copy::rows(connection, &source, &new, &plan.values, progress)?;
    connection.execute_batch(&format!("DROP TABLE main.{}", quote(&aside)))?;

    if let Some(mark) = high_water {
        keep_high_water(connection, &[&old.name, &new.name, &aside], mark)?;
    }
    saved.restore(connection)?;
    let broken = broken(connection)?;
    still_inside(connection, MIGRATION)?;
    match first_new(&broken, &broken_before) {
        None => Ok(()),
        Some(one) => Err(invalid(format!("After the batch of {}, {}.", old.name, one.said())).with_hint(HINT)),
    }
}

fn missing(connection: &Connection, table: &str) -> Error {
    let error = invalid(format!("There is no table {table} to rebuild."));
    match Shape::of(connection, &leftover(table)) {
        Ok(Some(shape)) => error.with_hint(format!("Alembic left its rows in {}; rename it back first.", shape.name)),
        _ => error,
    }
}

/// The shape of the table that the block describes. The table is created in an empty database in memory, so that an
/// invalid statement changes nothing.
fn new_shape(block: &Block<'_>) -> Result<Shape> {
    let scratch = Connection::open_in_memory()?;
    scratch.execute_batch(block.create)?;
    Shape::of(&scratch, &block.table)?.ok_or_else(|| invalid(format!("The batch of {} makes no table.", block.table)))
}

/// What happens to each column of the table.
struct ColumnPlan {
    /// The columns to fill, each with its expression over the old row.
    values: Vec<(String, String)>,
    /// Old and new names of the same column.
    renamed: Vec<(String, String)>,
    dropped: Vec<String>,
}

fn plan_columns(old: &Shape, new: &Shape, block: &Block<'_>, total: u64) -> Result<ColumnPlan> {
    let table = &old.name;
    let mut plan = ColumnPlan { values: Vec::new(), renamed: Vec::new(), dropped: Vec::new() };
    for (target, expression) in &block.columns {
        match new.column(target) {
            None => return Err(invalid(format!("The new table {table} has no column {target}."))),
            Some(column) if column.generated => {
                return Err(invalid(format!("The column {target} of {table} is generated; it takes no value.")));
            }
            Some(_) => {}
        }
        let source = column(expression).and_then(|name| old.column(&name));
        if let Some(source) = source.filter(|source| new.column(&source.name).is_none() && old.column(target).is_none())
            && plan.renamed.iter().all(|(from, _)| *from != source.name)
        {
            plan.renamed.push((source.name.clone(), target.clone()));
        }
    }
    for column in new.columns.iter().filter(|column| !column.generated) {
        let name = &column.name;
        let line = block.columns.iter().find(|(target, _)| target.eq_ignore_ascii_case(name));
        // The parentheses keep the expression together, and the line break ends a comment in it.
        match (line, old.column(name)) {
            (Some((_, expression)), _) => plan.values.push((name.clone(), format!("({expression}\n)"))),
            (None, Some(same)) => plan.values.push((name.clone(), quote(&same.name))),
            (None, None) if column.demands && !new.is_key(name) && total > 0 => {
                let message = format!("The new column {name} of {table} is NOT NULL, but the table has rows.");
                return Err(
                    invalid(message).with_hint("Give it a DEFAULT, or a line \"-- column: name = expression\".")
                );
            }
            (None, None) => {}
        }
    }
    let gone = |name: &str| new.column(name).is_none() && plan.renamed.iter().all(|(from, _)| from != name);
    plan.dropped = old.columns.iter().map(|column| column.name.clone()).filter(|name| gone(name)).collect();
    Ok(plan)
}

/// Lets SQLite compile each expression over the old table. A name in double quotes that is not a column is an error
/// here; SQLite would otherwise read it as a text.
fn check_expressions(connection: &Connection, table: &str, block: &Block<'_>) -> Result<()> {
    let text = DbConfig::SQLITE_DBCONFIG_DQS_DML;
    let before = connection.db_config(text)?;
    connection.set_db_config(text, false)?;
    let wrong = block.columns.iter().find_map(|(column, expression)| {
        let error = connection.prepare(&format!("SELECT ({expression}\n) FROM main.{table}")).err()?;
        Some(invalid(format!("The expression of column {column} does not work: {}.", Error::from(error).reason())))
    });
    connection.set_db_config(text, before)?;
    wrong.map_or(Ok(()), Err)
}

/// A name that begins with `stem` and occurs nowhere in the schema.
fn unused(connection: &Connection, stem: &str) -> Result<String> {
    let mut name = stem.to_owned();
    let sql = "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema \
               WHERE instr(lower(name), lower(?1)) OR instr(lower(sql), lower(?1)))";
    while connection.query_row(sql, [&name], |row| row.get(0))? {
        name.push('_');
    }
    Ok(name)
}

fn rename_column(connection: &Connection, table: &str, from: &str, to: &str) -> Result<()> {
    let sql = format!("ALTER TABLE main.{table} RENAME COLUMN {} TO {}", quote(from), quote(to));
    with_legacy_alter_table(connection, false, || Ok(connection.execute_batch(&sql)?))
}

/// Runs `alter` with `legacy_alter_table` on or off. If it is on, ALTER TABLE does not change the views, triggers and
/// references that name the table.
fn with_legacy_alter_table(connection: &Connection, on: bool, alter: impl Fn() -> Result<()>) -> Result<()> {
    let set = |on: bool| connection.execute_batch(&format!("PRAGMA legacy_alter_table = {}", i32::from(on)));
    let before = ask(connection, "PRAGMA legacy_alter_table")?;
    set(on)?;
    let result = alter();
    set(before)?;
    result
}

/// Renames the old table; views, triggers and references keep the old name.
fn set_aside(connection: &Connection, table: &str, aside: &str, total: u64) -> Result<()> {
    let sql = format!("ALTER TABLE main.{} RENAME TO {}", quote(table), quote(aside));
    let renamed = with_legacy_alter_table(connection, true, || Ok(connection.execute_batch(&sql)?));
    let Err(error) = renamed else { return Ok(()) };
    still_inside(connection, MIGRATION)?;
    // A CHECK that names its own table prevents that rename. In an empty database, where nothing else names the table,
    // the rename works, so the renamed table's SQL is taken from there.
    let scratch = Connection::open_in_memory()?;
    let old = Shape::of(connection, table)?;
    let apart = old.as_ref().and_then(|old| scratch.execute_batch(&format!("{}; {sql}", old.sql)).ok());
    let (Some(old), Some(()), Some(new)) = (old, apart, Shape::of(&scratch, aside)?) else { return Err(error) };
    connection.execute_batch(&new.sql)?;
    let source = copy::Source { shape: &old, table: &old.name, current: &|_| None, total };
    let columns = new.columns.iter().filter(|column| !column.generated);
    let same: Vec<_> = columns.map(|column| (column.name.clone(), quote(&column.name))).collect();
    copy::rows(connection, &source, &new, &same, &mut |_, _| {})?;
    Ok(connection.execute_batch(&format!("DROP TABLE main.{}", quote(table)))?)
}

fn leftover(table: &str) -> String {
    format!("_alembic_tmp_{table}")
}

/// Drops the table that a failed run of Alembic left behind, if all its rows are in `table` too. Otherwise it stays: it
/// does no harm, and may be the only copy of its rows.
fn drop_leftover(connection: &Connection, table: &Shape) -> Result<()> {
    let Some(leftover) = Shape::of(connection, &leftover(&table.name))? else { return Ok(()) };
    let shared = |name: &&str| table.column(name).is_some();
    let shared: Vec<_> = leftover.columns.iter().map(|column| column.name.as_str()).filter(shared).collect();
    if shared.is_empty() {
        return Ok(());
    }
    let exact: Vec<_> = shared.iter().map(|name| format!("{} COLLATE BINARY", quote(name))).collect();
    let (left, table, exact) = (quote(&leftover.name), quote(&table.name), exact.join(", "));
    let sql = format!(
        "SELECT (SELECT count(*) FROM main.{left}) > (SELECT count(*) FROM main.{table}) \
         OR EXISTS (SELECT {exact} FROM main.{left} EXCEPT SELECT {exact} FROM main.{table})"
    );
    if ask(connection, &sql)? {
        return Ok(());
    }
    Ok(connection.execute_batch(&format!("DROP TABLE main.{left}"))?)
}

/// The highest id that AUTOINCREMENT has used in any table of these names. It is kept for a table that is no longer
/// AUTOINCREMENT, so that a downgrade finds it again.
fn high_water(connection: &Connection, tables: &[&str]) -> Result<Option<i64>> {
    if !has_table(connection, "sqlite_sequence")? {
        return Ok(None);
    }
    let mut statement = connection
        .prepare("SELECT max(CAST(seq AS INTEGER)) FROM main.sqlite_sequence WHERE name = ? COLLATE NOCASE")?;
    let found = tables.iter().map(|table| statement.query_row([table], |row| row.get(0)));
    Ok(found.collect::<rusqlite::Result<Vec<Option<i64>>>>()?.into_iter().flatten().max())
}

/// Stores the high-water mark under the second of these names, and deletes it from the others.
fn keep_high_water(connection: &Connection, names: &[&str; 3], mark: i64) -> Result<()> {
    let mark = high_water(connection, names)?.map_or(mark, |now| now.max(mark));
    for name in names {
        connection.execute("DELETE FROM main.sqlite_sequence WHERE name = ? COLLATE NOCASE", [name])?;
    }
    connection.execute("INSERT INTO main.sqlite_sequence (name, seq) VALUES (?, ?)", (names[1], mark))?;
    Ok(())
}
