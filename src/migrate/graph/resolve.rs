//! Resolves symbols such as `head`, `001`, `-1` or `app@head` to revisions.

use std::borrow::Cow;

use super::{Graph, Set};
use crate::error::{Error, ErrorCode, Result};
use crate::migrate::symbol::Symbol;

/// The revision that a walk has reached (`None` is the base), and the number of steps that are left.
struct Walk {
    at: Option<usize>,
    left: usize,
}

impl Graph {
    /// The ids of the revisions that a symbol means; none for the base. `current` are the rows of `alembic_version`.
    ///
    /// `-N` counts from the heads and `+N` from where the memory is.
    ///
    /// # Errors
    ///
    /// `unknown_symbol`, `ambiguous_revision`; `unknown_revision` if the memory is at an unknown revision.
    pub fn resolve(&self, symbol: &str, current: &[String]) -> Result<Vec<String>> {
        Ok(self.ids(self.shown(symbol, &self.rows(current)?, false)?))
    }

    /// As [`Graph::resolve`]; with `may_stop`, a walk that leads too far stops where the graph ends.
    pub(super) fn shown(&self, symbol: &str, rows: &[usize], may_stop: bool) -> Result<Vec<usize>> {
        let parsed = Symbol::parse(symbol);
        match parsed.steps {
            Some(steps) if steps < 0 && parsed.name.is_empty() => {
                let heads = match parsed.label {
                    Some(label) => {
                        let branch = self.descend(&[self.branch(label)?]);
                        self.named_heads().into_iter().filter(|head| branch.contains(head)).collect()
                    }
                    None => self.last(),
                };
                let mut found = Vec::new();
                for head in heads {
                    let walk = self.walk_down(Some(head), steps.unsigned_abs())?;
                    if let Some(at) = self.arrived(&parsed, Some(head), walk, may_stop)? {
                        super::push_new(&mut found, at);
                    }
                }
                Ok(found)
            }
            _ => self.upwards(symbol, rows, may_stop),
        }
    }

    /// The revisions that a symbol means in an upgrade; none for the base.
    pub(super) fn upwards(&self, symbol: &str, rows: &[usize], may_stop: bool) -> Result<Vec<usize>> {
        let mut parsed = Symbol::parse(symbol);
        let Some(steps) = parsed.steps else { return self.several(&parsed, rows) };
        if steps > 0 {
            parsed = parsed.without_current();
        }
        let mut branch = parsed.label.map(|label| self.branch(label)).transpose()?;
        // From the base, and from the package's newest revision, the only way up is the app's branch.
        let is_top = |row: &usize| self.nodes[*row].children.is_empty();
        if branch.is_none() && parsed.name.is_empty() && (rows.len() != 1 || rows.iter().all(is_top)) {
            branch = self.app_branch();
        }
        let (start, walk) = if !parsed.name.is_empty() {
            self.walk_from_name(&parsed, steps, branch, rows)?
        } else if steps > 0 {
            let start = self.start_upwards(&parsed, branch, rows)?;
            (start, self.walk_up(start, steps.unsigned_abs(), branch)?)
        } else {
            return Err(
                Error::invalid_argument(format!("{symbol} does not lead up.")).with_hint("Use downgrade instead.")
            );
        };
        Ok(self.arrived(&parsed, start, walk, may_stop)?.into_iter().collect())
    }

