//! The revisions that come with the package.

use super::revision::Revision;

/// Their files in order: name and text.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// The bundled revisions, parsed, first to last.
pub(crate) fn revisions() -> Vec<Revision> {
    FILES.iter().map(|(file, text)| Revision::parse(file, text).unwrap_or_else(|error| panic!("{error}"))).collect()
}
