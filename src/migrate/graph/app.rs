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

    /// These, and an app's own files beside them, given as name and text.
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

    /// Whether an id or a label is this name.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The newest of those that come with the package.
    pub(crate) fn newest_of_ours(&self) -> Option<&Revision> {
        self.revisions[..self.ours].last()
    }

    /// Where the one branch begins that an app has next to the package's; nothing if it has none or several, or continues the
    /// package's.
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