    /// The revision whose branch a downgrade to a symbol stays on, and the revision where it ends.
    ///
    /// `base` alone means the base of every branch. A walk leads to the base of the branch that it walks on, so a count
    /// of steps never takes back another branch. Alembic takes back every branch after `name-N`.
    pub(super) fn downwards(&self, symbol: &str, rows: &[usize]) -> Result<(Option<usize>, Option<usize>)> {
        let parsed = Symbol::parse(symbol).without_current();
        let mut branch = parsed.label.map(|label| self.branch(label)).transpose()?;
        let Some(steps) = parsed.steps else { return Ok((branch, self.single(&parsed, rows)?)) };
        if branch.is_none() && parsed.name.is_empty() && rows.len() > 1 {
            branch = self.app_branch();
        }
        let (start, walk) = if !parsed.name.is_empty() {
            self.walk_from_name(&parsed, steps, branch, rows)?
        } else if steps < 0 {
            let start = self.start_downwards(&parsed, branch, rows)?;
            (start, self.walk_down(start, steps.unsigned_abs())?)
        } else {
            return Err(
                Error::invalid_argument(format!("{symbol} does not lead down.")).with_hint("Use upgrade instead.")
            );
        };
        let end = self.arrived(&parsed, start, walk, false)?;
        if end.is_none() || parsed.name.is_empty() {
            branch = branch.or(start);
        }
        Ok((branch, end))
    }

    /// `name+steps` and `name-steps`.
    fn walk_from_name(
        &self,
        symbol: &Symbol<'_>,
        steps: isize,
        branch: Option<usize>,
        rows: &[usize],
    ) -> Result<(Option<usize>, Walk)> {
        // Upwards, the label only chooses the way, and the start may be before its branch.
        let label = symbol.label.filter(|_| steps < 0 || matches!(symbol.name, "head" | "heads" | "current"));
        let start = self.single(&Symbol { label, ..*symbol }, rows)?;
        let length = steps.unsigned_abs();
        let walk = if steps > 0 { self.walk_up(start, length, branch) } else { self.walk_down(start, length) };
        Ok((start, walk?))
    }

    /// Where `+N` and `label@+N` start.
    fn start_upwards(&self, symbol: &Symbol<'_>, branch: Option<usize>, rows: &[usize]) -> Result<Option<usize>> {
        let mut starts = rows.to_vec();
        if let Some(branch) = branch {
            starts.retain(|&row| self.share_lineage(row, branch));
            if starts.is_empty() {
                // No row is on this branch, because another branch that builds on it has gone further. This branch is
                // at its last applied revision.
                let mut applied = self.applied(rows);
                applied.retain(|&at| self.share_lineage(at, branch));
                let below: Set = applied.iter().flat_map(|&at| &self.nodes[at].needs).copied().collect();
                starts = applied.difference(&below).copied().collect();
            }
        }
        self.one_start(symbol, &starts)
    }

    /// Where `-N` and `label@-N` start.
    fn start_downwards(&self, symbol: &Symbol<'_>, branch: Option<usize>, rows: &[usize]) -> Result<Option<usize>> {
        let mut starts = rows.to_vec();
        if let Some(branch) = branch {
            starts.retain(|&row| self.share_lineage(row, branch));
            if starts.is_empty() {
                let applied = self.applied(rows);
                let is_last = |at: &usize| !self.nodes[*at].children.iter().any(|child| applied.contains(child));
                let mut last: Vec<usize> = applied.iter().copied().filter(is_last).collect();
                last.retain(|&at| self.share_lineage(at, branch));
                starts = last;
            }
        }
        if starts.is_empty() {
            return Err(Error::new(
                ErrorCode::UnknownSymbol,
                format!("{} leads too far: nothing is applied that could be taken back.", symbol.whole),
            )
            .with_hint("Look at current and history; nothing was changed."));
        }
        self.one_start(symbol, &starts)
    }

    fn one_start(&self, symbol: &Symbol<'_>, starts: &[usize]) -> Result<Option<usize>> {
        if starts.len() > 1 {
            let (whole, ids) = (symbol.whole, self.ids(starts.iter().copied()).join(", "));
            return Err(ambiguous(format!("The memory is at several revisions that {whole} could start from: {ids}."))
                .with_hint("Name the one to start from, as in 'label@+1' or 'label@-1', or a revision to go to."));
        }
        Ok(starts.first().copied())
    }

