//! Splits, folds and stems words, in one place for the index and for questions.
//!
//! A text becomes *terms*. Case, accents and different spellings of one word do not count (`fold.rs`); English words
//! lose their endings (`porter.rs`); in scripts without spaces, each pair of neighboring characters is a term. FTS5
//! receives only terms and takes them as they are.

mod data;
mod fold;
mod function_words;
mod normal;
mod porter;

use serde::Deserialize;
use tsify::Tsify;

use crate::error::{Error, Result};
pub(crate) use data::without_data;
use fold::{Folded, fold};
pub(crate) use normal::canonical;

/// The most words of one search. A search with more is rejected rather than cut.
pub const MAX_WORDS: usize = 100;
/// The most characters of a word. Longer words are not asked for in practice, so only their beginning counts.
const LONGEST: usize = 64;

/// Whether rows must have every word of a search, or any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// Rows with every word.
    #[default]
    All,
    /// Rows with at least one word.
    Any,
}

/// The characters that are words by themselves, because their scripts have no spaces between words or because they are
/// not letters: Thai, Lao, Burmese, Khmer, symbols, Japanese, Chinese, Korean, emoji.
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
    character >= '\u{E01}' && ALONE.iter().any(|[first, last]| (*first..=*last).contains(&(character as u32)))
}

/// A part of a folded text, from which terms are made.
enum Part<'t> {
    /// A word of a script with spaces.
    Word(&'t str),
    /// A character that stands alone, the one before it if that stands alone too, and whether the next one does not.
    Alone { before: Option<char>, character: char, is_last: bool },
}

/// Calls `each` with the parts of a text, in order.
fn parts(text: &str, mut each: impl FnMut(Part<'_>)) {
    let (mut word, mut length) = (String::new(), 0);
    // The last character that stands alone, and the one before it.
    let (mut before, mut last) = (None, None);
    let mut take = |folded: Folded| {
        let (letter, alone) = match folded {
            Folded::Letter(letter) if is_alone(letter) => (None, Some(letter)),
            Folded::Letter(letter) => (Some(letter), None),
            Folded::Gap => (None, None),
        };
        if let Some(character) = last {
            each(Part::Alone { before, character, is_last: alone.is_none() });
        }
        (before, last) = (last.filter(|_| alone.is_some()), alone);
        match letter {
            Some(letter) if length < LONGEST => {
                word.push(letter);
                length += 1;
            }
            Some(_) => {}
            None => {
                if !word.is_empty() {
                    each(Part::Word(&word));
                }
                word.clear();
                length = 0;
            }
        }
    };
    fold(text, &mut take);
    take(Folded::Gap);
}

/// Appends the terms of a text, each followed by a space, as the index receives them.
pub(crate) fn write_terms(text: &str, terms: &mut String) {
    parts(text, |part| {
        match part {
            Part::Word(word) => porter::stem(word, terms),
            // Each pair, and the last character by itself. So every character is the beginning of a term.
            Part::Alone { before, character, is_last } => {
                if let Some(before) = before {
                    terms.extend([before, character, ' ']);
                }
                if !is_last {
                    return;
                }
                terms.push(character);
            }
        }
        terms.push(' ');
    });
}

/// A word that is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Its term in the index.
    pub(crate) term: String,
    /// Whether it matches every term that begins with it.
    pub(crate) is_prefix: bool,
    /// Whether it is a function word, such as "the" and "me", which says nothing by itself.
    pub(crate) is_function_word: bool,
}

impl Asked {
    /// The FTS5 expression of the word. A term never contains a quotation mark.
    pub(crate) fn expression(&self) -> String {
        format!("\"{}\"{}", self.term, if self.is_prefix { "*" } else { "" })
    }
}

