//! The revisions that come with the package.

use super::revision::Revision;
use crate::error::Result;

/// The names and texts of their files, in order.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// The bundled revisions, parsed, from first to last.
pub(crate) fn revisions() -> Vec<Revision> {
    FILES.iter().map(|(file, text)| Revision::parse(file, text).unwrap_or_else(|error| panic!("{error}"))).collect()
}

/// Whether a revision is one of them.
pub(crate) fn has(revision: &Revision) -> bool {
    FILES.iter().any(|(file, text)| *file == revision.file && *text == revision.text)
}

/// The bundled revisions and an app's own. `files` are the names and texts of the app's files.
///
/// # Errors
///
/// `invalid_migration` if a file breaks the format.
pub(crate) fn with(files: &[(String, String)]) -> Result<Vec<Revision>> {
    let mut all = revisions();
    for (file, text) in files {
        all.push(Revision::parse(file, text)?);
    }
    Ok(all)
}
