//! A revision taken back by the text that was applied, and applied again by the one it has now: for migrations that only this
//! file has.

use std::rc::Rc;

use super::Memory;
use super::opening::with_stored;
use crate::error::{Error, Result};
use crate::migrate::runner::{self, Applied};
use crate::migrate::symbol::place;
use crate::migrate::{Graph, history, tried};

impl Memory {
    /// Takes an app's revision back, and what builds on it, by the scripts that are stored in the file, and applies them again
    /// by the revisions' present texts, after a backup. By default it is the one that was applied last on the app's branch.
    /// Returns what was applied.
    ///
    /// # Errors
    ///
    /// Those of [`Memory::upgrade`]; `invalid_argument` if it is not one applied revision of the app. On any error the file is as
    /// it was.
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
        // What stays has to be what was applied.
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

/// The one revision that is meant.
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
    Err(Error::invalid_argument(format!("What is to be redone ({}) {wrong}.", place(&found)))
        .with_hint("Name one applied revision of the app; nothing was changed."))
}
