//! Files that no revision is written down in: which one they are at can be seen from their tables.
//!
//! Synth Mind's app makes its tables itself, without indexes and without `alembic_version`. Alembic fails on such a file
//! (a table already exists), and a stamp alone would leave it incomplete for good.

use rusqlite::Connection;

use super::schema::Differences;
use super::{Graph, history, runner};
use crate::error::{Error, ErrorCode, Result};

/// Where a file is that does not say so, and how it differs from what its revision makes.
pub(crate) struct Adoption {
    pub(crate) heads: [String; 1],
    pub(crate) differences: Differences,
}

/// What compares a file with the revisions up to some heads: [`schema::differences`] or [`schema::compare_loosely`].
pub(crate) type Comparison = dyn Fn(&Connection, &Graph, &[String]) -> Result<Differences>;

/// Finds the last revision whose tables are in the file, or some of them with none that is another.
///
/// # Errors
///
/// `unversioned_database` where no revision fits, with what speaks against the one that comes closest.
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
    let message = format!("The file has tables but no alembic_version, and they are of no known revision.{why}");
    Err(Error::new(ErrorCode::UnversionedDatabase, message))
}

/// Completes such a file and writes down where it is; gives that revision's id. Rows, ids and the AUTOINCREMENT marks are
/// not touched.
///
/// # Errors
///
/// Where the file cannot be written; it is then as it was.
pub(crate) fn adopt(connection: &mut Connection, graph: &Graph, adoption: Adoption) -> Result<String> {
    let Adoption { heads, differences } = adoption;
    let missing: Vec<String> = differences.tables.into_iter().chain(differences.indexes).map(|(_, sql)| sql).collect();
    let applied = graph.applied_at(&heads);
    runner::atomically(connection, &mut |connection| {
        missing.iter().try_for_each(|sql| connection.execute_batch(sql))?;
        runner::check_references(connection)?;
        runner::write_versions(connection, &heads)?;
        history::reconcile(connection, &applied)
    })?;
    let [id] = heads;
    Ok(id)
}
