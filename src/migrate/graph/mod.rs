//! The graph of revisions.
//!
//! A revision revises its parents. It may also depend on other revisions, which are applied before it, but whose branch
//! it does not continue. `children` are the revisions that revise this one, as for `heads` and branch points.
//! `dependents` are the revisions that revise it or depend on it.

mod app;
mod commands;
mod resolve;

use std::collections::{BTreeMap, BTreeSet};

pub use commands::{MigrationDirection, Step};

use super::revision::Revision;
use crate::error::{Error, ErrorCode, Result};

/// All revisions that a memory knows. Parents and dependencies come before what builds on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    revisions: Vec<Revision>,
    /// The node of each revision, in the same order.
    nodes: Vec<Node>,
    /// Every id and every label, and the revision that it means.
    names: BTreeMap<String, usize>,
    /// The number of the package's revisions, which come first. An app's revisions build on them even without declaring
    /// it.
    ours: usize,
}

/// A set of revisions, by their index in the graph.
type Set = BTreeSet<usize>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    /// Its index among the files, sorted by name. Alembic uses this order for revisions that have no other.
    file: usize,
    parents: Vec<usize>,
    /// The parents and the dependencies, except dependencies that a revision it descends from already has.
    needs: Vec<usize>,
    children: Vec<usize>,
    dependents: Vec<usize>,
    /// The labels of the branch that it is on.
    labels: Vec<String>,
}

impl Graph {
    /// Parses migration files in any order; `files` are their names and texts.
    ///
    /// # Errors
    ///
    /// `invalid_migration`, naming the files, if a file breaks the format or the files do not fit together.
    pub fn parse<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Result<Self> {
        let revisions: Result<Vec<_>> = files.into_iter().map(|(file, text)| Revision::parse(file, text)).collect();
        Self::from_revisions(revisions?)
    }

    /// Makes a graph of parsed revisions.
    ///
    /// # Errors
    ///
    /// As for [`Graph::parse`].
    pub fn from_revisions(mut revisions: Vec<Revision>) -> Result<Self> {
        revisions.sort_by(|one, other| one.file.cmp(&other.file));
        Self::in_this_order(revisions)
    }

    /// Makes a graph of revisions. Those that do not build on each other keep this order.
    fn in_this_order(revisions: Vec<Revision>) -> Result<Self> {
        let names = names(&revisions)?;
        let mut links = Vec::new();
        for revision in &revisions {
            links.push(links_of(revision, &revisions, &names)?);
        }
        let order = in_order(&revisions, &links)?;

        // From here on, a revision is identified by its index in that order.
        let mut place = vec![0; order.len()];
        for (at, &file) in order.iter().enumerate() {
            place[file] = at;
        }
        let moved = |list: &[usize]| list.iter().map(|&file| place[file]).collect::<Vec<_>>();
        let mut nodes: Vec<Node> = Vec::with_capacity(order.len());
        let mut dependencies: Vec<Vec<usize>> = Vec::with_capacity(order.len());
        for (at, &file) in order.iter().enumerate() {
            let (parents, depends_on) = (moved(&links[file].0), moved(&links[file].1));
            for &below in parents.iter().chain(&depends_on) {
                push_new(&mut nodes[below].dependents, at);
            }
            for &parent in &parents {
                nodes[parent].children.push(at);
            }
            nodes.push(Node { file, needs: parents.clone(), parents, ..Node::default() });
            if !depends_on.is_empty() {
                let before = closure(&[at], |at| &nodes[at].parents);
                let implied: Set = before.iter().filter_map(|&at| dependencies.get(at)).flatten().copied().collect();
                for &dependency in depends_on.iter().filter(|dependency| !implied.contains(dependency)) {
                    push_new(&mut nodes[at].needs, dependency);
                }
            }
            dependencies.push(depends_on);
        }
        let names = names.into_iter().map(|(name, file)| (name, place[file])).collect();
        let mut waiting: Vec<Option<Revision>> = revisions.into_iter().map(Some).collect();
        let revisions = order.into_iter().filter_map(|file| waiting[file].take()).collect();
        let mut graph = Self { revisions, nodes, names, ours: 0 };
        graph.spread_labels();
        Ok(graph)
    }

    /// Applies each label to the revision that has it, to all its descendants, and to the revisions before it back to
    /// where its branch begins.
    fn spread_labels(&mut self) {
        for at in 0..self.nodes.len() {
            if self.revisions[at].branch_labels.is_empty() {
                continue;
            }
            let mut branch = self.descend(&[at]);
            if let Some(&tip) = branch.last() {
                let mut above = tip;
                while self.nodes[above].dependents.len() < 2 && self.nodes[above].parents.len() < 2 {
                    branch.insert(above);
                    let Some(&parent) = self.nodes[above].parents.first() else { break };
                    above = parent;
                }
            }
            for label in &self.revisions[at].branch_labels {
                for &on_it in &branch {
                    push_new(&mut self.nodes[on_it].labels, label.clone());
                }
            }
        }
    }

