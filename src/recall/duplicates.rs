//! Which memories say the same: those of the same text, and those whose vectors are all but the same, where the words agree.
//!
//! Vectors alone do not tell: to most models "is allergic" and "is not allergic" are as good as the same, and to a table of
//! words so is who owes whom.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::words;

/// Words that turn a sentence round, in some languages.
const NEGATIONS: &[&str] = &[
    "not", "no", "never", "without", "none", "nobody", "nothing", "neither", "nor", "cannot", "isn", "aren", "wasn",
    "weren", "doesn", "don", "didn", "won", "can", "couldn", "wouldn", "shouldn", "hasn", "haven", "hadn", "t",
    "longer", "stopped", "nicht", "kein", "keine", "keinen", "keiner", "nie", "niemals", "ohne", "non", "ne", "pas",
    "jamais", "sans", "aucun", "nunca", "sin", "ni", "nada", "nadie", "não", "nem", "sem", "mai", "senza", "不", "没",
    "沒", "无", "無", "非", "未", "别", "勿",
];

/// Whether texts whose vectors are all but the same say the same: one has all words of the other, in their order, and what it
/// has more neither negates nor counts. A text without words says nothing that could be compared.
pub(super) fn agree(a: &str, b: &str) -> bool {
    let (a, b) = (words_of(a), words_of(b));
    let (longer, shorter) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut wanted = shorter.iter().peekable();
    for word in &longer {
        if wanted.next_if(|next| *next == word).is_none() && is_turn(word) {
            return false;
        }
    }
    !shorter.is_empty() && wanted.peek().is_none()
}

/// Whether a word negates or counts, so that a text with it says something else than the same text without.
fn is_turn(word: &str) -> bool {
    NEGATIONS.contains(&word) || word.chars().any(char::is_numeric)
}

/// The words of a text, in lower case; each character of a script without spaces is one.
fn words_of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    each_word(text, |word| words.push(word.to_owned()));
    words
}

/// Does something with each word of a text.
fn each_word(text: &str, mut with: impl FnMut(&str)) {
    let mut word = String::new();
    let mut end = |word: &mut String| {
        if !word.is_empty() {
            with(word);
            word.clear();
        }
    };
    for character in text.chars().flat_map(char::to_lowercase) {
        let alone = words::is_alone(character);
        if alone || !character.is_alphanumeric() {
            end(&mut word);
        }
        if alone || character.is_alphanumeric() {
            word.push(character);
        }
        if alone {
            end(&mut word);
        }
    }
    end(&mut word);
}

/// What can be said of a text in a few bytes, to rule out that it agrees with another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sketch {
    /// Of its words that negate or count, in their order: texts that agree have the same.
    pub(super) turns: u64,
    /// A bit for each of its words: of two texts that agree, one has all bits of the other.
    words: u64,
}

impl Sketch {
    pub(super) fn of(text: &str) -> Self {
        let (mut turns, mut words) = (DefaultHasher::new(), 0);
        each_word(text, |word| {
            let mut hasher = DefaultHasher::new();
            word.hash(&mut hasher);
            words |= 1 << (hasher.finish() >> 58);
            if is_turn(word) {
                word.hash(&mut turns);
            }
        });
        Self { turns: turns.finish(), words }
    }

    /// Whether the texts of both may agree.
    pub(super) fn may_agree(self, other: Self) -> bool {
        let common = self.words & other.words;
        self.turns == other.turns && common != 0 && (common == self.words || common == other.words)
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sketch_never_rules_out_what_agrees(
            words in prop::collection::vec(prop::sample::select(vec!["tea", "no", "7", "Ada", "我", "likes", "nicht", "?"]), 0..7),
            kept in prop::collection::vec(any::<bool>(), 7),
        ) {
            let longer = words.join(" ");
            let shorter: Vec<&str> = words.iter().zip(kept).filter(|(_, kept)| *kept).map(|(word, _)| *word).collect();
            let shorter = shorter.join(" ");
            for (a, b) in [(&longer, &shorter), (&shorter, &longer)] {
                prop_assert!(!agree(a, b) || Sketch::of(a).may_agree(Sketch::of(b)), "{a} / {b}");
            }
        }
    }
}
