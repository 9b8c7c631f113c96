//! Redoes a revision: downgrades it with the text that was applied, and upgrades again with its current text. It is
//! meant for migrations that only this file has applied.

use std::rc::Rc;

use super::Memory;
use super::opening::with_stored;
use crate::error::{Error, Result};
use crate::migrate::runner::{self, Applied};
use crate::migrate::symbol::place;
use crate::migrate::{Graph, history, tried};

impl Memory {
    /// After a backup, downgrades a revision of the app, and all that build on it, with the scripts that are stored in
    /// the file, and applies them again with their current texts. The default is the revision that was applied last on
    /// the app's branch. Returns the revisions that were applied.
    ///
    /// # Errors
    ///
    /// Those of [`Memory::upgrade`]; `invalid_argument` if the symbol is not one applied revision of the app. On any
    /// error the file is unchanged.
    pub fn redo(&mut self, symbol: Option<&str>) -> Result<Applied> {
        let applied = self.apply_again(symbol);
        self.answered(applied)
    }

    fn apply_again(&mut self, symbol: Option<&str>) -> Result<Applied> {
        let graph = Rc::clone(&self.migrations.graph);
        let connection = self.db.connection();
        let current = runner::current(connection)?;
        graph.check_known(&current)?;
        graph.check_rows(&current)?;
        let id = to_redo(&graph, symbol, &current)?;

        let stored = with_stored(&graph, connection, true)?;
        let mut steps = stored.without(&current, &id);
        let rows = steps.last().map_or_else(|| current.clone(), |step| step.heads.clone());
        // The revisions that stay applied must not have been edited.
        history::check(connection, &graph.applied_at(&rows))?;
        let again = graph.between(&rows, &graph.ancestors(&current));
        tried::check_ways_down(&graph, &again)?;
        let applied = again.iter().map(|step| step.revision.id.clone()).collect();
        steps.extend(again);
        let Some(last) = steps.last() else { return Ok(applied) };

        self.recall.get_mut().forget();
        self.db.report_replaced();
        self.backed_up(true, |memory| memory.run(&steps, &last.heads))?;
        Ok(applied)
    }
}

/// The single revision that the symbol means.
fn to_redo(graph: &Graph, symbol: Option<&str>, current: &[String]) -> Result<String> {
    let found = match symbol {
        Some(symbol) => graph.resolve(symbol, current)?,
        None => current.iter().filter(|id| !graph.is_ours(id)).cloned().collect(),
    };
    let wrong = match &found[..] {
        [id] if graph.is_ours(id) => "comes with the package",
        [id] if graph.ancestors(current).contains(id) => return Ok(id.clone()),
        [_] => "is not applied",
        _ => "is not one revision",
    };
    Err(Error::invalid_argument(format!("Cannot redo {}: it {wrong}.", place(&found)))
        .with_hint("Name one applied revision of the app; nothing was changed."))
}
