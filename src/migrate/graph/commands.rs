//! The effect of each command: the steps of an upgrade or a downgrade, the rows of a stamp, the range of a history.

use std::collections::BTreeSet;

use serde::Serialize;
use tsify::Tsify;

use super::{Graph, Set};
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::revision::Revision;
use crate::migrate::symbol::{Symbol, is_relative, place};

/// Whether a revision is applied or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
pub enum MigrationDirection {
    /// It is applied, by its upgrade script.
    #[serde(rename = "upgrade")]
    Up,
    /// It is taken back, by its downgrade script.
    #[serde(rename = "downgrade")]
    Down,
}

/// One revision to be applied or taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'g> {
    /// The revision.
    pub revision: &'g Revision,
    /// Whether it is applied or taken back.
    pub direction: MigrationDirection,
    /// The rows of `alembic_version` after the step, sorted: the applied revisions that no applied revision builds on.
    pub heads: Vec<String>,
}

impl<'g> Step<'g> {
    /// The script that the step runs.
    pub fn script(&self) -> &'g str {
        match self.direction {
            MigrationDirection::Up => &self.revision.up,
            MigrationDirection::Down => &self.revision.down,
        }
    }
}

impl Graph {
    /// The steps from `current`, the rows of `alembic_version`, up to a target.
    ///
    /// # Errors
    ///
    /// `unknown_revision`, `unknown_symbol`, `ambiguous_revision`; `invalid_argument` if the memory is already past the
    /// target.
    pub fn upgrade(&self, current: &[String], target: &str) -> Result<Vec<Step<'_>>> {
        let rows = self.rows(current)?;
        let mut applied = self.applied(&rows);
        let targets = self.upwards(self.with_ours(target), &rows, false)?;
        let wanted: Set = self.applied(&targets).difference(&applied).copied().collect();
        let is_passed = |at: &usize| self.nodes[*at].children.iter().any(|child| applied.contains(child));
        if wanted.is_empty() && (targets.iter().any(is_passed) || targets.is_empty() && !rows.is_empty()) {
            return Err(wrong_way("upgrade", "downgrade", target, current));
        }
        let mut order = self.newest_first(&wanted);
        order.reverse();
        order.sort_by_key(|&at| at >= self.ours);
        Ok(self.steps(&mut applied, &order, MigrationDirection::Up))
    }

    /// If the app has one branch next to the package's, `head` means the heads of both.
    fn with_ours<'s>(&self, target: &'s str) -> &'s str {
        if target == "head" && self.app_branch().is_some() { "heads" } else { target }
    }

    /// The steps from `current`, the rows of `alembic_version`, down to a target, which itself stays applied.
    ///
    /// # Errors
    ///
    /// `unknown_revision`, `unknown_symbol`, `ambiguous_revision`; `invalid_argument` if the target is not below
    /// `current`.
    pub fn downgrade(&self, current: &[String], target: &str) -> Result<Vec<Step<'_>>> {
        let rows = self.rows(current)?;
        let mut applied = self.applied(&rows);
        let (branch, end) = self.downwards(target, &rows)?;
        let mut roots = match end {
            Some(end) => self.nodes[end].children.clone(),
            None => self.which(|node| node.parents.is_empty()),
        };
        if let Some(branch) = branch.filter(|_| roots.len() > 1) {
            let below = self.ascend(branch);
            roots.retain(|root| below.contains(root));
            if roots.is_empty() {
                return Err(Error::invalid_argument(format!(
                    "No revision of the branch of {} comes after {target}.",
                    self.named(branch)
                ))
                .with_hint("Leave out the label or name another one. Nothing was changed."));
            }
        }
        let unwanted = self.applied_upon(&roots, &applied);
        if let Some(end) = end.filter(|end| unwanted.is_empty() && !rows.contains(end)) {
            return Err(if applied.contains(&end) {
                self.of_other_branches(target, end, &applied)
            } else {
                wrong_way("downgrade", "upgrade", target, current)
            });
        }
        Ok(self.down(&mut applied, &unwanted))
    }

    /// The error for a downgrade to an applied revision on which only revisions of other branches build. As in Alembic,
    /// a downgrade to a revision takes back those that revise it, and those that only depend on it stay.
    fn of_other_branches(&self, target: &str, end: usize, applied: &Set) -> Error {
        let above: Vec<usize> = self.nodes[end].dependents.iter().copied().filter(|at| applied.contains(at)).collect();
        let named: Vec<String> = above.iter().map(|&at| self.named(at)).collect();
        let before: Vec<String> = above.iter().map(|&at| format!("{}-1", self.id(at))).collect();
        let message =
            format!("Cannot downgrade to {target}: only other branches build on it, with {}.", named.join(", "));
        Error::invalid_argument(message).with_hint(format!(
            "To take these back, with all that builds on them, downgrade to {}; nothing was changed.",
            before.join(", then to ")
        ))
    }

    /// The steps that take back a revision and all that builds on it.
    pub(crate) fn without(&self, current: &[String], id: &str) -> Vec<Step<'_>> {
        let mut applied = self.applied(&self.places(current));
        let unwanted = self.applied_upon(&self.places(&[id.to_owned()]), &applied);
        self.down(&mut applied, &unwanted)
    }

    /// Those of `roots`, and of all that builds on them, that are applied.
    #[inline(never)]
    fn applied_upon(&self, roots: &[usize], applied: &Set) -> Set {
        let mut found = super::closure(roots, |at| &self.nodes[at].dependents);
        found.retain(|at| applied.contains(at));
        found
    }

    #[inline(never)]
    fn down(&self, applied: &mut Set, unwanted: &Set) -> Vec<Step<'_>> {
        let mut order = self.newest_first(unwanted);
        order.sort_by_key(|&at| at < self.ours);
        self.steps(applied, &order, MigrationDirection::Down)
    }

    /// The steps of these revisions, in this order.
    #[inline(never)]
    fn steps(&self, applied: &mut Set, order: &[usize], direction: MigrationDirection) -> Vec<Step<'_>> {
        let mut steps = Vec::with_capacity(order.len());
        for &at in order {
            match direction {
                MigrationDirection::Up => applied.insert(at),
                MigrationDirection::Down => applied.remove(&at),
            };
            steps.push(Step { revision: &self.revisions[at], direction, heads: self.tips(applied) });
        }
        steps
    }

    /// The rows of `alembic_version` after a stamp. The targets replace the rows above and below them; the rows of
    /// other branches stay.
    ///
    /// # Errors
    ///
    /// `unknown_revision`, `unknown_symbol`, `ambiguous_revision`; `invalid_argument` for a target that counts steps.
    pub fn stamp(&self, current: &[String], targets: &[&str]) -> Result<Vec<String>> {
        let rows = self.rows(current)?;
        let mut stamped = Set::new();
        let mut replaced = Set::new();
        for &target in targets {
            if is_relative(target) {
                return Err(Error::invalid_argument(format!("{target} counts steps, and a stamp makes no steps."))
                    .with_hint("Name the revision itself. Nothing was changed."));
            }
            let found = self.upwards(self.with_ours(target), &rows, false)?;
            let near = match target.split_once('@') {
                _ if !found.is_empty() => found.clone(),
                Some((label, _)) => vec![self.branch(label)?],
                None => rows.clone(),
            };
            let is_near =
                |row: usize, at: usize| self.applied(&[row]).contains(&at) || self.applied(&[at]).contains(&row);
            replaced.extend(rows.iter().copied().filter(|&row| near.iter().any(|&at| is_near(row, at))));
            stamped.extend(found);
        }
        stamped.extend(rows.into_iter().filter(|row| !replaced.contains(row)));
        // A revision that another one builds on has no row.
        let all: Vec<usize> = stamped.into_iter().collect();
        Ok(self.tips(&self.applied(&all)))
    }

    /// The revisions of a range such as `001:head`, newest first, both ends included; all revisions without a range.
    ///
    /// # Errors
    ///
    /// `unknown_revision`, `unknown_symbol`, `ambiguous_revision`; `invalid_argument` if it is not a range or its end
    /// does not come after its start.
    pub fn history(&self, range: Option<&str>, current: &[String]) -> Result<Vec<&Revision>> {
        let rows = self.rows(current)?;
        let (start, end) = match range.map(|range| range.trim().split_once(':')) {
            None => ("", ""),
            Some(Some((start, end))) if !end.contains(':') => (start, end),
            Some(_) => {
                return Err(Error::invalid_argument(format!("\"{}\" is not a range.", range.unwrap_or_default()))
                    .with_hint("Write it as start:end, start: or :end."));
            }
        };
        let or =
            |symbol: &'static str, given: &str| if given.is_empty() { symbol.to_owned() } else { given.to_owned() };
        let (start, end) = (or("base", start), or("heads", end));
        let from = self.shown(&start, &rows, true)?;
        // If the end counts steps, they count from the start.
        let mut to = self.upwards(&end, if Symbol::parse(&end).name == "current" { &rows } else { &from }, true)?;
        if let Some((label, _)) = start.split_once('@') {
            let branch = self.branch(label)?;
            to.retain(|&at| self.share_lineage(at, branch));
        }
        let mut within = self.applied(&to);
        if from.iter().any(|at| !within.contains(at)) {
            return Err(Error::invalid_argument(format!("{end} does not come after {start}."))
                .with_hint("Write the older one first: start:end."));
        }
        if !from.is_empty() {
            let after = self.descend(&from);
            within.retain(|at| after.contains(at));
        }
        Ok(self.newest_first(&within).into_iter().map(|at| &self.revisions[at]).collect())
    }

    /// The steps that take back what is applied at `current` but not wanted, and apply what is wanted but not applied.
    /// For targets that no symbol names.
    ///
    /// `wanted` must be complete: for each revision it also has all that this builds on.
    pub(crate) fn between(&self, current: &[String], wanted: &BTreeSet<String>) -> Vec<Step<'_>> {
        let mut applied = self.applied(&self.places(current));
        let is_wanted = |at: usize| wanted.contains(self.id(at));
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for at in 0..self.nodes.len() {
            match (is_wanted(at), applied.contains(&at)) {
                (true, false) => up.push(at),
                (false, true) => down.insert(0, at),
                _ => {}
            }
        }
        let mut steps = self.steps(&mut applied, &down, MigrationDirection::Down);
        steps.extend(self.steps(&mut applied, &up, MigrationDirection::Up));
        steps
    }

    /// Rejects unknown rows of `alembic_version`.
    pub(crate) fn check_known(&self, current: &[String]) -> Result<()> {
        self.rows(current).map(drop)
    }

    /// Rejects rows of `alembic_version` of which one builds on another. No run leaves such a file.
    pub(crate) fn check_rows(&self, current: &[String]) -> Result<()> {
        if self.tips(&self.applied(&self.places(current))) == current {
            return Ok(());
        }
        let message = format!("alembic_version holds {}, and one of these builds on another.", current.join(" and "));
        Err(Error::new(ErrorCode::SchemaMismatch, message)
            .with_hint("Record where the file is with migrations.stamp(revision, { purge: true })."))
    }

    /// The revisions that `alembic_version` names.
    pub(super) fn rows(&self, current: &[String]) -> Result<Vec<usize>> {
        let mut rows = Vec::new();
        for id in current {
            let row = self.at(id).ok_or_else(|| {
                Error::new(
                    ErrorCode::UnknownRevision,
                    format!("The memory is at revision {id}, which this app does not know."),
                )
            })?;
            super::push_new(&mut rows, row);
        }
        Ok(rows)
    }
}

fn wrong_way(command: &str, other: &str, target: &str, current: &[String]) -> Error {
    let here = place(current);
    Error::invalid_argument(format!("Cannot {command} to {target}: the memory is at {here}."))
        .with_hint(format!("Use {other} instead."))
}
