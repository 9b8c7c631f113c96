//! What a user or a model types is a question, not FTS5 syntax: every word is quoted, so that any text is safe.

use crate::error::{Error, Result};

/// The most words of one search; more are refused rather than cut.
pub const MAX_WORDS: usize = 100;

/// Which rows a search finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Match {
    /// Those with every word.
    #[default]
    All,
    /// Those with at least one.
    Any,
}

/// The FTS5 expression for a search text; empty where the text has no word, which finds nothing.
pub(crate) fn expression(text: &str, matching: Match) -> Result<String> {
    let words: Vec<String> = text
        .split(|character: char| character.is_whitespace() || character == '\0')
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect();
    if words.len() > MAX_WORDS {
        return Err(Error::invalid_argument(format!("search has {} words; the limit is {MAX_WORDS}.", words.len())));
    }
    Ok(words.join(match matching {
        Match::All => " AND ",
        Match::Any => " OR ",
    }))
}
