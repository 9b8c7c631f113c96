//! SentencePiece's unigram tokeniser: splits a text into words, and each word into the pieces whose scores have the
//! largest sum.
//!
//! The ids are those of SentencePiece for the same vocabulary. Each character is normalised and composed if possible,
//! runs of spaces become one, and a word begins with the space before it, even the first word.

use super::characters::{Characters, Part};
use super::vocabulary::{Hash, Vocabulary};

/// A longer word is cut at this many characters, which limits the memory that any text needs. Text without spaces, such
/// as Chinese, is one word up to the next space.
const LONGEST_WORD: usize = 2_048;
/// How much lower an unknown character scores than the least likely piece, as in SentencePiece.
const UNKNOWN_PENALTY: f32 = 10.0;
/// A flag on a composed character: it applies only if the first of the two was composed itself.
const ONLY_COMPOSED: u32 = 1 << 31;

/// The vocabulary with its scores, and the normalisation of texts.
pub(super) struct Unigram {
    characters: Characters,
    /// Two characters and the one that they compose to, in order.
    compositions: Vec<[u32; 3]>,
    vocabulary: Vocabulary,
    /// The logarithm of each piece's probability.
    scores: Vec<f32>,
    unknown_score: f32,
    /// The id of the first piece; the others follow.
    first: u32,
    unknown: u32,
}

impl Unigram {
    /// `unknown` is the id of characters that are in no piece. `compositions` holds two characters and the one that
    /// they compose to, one triple after another. Returns none if the triples are not in order, or a score is not
    /// finite.
    pub(super) fn new(
        characters: Characters,
        compositions: Vec<u32>,
        vocabulary: Vocabulary,
        scores: Vec<f32>,
        first: u32,
        unknown: u32,
    ) -> Option<Self> {
        let compositions = compositions.as_chunks().0.to_vec();
        let sorted = compositions.is_sorted_by_key(|&[one, other, _]: &[u32; 3]| [one, other]);
        if !sorted || !scores.iter().all(|score| score.is_finite()) {
            return None;
        }
        let unknown_score = scores.iter().copied().fold(f32::INFINITY, f32::min) - UNKNOWN_PENALTY;
        Some(Self { characters, compositions, vocabulary, scores, unknown_score, first, unknown })
    }

    /// Calls `token` with each id until it returns false.
    pub(super) fn each(&self, text: &str, mut token: impl FnMut(u32) -> bool) {
        let mut word = Word::new();
        // The letter that the previous character became, if it became exactly one, and whether it was composed of
        // several.
        let mut before: Option<(char, bool)> = None;
        for character in text.chars() {
            let mut letters = 0;
            let mut last = (' ', false);
            let mut wanted = true;
            self.characters.each(character, |part| {
                letters += 1;
                let letter = match part {
                    Part::Letter(letter) | Part::Alone(letter) => letter,
                    Part::Space => ' ',
                };
                last = (letter, false);
                if letter == ' ' {
                    before = None;
                    wanted = wanted && self.end(&mut word, &mut token);
                } else if let Some(composed) = before.take().and_then(|before| self.composed(before, letter)) {
                    word.replace_last(composed);
                    last = (composed, true);
                } else {
                    if word.starts.len() == LONGEST_WORD {
                        wanted = wanted && self.end(&mut word, &mut token);
                        word.go_on();
                    }
                    word.push(letter);
                }
            });
            if !wanted {
                return;
            }
            before = (letters == 1 && last.0 != ' ').then_some(last);
        }
        self.end(&mut word, &mut token);
    }

    /// The composition of a letter and the next one. SentencePiece searches for sequences in the original text, so some
    /// pairs compose only if the first was composed itself.
    fn composed(&self, (one, composed): (char, bool), other: char) -> Option<char> {
        if let Some(syllable) = hangul(one.into(), other.into(), composed) {
            return Some(syllable);
        }
        let pair = [u32::from(one), u32::from(other)];
        let at = self.compositions.binary_search_by_key(&pair, |&[one, other, _]| [one, other]).ok()?;
        let both = self.compositions[at][2];
        if both & ONLY_COMPOSED == 0 || composed { char::from_u32(both & !ONLY_COMPOSED) } else { None }
    }