    /// The revisions. Parents and dependencies come before what builds on them.
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// The revision of this id.
    pub fn get(&self, id: &str) -> Option<&Revision> {
        self.at(id).map(|at| &self.revisions[at])
    }

    /// The revisions that none revises.
    pub fn heads(&self) -> Vec<&Revision> {
        self.only(|node| node.children.is_empty())
    }

    /// The revisions that revise none.
    pub fn bases(&self) -> Vec<&Revision> {
        self.only(|node| node.parents.is_empty())
    }

    /// The revisions that several others revise.
    pub fn branch_points(&self) -> Vec<&Revision> {
        self.only(|node| node.children.len() > 1)
    }

    /// The revisions that revise this one.
    pub fn children(&self, id: &str) -> Vec<&Revision> {
        self.at(id).map_or(Vec::new(), |at| self.nodes[at].children.iter().map(|&at| &self.revisions[at]).collect())
    }

    /// The labels of the branch that a revision is on.
    pub fn labels(&self, id: &str) -> &[String] {
        self.at(id).map_or(&[], |at| &self.nodes[at].labels)
    }

    /// These revisions and all that they build on: what is applied in a file that is at these revisions.
    ///
    /// Unknown ids are left out.
    pub fn ancestors(&self, ids: &[String]) -> BTreeSet<String> {
        self.applied(&self.places(ids)).into_iter().map(|at| self.id(at).to_owned()).collect()
    }

    /// The revisions that are applied in a file that is at `ids`, from first to last. Unknown ids are left out.
    pub fn applied_at(&self, ids: &[String]) -> Vec<&Revision> {
        self.applied(&self.places(ids)).into_iter().map(|at| &self.revisions[at]).collect()
    }

    /// The rows of `alembic_version` in a file that has every revision applied, sorted.
    pub fn last_rows(&self) -> Vec<String> {
        self.tips(&(0..self.nodes.len()).collect())
    }

    /// The indexes of those `ids` that are known.
    fn places(&self, ids: &[String]) -> Vec<usize> {
        ids.iter().filter_map(|id| self.at(id)).collect()
    }

    fn only(&self, of_interest: fn(&Node) -> bool) -> Vec<&Revision> {
        self.which(of_interest).into_iter().map(|at| &self.revisions[at]).collect()
    }

    /// The revisions that match, in the order of the files, as in Alembic.
    fn which(&self, of_interest: fn(&Node) -> bool) -> Vec<usize> {
        let mut found: Vec<usize> = (0..self.nodes.len()).filter(|&at| of_interest(&self.nodes[at])).collect();
        found.sort_by_key(|&at| self.nodes[at].file);
        found
    }

    fn at(&self, id: &str) -> Option<usize> {
        self.names.get(id).copied().filter(|&at| self.revisions[at].id == id)
    }

    fn id(&self, at: usize) -> &str {
        &self.revisions[at].id
    }

    fn ids(&self, of: impl IntoIterator<Item = usize>) -> Vec<String> {
        of.into_iter().map(|at| self.id(at).to_owned()).collect()
    }

    /// These revisions and all that they need.
    fn applied(&self, heads: &[usize]) -> Set {
        closure(heads, |at| &self.nodes[at].needs)
    }

    /// This revision and all before it on its own branches.
    fn ascend(&self, from: usize) -> Set {
        closure(&[from], |at| &self.nodes[at].parents)
    }

    /// These revisions and all after them on their own branches.
    fn descend(&self, from: &[usize]) -> Set {
        closure(from, |at| &self.nodes[at].children)
    }

    /// The ids of those revisions of a set that no other revision of it builds on, sorted.
    fn tips(&self, set: &Set) -> Vec<String> {
        let is_tip = |at: &usize| !self.nodes[*at].dependents.iter().any(|above| set.contains(above));
        let mut ids = self.ids(set.iter().copied().filter(is_tip));
        ids.sort();
        ids
    }