    /// The end of a walk. Fails if steps are left, unless it may stop early.
    fn arrived(&self, symbol: &Symbol<'_>, start: Option<usize>, walk: Walk, may_stop: bool) -> Result<Option<usize>> {
        if walk.left == 0 || may_stop {
            return Ok(walk.at);
        }
        let steps = symbol.steps.unwrap_or_default();
        let far = steps.unsigned_abs() - walk.left;
        let way = if steps < 0 { "down" } else { "up" };
        let from = self.name_of(start);
        Err(Error::new(ErrorCode::UnknownSymbol, format!("{} leads too far from {from}.", symbol.whole))
            .with_hint(format!("From there one can go {far} {way}; nothing was changed.")))
    }

    /// The revisions that a symbol without steps means.
    fn several(&self, symbol: &Symbol<'_>, rows: &[usize]) -> Result<Vec<usize>> {
        let branch = symbol.label.map(|label| self.branch(label)).transpose()?;
        let on_it = |mut found: Vec<usize>| {
            found.retain(|&at| branch.is_none_or(|branch| self.share_lineage(at, branch)));
            found
        };
        match symbol.name {
            "base" => Ok(Vec::new()),
            "current" => Ok(on_it(rows.to_vec())),
            "heads" if branch.is_none() => Ok(self.last()),
            "heads" => Ok(on_it(self.named_heads())),
            "head" => {
                let mut heads = on_it(self.named_heads());
                if branch.is_none() && self.app_branch().is_some() {
                    heads.retain(|&head| head >= self.ours);
                }
                self.at_most_one(symbol, heads).map(|head| head.into_iter().collect())
            }
            name => Ok(vec![self.find(name, branch)?]),
        }
    }

    /// The one revision that a symbol without steps means; `None` for the base.
    fn single(&self, symbol: &Symbol<'_>, rows: &[usize]) -> Result<Option<usize>> {
        self.at_most_one(symbol, self.several(symbol, rows)?)
    }

    fn at_most_one(&self, symbol: &Symbol<'_>, found: Vec<usize>) -> Result<Option<usize>> {
        if found.len() > 1 {
            let files: Vec<String> = found.iter().map(|&at| self.named(at)).collect();
            return Err(ambiguous(format!("\"{}\" means several revisions: {}.", symbol.whole, files.join(", ")))
                .with_hint(
                    "Name one of them, narrow it to a branch with 'label@head', take all with 'heads', or merge them.",
                ));
        }
        Ok(found.first().copied())
    }

    /// The revision with this id or label, or with the only id or label that begins with it.
    fn find(&self, name: &str, branch: Option<usize>) -> Result<usize> {
        let found = match self.names.get(name) {
            Some(&at) => at,
            None => {
                // As in Alembic, an id or label of three characters or fewer must be written in full.
                let begun = self.names.iter().filter(|(whole, at)| {
                    whole.chars().count() > 3
                        && !name.is_empty()
                        && whole.starts_with(name)
                        && branch.is_none_or(|branch| self.share_lineage(**at, branch))
                });
                let begun: Set = begun.map(|(_, &at)| at).collect();
                let mut candidates = begun.iter().copied();
                match (candidates.next(), candidates.next()) {
                    (Some(at), None) => at,
                    (None, _) => {
                        return Err(Error::new(
                            ErrorCode::UnknownSymbol,
                            format!("There is no revision \"{name}\"{}.", self.on(branch)),
                        )
                        .with_hint(self.known()));
                    }
                    _ => {
                        let files: Vec<String> = begun.into_iter().map(|at| self.named(at)).collect();
                        return Err(ambiguous(format!(
                            "Several revisions begin with \"{name}\": {}.",
                            files.join(", ")
                        ))
                        .with_hint("Write more of the one that you mean."));
                    }
                }
            }
        };
        if branch.is_some_and(|branch| !self.share_lineage(found, branch)) {
            let (named, on) = (self.named(found), self.on(branch));
            return Err(Error::new(ErrorCode::UnknownSymbol, format!("There is no revision {named}{on}."))
                .with_hint("Leave out the label or name a revision of its branch."));
        }
        Ok(found)
    }

