//! Which texts are the same: those that differ only in white space and in the Unicode form of their characters.
//!
//! No other difference is ignored. A sign, an upper-case letter or one small word can reverse a sentence in any
//! language, and neither a list of words nor a vector can detect them all.

use sha2::{Digest, Sha256};

use crate::words::canonical;

/// A text with single spaces, in composed characters. Texts that are the same have the same normalised text.
pub(super) fn normalised(text: &str) -> String {
    let mut normalised = String::with_capacity(text.len());
    for word in canonical(text).split_whitespace() {
        if !normalised.is_empty() {
            normalised.push(' ');
        }
        normalised.push_str(word);
    }
    normalised
}

/// A mark that two texts share only if they are the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct TextMark([u8; 32]);

impl TextMark {
    pub(super) fn of(text: &str) -> Self {
        Self(Sha256::digest(normalised(text)).into())
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::TextMark;

    #[test]
    fn only_what_nobody_could_tell_apart_is_the_same() {
        let is_same = |a: &str, b: &str| TextMark::of(a) == TextMark::of(b);
        for (a, b) in [
            ("tea at five", "  tea\tat\n\nfive\u{a0}"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("\u{ac00}", "\u{1100}\u{1161}"),
            ("\u{212b}", "\u{c5}"),
        ] {
            assert!(is_same(a, b), "{a:?} / {b:?}");
        }
        for (a, b) in [
            ("Анна ест рыбу", "Анна не ест рыбу"),
            ("keep at -18 °C", "keep at 18 °C"),
            ("when the pulse is < 60", "when the pulse is > 60"),
            ("developer of C++", "developer of C"),
            ("x = 5", "x != 5"),
            ("dQw4w9WgXcQ", "dqw4w9wgxcq"),
            ("x²", "x2"),
            ("ﬁle", "file"),
            ("rose", "rosé"),
            ("now here", "nowhere"),
            ("?!", "…"),
        ] {
            assert!(!is_same(a, b), "{a:?} / {b:?}");
        }
    }
}
