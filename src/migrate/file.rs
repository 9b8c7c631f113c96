//! Writes migration files: new ones, merges, and squashes of a line into one.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::autogenerate::{self, Renames, SchemaCheck};
use super::{Graph, Revision, bundled, history, schema, sql, tried};
use crate::error::{Error, ErrorCode, Result};

/// What a new revision is to be; all that is left out is as Alembic has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRevision {
    /// What it does, in one line.
    pub message: String,
    /// Its id; twelve random hexadecimal digits by default.
    #[tsify(optional, type = "string | undefined")]
    pub id: Option<String>,
    /// What it builds on: symbols, `head` by default, `base` for a base of its own.
    #[serde(default)]
    #[tsify(optional, type = "readonly string[] | undefined")]
    pub heads: Vec<String>,
    /// Whether it may build on a revision that is no head, which begins a branch.
    #[serde(default)]
    #[tsify(optional, type = "boolean | undefined")]
    pub splice: bool,
    /// Names of the branch it begins.
    #[serde(default)]
    #[tsify(optional, type = "readonly string[] | undefined")]
    pub branch_labels: Vec<String>,
    /// Revisions that must be applied before it, of other branches.
    #[serde(default)]
    #[tsify(optional, type = "readonly string[] | undefined")]
    pub depends_on: Vec<String>,
    /// The script up.
    #[serde(default)]
    #[tsify(optional, type = "string | undefined")]
    pub up: String,
    /// The script down.
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

/// A new revision on top of the graph: by default of the app's own revisions, the first of which begins a branch. One that
/// begins a branch depends on the newest of the package's revisions, whose tables it can then name.
///
/// # Errors
///
/// `ambiguous_revision` where there are several heads and none is named, `not_a_head` where what it builds on is no
/// head and `splice` is not given, `unknown_symbol`, `invalid_migration` where the graph would not hold it.
pub fn revision(graph: &Graph, new: &NewRevision, now: f64) -> Result<MigrationFile> {
    let mut parents = Vec::new();
    let default = ["head".to_owned()];
    let symbols = if new.heads.is_empty() { &default[..] } else { &new.heads };
    // Of nothing yet there is no head to build on.
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

/// A revision that does nothing but make one head of several. The package's own head is one of them if it is named.
///
/// # Errors
///
/// As for [`revision()`]; `invalid_argument` where there are not two to merge.
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
            "There is nothing to merge while there is one head; the package's own is only merged if it is named.";
        return Err(Error::invalid_argument("A merge needs two revisions or more.").with_hint(hint));
    }
    let message = if message.is_empty() { format!("Merge {}", parents.join(" and ")) } else { message.to_owned() };
    let new = NewRevision { message, id, ..NewRevision::default() };
    write(graph.revisions(), &new, &parents, &[], now)
}

/// One revision for a line of them, from the one after `from` to `to`, whose id it keeps.
///
/// A file that is at `to` is left as it is; a new one is made by the one script. A file at a revision between them can no
/// longer go on, so a line is squashed when every file has left it behind.
///
/// # Errors
///
/// `invalid_argument` where they are not one line without branches, merges and dependencies.
pub fn squash(graph: &Graph, from: &str, to: &str, message: &str, now: f64) -> Result<MigrationFile> {
    let start = graph.resolve(from, &[])?;
    let not_a_line =
        |why: String| Error::invalid_argument(why).with_hint("Squash a line of revisions, with one head each.");
    let [end] = &graph.resolve(to, &[])?[..] else {
        return Err(not_a_line(format!("\"{to}\" is not one revision.")));
    };
    let mut line: Vec<&Revision> = Vec::new();
    let mut at = vec![end.clone()];
    while at != start {
        let [id] = &at[..] else {
            return Err(not_a_line(format!("The way from {from} to {to} is not one line.")));
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

/// What is wrong with the app's revisions, each of which is applied, taken back and applied again in memory; and, with a
/// schema, how that differs from what they make.
///
/// # Errors
///
/// `migration_failed` where one cannot be applied; those of [`difference`].
pub fn check(graph: &Graph, schema: Option<&str>, renames: &Renames) -> Result<SchemaCheck> {
    let (from, failures) = tried::there_and_back(graph)?;
    let failures = failures.iter().map(|error| error.message().to_owned()).collect();
    let found = schema.map_or_else(|| Ok(SchemaCheck::default()), |schema| differs(&from, schema, renames))?;
    Ok(SchemaCheck { failures, ..found })
}

/// How a declared schema differs from what the revisions make. An app declares its own tables only; a schema that declares
/// any of the package's declares all of them.
///
/// # Errors
///
/// `invalid_sql` for the schema; those of [`autogenerate::compare`].
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

/// Whether a schema declares the package's tables too. It is all of them or none, for what it left out would be dropped.
fn declares_ours(declared: &Connection, ours: &Connection) -> Result<bool> {
    let (declared, mut ours) = (tables(declared)?, tables(ours)?);
    ours.retain(|name| !history::keeps(name));
    let (there, missing): (Vec<&String>, Vec<&String>) = ours.iter().partition(|name| declared.contains(name));
    let kept = declared.iter().find(|name| history::keeps(name));
    let wrong = match (kept, there.first(), missing.first()) {
        (Some(name), ..) => format!("The schema declares {name}, which is kept for the revisions."),
        (None, Some(one), Some(other)) => format!("The schema declares the package's table {one}, but not {other}."),
        _ => return Ok(!there.is_empty()),
    };
    let hint = "Declare your own tables only, or all of the package's too.";
    Err(Error::new(ErrorCode::InvalidSql, wrong).with_hint(hint))
}

/// The tables of a schema, virtual ones too, but for those that SQLite keeps.
fn tables(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT lower(name) FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') \
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// The last of the package's revisions that makes a table which a script names; nothing where it names none.
pub(super) fn needed_of_ours(script: &str) -> Option<String> {
    // As our own files write it.
    let made: Vec<String> = sql::tokens(script)
        .iter()
        .filter_map(|token| Some(format!(" TABLE {} ", token.name()?.to_lowercase())))
        .collect();
    let ours = bundled::revisions();
    ours.into_iter().rev().find(|ours| made.iter().any(|made| ours.up.contains(made))).map(|ours| ours.id)
}

/// What the declared schema has that the revisions do not make, as a new revision; `None` where there is nothing.
///
/// # Errors
///
/// Those of [`difference`] and [`revision()`]; `invalid_argument` where it cannot be told what was renamed, with the
/// questions.
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
    // A branch without a name is known by its ids only.
    let label = (1..).map(|at| if at == 1 { "app".to_owned() } else { format!("app{at}") });
    new.branch_labels.extend(label.into_iter().find(|label| !graph.is_named(label)));
    revision(graph, &NewRevision { id: Some(file.id), ..new }, now).map(Some)
}

/// Writes the file, once it is certain that the revisions with it make a graph.
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

/// The first words of a message, as Alembic makes a file's name of them.
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
