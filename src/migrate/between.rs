//! From what is applied to what shall be, whatever lies between: for walks that no symbol names.

use std::collections::BTreeSet;

use super::{Direction, Graph, Step};
use crate::error::{Error, ErrorCode, Result};

/// The steps that take back what is applied at `current` and is not wanted, and apply what is wanted and is not.
///
/// `wanted` is whole: with a revision it holds all that it builds on.
pub(crate) fn between<'g>(graph: &'g Graph, current: &[String], wanted: &BTreeSet<String>) -> Vec<Step<'g>> {
    let mut applied = graph.ancestors(current);
    let mut steps = Vec::new();
    for revision in graph.revisions().iter().rev() {
        if !wanted.contains(&revision.id) && applied.remove(&revision.id) {
            steps.push(Step { revision, direction: Direction::Down, heads: heads(graph, &applied) });
        }
    }
    for revision in graph.revisions() {
        if wanted.contains(&revision.id) && applied.insert(revision.id.clone()) {
            steps.push(Step { revision, direction: Direction::Up, heads: heads(graph, &applied) });
        }
    }
    steps
}

/// Of what is applied, what nothing else of it builds on: the rows of `alembic_version`.
pub(crate) fn heads(graph: &Graph, applied: &BTreeSet<String>) -> Vec<String> {
    let mut heads = applied.clone();
    for id in applied {
        let mut below = graph.ancestors(std::slice::from_ref(id));
        below.remove(id);
        heads.retain(|head| !below.contains(head));
    }
    heads.into_iter().collect()
}

/// Refuses rows of `alembic_version` of which one builds on another: no run leaves such a file.
pub(crate) fn check(graph: &Graph, current: &[String]) -> Result<()> {
    if heads(graph, &graph.ancestors(current)) == current {
        return Ok(());
    }
    let message = format!("alembic_version holds {}, of which one builds on another.", current.join(" and "));
    Err(Error::new(ErrorCode::SchemaMismatch, message)
        .with_hint("Write down where the file is with migrations.stamp(revision, { purge: true })."))
}
