//! Writes migration files: new revisions, merges, and squashes of several revisions into one.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::autogenerate::{self, Renames, SchemaCheck};
use super::{Graph, Revision, bundled, history, schema, sql, tried};
use crate::error::{Error, ErrorCode, Result};

/// The properties of a new revision. The defaults are Alembic's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRevision {
    /// What it does, in one line.
    pub message: String,
    /// Its id; by default, twelve random hexadecimal digits.
    #[tsify(optional, type = "string | undefined")]
    pub id: Option<String>,
    /// The symbols of the revisions that it builds on: `head` by default, `base` for a new base.
    #[serde(default)]
    #[tsify(optional, type = "readonly string[] | undefined")]
    pub heads: Vec<String>,
    /// Whether it may build on a revision that is not a head, and so begin a branch; false by default.
    #[serde(default)]
    #[tsify(optional, type = "boolean | undefined")]
    pub splice: bool,
    /// The labels of the branch that it begins.
    #[serde(default)]
    #[tsify(optional, type = "readonly string[] | undefined")]
    pub branch_labels: Vec<String>,
    /// Revisions of other branches that must be applied before it.
    #[serde(default)]
    #[tsify(optional, type = "readonly string[] | undefined")]
    pub depends_on: Vec<String>,
    /// The upgrade script.
    #[serde(default)]
    #[tsify(optional, type = "string | undefined")]
    pub up: String,
    /// The downgrade script.
    #[serde(default)]
    #[tsify(optional, type = "string | undefined")]
    pub down: String,
}

/// A migration file, not yet written anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct MigrationFile {
    /// Its revision id.
    pub id: String,
    /// Its name: date, time, id and the first words of the message.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Writes a new revision: by default on top of the app's own revisions, the first of which begins a branch. A revision
/// that begins a branch depends on the package's newest revision, so that it can name the package's tables.
///
/// # Errors
///
/// `ambiguous_revision` if there are several heads and none is named; `not_a_head` if it builds on a revision that is
/// not a head and `splice` is false; `unknown_symbol`; `invalid_migration` if it does not fit the graph.
pub fn revision(graph: &Graph, new: &NewRevision, now: f64) -> Result<MigrationFile> {
    let mut parents = Vec::new();
    let default = ["head".to_owned()];
    let symbols = if new.heads.is_empty() { &default[..] } else { &new.heads };
    // The app's first revision has no head to build on.
    let begins = graph.revisions().iter().all(|revision| new.heads.is_empty() && graph.is_ours(&revision.id));
    for symbol in symbols.iter().filter(|symbol| !begins || *symbol != "head") {
        parents.extend(graph.resolve(symbol, &[])?);
    }
    for parent in &parents {
        if !new.splice && !graph.children(parent).is_empty() {
            let message = format!("Revision {parent} is not a head revision.");
            return Err(Error::new(ErrorCode::NotAHead, message));
        }
    }
    let mut new = new.clone();
    if parents.is_empty() && new.depends_on.is_empty() {
        new.depends_on.extend(graph.newest_of_ours().map(|ours| ours.id.clone()));
    }
    write(graph.revisions(), &new, &parents, &[], now)
}

/// Writes a revision that only merges several heads into one. The package's own head is merged only if it is named.
///
/// # Errors
///
/// As for [`revision()`]; `invalid_argument` if there are fewer than two revisions to merge.
pub fn merge(graph: &Graph, symbols: &[String], message: &str, id: Option<String>, now: f64) -> Result<MigrationFile> {
    let mut parents = Vec::new();
    let all = ["heads".to_owned()];
    for symbol in if symbols.is_empty() { &all[..] } else { symbols } {
        let mut found = graph.resolve(symbol, &[])?;
        found.retain(|id| symbol != "heads" || !graph.is_ours(id));
        for parent in found {
            if parents.contains(&parent) {
                return Err(Error::invalid_argument(format!("The revision {parent} is named twice.")));
            }
            parents.push(parent);
        }
    }
    if parents.len() < 2 {
        let hint =
            "If there is only one head, there is nothing to merge. The package's own head is merged only if named.";
        return Err(Error::invalid_argument("A merge needs two revisions or more.").with_hint(hint));
    }
    let message = if message.is_empty() { format!("Merge {}", parents.join(" and ")) } else { message.to_owned() };
    let new = NewRevision { message, id, ..NewRevision::default() };
    write(graph.revisions(), &new, &parents, &[], now)
}