    /// A set in the order in which Alembic lists and takes back revisions: each revision before those it builds on, and
    /// one branch after the other as far as possible.
    fn newest_first(&self, set: &Set) -> Vec<usize> {
        let mut left = set.clone();
        let entry = |at: usize| (at, self.applied(&[at]));
        let is_top = |at: &usize| !self.nodes[*at].dependents.iter().any(|above| set.contains(above));
        let mut tops: Vec<usize> = set.iter().copied().filter(is_top).collect();
        tops.sort_by_key(|&at| self.nodes[at].file);
        // The revision that each followed branch has reached, and all that this revision builds on.
        let mut reached: Vec<(usize, Set)> = tops.into_iter().map(entry).collect();
        let mut order = Vec::with_capacity(set.len());
        let mut current = 0;
        while let Some(&(at, _)) = reached.get(current) {
            let waits_for = |(place, (_, below)): (usize, &(usize, Set))| place != current && below.contains(&at);
            if let Some(before) = reached.iter().enumerate().position(waits_for) {
                current = before;
                continue;
            }
            if left.remove(&at) {
                order.push(at);
            }
            let is_new = |next: &usize| left.contains(next) && !reached.iter().any(|(other, _)| other == next);
            let next: Vec<usize> = self.nodes[at].needs.iter().copied().filter(is_new).collect();
            match next.split_first() {
                // On a line without branches, what the next revision builds on is known already.
                Some((&first, [])) if self.nodes[at].needs.len() == 1 => {
                    reached[current].0 = first;
                    reached[current].1.remove(&at);
                }
                Some((&first, others)) => {
                    reached[current] = entry(first);
                    reached.extend(others.iter().map(|&other| entry(other)));
                }
                None => {
                    reached.remove(current);
                    current = current.saturating_sub(1);
                }
            }
        }
        order
    }
}

/// The start indexes and all that can be reached from them.
fn closure<'g>(from: &[usize], next: impl Fn(usize) -> &'g [usize]) -> Set {
    let mut found = Set::new();
    let mut waiting = from.to_vec();
    while let Some(at) = waiting.pop() {
        if found.insert(at) {
            waiting.extend_from_slice(next(at));
        }
    }
    found
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Every id and label with the index of its revision. Each must occur only once.
fn names(revisions: &[Revision]) -> Result<BTreeMap<String, usize>> {
    let mut names = BTreeMap::new();
    for (at, revision) in revisions.iter().enumerate() {
        if let Some(twin) = names.insert(revision.id.clone(), at) {
            let (one, other): (&Revision, _) = (&revisions[twin], revision);
            return Err(wrong(format!("{} and {} have the same id {}.", one.file, other.file, one.id)));
        }
    }
    for (at, revision) in revisions.iter().enumerate() {
        for label in &revision.branch_labels {
            if let Some(twin) = names.insert(label.clone(), at) {
                let one: &Revision = &revisions[twin];
                let what = if one.id == *label { "the id" } else { "a branch label" };
                return Err(wrong(format!("The branch label {label} of {} is {what} of {}.", revision.file, one.file)));
            }
        }
    }
    Ok(names)
}

/// The parents and the dependencies of a revision.
fn links_of(
    revision: &Revision,
    revisions: &[Revision],
    names: &BTreeMap<String, usize>,
) -> Result<(Vec<usize>, Vec<usize>)> {
    let find = |how: &str, name: &str| {
        let found = names.get(name).copied().filter(|&at| how == "depends on" || revisions[at].id == name);
        let found = found.ok_or_else(|| {
            wrong(format!("{} {how} {name}, but no file has that revision id.", revision.file))
                .with_hint("Correct the id, written in full, or add the file that has it.")
        })?;
        if revisions[found].id == revision.id {
            return Err(wrong(format!("{} {how} itself ({}).", revision.file, revision.id)));
        }
        Ok(found)
    };
    let parents: Result<_> = revision.revises.iter().map(|id| find("revises", id)).collect();
    let dependencies: Result<_> = revision.depends_on.iter().map(|name| find("depends on", name)).collect();
    Ok((parents?, dependencies?))
}

/// An order in which each revision comes after what it builds on; otherwise, the order of the files.
fn in_order(revisions: &[Revision], links: &[(Vec<usize>, Vec<usize>)]) -> Result<Vec<usize>> {
    let mut order = Vec::with_capacity(links.len());
    let mut placed = vec![false; links.len()];
    let waits_for = |at: usize, placed: &[bool]| {
        let (parents, dependencies) = &links[at];
        parents.iter().chain(dependencies).copied().find(|&below| !placed[below])
    };
    while order.len() < links.len() {
        // The files are usually in order already, so that one round is enough.
        let before = order.len();
        for at in 0..links.len() {
            if !placed[at] && waits_for(at, &placed).is_none() {
                placed[at] = true;
                order.push(at);
            }
        }
        if order.len() > before {
            continue;
        }
        // Each revision that is left waits for another one that is left. Following them leads into a ring.
        let mut way = Vec::new();
        let mut next = placed.iter().position(|placed| !placed);
        while let Some(at) = next {
            if let Some(start) = way.iter().position(|&seen| seen == at) {
                let ring: Vec<String> = way[start..]
                    .iter()
                    .map(|&at: &usize| format!("{} ({})", revisions[at].file, revisions[at].id))
                    .collect();
                return Err(wrong(format!("These files build on each other in a ring: {}.", ring.join(", "))));
            }
            way.push(at);
            next = waits_for(at, &placed);
        }
    }
    Ok(order)
}

fn wrong(what: String) -> Error {
    Error::new(ErrorCode::InvalidMigration, what)
}
