//! Vectors as codes: one small integer per dimension, and one scale per vector.
//!
//! A code has six bits with many dimensions, and eight with few, because each then carries more. In memory, each takes
//! a byte, as SIMD needs; in the file they are packed.

use super::lanes::{CODES, Lane, bytes, lane, lanes};

/// From this many dimensions on, six bits are enough: the error of a cosine is less than 0.002 (standard deviation).
const SIX_BITS: usize = 128;

/// The largest code of a vector with this many dimensions.
const fn largest_code(dimensions: usize) -> i8 {
    if dimensions < SIX_BITS { 127 } else { 31 }
}

/// How many bytes a vector with this many dimensions takes in a stored block: its scale and its codes.
pub(super) const fn slot_len(dimensions: usize) -> usize {
    size_of::<f32>() + packed_len(dimensions)
}

/// How many bytes the codes of a vector with this many dimensions take in the file.
pub(super) const fn packed_len(dimensions: usize) -> usize {
    let count = lanes(dimensions, CODES) * CODES;
    if dimensions < SIX_BITS { count } else { count / 4 * 3 }
}

/// Appends the codes of a vector to `codes`. Returns its scale: the value of one unit of a code.
pub(super) fn quantise(vector: &[f32], codes: &mut Vec<Lane>) -> f32 {
    let largest = vector.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = largest.max(f32::MIN_POSITIVE) / f32::from(largest_code(vector.len()));
    codes.extend(vector.chunks(CODES).map(|values| {
        let mut bytes = [0; CODES];
        for (code, value) in bytes.iter_mut().zip(values) {
            *code = (value / scale).round() as i8 as u8;
        }
        lane(bytes)
    }));
    scale
}

/// Appends the codes of a vector with this many dimensions to `packed`, in the file's format.
pub(super) fn pack(codes: &[Lane], dimensions: usize, packed: &mut Vec<u8>) {
    for codes in codes.iter().map(|lane| bytes(*lane)) {
        if dimensions < SIX_BITS {
            packed.extend(codes);
            continue;
        }
        // Four codes in three bytes: six bits of each, the first one lowest.
        for four in codes.as_chunks::<4>().0 {
            let word = four.iter().rev().fold(0_u32, |word, code| word << 6 | u32::from(code & 0x3F));
            packed.extend(&word.to_le_bytes()[..3]);
        }
    }
}

/// Appends the codes that [`pack`] packed to `codes`.
pub(super) fn unpack(packed: &[u8], dimensions: usize, codes: &mut Vec<Lane>) {
    if dimensions < SIX_BITS {
        codes.extend(packed.as_chunks::<CODES>().0.iter().map(|bytes| lane(*bytes)));
        return;
    }
    codes.extend(packed.as_chunks::<{ CODES / 4 * 3 }>().0.iter().map(|packed| {
        let mut bytes = [0; CODES];
        for (four, three) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(packed.as_chunks::<3>().0) {
            // All four at once, because a hundred thousand vectors may be read before the first answer. In each byte,
            // the highest of the six bits is copied to the two bits above it: sign extension.
            let word = u32::from_le_bytes([three[0], three[1], three[2], 0]);
            let codes = word & 0x3F | word << 2 & 0x3F00 | word << 4 & 0x3F_0000 | word << 6 & 0x3F00_0000;
            let signs = codes & 0x2020_2020;
            *four = (codes | signs << 1 | signs << 2).to_le_bytes();
        }
        lane(bytes)
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_and_says_the_vector_within_half_a_unit() {
        for dimensions in [1, 3, 16, 127, 128, 130, 384, 768] {
            let vector: Vec<f32> = (0..dimensions).map(|at| (at as f32 * 0.7 + 0.3).sin()).collect();
            let (mut codes, mut packed, mut again) = (Vec::new(), Vec::new(), Vec::new());
            let scale = quantise(&vector, &mut codes);
            pack(&codes, dimensions, &mut packed);
            assert_eq!(packed.len(), packed_len(dimensions));
            unpack(&packed, dimensions, &mut again);
            let all = |codes: &[Lane]| codes.iter().flat_map(|lane| bytes(*lane)).collect::<Vec<_>>();
            assert_eq!(all(&again), all(&codes), "{dimensions} dimensions");
            for (code, value) in all(&again).into_iter().zip(&vector) {
                assert!(
                    (f32::from(code.cast_signed()) * scale - value).abs() <= scale * 0.501,
                    "{dimensions} dimensions"
                );
            }
        }
    }
}
