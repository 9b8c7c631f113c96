//! The tokens' vectors, product-quantised: cut into parts of four numbers, each stored as the code of one of 256
//! centroids.

use super::file::{Reader, damaged};
use crate::error::Result;

/// How many numbers a part has.
const WIDTH: usize = 4;
/// How many centroids each part has. A code is one byte.
const CENTROIDS: usize = 256;

/// The rows, which are never decoded as a whole. Adding up a row from its codes takes no longer than reading a decoded
/// one, and nothing has to be decoded first (`models/README.md` has the figures).
pub(super) struct Rows {
    dimensions: usize,
    /// The length of each row.
    lengths: Vec<f32>,
    /// All centroids of the first part, then of the second, and so on.
    centroids: Vec<[f32; WIDTH]>,
    /// One code per part, row after row.
    codes: Box<[u8]>,
}

impl Rows {
    /// Reads `count` rows with this many dimensions.
    pub(super) fn read(file: &mut Reader<'_>, count: usize, dimensions: usize) -> Result<Self> {
        if dimensions == 0 || !dimensions.is_multiple_of(WIDTH) {
            return Err(damaged());
        }
        let parts = dimensions / WIDTH;
        // The upper half of a float32: three digits are enough for a length.
        let lengths = file.numbers(count, |upper| f32::from_bits(u32::from(u16::from_le_bytes(upper)) << 16))?;
        let scales = file.numbers(parts, f32::from_le_bytes)?;
        if lengths.iter().chain(&scales).any(|number| !number.is_finite()) {
            return Err(damaged());
        }
        let numbers = file.take(dimensions.checked_mul(CENTROIDS).ok_or_else(damaged)?)?;
        let (numbers, _) = numbers.as_chunks::<WIDTH>();
        let centroids = numbers.iter().enumerate().map(|(at, numbers)| {
            let scale = scales[at / CENTROIDS];
            numbers.map(|number| scale * f32::from(number as i8))
        });
        let centroids = centroids.collect();
        let codes = file.take(count.checked_mul(parts).ok_or_else(damaged)?)?.into();
        Ok(Self { dimensions, lengths, centroids, codes })
    }

    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Adds a row to a sum; does nothing if there is no such row.
    pub(super) fn add(&self, at: usize, sum: &mut [[f32; WIDTH]]) {
        let Some(&length) = self.lengths.get(at) else { return };
        let parts = self.dimensions / WIDTH;
        let codes = &self.codes[at * parts..(at + 1) * parts];
        for ((sum, &code), centroids) in sum.iter_mut().zip(codes).zip(self.centroids.as_chunks::<CENTROIDS>().0) {
            let [a, b, c, d] = centroids[usize::from(code)];
            // Unrolled: if the compiler optimises for size, it keeps a loop, which takes 1.2 to 1.5 times as long.
            *sum = [sum[0] + length * a, sum[1] + length * b, sum[2] + length * c, sum[3] + length * d];
        }
    }

    /// The sum of no rows.
    pub(super) fn zero(&self) -> Vec<[f32; WIDTH]> {
        vec![[0.0; WIDTH]; self.dimensions / WIDTH]
    }
}
