//! One vector: at unit length, how near another, and as bytes.

use crate::error::{Error, ErrorCode, Result};

/// The vector at unit length.
///
/// # Errors
///
/// `invalid_embedding`, saying what is wrong with it.
pub(super) fn unit(vector: &[f32], dimensions: usize) -> Result<Vec<f32>> {
    let hint = "Give one vector of the model's dimensions for each text, of finite numbers, not all zero.";
    let invalid = |what: String| Err(Error::new(ErrorCode::InvalidEmbedding, what).with_hint(hint));
    if vector.len() != dimensions {
        return invalid(format!("A vector has {} numbers; those of the model have {dimensions}.", vector.len()));
    }
    if let Some(at) = vector.iter().position(|value| !value.is_finite()) {
        return invalid(format!("Number {at} of a vector is not finite."));
    }
    let length = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    if length == 0.0 {
        return invalid("A vector has no length: all its numbers are zero.".into());
    }
    Ok(vector.iter().map(|value| (f64::from(*value) / length) as f32).collect())
}

pub(super) fn to_blob(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A stored vector, at unit length; none where another program stored what is no vector.
pub(super) fn from_blob(bytes: &[u8], dimensions: usize) -> Option<Vec<f32>> {
    let (values, rest) = bytes.as_chunks::<4>();
    let vector: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
    let square: f64 = vector.iter().map(|value| f64::from(*value).powi(2)).sum();
    if !rest.is_empty() || vector.len() != dimensions || !square.is_finite() || square == 0.0 {
        return None;
    }
    // Ours are of unit length as far as their numbers can say.
    if (square - 1.0).abs() < 1e-5 { Some(vector) } else { unit(&vector, dimensions).ok() }
}

/// The cosine of vectors of unit length.
pub(super) fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
    products.sum::<f64>().clamp(-1.0, 1.0)
}
