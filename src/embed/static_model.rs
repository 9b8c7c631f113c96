//! The model: reads its file, and makes a text's vector from those of its tokens.

use super::characters::Characters;
use super::file::{Reader, checksum, damaged};
use super::rows::Rows;
use super::unigram::Unigram;
use super::vocabulary::Vocabulary;
use super::wordpiece::WordPiece;
use crate::error::{Error, Result};

/// The most tokens of a text that are used.
const MOST_TOKENS: usize = 512;

const MAGIC: &[u8] = b"synthemb";
const VERSION: u32 = 2;
/// The tokenisers that a file can be made for.
const WORDPIECE: u32 = 0;
const UNIGRAM: u32 = 1;

/// A vector for each token, and the tokeniser that finds the tokens of a text.
///
/// It is read from the bytes of a file such as `models/all-minilm-l6-v2-256.bin`.
pub struct StaticModel {
    name: String,
    tokeniser: Tokeniser,
    /// The id of the first token; the others follow.
    first: u32,
    rows: Rows,
}

/// The tokeniser of the model.
enum Tokeniser {
    WordPiece(WordPiece),
    Unigram(Unigram),
}

impl Tokeniser {
    /// Calls `token` with each id until it returns false.
    fn each(&self, text: &str, mut token: impl FnMut(u32) -> bool) {
        match self {
            Self::WordPiece(words) => words.each(text, &mut token),
            Self::Unigram(words) => words.each(text, &mut token),
        }
    }
}

impl StaticModel {
    /// Reads the file of a model.
    ///
    /// # Errors
    ///
    /// `invalid_argument` if the bytes are not such a file, are of another version, or are damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut file = Reader::new(bytes);
        if file.take(MAGIC.len())? != MAGIC {
            return Err(Error::invalid_argument("The file is not a model file of this package."));
        }
        let expected = file.take(8)?;
        if checksum(&bytes[file.position()..]).to_le_bytes() != expected {
            return Err(damaged());
        }
        let version = file.number()?;
        if version != VERSION {
            return Err(Error::invalid_argument(format!(
                "The model file has version {version}; this package reads version {VERSION}."
            )));
        }
        let (tokeniser, first, unknown) = (file.number()?, file.number()?, file.number()?);
        let [name, runs, several, tokens, texts, dimensions] = file.counts()?;
        let name = String::from_utf8(file.take(name)?.to_vec()).map_err(|_| damaged())?;
        let starts = file.numbers(runs, u32::from_le_bytes)?;
        let values = file.numbers(runs, i32::from_le_bytes)?;
        let several = file.numbers(several, u32::from_le_bytes)?;
        let characters = Characters::new(starts, values, several).ok_or_else(damaged)?;
        let lengths = file.take(tokens)?;
        let vocabulary = Vocabulary::new(lengths, file.take(texts)?).ok_or_else(damaged)?;
        let tokeniser = match tokeniser {
            WORDPIECE => Tokeniser::WordPiece(WordPiece::new(characters, vocabulary, first, unknown)),
            UNIGRAM => {
                let [pairs] = file.counts()?;
                let pairs = file.numbers(pairs.checked_mul(3).ok_or_else(damaged)?, u32::from_le_bytes)?;
                let scores = file.numbers(tokens, f32::from_le_bytes)?;
                let words = Unigram::new(characters, pairs, vocabulary, scores, first, unknown);
                Tokeniser::Unigram(words.ok_or_else(damaged)?)
            }
            _ => return Err(damaged()),
        };
        let rows = Rows::read(&mut file, tokens, dimensions)?;
        let end = first.checked_add(tokens as u32).ok_or_else(damaged)?;
        if file.position() != bytes.len() || (first..end).contains(&unknown) {
            return Err(damaged());
        }
        Ok(Self { name, tokeniser, first, rows })
    }

    /// The model's name, which is stored with the vectors, because vectors of different models cannot be compared.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many dimensions a vector has.
    pub fn dimensions(&self) -> usize {
        self.rows.dimensions()
    }

    /// The ids of all tokens of the text, without `[CLS]` and `[SEP]`. They equal those of Hugging Face's or
    /// SentencePiece's tokeniser for the same text and vocabulary.
    pub fn token_ids(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.tokeniser.each(text, |id| {
            ids.push(id);
            true
        });
        ids
    }

    /// The text's vector at unit length: the mean of its first 512 tokens, without unknown ones. None if no token is
    /// left.
    pub fn embed(&self, text: &str) -> Option<Vec<f32>> {
        let mut sum = self.rows.zero();
        let mut left = MOST_TOKENS;
        self.tokeniser.each(text, |id| {
            if let Some(at) = id.checked_sub(self.first) {
                self.rows.add(at as usize, &mut sum);
            }
            left -= 1;
            left > 0
        });
        let mut sum = sum.into_flattened();
        // The mean points in the direction of the sum, so only the length is normalised. A damaged file may hold
        // numbers so small that their squares need twice the bits.
        let length = sum.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        if !length.is_normal() {
            return None;
        }
        sum.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
        Some(sum)
    }
}

impl std::fmt::Debug for StaticModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StaticModel({}, {} dimensions)", self.name, self.dimensions())
    }
}
