//! What a user or a model types is a question, not FTS5 syntax: every word is quoted, so that any text is safe.

use serde::Deserialize;
use tsify::Tsify;

use crate::error::{Error, Result};

/// The most words of one search; more are refused rather than cut.
pub const MAX_WORDS: usize = 100;

/// Whether a search needs every word or any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// Those with every word.
    #[default]
    All,
    /// Those with at least one.
    Any,
}

/// The characters that are words by themselves, for their scripts set no spaces between words, or are no letters:
/// Thai, Lao, Burmese, Khmer, symbols, Japanese, Chinese, Korean, emoji. Revision 002 sets them apart likewise.
const ALONE: [[u32; 2]; 15] = [
    [0xE01, 0xE5B],
    [0xE81, 0xEDF],
    [0x1000, 0x109F],
    [0x1780, 0x17F9],
    [0x2600, 0x27BF],
    [0x3005, 0x3007],
    [0x3041, 0x30FF],
    [0x31F0, 0x31FF],
    [0x3400, 0x4DBF],
    [0x4E00, 0x9FFF],
    [0xAC00, 0xD7A3],
    [0xF900, 0xFAD9],
    [0xFF66, 0xFF9F],
    [0x1F000, 0x1FAFF],
    [0x20000, 0x3134A],
];

/// Whether a character is a word by itself.
pub(crate) fn is_alone(character: char) -> bool {
    ALONE.iter().any(|[first, last]| (*first..=*last).contains(&(character as u32)))
}

/// The words of a text as FTS5 is asked for them, each in quotes. Of characters that stand alone, each pair of neighbors
/// is one, so that 花生 is found where the two stand side by side.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    // The character before, where it stood alone. It is the word so far, until it is in a pair.
    let mut before = None;
    for character in text.chars().chain([' ']) {
        let separates = character.is_whitespace() || character == '\0';
        let alone = is_alone(character);
        if let (Some(first), true) = (before, alone) {
            word = format!("{first} {character}");
        }
        if separates || alone || before.is_some() {
            if word.chars().any(|character| character.is_alphanumeric() || is_alone(character)) {
                words.push(format!("\"{}\"", word.replace('"', "\"\"")));
            }
            word.clear();
        }
        if !separates && (!alone || before.is_none()) {
            word.push(character);
        }
        before = alone.then_some(character);
    }
    words
}

/// The FTS5 expression for a search text; empty where the text has no word, which finds nothing.
pub(crate) fn expression(text: &str, matching: Match) -> Result<String> {
    let words = words(text);
    if words.len() > MAX_WORDS {
        return Err(Error::invalid_argument(format!("search has {} words; the limit is {MAX_WORDS}.", words.len())));
    }
    Ok(words.join(match matching {
        Match::All => " AND ",
        Match::Any => " OR ",
    }))
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn characters_that_stand_alone_are_asked_for_in_pairs() {
        for (text, expected) in [
            ("Don't \"jump\"", vec!["\"Don't\"", "\"\"\"jump\"\"\""]),
            ("我", vec!["\"我\""]),
            ("我们去 北京 hello", vec!["\"我 们\"", "\"们 去\"", "\"北 京\"", "\"hello\""]),
            ("abc我def", vec!["\"abc\"", "\"我\"", "\"def\""]),
            ("我们x 🎉party", vec!["\"我 们\"", "\"x\"", "\"🎉\"", "\"party\""]),
            ("* - () \u{0} …", vec![]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }
}