/// Writes one revision that replaces a line of revisions, from the one after `from` to `to`. It keeps the id of `to`.
///
/// A file at `to` is unchanged, and a new file is created by the squashed script. A file at a revision between them can
/// no longer be upgraded. So squash a line only when every file is past it.
///
/// # Errors
///
/// `invalid_argument` if the revisions are not one line without branches, merges, dependencies and labels.
pub fn squash(graph: &Graph, from: &str, to: &str, message: &str, now: f64) -> Result<MigrationFile> {
    let start = graph.resolve(from, &[])?;
    let not_a_line =
        |why: String| Error::invalid_argument(why).with_hint("Squash a line of revisions without branches and merges.");
    let [end] = &graph.resolve(to, &[])?[..] else {
        return Err(not_a_line(format!("\"{to}\" is not one revision.")));
    };
    let mut line: Vec<&Revision> = Vec::new();
    let mut at = vec![end.clone()];
    while at != start {
        let [id] = &at[..] else {
            return Err(not_a_line(format!("The revisions from {from} to {to} are not one line.")));
        };
        let Some(revision) = graph.get(id) else { break };
        if !line.is_empty() && graph.children(id).len() != 1 {
            return Err(not_a_line(format!("Another branch begins at {id} ({}).", revision.file)));
        }
        if !revision.depends_on.is_empty() || !revision.branch_labels.is_empty() && !revision.revises.is_empty() {
            return Err(not_a_line(format!("Revision {id} ({}) has dependencies or labels.", revision.file)));
        }
        line.insert(0, revision);
        at.clone_from(&revision.revises);
    }
    let (Some(first), true) = (line.first(), line.len() > 1) else {
        return Err(not_a_line(format!("There are not two revisions from {from} to {to}.")));
    };
    let join = |scripts: Vec<String>| scripts.join("\n\n");
    let up = join(line.iter().map(|revision| terminated(&revision.up)).collect());
    let down = join(line.iter().rev().map(|revision| terminated(&revision.down)).collect());
    let mut squashes: Vec<String> = Vec::new();
    for revision in &line {
        squashes.extend(revision.squashes.iter().filter(|id| **id != revision.id).cloned());
        squashes.push(revision.id.clone());
    }
    let message = if message.is_empty() { format!("Squash {}", squashes.join(", ")) } else { message.to_owned() };
    let new = NewRevision {
        message,
        id: Some(end.clone()),
        branch_labels: first.branch_labels.clone(),
        up,
        down,
        ..NewRevision::default()
    };
    let kept: Vec<Revision> =
        graph.revisions().iter().filter(|revision| !line.iter().any(|gone| gone.id == revision.id)).cloned().collect();
    write(&kept, &new, &start, &squashes, now)
}

/// Applies each of the app's revisions in memory, takes it back and applies it again, and reports what fails. With a
/// declared schema, also reports how it differs from the schema that the revisions make.
///
/// # Errors
///
/// `migration_failed` if a revision cannot be applied; the errors of [`difference`].
pub fn check(graph: &Graph, schema: Option<&str>, renames: &Renames) -> Result<SchemaCheck> {
    let (from, failures) = tried::there_and_back(graph)?;
    let failures = failures.iter().map(|error| error.message().to_owned()).collect();
    let found = schema.map_or_else(|| Ok(SchemaCheck::default()), |schema| differs(&from, schema, renames))?;
    Ok(SchemaCheck { failures, ..found })
}

/// How a declared schema differs from the schema that the revisions make. An app declares only its own tables. A schema
/// that declares any of the package's tables must declare all of them.
///
/// # Errors
///
/// `invalid_sql` for the schema; the errors of [`autogenerate::compare`].
pub fn difference(graph: &Graph, schema: &str, renames: &Renames) -> Result<SchemaCheck> {
    differs(&schema::at(graph, &graph.last_rows())?, schema, renames)
}

fn differs(from: &Connection, schema: &str, renames: &Renames) -> Result<SchemaCheck> {
    let ours = Graph::bundled();
    let beside_ours = schema::at(&ours, &ours.last_rows())?;
    let to = match autogenerate::declared(schema) {
        Ok(whole) if declares_ours(&whole, &beside_ours)? => whole,
        _ => {
            autogenerate::declare(&beside_ours, schema)?;
            beside_ours
        }
    };
    autogenerate::compare(from, &to, renames)
}

/// Whether a schema declares the package's tables too. It must declare all of them or none, because those it leaves out
/// would be dropped.
fn declares_ours(declared: &Connection, ours: &Connection) -> Result<bool> {
    let (declared, mut ours) = (tables(declared)?, tables(ours)?);
    ours.retain(|name| !history::keeps(name));
    let (there, missing): (Vec<&String>, Vec<&String>) = ours.iter().partition(|name| declared.contains(name));
    let kept = declared.iter().find(|name| history::keeps(name));
    let wrong = match (kept, there.first(), missing.first()) {
        (Some(name), ..) => format!("The schema declares {name}, which is reserved for migrations."),
        (None, Some(one), Some(other)) => format!("The schema declares the package's table {one}, but not {other}."),
        _ => return Ok(!there.is_empty()),
    };
    let hint = "Declare only your own tables, or all of the package's too.";
    Err(Error::new(ErrorCode::InvalidSql, wrong).with_hint(hint))
}

