//! The file of a model: reads its parts in order, and computes its checksum.

use crate::error::{Error, Result};

/// A reader, with the position up to which the file has been read.
pub(super) struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The position of the next part.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The next bytes; an error if there are too few.
    pub(super) fn take(&mut self, count: usize) -> Result<&'b [u8]> {
        let end = self.at.checked_add(count).ok_or_else(damaged)?;
        let taken = self.bytes.get(self.at..end).ok_or_else(damaged)?;
        self.at = end;
        Ok(taken)
    }

    pub(super) fn number(&mut self) -> Result<u32> {
        Ok(self.numbers(1, u32::from_le_bytes)?[0])
    }

    pub(super) fn counts<const N: usize>(&mut self) -> Result<[usize; N]> {
        let mut counts = [0; N];
        for count in &mut counts {
            *count = self.number()? as usize;
        }
        Ok(counts)
    }

    pub(super) fn numbers<T, const SIZE: usize>(&mut self, count: usize, read: fn([u8; SIZE]) -> T) -> Result<Vec<T>> {
        let bytes = self.take(count.checked_mul(SIZE).ok_or_else(damaged)?)?;
        Ok(bytes.as_chunks().0.iter().map(|&number| read(number)).collect())
    }
}

pub(super) fn damaged() -> Error {
    Error::invalid_argument("The model file is damaged.").with_hint("Load it again.")
}

/// FNV-1a of 64 bits over words of eight bytes instead of single bytes, which takes an eighth of the time.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let last = (!rest.is_empty()).then_some(&last);
    words
        .iter()
        .chain(last)
        .fold(0xcbf2_9ce4_8422_2325, |hash, word| (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0x0100_0000_01b3))
}
