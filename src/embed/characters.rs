//! What becomes of each character before words are looked up: control characters and accents go, letters are made small,
//! punctuation and Chinese characters stand alone.
//!
//! What is what comes with the model's file, which was made by asking its own tokeniser about every character. One thing
//! is left out: Unicode's order of several accents on one letter. Those that are kept stand in no token, so a word with
//! one is unknown in either order.

/// A part of a normalised text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It belongs to a word.
    Letter(char),
    /// It is a word.
    Alone(char),
    /// It ends a word.
    Space,
}

/// The table, in runs of characters that are treated alike.
pub(super) struct Characters {
    /// The first of each run, rising.
    starts: Vec<u32>,
    /// What becomes of a run: three bits that say which kind, the others by what the kind needs.
    values: Vec<i32>,
    /// The characters that stand for one, where they are several.
    several: Vec<u32>,
    /// Looked up already for the most common ones.
    ascii: [i32; 128],
}

impl Characters {
    /// None where the runs are not in order.
    pub(super) fn new(starts: Vec<u32>, values: Vec<i32>, several: Vec<u32>) -> Option<Self> {
        if starts.first() != Some(&0) || starts.len() != values.len() || !starts.is_sorted_by(|a, b| a < b) {
            return None;
        }
        let mut characters = Self { starts, values, several, ascii: [0; 128] };
        characters.ascii = std::array::from_fn(|code| characters.find(code as u32));
        Some(characters)
    }

    /// Says what becomes of a character, part by part.
    pub(super) fn each(&self, character: char, mut part: impl FnMut(Part)) {
        let code = character as u32;
        let value = self.ascii.get(code as usize).copied().unwrap_or_else(|| self.find(code));
        let rest = value >> 3;
        // A character that is none comes of a damaged file only.
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
        // The first run starts at zero, so one is found.
        self.values[self.starts.partition_point(|&start| start <= code) - 1]
    }
}

/// A Hangul syllable is taken apart by Unicode's arithmetic: first consonant, vowel, last consonant if there is one.
fn hangul(code: u32, mut part: impl FnMut(Part)) {
    let at = code.wrapping_sub(0xac00) % 11_172;
    let tail = (!at.is_multiple_of(28)).then_some(0x11a7 + at % 28);
    let codes = [Some(0x1100 + at / 588), Some(0x1161 + at % 588 / 28), tail];
    codes.into_iter().flatten().filter_map(char::from_u32).for_each(|letter| part(Part::Letter(letter)));
}
