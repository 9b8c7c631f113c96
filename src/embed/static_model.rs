//! The model: its file read, and a text's vector made of its tokens'.

use super::characters::Characters;
use super::wordpiece::{Vocabulary, WordPiece};
use crate::error::{Error, Result};

/// No more tokens of a text are looked at.
const MOST_TOKENS: usize = 512;

const MAGIC: &[u8] = b"synthemb";
const VERSION: u32 = 1;

/// A vector for each token, and what finds the tokens of a text.
///
/// It is made from the bytes of a file such as `models/all-minilm-l6-v2-256.bin` and keeps them.
pub struct StaticModel {
    name: String,
    dimensions: usize,
    words: WordPiece,
    first: u32,
    /// What each row is to be multiplied with.
    scales: Vec<f32>,
    /// The rows are the last part of it, one signed byte for each dimension.
    bytes: Vec<u8>,
    rows: usize,
}

impl StaticModel {
    /// Reads the file of a model.
    ///
    /// # Errors
    ///
    /// `invalid_argument` where the bytes are not such a file, of another version, or damaged.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let mut file = Reader { bytes: &bytes, at: 0 };
        if file.take(MAGIC.len())? != MAGIC {
            return Err(Error::invalid_argument("The file is not a model of this package."));
        }
        let expected = file.take(8)?;
        if checksum(&bytes[file.at..]).to_le_bytes() != expected {
            return Err(damaged());
        }
        let version = file.number()?;
        if version != VERSION {
            return Err(Error::invalid_argument(format!(
                "The file of the model is of version {version}; this package reads version {VERSION}."
            )));
        }
        let (first, unknown) = (file.number()?, file.number()?);
        let [name, runs, several, tokens, texts, dimensions] = file.counts()?;
        let name = String::from_utf8(file.take(name)?.to_vec()).map_err(|_| damaged())?;
        let starts = file.numbers(runs, u32::from_le_bytes)?;
        let values = file.numbers(runs, i32::from_le_bytes)?;
        let several = file.numbers(several, u32::from_le_bytes)?;
        let characters = Characters::new(starts, values, several).ok_or_else(damaged)?;
        let lengths = file.take(tokens)?;
        let vocabulary = Vocabulary::new(first, lengths, file.take(texts)?).ok_or_else(damaged)?;
        let scales = file.numbers(tokens, f32::from_le_bytes)?;
        let rows = file.at;
        let size = tokens.checked_mul(dimensions).ok_or_else(damaged)?;
        file.take(size)?;
        let end = first.checked_add(tokens as u32).ok_or_else(damaged)?;
        let known = (first..end).contains(&unknown);
        if file.at != bytes.len() || dimensions == 0 || known || scales.iter().any(|scale| !scale.is_finite()) {
            return Err(damaged());
        }
        let words = WordPiece::new(characters, vocabulary, unknown);
        Ok(Self { name, dimensions, words, first, scales, rows, bytes })
    }

    /// What the model is called, to be kept with the vectors: those of different models cannot be compared.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many numbers a vector has.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The ids of all the text's tokens, Hugging Face's for the same text, without `[CLS]` and `[SEP]`.
    pub fn token_ids(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.words.each(text, |id| {
            ids.push(id);
            true
        });
        ids
    }

    /// The text's vector, of length one: the mean of the first 512 tokens', those that are unknown left out. None where
    /// nothing is left.
    pub fn embed(&self, text: &str) -> Option<Vec<f32>> {
        let mut sum = vec![0.0; self.dimensions];
        let mut left = MOST_TOKENS;
        self.words.each(text, |id| {
            if let Some((scale, row)) = self.row(id) {
                for (sum, &value) in sum.iter_mut().zip(row) {
                    *sum += scale * f32::from(value as i8);
                }
            }
            left -= 1;
            left > 0
        });
        // The mean points where the sum does, so only the length is to be made one.
        let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
        if !length.is_normal() {
            return None;
        }
        sum.iter_mut().for_each(|value| *value /= length);
        Some(sum)
    }

    fn row(&self, id: u32) -> Option<(f32, &[u8])> {
        let at = id.checked_sub(self.first)? as usize;
        let scale = *self.scales.get(at)?;
        let start = self.rows + at * self.dimensions;
        Some((scale, &self.bytes[start..start + self.dimensions]))
    }
}

impl std::fmt::Debug for StaticModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StaticModel({}, {} dimensions)", self.name, self.dimensions)
    }
}

fn damaged() -> Error {
    Error::invalid_argument("The file of the model is damaged.").with_hint("Load it again.")
}

/// FNV-1a with words of eight bytes in the place of single ones, as eight megabytes are to be read in no time.
fn checksum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let last = (!rest.is_empty()).then_some(&last);
    words
        .iter()
        .chain(last)
        .fold(0xcbf2_9ce4_8422_2325, |hash, word| (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0x0100_0000_01b3))
}

/// Where the file has been read to.
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8]> {
        let end = self.at.checked_add(count).ok_or_else(damaged)?;
        let taken = self.bytes.get(self.at..end).ok_or_else(damaged)?;
        self.at = end;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32> {
        Ok(self.numbers(1, u32::from_le_bytes)?[0])
    }

    fn counts<const N: usize>(&mut self) -> Result<[usize; N]> {
        let mut counts = [0; N];
        for count in &mut counts {
            *count = self.number()? as usize;
        }
        Ok(counts)
    }

    fn numbers<T>(&mut self, count: usize, read: fn([u8; 4]) -> T) -> Result<Vec<T>> {
        let bytes = self.take(count.checked_mul(4).ok_or_else(damaged)?)?;
        Ok(bytes.as_chunks().0.iter().map(|&number| read(number)).collect())
    }
}