/// The tables of a schema, virtual ones included, except SQLite's own.
fn tables(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT lower(name) FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') \
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// The last of the package's revisions that creates a table named in `script`; `None` if the script names no such
/// table.
pub(super) fn needed_of_ours(script: &str) -> Option<String> {
    // Our own files write CREATE TABLE in this form.
    let made: Vec<String> = sql::tokens(script)
        .iter()
        .filter_map(|token| Some(format!(" TABLE {} ", token.name()?.to_lowercase())))
        .collect();
    let ours = bundled::revisions();
    ours.into_iter().rev().find(|ours| made.iter().any(|made| ours.up.contains(made))).map(|ours| ours.id)
}

/// Writes a new revision that takes the revisions' schema to the declared one; `None` if they are the same.
///
/// # Errors
///
/// Those of [`difference`] and [`revision()`]; `invalid_argument` with the questions, if it is unknown what was
/// renamed.
pub fn autogenerated(
    graph: &Graph,
    schema: &str,
    renames: &Renames,
    new: &NewRevision,
    now: f64,
) -> Result<Option<MigrationFile>> {
    let found = difference(graph, schema, renames)?.answered()?;
    if found.operations.is_empty() {
        return Ok(None);
    }
    let mut new = NewRevision { up: found.up, down: found.down, ..new.clone() };
    let file = revision(graph, &new, now)?;
    if !new.branch_labels.is_empty() || !Revision::parse(&file.name, &file.text)?.revises.is_empty() {
        return Ok(Some(file));
    }
    // Without a label, the branch could be named only by its ids.
    let label = (1..).map(|at| if at == 1 { "app".to_owned() } else { format!("app{at}") });
    new.branch_labels.extend(label.into_iter().find(|label| !graph.is_named(label)));
    revision(graph, &NewRevision { id: Some(file.id), ..new }, now).map(Some)
}

/// Makes the file, and checks that it and the other revisions make a graph.
fn write(
    others: &[Revision],
    new: &NewRevision,
    parents: &[String],
    squashes: &[String],
    now: f64,
) -> Result<MigrationFile> {
    let scratch = Connection::open_in_memory()?;
    let id = match &new.id {
        Some(id) => id.clone(),
        None => scratch.query_row("SELECT lower(hex(randomblob(6)))", [], |row| row.get(0))?,
    };
    let (date, stamp): (String, String) = scratch.query_row(
        "SELECT strftime('%Y-%m-%d %H:%M', ?1, 'unixepoch'), strftime('%Y%m%d_%H%M', ?1, 'unixepoch')",
        [now],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let title = new.message.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.is_empty() {
        return Err(Error::invalid_argument("message must say in one line what the revision does."));
    }
    let mut text =
        format!("-- {title}\n--\n-- Revision ID: {id}\n{}\n", format!("-- Revises: {}", parents.join(", ")).trim_end());
    for (name, values) in
        [("Branch Labels", &new.branch_labels[..]), ("Depends On", &new.depends_on[..]), ("Squashes", squashes)]
    {
        if !values.is_empty() {
            text.push_str(&format!("-- {name}: {}\n", values.join(", ")));
        }
    }
    text.push_str(&format!(
        "-- Create Date: {date}\n-- migrate:up\n{}-- migrate:down\n{}",
        ended(&new.up),
        ended(&new.down)
    ));
    let name = format!("{stamp}_{id}_{}.sql", slug(&title));
    let parsed = Revision::parse(&name, &text)?;
    let mut revisions = others.to_vec();
    revisions.push(parsed);
    Graph::from_revisions(revisions)?;
    Ok(MigrationFile { id, name, text })
}

fn terminated(script: &str) -> String {
    let script = script.trim();
    let is_open = !script.is_empty() && !script.ends_with(';');
    format!("{script}{}", if is_open { "\n;" } else { "" })
}

fn ended(script: &str) -> String {
    let script = script.trim();
    if script.is_empty() { String::new() } else { format!("{script}\n") }
}

/// The first words of a message, as Alembic uses them in file names.
fn slug(message: &str) -> String {
    const LONGEST: usize = 40;
    let mut slug = String::new();
    for word in message.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if slug.chars().count() + word.chars().count() > LONGEST {
            break;
        }
        if !slug.is_empty() {
            slug.push('_');
        }
        slug.push_str(&word.to_lowercase());
    }
    if slug.is_empty() { "revision".to_owned() } else { slug }
}