/// The words of a text as they are searched, in order.
pub(crate) fn asked(text: &str) -> Vec<Asked> {
    // Each word as it is written, its term, and whether the term is a prefix.
    let mut words: Vec<(String, String, bool)> = Vec::new();
    parts(&without_data(text), |part| match part {
        Part::Word(word) => {
            let mut term = String::new();
            porter::stem(word, &mut term);
            words.push((word.to_owned(), term, false));
        }
        Part::Alone { before: Some(before), character, .. } => {
            let pair: String = [before, character].into_iter().collect();
            words.push((pair.clone(), pair, false));
        }
        Part::Alone { before: None, character, is_last: true } => {
            words.push((character.into(), character.into(), true));
        }
        Part::Alone { .. } => {}
    });
    let written: Vec<&str> = words.iter().map(|(word, ..)| word.as_str()).collect();
    let function_words = function_words::among(&written);
    let asked = words.into_iter().zip(function_words);
    asked.map(|((_, term, is_prefix), is_function_word)| Asked { term, is_prefix, is_function_word }).collect()
}

/// The beginning of a long word, without its ending. It does for every language with endings what stemming does for
/// English.
pub(crate) fn beginning(asked: &Asked) -> Option<Asked> {
    const LONG: usize = 6;
    const ENDING: usize = 3;
    let letters = asked.term.chars().count();
    if asked.is_prefix || letters < LONG || !asked.term.chars().all(char::is_alphabetic) {
        return None;
    }
    let kept = letters - ENDING.min(letters - 4);
    Some(Asked { term: asked.term.chars().take(kept).collect(), is_prefix: true, ..*asked })
}

/// The FTS5 expression for a search text; empty if the text has no word, so that nothing is found.
pub(crate) fn expression(text: &str, matching: Match) -> Result<String> {
    let words = asked(text);
    if words.len() > MAX_WORDS {
        return Err(Error::invalid_argument(format!("search has {} words; the limit is {MAX_WORDS}.", words.len())));
    }
    let words: Vec<String> = words.iter().map(Asked::expression).collect();
    Ok(words.join(match matching {
        Match::All => " AND ",
        Match::Any => " OR ",
    }))
}

#[cfg(test)]
mod tests {
    use super::{asked, write_terms};

    fn terms(text: &str) -> String {
        let mut terms = String::new();
        write_terms(text, &mut terms);
        terms.trim_end().to_owned()
    }

    #[test]
    fn a_text_becomes_terms() {
        for (text, expected) in [
            ("Don't \"jump\"", "don t jump"),
            ("allergic to allergies", "allerg to allergi"),
            ("我", "我"),
            ("我们去 北京 hello", "我们 们去 去 北京 京 hello"),
            ("abc我def", "abc 我 def"),
            ("* - () \u{0} …", ""),
            ("before\u{0}after", "befor after"),
            ("किताबें", "किताबें"),
        ] {
            assert_eq!(terms(text), expected, "{text}");
        }
    }

    #[test]
    fn a_word_is_the_same_however_it_is_written() {
        for (a, b) in [
            ("Caf\u{e9} CAFE", "cafe cafe\u{301}"),
            ("ﬁne Ｆｕｌｌ ½", "fine full 1⁄2"),
            ("Straße", "STRASSE"),
            ("søster đak łódź œuvre ærlig", "soster dak lodz oeuvre aerlig"),
            ("ΆΛΦΑ Σίσυφος", "αλφα ΣΙΣΥΦΟΣ"),
            ("Ёлка", "елка"),
            ("كِتَابٌ أحمد إلى آمن ـكـتاب", "كتاب احمد الي امن كتاب"),
            ("کتاب یک", "كتاب يك"),
            ("שָׁלוֹם", "שלום"),
            ("co\u{ad}operate zero\u{200b}width", "cooperate zerowidth"),
            ("ﾊﾝｶｸ が", "ハンカク か\u{3099}"),
            ("각", "\u{1100}\u{1161}\u{11a8}"),
        ] {
            assert_eq!(terms(a), terms(b), "{a} and {b}");
        }
        for (a, b) in [("が", "か"), ("किताब", "कताब"), ("й", "и")] {
            assert_ne!(terms(a), terms(b), "{a} and {b}");
        }
    }

    #[test]
    fn a_character_that_stands_alone_is_asked_for_as_a_beginning() {
        let expressions = |text: &str| asked(text).iter().map(super::Asked::expression).collect::<Vec<_>>().join(" ");
        for (text, expected) in
            [("我", "\"我\"*"), ("我们去 京", "\"我们\" \"们去\" \"京\"*"), ("Running shoes", "\"run\" \"shoe\"")]
        {
            assert_eq!(expressions(text), expected);
        }
    }
}
