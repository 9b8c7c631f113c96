//! BERT's tokeniser: a text in words, each word in the longest pieces that the vocabulary has.
//!
//! The ids are those of Hugging Face's `tokenizers` for the same text. Only what looks like one of the model's special
//! tokens, `[CLS]` or `[MASK]`, is text here like any other: a memory holds what people wrote, not what steers a model.

use super::characters::{Characters, Part};

/// A word with more characters is unknown.
const LONGEST_WORD: usize = 100;
/// No token has more bytes.
const LONGEST_TOKEN: usize = 64;
/// A piece that does not begin its word has this before it in the vocabulary.
const CONTINUES: &[u8] = b"##";

/// The vocabulary and what is done to a text before it is looked up there.
pub(super) struct WordPiece {
    characters: Characters,
    vocabulary: Vocabulary,
    unknown: u32,
}

impl WordPiece {
    /// `unknown` is the id of a word that is not in the vocabulary, even in pieces.
    pub(super) fn new(characters: Characters, vocabulary: Vocabulary, unknown: u32) -> Self {
        Self { characters, vocabulary, unknown }
    }

    /// Calls `token` with each id until it returns false.
    pub(super) fn each(&self, text: &str, mut token: impl FnMut(u32) -> bool) {
        let mut word = Word::default();
        let mut pieces = Vec::new();
        let mut wanted = true;
        for character in text.chars() {
            self.characters.each(character, |part| match part {
                Part::Letter(letter) => word.push(letter),
                Part::Space => wanted = wanted && self.end(&mut word, &mut pieces, &mut token),
                Part::Alone(sign) => {
                    wanted = wanted && self.end(&mut word, &mut pieces, &mut token);
                    word.push(sign);
                    wanted = wanted && self.end(&mut word, &mut pieces, &mut token);
                }
            });
            if !wanted {
                return;
            }
        }
        self.end(&mut word, &mut pieces, &mut token);
    }

    /// Says the pieces of a word and empties it.
    fn end(&self, word: &mut Word, pieces: &mut Vec<u32>, token: &mut impl FnMut(u32) -> bool) -> bool {
        pieces.clear();
        if word.characters > LONGEST_WORD || !self.vocabulary.split(&word.text, pieces) {
            pieces.clear();
            pieces.push(self.unknown);
        }
        word.text.clear();
        word.characters = 0;
        pieces.iter().all(|&piece| token(piece))
    }
}

/// The word that is being read.
#[derive(Default)]
struct Word {
    text: Vec<u8>,
    characters: usize,
}

impl Word {
    fn push(&mut self, letter: char) {
        self.characters += 1;
        // What is too long will not be looked up.
        if self.characters <= LONGEST_WORD {
            self.text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// The tokens' texts, found by an open-addressed hash over where they stand.
pub(super) struct Vocabulary {
    first: u32,
    texts: Box<[u8]>,
    /// Where each text begins, and where the last one ends.
    offsets: Vec<u32>,
    /// Zero, or sixteen bits of the hash and one more than the token's place.
    slots: Vec<u32>,
    /// The most bytes of a token.
    longest: usize,
    /// The hash of [`CONTINUES`], to go on from.
    continuing: u32,
}

impl Vocabulary {
    /// `first` is the id of the first text; the others follow. None where the lengths do not fit the texts.
    pub(super) fn new(first: u32, lengths: &[u8], texts: &[u8]) -> Option<Self> {
        let mut offsets = Vec::with_capacity(lengths.len() + 1);
        offsets.push(0);
        let mut end = 0;
        for &length in lengths {
            end += u32::from(length);
            offsets.push(end);
        }
        let longest = usize::from(lengths.iter().copied().max()?);
        if end as usize != texts.len() || longest > LONGEST_TOKEN || lengths.len() >= usize::from(u16::MAX) {
            return None;
        }
        // Two slots or more for each token, so that a word that is not there is missed soon.
        let slots = vec![0; (lengths.len() * 2).next_power_of_two()];
        let continuing = CONTINUES.iter().fold(Hash::START, Hash::next).0;
        let mut vocabulary = Self { first, texts: texts.into(), offsets, slots, longest, continuing };
        for at in 0..lengths.len() {
            vocabulary.insert(at);
        }
        Some(vocabulary)
    }

    fn text(&self, at: usize) -> &[u8] {
        &self.texts[self.offsets[at] as usize..self.offsets[at + 1] as usize]
    }

    fn insert(&mut self, at: usize) {
        let hash = self.text(at).iter().fold(Hash::START, Hash::next).finished();
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while self.slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = hash & 0xffff_0000 | (at as u32 + 1);
    }

    /// The place of the token that is `before` and `text`, whose hash is given.
    fn find(&self, hash: u32, before: &[u8], text: &[u8]) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        // One slot in two is empty at least, so this ends.
        while self.slots[slot] != 0 {
            let at = (self.slots[slot] & 0xffff) as usize - 1;
            if (self.slots[slot] ^ hash) >> 16 == 0 && self.text(at).strip_prefix(before) == Some(text) {
                return Some(at);
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    /// Adds the pieces of a word, always the longest that there is; false where there is none for some part of it.
    fn split(&self, word: &[u8], pieces: &mut Vec<u32>) -> bool {
        let mut start = 0;
        while start < word.len() {
            let (from, before) = if start == 0 { (Hash::START, &[][..]) } else { (Hash(self.continuing), CONTINUES) };
            let rest = &word[start..word.len().min(start + self.longest)];
            // The hash of each beginning goes into that of the next one; the longest are looked up first.
            let mut hashes = [0; LONGEST_TOKEN];
            let mut hash = from;
            for (state, byte) in hashes.iter_mut().zip(rest) {
                hash = hash.next(byte);
                *state = hash.finished();
            }
            let found = (1..=rest.len())
                .rev()
                .find_map(|length| Some((length, self.find(hashes[length - 1], before, &rest[..length])?)));
            let Some((length, at)) = found else { return false };
            pieces.push(self.first + at as u32);
            start += length;
        }
        true
    }
}

/// FNV-1a, mixed once more at the end, as its low bits alone would choose the slot.
#[derive(Clone, Copy)]
struct Hash(u32);

impl Hash {
    const START: Self = Self(0x811c_9dc5);

    fn next(self, byte: &u8) -> Self {
        Self((self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
    }

    fn finished(self) -> u32 {
        let mixed = (self.0 ^ self.0 >> 15).wrapping_mul(0x2c1b_3c6d);
        mixed ^ mixed >> 13
    }
}