    /// The revision that a label means, or an id in place of a label.
    pub(super) fn branch(&self, label: &str) -> Result<usize> {
        self.find(label, None).map_err(|error| match error.code() {
            ErrorCode::UnknownSymbol => Error::new(
                ErrorCode::UnknownSymbol,
                format!("There is no branch \"{label}\": it is neither a branch label nor a revision."),
            )
            .with_hint(self.known()),
            _ => error,
        })
    }

    /// The heads by parentage.
    pub(super) fn named_heads(&self) -> Vec<usize> {
        self.which(|node| node.children.is_empty())
    }

    /// The heads that no other revision depends on: the rows of a file that has all revisions.
    fn last(&self) -> Vec<usize> {
        self.which(|node| node.dependents.is_empty())
    }

    /// Whether one of two revisions comes after the other on the same branch, or both are the same.
    pub(super) fn share_lineage(&self, one: usize, other: usize) -> bool {
        self.ascend(one).contains(&other) || self.ascend(other).contains(&one)
    }

    /// Walks from parent to child; `branch` says which child to take.
    fn walk_up(&self, start: Option<usize>, steps: usize, branch: Option<usize>) -> Result<Walk> {
        let mut at = start;
        for done in 0..steps {
            let mut next = match at {
                Some(at) => self.nodes[at].children.clone(),
                None => self.which(|node| node.parents.is_empty()),
            };
            next.retain(|&next| branch.is_none_or(|branch| self.share_lineage(next, branch)));
            let Some(child) = self.only_way(at, "up", &next)? else { return Ok(Walk { at, left: steps - done }) };
            at = Some(child);
        }
        Ok(Walk { at, left: 0 })
    }

    /// Walks from child to parent.
    fn walk_down(&self, start: Option<usize>, steps: usize) -> Result<Walk> {
        let mut at = start;
        for done in 0..steps {
            let Some(here) = at else { return Ok(Walk { at, left: steps - done }) };
            at = self.only_way(at, "down", &self.nodes[here].parents)?;
        }
        Ok(Walk { at, left: 0 })
    }

    fn only_way(&self, from: Option<usize>, way: &str, next: &[usize]) -> Result<Option<usize>> {
        if next.len() > 1 {
            let files: Vec<String> = next.iter().map(|&at| self.named(at)).collect();
            let (from, files) = (self.name_of(from), files.join(", "));
            return Err(ambiguous(format!("From {from} there are several ways {way}: {files}."))
                .with_hint("Name the revision to go to, or a branch as in 'label@+1'."));
        }
        Ok(next.first().copied())
    }

    fn name_of(&self, at: Option<usize>) -> Cow<'_, str> {
        at.map_or("the base".into(), |at| self.named(at).into())
    }

    /// A revision's id and file, for messages.
    pub(super) fn named(&self, at: usize) -> String {
        format!("{} ({})", self.id(at), self.revisions[at].file)
    }

    fn on(&self, branch: Option<usize>) -> String {
        branch.map_or_else(String::new, |branch| format!(" on the branch of {}", self.id(branch)))
    }

    /// A hint that lists what could be written instead, without listing thousands of names.
    fn known(&self) -> String {
        const SHOWN: usize = 20;
        let all = self.names.len();
        let mut names: Vec<&str> = self.names.keys().rev().take(SHOWN).map(String::as_str).collect();
        names.reverse();
        let more = if all > SHOWN { format!(" and {} before them", all - SHOWN) } else { String::new() };
        format!("Known are head, heads, base, +N, -N, label@head and {}{more}.", names.join(", "))
    }
}

fn ambiguous(what: String) -> Error {
    Error::new(ErrorCode::AmbiguousRevision, what)
}
