//! The package's revisions, and an app's branch next to them.

use super::Graph;
use crate::error::Result;
use crate::migrate::bundled;
use crate::migrate::revision::Revision;

impl Graph {
    /// The revisions that come with the package.
    pub fn bundled() -> Self {
        let revisions = bundled::revisions();
        let ours = revisions.len();
        Self::in_this_order(revisions).map_or_else(|error| panic!("{error}"), |graph| Self { ours, ..graph })
    }

    /// The package's revisions and an app's own. `files` are the names and texts of the app's files.
    ///
    /// # Errors
    ///
    /// As for [`Graph::parse`].
    pub fn with_bundled(files: &[(String, String)]) -> Result<Self> {
        let mut revisions = bundled::with(files)?;
        let ours = bundled::revisions().len();
        revisions[ours..].sort_by(|one, other| one.file.cmp(&other.file));
        Ok(Self { ours, ..Self::in_this_order(revisions)? })
    }

    /// Whether a revision comes with the package.
    pub(crate) fn is_ours(&self, id: &str) -> bool {
        self.at(id).is_some_and(|at| at < self.ours)
    }

    /// Whether an app has revisions of its own.
    pub(crate) fn has_app(&self) -> bool {
        self.revisions.len() > self.ours
    }

    /// Whether this name is an id or a label of a revision.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The newest revision that comes with the package.
    pub(crate) fn newest_of_ours(&self) -> Option<&Revision> {
        self.revisions[..self.ours].last()
    }

    /// The base of the app's branch, if the app has exactly one branch next to the package's; `None` if it has no
    /// branch or several, or continues the package's.
    pub(super) fn app_branch(&self) -> Option<usize> {
        let of_app = |at: &usize| *at >= self.ours && self.ours > 0;
        let bases = self.which(|node| node.parents.is_empty());
        let heads = self.named_heads();
        let mut bases = bases.into_iter().filter(of_app);
        match (bases.next(), bases.next(), heads.iter().filter(|at| of_app(at)).count()) {
            (Some(base), None, 1) if heads.len() > 1 => Some(base),
            _ => None,
        }
    }
}
