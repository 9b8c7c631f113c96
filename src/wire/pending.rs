//! Texts that wait for their vector, with keys that can cross into JavaScript: an id and a version can exceed what a
//! JavaScript number holds.

use serde::Serialize;
use tsify::Tsify;

use crate::error::{Error, Result};
use crate::recall::{Item, Pending};

/// A text that waits for its vector.
#[derive(Serialize, Tsify)]
pub(crate) struct PendingText {
    /// Its key, with which the vector is returned.
    key: String,
    /// The text.
    text: String,
}

impl From<Pending> for PendingText {
    fn from(pending: Pending) -> Self {
        Self { key: format!("{}:{}", pending.item.0, pending.version), text: pending.text }
    }
}

/// The row and the version that a key stands for.
pub(crate) fn pending_key(key: &str) -> Result<(Item, i64)> {
    let parts = key.split_once(':').and_then(|(item, version)| Some((item.parse().ok()?, version.parse().ok()?)));
    parts
        .map(|(item, version)| (Item(item), version))
        .ok_or_else(|| Error::invalid_argument(format!("{key:?} is not the key of a pending text.")))
}
