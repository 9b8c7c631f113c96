//! Normalises each character before words are looked up: removes control characters and accents, lower-cases letters,
//! and separates punctuation and Chinese characters.
//!
//! The rules come with the model's file, which was made by querying the model's own tokeniser for every character. One
//! thing is left out: Unicode's order of several accents on one letter. The accents that are kept occur in no token, so
//! a word with one is unknown in either order.

/// A part of a normalised text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A letter of a word.
    Letter(char),
    /// A word by itself.
    Alone(char),
    /// The end of a word.
    Space,
}

/// The rules, in runs of characters that are treated alike.
pub(super) struct Characters {
    /// The first character of each run, ascending.
    starts: Vec<u32>,
    /// The rule of each run: three bits for its kind, and the others for what the kind needs.
    values: Vec<i32>,
    /// The characters that replace one, if they are several.
    several: Vec<u32>,
    /// The rules of ASCII characters, looked up in advance.
    ascii: [i32; 128],
}

impl Characters {
    /// Returns none if the runs are not in order.
    pub(super) fn new(starts: Vec<u32>, values: Vec<i32>, several: Vec<u32>) -> Option<Self> {
        if starts.first() != Some(&0) || starts.len() != values.len() || !starts.is_sorted_by(|a, b| a < b) {
            return None;
        }
        let mut characters = Self { starts, values, several, ascii: [0; 128] };
        characters.ascii = std::array::from_fn(|code| characters.find(code as u32));
        Some(characters)
    }

    /// Calls `part` with each part that a character becomes.
    pub(super) fn each(&self, character: char, mut part: impl FnMut(Part)) {
        let code = character as u32;
        let value = self.ascii.get(code as usize).copied().unwrap_or_else(|| self.find(code));
        let rest = value >> 3;
        // Only a damaged file leads to an invalid character.
        let moved = || char::from_u32(code.wrapping_add_signed(rest)).unwrap_or(char::REPLACEMENT_CHARACTER);
        match value & 7 {
            0 => part(Part::Letter(moved())),
            1 => {}
            2 => part(Part::Space),
            3 => part(Part::Alone(moved())),
            4 => {
                let start = (rest >> 5) as usize;
                let several = self.several.get(start..start.saturating_add((rest & 31) as usize)).unwrap_or(&[]);
                several.iter().filter_map(|&code| char::from_u32(code)).for_each(|letter| part(Part::Letter(letter)));
            }
            _ => hangul(code, part),
        }
    }

    fn find(&self, code: u32) -> i32 {
        // The first run starts at zero, so there always is one.
        self.values[self.starts.partition_point(|&start| start <= code) - 1]
    }
}

/// Decomposes a Hangul syllable by Unicode's arithmetic: first consonant, vowel, and last consonant if there is one.
fn hangul(code: u32, mut part: impl FnMut(Part)) {
    let at = code.wrapping_sub(0xac00) % 11_172;
    let tail = (!at.is_multiple_of(28)).then_some(0x11a7 + at % 28);
    let codes = [Some(0x1100 + at / 588), Some(0x1161 + at % 588 / 28), tail];
    codes.into_iter().flatten().filter_map(char::from_u32).for_each(|letter| part(Part::Letter(letter)));
}
