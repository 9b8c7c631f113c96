//! A rotation that spreads the information of a vector evenly over its dimensions.
//!
//! After it, one bit or one byte is worth as much in each dimension, even if a model puts nearly everything into a few.
//! Lengths and angles stay the same. It consists of sign flips and Hadamard transforms, as in Ailon and Chazelle, "The
//! Fast Johnson-Lindenstrauss Transform" (2009); if the number of dimensions is not a power of two, two transforms
//! overlap.

const ROUNDS: usize = 3;

/// The rotation of vectors with this many dimensions. It must always be the same, because stored vectors were rotated
/// by it.
pub(super) struct Rotation {
    signs: [Vec<f32>; ROUNDS],
}

impl Rotation {
    pub(super) fn new(dimensions: usize) -> Self {
        // Marsaglia's xorshift64.
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut sign = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if state >> 63 == 0 { 1.0 } else { -1.0 }
        };
        Self { signs: std::array::from_fn(|_| (0..dimensions).map(|_| sign()).collect()) }
    }

    pub(super) fn turn(&self, vector: &mut [f32]) {
        let length = vector.len();
        let span = if length.is_power_of_two() { length } else { length.next_power_of_two() / 2 };
        for signs in &self.signs {
            for (value, sign) in vector.iter_mut().zip(signs) {
                *value *= sign;
            }
            hadamard(&mut vector[..span]);
            if span < length {
                hadamard(&mut vector[length - span..]);
            }
        }
    }
}

/// The orthonormal Walsh-Hadamard transform, in place. The length must be a power of two.
fn hadamard(values: &mut [f32]) {
    let mut half = 1;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
    let scale = 1.0 / (values.len() as f32).sqrt();
    for value in values {
        *value *= scale;
    }
}
