//! Adopts files that record no revision: their tables show which revision they are at.
//!
//! Synth Mind's app creates its tables itself, without indexes and without `alembic_version`. Alembic fails on such a
//! file (a table already exists), and a stamp alone would leave it incomplete forever.

use rusqlite::Connection;

use super::references::References;
use super::schema::Differences;
use super::{Graph, history, runner};
use crate::error::{Error, ErrorCode, Result};

/// The revision that a file without `alembic_version` is at, and how the file differs from what that revision makes.
pub(crate) struct Adoption {
    pub(crate) heads: [String; 1],
    pub(crate) differences: Differences,
}

/// Compares a file with the revisions up to some heads: [`schema::differences`] or [`schema::compare_loosely`].
pub(crate) type Comparison = dyn Fn(&Connection, &Graph, &[String]) -> Result<Differences>;

/// Finds the last revision that fits the file: some of its tables are in the file, and nothing in the file conflicts
/// with it.
///
/// # Errors
///
/// `unversioned_database` if no revision fits, listing how the file differs from the closest one.
pub(crate) fn find(connection: &Connection, graph: &Graph, compare: &Comparison) -> Result<Adoption> {
    let mut closest: Option<(usize, Error)> = None;
    for revision in graph.revisions().iter().rev() {
        let heads = [revision.id.clone()];
        let found = compare(connection, graph, &heads)?;
        let distance = found.conflicts.len() + found.tables.len();
        if found.conflicts.is_empty() && found.matching > 0 {
            return Ok(Adoption { heads, differences: found });
        }
        if closest.as_ref().is_none_or(|(nearest, _)| distance < *nearest) {
            closest = Some((distance, found.error(&revision.id)));
        }
    }
    let why = closest.map(|(_, error)| format!(" {}", error.message())).unwrap_or_default();
    let message = format!("The file has tables but no alembic_version, and its tables fit no known revision.{why}");
    Err(Error::new(ErrorCode::UnversionedDatabase, message))
}

/// Completes such a file and records the revision that it is at; returns that revision's id. Rows, ids and the
/// AUTOINCREMENT high-water marks are unchanged.
///
/// # Errors
///
/// If the file cannot be written; it is unchanged then.
pub(crate) fn adopt(connection: &mut Connection, graph: &Graph, adoption: Adoption) -> Result<String> {
    let Adoption { heads, differences } = adoption;
    let missing: Vec<String> = differences.tables.into_iter().chain(differences.indexes).map(|(_, sql)| sql).collect();
    let applied = graph.applied_at(&heads);
    runner::atomically(connection, &mut |connection| {
        let references = References::of(connection)?;
        missing.iter().try_for_each(|sql| connection.execute_batch(sql))?;
        references.check(connection)?;
        runner::write_versions(connection, &heads)?;
        history::reconcile(connection, &applied)
    })?;
    let [id] = heads;
    Ok(id)
}
