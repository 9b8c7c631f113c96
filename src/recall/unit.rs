//! Vectors: scaled to unit length, compared, and stored as bytes.

use half::f16;

use crate::error::{Error, ErrorCode, Result};

/// The vector scaled to unit length.
///
/// # Errors
///
/// `invalid_embedding`; the message says what is wrong with the vector.
pub(super) fn unit(vector: &[f32], dimensions: usize) -> Result<Vec<f32>> {
    let hint = "Give one vector of the model's dimensions for each text, of finite numbers, not all zero.";
    let invalid = |what: String| Err(Error::new(ErrorCode::InvalidEmbedding, what).with_hint(hint));
    if vector.len() != dimensions {
        return invalid(format!("A vector has {} dimensions; the model has {dimensions}.", vector.len()));
    }
    if let Some(at) = vector.iter().position(|value| !value.is_finite()) {
        return invalid(format!("Number {at} of a vector is not finite."));
    }
    let length = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    if length == 0.0 {
        return invalid("A vector has length 0: all its numbers are zero.".into());
    }
    Ok(vector.iter().map(|value| (f64::from(*value) / length) as f32).collect())
}

/// A vector as bytes: 16-bit floats. This loses a tenth of what the codes used for the search lose.
pub(super) fn to_blob(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect()
}

/// A stored vector at unit length; none if another program stored something that is not a vector.
pub(super) fn from_blob(bytes: &[u8], dimensions: usize) -> Option<Vec<f32>> {
    const NOT_FINITE: u16 = 0x7C00;
    let (values, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() || values.len() != dimensions {
        return None;
    }
    if values.iter().any(|value| u16::from_le_bytes(*value) & NOT_FINITE == NOT_FINITE) {
        return None;
    }
    let mut vector: Vec<f32> = values.iter().map(|value| finite(u16::from_le_bytes(*value))).collect();
    // Because of rounding, its length is no longer exactly 1.
    let length = product(&vector, &vector).sqrt();
    if length == 0.0 {
        return None;
    }
    vector.iter_mut().for_each(|value| *value /= length);
    Some(vector)
}

/// A finite 16-bit float from its bits, without a branch, so that many are read at once.
fn finite(bits: u16) -> f32 {
    /// 2 to the power of 112: the exponent bias is 127 in 32 bits and 15 in 16 bits.
    const EXPONENTS: f32 = f32::from_bits((127 + 112) << 23);
    let magnitude = f32::from_bits(u32::from(bits & 0x7FFF) << 13) * EXPONENTS;
    magnitude.copysign(f32::from_bits(u32::from(bits) << 16))
}

/// The dot product, in eight partial sums that a processor adds in parallel.
fn product(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    for ((sum, a), b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
        *sum += a * b;
    }
    sums.iter().sum()
}

/// The cosine of vectors of unit length.
pub(super) fn cosine(a: &[f32], b: &[f32]) -> f64 {
    f64::from(product(a, b)).clamp(-1.0, 1.0)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use half::f16;

    #[test]
    fn every_finite_number_of_16_bits_is_read() {
        for bits in 0..=u16::MAX {
            let expected = f16::from_bits(bits);
            if expected.is_finite() {
                assert_eq!(super::finite(bits).to_bits(), expected.to_f32().to_bits(), "{bits:x}");
            } else {
                assert_eq!(super::from_blob(&bits.to_le_bytes(), 1), None);
            }
        }
    }
}