    /// Calls `token` with the pieces of a word and empties the word. Returns false once `token` does.
    fn end(&self, word: &mut Word, token: &mut impl FnMut(u32) -> bool) -> bool {
        // Only the space.
        if word.text == b" " {
            return true;
        }
        self.split(word);
        let mut unknown_before = false;
        let wanted = word.pieces.iter().rev().all(|&piece| match piece {
            // Consecutive unknown characters are one token.
            None => std::mem::replace(&mut unknown_before, true) || token(self.unknown),
            Some(at) => {
                unknown_before = false;
                token(self.first + at)
            }
        });
        word.begin();
        wanted
    }

    /// Finds the pieces of a word, the last one first, with Viterbi's algorithm over the positions between characters.
    fn split(&self, word: &mut Word) {
        let Word { text, starts, best, pieces, score } = word;
        let end = text.len();
        best.clear();
        best.resize(end + 1, Best::NONE);
        best[0].score = *score;
        for (number, &start) in starts.iter().enumerate() {
            let next = starts.get(number + 1).map_or(end, |&next| next as usize);
            let start = start as usize;
            let so_far = best[start].score;
            let mut hash = Hash::START;
            let mut alone = false;
            let rest = &text[start..end.min(start + self.vocabulary.longest())];
            for (at, byte) in rest.iter().enumerate() {
                hash = hash.next(byte);
                let stop = start + at + 1;
                // Inside a character.
                if text.get(stop).is_some_and(|byte| byte & 0xc0 == 0x80) {
                    continue;
                }
                let Some(piece) = self.vocabulary.find(hash.finished(), &[], &rest[..=at]) else { continue };
                alone |= stop == next;
                best[stop].improve(start, Some(piece as u32), so_far + self.scores[piece]);
            }
            if !alone {
                best[next].improve(start, None, so_far + self.unknown_score);
            }
        }
        *score = best[end].score;
        pieces.clear();
        let mut at = end;
        while at > 0 {
            pieces.push(best[at].piece);
            at = best[at].start as usize;
        }
    }
}

/// The Hangul syllable that two letters compose to, or that a syllable and its last consonant compose to.
fn hangul(one: u32, other: u32, composed: bool) -> Option<char> {
    let (first, vowel) = (one.wrapping_sub(0x1100), other.wrapping_sub(0x1161));
    if first < 19 && vowel < 21 {
        return char::from_u32(0xac00 + (first * 21 + vowel) * 28);
    }
    let (syllable, last) = (one.wrapping_sub(0xac00), other.wrapping_sub(0x11a7));
    let open = composed && syllable < 11_172 && syllable.is_multiple_of(28);
    if open && (1..28).contains(&last) { char::from_u32(one + last) } else { None }
}

/// The best way to reach a position in a word.
#[derive(Clone, Copy)]
struct Best {
    score: f32,
    /// The start of the last piece, and the piece; none is an unknown character.
    start: u32,
    piece: Option<u32>,
}

impl Best {
    const NONE: Self = Self { score: f32::NEG_INFINITY, start: 0, piece: None };

    fn improve(&mut self, start: usize, piece: Option<u32>, score: f32) {
        if score > self.score {
            *self = Self { score, start: start as u32, piece };
        }
    }
}

/// The word that is being read, which begins with a space, and the buffers for splitting it.
struct Word {
    text: Vec<u8>,
    /// The position of each character.
    starts: Vec<u32>,
    best: Vec<Best>,
    pieces: Vec<Option<u32>>,
    /// The sum of the scores of all words before it. It continues from word to word so that rounding decides between
    /// equal ways to split a word as it does in SentencePiece.
    score: f32,
}

impl Word {
    fn new() -> Self {
        Self { text: vec![b' '], starts: vec![0], best: Vec::new(), pieces: Vec::new(), score: 0.0 }
    }

    fn push(&mut self, letter: char) {
        self.starts.push(self.text.len() as u32);
        self.text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn replace_last(&mut self, letter: char) {
        if let Some(start) = self.starts.pop() {
            self.text.truncate(start as usize);
        }
        self.push(letter);
    }

    fn begin(&mut self) {
        self.text.clear();
        self.starts.clear();
        self.push(' ');
    }

    /// Continues the same word, so without the space.
    fn go_on(&mut self) {
        self.text.clear();
        self.starts.clear();
    }
}
