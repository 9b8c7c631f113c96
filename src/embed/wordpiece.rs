//! BERT's tokeniser: splits a text into words, and each word into the longest pieces in the vocabulary.
//!
//! The ids are those of Hugging Face's `tokenizers` for the same text, with one exception: text that looks like a
//! special token of the model, such as `[CLS]` or `[MASK]`, is treated like any other, because a memory holds what
//! people wrote and no control tokens.

use super::characters::{Characters, Part};
use super::vocabulary::{Hash, LONGEST_TOKEN, Vocabulary};

/// A word with more characters is unknown.
const LONGEST_WORD: usize = 100;
/// The prefix in the vocabulary of a piece that does not begin its word.
const CONTINUES: &[u8] = b"##";

/// The vocabulary, and the normalisation of texts before they are looked up.
pub(super) struct WordPiece {
    characters: Characters,
    vocabulary: Vocabulary,
    /// The id of the first token; the others follow.
    first: u32,
    unknown: u32,
    /// The hash of [`CONTINUES`], to continue from.
    continuing: Hash,
}

impl WordPiece {
    /// `unknown` is the id of a word that is not in the vocabulary, even in pieces.
    pub(super) fn new(characters: Characters, vocabulary: Vocabulary, first: u32, unknown: u32) -> Self {
        let continuing = CONTINUES.iter().fold(Hash::START, Hash::next);
        Self { characters, vocabulary, first, unknown, continuing }
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

    /// Calls `token` with the pieces of a word and empties the word. Returns false once `token` does.
    fn end(&self, word: &mut Word, pieces: &mut Vec<u32>, token: &mut impl FnMut(u32) -> bool) -> bool {
        pieces.clear();
        if word.characters > LONGEST_WORD || !self.split(&word.text, pieces) {
            pieces.clear();
            pieces.push(self.unknown);
        }
        word.text.clear();
        word.characters = 0;
        pieces.iter().all(|&piece| token(piece))
    }

    /// Appends the pieces of a word, always the longest available; false if some part of the word has no piece.
    fn split(&self, word: &[u8], pieces: &mut Vec<u32>) -> bool {
        let mut start = 0;
        while start < word.len() {
            let (from, before) = if start == 0 { (Hash::START, &[][..]) } else { (self.continuing, CONTINUES) };
            let rest = &word[start..word.len().min(start + self.vocabulary.longest())];
            // The hash of each beginning continues that of the shorter one. The longest beginnings are looked up first.
            let mut hashes = [0; LONGEST_TOKEN];
            let mut hash = from;
            for (state, byte) in hashes.iter_mut().zip(rest) {
                hash = hash.next(byte);
                *state = hash.finished();
            }
            let found = (1..=rest.len())
                .rev()
                .find_map(|length| Some((length, self.vocabulary.find(hashes[length - 1], before, &rest[..length])?)));
            let Some((length, at)) = found else { return false };
            pieces.push(self.first + at as u32);
            start += length;
        }
        true
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
        // A word that is too long is not looked up.
        if self.characters <= LONGEST_WORD {
            self.text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}
