//! Compares `migrations/README.md` with the migrations.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use support::in_memory;
use synth_memory::migrate::Graph;

/// The rows of the table under a heading, cell by cell, without the code marks.
fn table(heading: &str) -> Vec<Vec<String>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let section = text.split(&format!("## {heading}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()).collect()
}

fn ask(sql: &str) -> Vec<Vec<String>> {
    let memory = in_memory();
    memory.keep_answers("a client", 0, 1, "[]").unwrap();
    let mut statement = memory.db().connection().prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

fn without_since(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let mut rows: Vec<_> = rows.into_iter().map(|mut row| (row.pop(), row).1).collect();
    rows.sort();
    rows
}

#[test]
fn every_table_is_there_with_its_columns() {
    let sql = "SELECT t.name, (SELECT group_concat(name, ', ') FROM pragma_table_info(t.name))
               FROM pragma_table_list AS t
               WHERE t.schema = 'main' AND t.type <> 'shadow' AND t.name <> 'alembic_version' AND t.name NOT LIKE 'sqlite%'
               ORDER BY 1";
    assert_eq!(without_since(table("Tables")), ask(sql));
}

#[test]
fn every_index_is_there_with_its_columns() {
    let sql = "SELECT i.name, tbl_name || ' (' || coalesce(
                   (SELECT group_concat(name, ', ') FROM pragma_index_info(i.name) HAVING count(*) = count(name)),
                   -- An expression has no name.
                   substr(sql, instr(sql, '(') + 1, length(sql) - instr(sql, '(') - 1)) || ')'
               FROM sqlite_schema AS i WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1";
    assert_eq!(without_since(table("Indexes")), ask(sql));
}

#[test]
fn the_history_is_the_graphs() {
    let graph = Graph::bundled();
    let history = graph.revisions().iter().map(|revision| {
        let revises = revision.revises.join(", ");
        vec![revision.id.clone(), revises, revision.create_date.clone(), revision.title.clone()]
    });
    assert_eq!(table("History"), history.collect::<Vec<_>>());
}
